//! One channel on this node: its subscribers, and its members if it lists them.

use std::{collections::BTreeMap, sync::Arc};

use everwire_protocol::Uuid;

use super::presence::Presence;
use crate::{
    connection::mailbox::{MailboxMessage, MailboxSender},
    model::broadcast::PresenceChange,
};

/// The subscribers of a channel by connection, in a fixed order of delivery.
pub(super) type Subscribers = BTreeMap<Uuid, Subscriber>;

#[derive(Debug, Default)]
pub(super) struct ChannelState {
    /// Shared with deliveries that are going on: it is copied if it changes meanwhile.
    pub(super) subscribers: Arc<Subscribers>,
    pub(super) presence: Option<Presence>,
}

#[derive(Debug, Clone)]
pub(super) struct Subscriber {
    pub(super) user: Arc<str>,
    pub(super) mailbox: MailboxSender,
    /// Which of the subscriptions that the connection has had in this channel.
    pub(super) key: u64,
}

/// A join or leave, and who is to be told.
#[derive(Debug)]
pub(super) struct MemberChange {
    pub(super) to: Arc<Subscribers>,
    /// Except for this connection.
    pub(super) but: Option<Uuid>,
    pub(super) change: Arc<PresenceChange>,
}

impl MemberChange {
    pub(super) fn deliver(self) {
        for (connection, subscriber) in &*self.to {
            if Some(*connection) != self.but {
                subscriber.mailbox.push(MailboxMessage::Presence(self.change.clone()));
            }
        }
    }
}

impl ChannelState {
    pub(super) fn is_idle(&self) -> bool {
        self.subscribers.is_empty() && self.presence.as_ref().is_none_or(Presence::is_empty)
    }
}
