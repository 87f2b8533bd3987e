//! The channels whose names have a meaning in the protocol: a user's own channel, the two channels of a chat, and two
//! channels for all users.

use alloc::{borrow::Cow, string::String};

use crate::{
    Channel, ChannelKind,
    names::check_user,
    user_id::{decode_user, encode_user},
};

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

/// The channel of a user; `None` if this is not a valid id.
pub fn user_channel(user: &str) -> Option<Channel> {
    if check_user(user).is_ok() { named(USER_PREFIX, &encode_user(user)) } else { None }
}

fn named(prefix: &str, id: &str) -> Option<Channel> {
    let mut name = String::from(prefix);
    name.push_str(id);
    Channel::parse(&name)
}

/// Whether a channel is one of those that belong to a single user.
pub fn is_user_channel(channel: &Channel) -> bool {
    channel.as_str().starts_with(USER_PREFIX)
}

/// The user that a `private-user.…` channel belongs to; `None` also if the rest of its name encodes no id.
pub fn owner_of(channel: &Channel) -> Option<Cow<'_, str>> {
    decode_user(channel.as_str().strip_prefix(USER_PREFIX)?)
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
        assert_eq!(own.as_str(), "private-user.7");
        assert_eq!((owner_of(&own).as_deref(), chat_of(&own)), (Some("7"), None));
        let messages = messages_channel("42").unwrap();
        assert_eq!(messages.as_str(), "private-chat.42");
        assert_eq!((chat_of(&messages), chat_of_messages(&messages)), (Some("42"), Some("42")));
        let presence = presence_channel("42").unwrap();
        assert_eq!(presence.as_str(), "presence-chat.42");
        assert_eq!((chat_of(&presence), chat_of_messages(&presence)), (Some("42"), None));
    }

    #[test]
    fn every_user_has_a_channel_and_no_other_channel_is_theirs() {
        for user in ["auth0|5f7c", "ann+x@y.z", "Zoë", "=", "=7", "two words", &"é".repeat(64)] {
            let own = user_channel(user).unwrap();
            assert_eq!(owner_of(&own).as_deref(), Some(user));
            assert!(is_user_channel(&own));
        }
        assert_eq!(user_channel(&"é".repeat(64)).map(|own| own.as_str().len()), Some(185));
        // Another spelling of "7".
        let alias = Channel::new("private-user.=Nw").unwrap();
        assert!(is_user_channel(&alias) && owner_of(&alias).is_none());
        assert_eq!((user_channel(""), user_channel("a\n")), (None, None));
    }

    #[test]
    fn receipts_are_kept_where_users_are_known() {
        for (name, kept) in [("news", false), (EVERYONE, true), (PRESENCE_USERS, true), ("private-x", true)] {
            assert_eq!(keeps_receipts(&Channel::new(name).unwrap()), kept, "{name}");
        }
    }
}
