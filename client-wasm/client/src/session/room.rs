//! The state of one channel that is subscribed to: what everybody who subscribes sees.

use everwire_client_core::Position;
use everwire_protocol::{Channel, Member, StatusChanged, UserReceipt};

use crate::table::Table;

pub(crate) struct Room {
    pub(crate) channel: Channel,
    /// Where it stands; none before it is in place for the first time.
    pub(crate) position: Option<Position>,
    pub(crate) head: u64,
    pub(crate) members: Table<String, Member>,
    pub(super) load: Option<Load>,
    pub(crate) receipts: Table<String, UserReceipt>,
    pub(crate) typists: Table<String, Typist>,
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
            members: Table::default(),
            load: None,
            receipts: Table::default(),
            typists: Table::default(),
        }
    }
}

/// A list that arrives in pages.
#[derive(Default)]
pub(super) struct Load {
    pub(super) list: Table<String, Member>,
    /// What has changed since the last page was asked for.
    pub(super) since: Vec<Change>,
    /// Whether those who have come and gone meanwhile are told one by one: not of the first list.
    pub(super) tells: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Change {
    Joined(Member),
    Left(String),
    Status(StatusChanged),
}

impl Change {
    pub(super) fn apply(&self, members: &mut Table<String, Member>) {
        match self {
            // Of a listed user: the name has changed.
            Self::Joined(member) => members.insert(member.user.clone(), member.clone()),
            Self::Left(user) => drop(members.remove(user)),
            Self::Status(StatusChanged { user, name, status, .. }) => {
                if let Some(member) = members.get_mut(user) {
                    member.status = Some(*status);
                    if name.is_some() {
                        member.name.clone_from(name);
                    }
                }
            }
        }
    }
}
