//! Chats and their members: the rules, and the registry of all chats of this node.
//!
//! * [`command`]: the changes that can be requested, and by whom.
//! * [`rules`]: who may change what, and the effect of a change. Pure.
//! * [`registry`]: all chats in memory. It is authoritative, because only the commit loop changes it, and only after a change is
//!   on disk.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod command;
pub mod registry;
pub mod rules;
#[cfg(test)]
mod tests;

use everwire_protocol::Uuid;

pub use command::{Actor, Command, Newcomer};
pub use registry::{ChatRegistry, Companions};
pub use rules::{Bounds, Change, Decision, decide};

/// The id of the direct chat of two users. The length before the first makes the text unambiguous.
pub fn direct_id(a: &str, b: &str) -> Uuid {
    let (first, second) = if a <= b { (a, b) } else { (b, a) };
    Uuid::new_v5(&DIRECT, format!("{}:{first}{second}", first.len()).as_bytes())
}

/// The UUID name space of direct chats: a random constant.
const DIRECT: Uuid = Uuid::from_u128(0x6d1f_2a0c_9b1e_4c62_a7d3_51c8_3f0e_94b7);
