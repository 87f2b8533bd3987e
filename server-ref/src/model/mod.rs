//! The data types that all rooms of the server share: logs and entries, identities, addresses, chats, people, broadcasts and pages
//! of lists. They depend on nothing else here.

pub mod address;
pub mod ban;
pub mod broadcast;
pub mod chat;
pub mod features;
pub mod identity;
pub mod log;
pub mod paging;
pub mod people;
