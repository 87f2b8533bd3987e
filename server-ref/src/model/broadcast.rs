//! What is given to the subscribers of a channel and is in no log.

use std::sync::Arc;

use everwire_protocol::{Channel, ServerFrame, Uuid};

use super::identity::Identity;

/// A frame for all who are subscribed to a channel now: encoded once for all of them.
#[derive(Debug, PartialEq, Eq)]
pub struct Broadcast {
    /// The channel.
    pub channel: Channel,
    /// The frame as JSON text.
    pub text: Arc<str>,
    /// Whether it may be dropped for who cannot keep up.
    pub ephemeral: bool,
}

/// Something to be passed on to those who are subscribed now, and not to be stored.
#[derive(Debug)]
pub struct Ephemeral {
    /// The channel.
    pub channel: Channel,
    /// The `typing` or `signal` frame. In a `signal`, who passes it on fills in the sender's connection.
    pub frame: ServerFrame,
    /// Who sends it. All of a user's connections are left out of typing.
    pub who: Identity,
    /// The session of the connection that sends it.
    pub session: Uuid,
    /// Who gets it.
    pub to: Receiver,
}

/// Who gets something ephemeral.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    /// All but the connection that sends it.
    Others,
    /// All but the user who sends it.
    OtherUsers,
    /// This connection.
    One(Uuid),
}

/// Somebody came to a presence channel or left it: encoded once for all who are told.
#[derive(Debug, PartialEq, Eq)]
pub struct PresenceChange {
    /// The channel.
    pub channel: Channel,
    /// Counts the changes of the channel's list. A list of members says which changes it contains.
    pub version: u64,
    /// The `joined` or `left` frame as JSON text.
    pub text: Arc<str>,
}
