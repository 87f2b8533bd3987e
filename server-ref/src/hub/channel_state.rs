//! One channel on this node: its subscribers, and its members if it lists them.

use std::{collections::BTreeMap, sync::Arc};

use everwire_protocol::{Channel, MemberLeft, ServerFrame, Uuid, batch};

use super::presence::Presence;
use crate::{
    connection::mailbox::{MailboxMessage, MailboxSender},
    model::broadcast::PresenceChange,
};

#[derive(Debug, Default)]
pub(super) struct ChannelState {
    /// By connection, in a fixed order of delivery.
    pub(super) subscribers: BTreeMap<Uuid, Subscriber>,
    pub(super) presence: Option<Presence>,
}

#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) user: Arc<str>,
    pub(super) mailbox: MailboxSender,
}

impl ChannelState {
    /// Sends to all subscribers but one.
    pub(super) fn tell(&self, but: Option<Uuid>, message: &impl Fn() -> MailboxMessage) {
        for (connection, subscriber) in &self.subscribers {
            if Some(*connection) != but {
                subscriber.mailbox.push(message());
            }
        }
    }

    /// Sends a change of the members to all subscribers but one.
    pub(super) fn tell_change(
        &self,
        channel: &Channel,
        version: u64,
        but: Option<Uuid>,
        frame: &ServerFrame,
    ) {
        let text = batch::encode_frame(frame).into();
        let change = Arc::new(PresenceChange { channel: channel.clone(), version, text });
        self.tell(but, &|| MailboxMessage::Presence(change.clone()));
    }

    pub(super) fn tell_left(&self, channel: &Channel, user: &str, version: u64) {
        let left = MemberLeft { channel: channel.clone(), user: user.into() };
        self.tell_change(channel, version, None, &left.into());
    }

    pub(super) fn is_idle(&self) -> bool {
        self.subscribers.is_empty() && self.presence.as_ref().is_none_or(Presence::is_empty)
    }
}
