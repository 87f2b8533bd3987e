//! The state of one channel that is subscribed to: what everybody who subscribes sees.

use std::collections::BTreeMap;

use everwire_client_core::Position;
use everwire_protocol::{Channel, Member, UserReceipt};

use super::members::Load;

pub(crate) struct Room {
    pub(crate) channel: Channel,
    /// Where it stands; none before it is in place for the first time.
    pub(crate) position: Option<Position>,
    pub(crate) head: u64,
    pub(crate) members: BTreeMap<String, Member>,
    pub(super) load: Option<Load>,
    pub(crate) receipts: BTreeMap<String, UserReceipt>,
    pub(crate) typists: BTreeMap<String, Typist>,
}

/// Somebody who types.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Typist {
    /// The id of the user.
    pub user: String,
    /// The user's name, if the server knows one.
    pub name: Option<String>,
}

impl Room {
    pub(super) fn new(channel: Channel) -> Self {
        Self {
            channel,
            position: None,
            head: 0,
            members: BTreeMap::new(),
            load: None,
            receipts: BTreeMap::new(),
            typists: BTreeMap::new(),
        }
    }
}
