//! What is delivered to the subscribers of a channel without being in its log.

use std::sync::Arc;

use everwire_protocol::{Channel, ServerFrame, Uuid};

use super::identity::Identity;

/// A frame for all current subscribers of a channel, encoded once.
#[derive(Debug, PartialEq, Eq)]
pub struct Broadcast {
    /// The channel.
    pub channel: Channel,
    /// The frame as JSON text.
    pub text: Arc<str>,
    /// Whether it may be dropped for slow readers.
    pub ephemeral: bool,
}

/// Something for the current subscribers that is not stored.
#[derive(Debug)]
pub struct Ephemeral {
    /// The channel.
    pub channel: Channel,
    /// The `user_typing` or `signalled` frame. The hub fills in the sender's connection in the latter.
    pub frame: ServerFrame,
    /// The sender. Typing is not delivered to any connection of its user.
    pub who: Identity,
    /// The session of the connection that sends it.
    pub session: Uuid,
    /// The receivers.
    pub to: Receiver,
}

/// The receivers of something ephemeral.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    /// All but the connection that sends it.
    Others,
    /// All but the user who sends it.
    OtherUsers,
    /// This connection.
    One(Uuid),
}

/// A join or leave of a presence channel, encoded once for all subscribers.
#[derive(Debug, PartialEq, Eq)]
pub struct PresenceChange {
    /// The channel.
    pub channel: Channel,
    /// Counts the changes of the channel's members. A list of members states the version that it contains.
    pub version: u64,
    /// The `member_joined` or `member_left` frame as JSON text.
    pub text: Arc<str>,
}
