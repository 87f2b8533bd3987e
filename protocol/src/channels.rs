//! The channels whose names have a meaning in the protocol: a user's own channel, the two channels of a chat, and two
//! channels for all users.

use alloc::string::String;

use crate::{Channel, ChannelKind};

/// Prefix of the channel that belongs to a single user.
pub const USER_PREFIX: &str = "private-user.";

/// Prefix of the channel that is a chat's log.
pub const MESSAGES_PREFIX: &str = "private-chat.";

/// Prefix of the channel that lists who has a chat open.
pub const PRESENCE_PREFIX: &str = "presence-chat.";

/// Lists all users who are online or away.
pub const PRESENCE_USERS: &str = "presence-users";

/// Readable by all users; only back ends send to it.
pub const EVERYONE: &str = "everyone";

/// The channel of a user; `None` if the user's id cannot be part of a channel name.
pub fn user_channel(user: &str) -> Option<Channel> {
    named(USER_PREFIX, user)
}

fn named(prefix: &str, id: &str) -> Option<Channel> {
    let mut name = String::from(prefix);
    name.push_str(id);
    Channel::parse(&name)
}

/// The user that a `private-user.…` channel belongs to.
pub fn owner_of(channel: &Channel) -> Option<&str> {
    channel.as_str().strip_prefix(USER_PREFIX)
}

/// The channel that is the log of a chat; `None` if the id cannot be part of a channel name.
pub fn messages_channel(chat: &str) -> Option<Channel> {
    named(MESSAGES_PREFIX, chat)
}

/// The channel that lists who has a chat open; `None` if the id cannot be part of a channel name.
pub fn presence_channel(chat: &str) -> Option<Channel> {
    named(PRESENCE_PREFIX, chat)
}

/// The chat that a channel belongs to, by either of its channels.
pub fn chat_of(channel: &Channel) -> Option<&str> {
    chat_of_messages(channel).or_else(|| channel.as_str().strip_prefix(PRESENCE_PREFIX))
}

/// The chat whose log a channel is.
pub fn chat_of_messages(channel: &Channel) -> Option<&str> {
    channel.as_str().strip_prefix(MESSAGES_PREFIX)
}

/// Whether receipts are kept for a channel.
pub fn keeps_receipts(channel: &Channel) -> bool {
    channel.kind() != ChannelKind::Public || channel.as_str() == EVERYONE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_leads_back_to_its_user_or_chat() {
        let own = user_channel("7").unwrap();
        assert_eq!((own.as_str(), owner_of(&own), chat_of(&own)), ("private-user.7", Some("7"), None));
        let messages = messages_channel("42").unwrap();
        assert_eq!(messages.as_str(), "private-chat.42");
        assert_eq!((chat_of(&messages), chat_of_messages(&messages)), (Some("42"), Some("42")));
        let presence = presence_channel("42").unwrap();
        assert_eq!(presence.as_str(), "presence-chat.42");
        assert_eq!((chat_of(&presence), chat_of_messages(&presence)), (Some("42"), None));
        assert_eq!(user_channel("two words"), None);
    }

    #[test]
    fn receipts_are_kept_where_users_are_known() {
        for (name, kept) in [("news", false), (EVERYONE, true), (PRESENCE_USERS, true), ("private-x", true)] {
            assert_eq!(keeps_receipts(&Channel::new(name).unwrap()), kept, "{name}");
        }
    }
}
