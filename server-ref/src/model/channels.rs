//! The channels whose names mean something to the server.

use everwire_protocol::{Channel, ChannelKind};

/// The channels of chats: the log, and who has it open now.
const LOG: &str = "private-chat.";
const HERE: &str = "presence-chat.";

/// The channels of single users.
const OWN: &str = "private-user.";

/// Where a `WebSocket` is opened.
pub const WS_PATH: &str = "/everwire/v1/ws";

/// Where polls are posted.
pub const POLL_PATH: &str = "/everwire/v1/poll";

/// Everybody who is online is listed here.
pub const USERS: &str = "presence-users";

/// Everybody may receive it, and only back ends send to it.
pub const EVERYONE: &str = "everyone";

/// A user's own channel; `None` for a user whose id cannot be part of a channel's name.
pub fn own_channel(user: &str) -> Option<Channel> {
    Channel::new(&format!("{OWN}{user}")).ok()
}

/// The user whom a `private-user.…` channel belongs to.
pub fn owner(channel: &Channel) -> Option<&str> {
    channel.as_str().strip_prefix(OWN)
}

/// The channel of a chat's log; `None` if there can be no chat of this name.
pub fn log_of(chat: &str) -> Option<Channel> {
    Channel::new(&format!("{LOG}{chat}")).ok()
}

/// The channel that lists who has a chat open; `None` if there can be no chat of this name.
pub fn here_of(chat: &str) -> Option<Channel> {
    Channel::new(&format!("{HERE}{chat}")).ok()
}

/// The chat that a channel belongs to.
pub fn chat_of(channel: &Channel) -> Option<&str> {
    channel.as_str().strip_prefix(LOG).or_else(|| channel.as_str().strip_prefix(HERE))
}

/// The chat whose log a channel is.
pub fn chat_of_log(channel: &Channel) -> Option<&str> {
    channel.as_str().strip_prefix(LOG)
}

/// Whether it is kept how far users have received and read a channel.
pub fn keeps_receipts(channel: &Channel) -> bool {
    channel.kind() != ChannelKind::Public || channel.as_str() == EVERYONE
}
