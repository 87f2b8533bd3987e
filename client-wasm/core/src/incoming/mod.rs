//! What is received: how far each subscription has come, and who else is typing.

pub(crate) mod subscription;
pub(crate) mod subscriptions;
pub(crate) mod typists;
