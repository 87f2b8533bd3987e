//! The data that all rooms of the server share: logs and their entries, users and what they may do, chats, and what is told
//! to subscribers. Plain types that depend on nothing else here.

pub mod broadcast;
pub mod chat;
pub mod identity;
pub mod log;
pub mod people;
