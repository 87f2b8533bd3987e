//! Channel names, parsed into a type that cannot be invalid.

use alloc::string::String;
#[cfg(not(target_arch = "wasm32"))]
use alloc::sync::Arc;
use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::limits::MAX_CHANNEL_BYTES;

/// A valid channel name. Cheap to clone.
///
/// The convention is that of Pusher and Laravel: `private-…` requires a grant, `presence-…` requires a grant and lists its
/// members, everything else is public.
///
/// ```
/// use everwire_protocol::{Channel, ChannelKind};
/// let channel: Channel = "presence-chat.42".parse().unwrap();
/// assert_eq!(channel.kind(), ChannelKind::Presence);
/// assert_eq!(channel.rest(), "chat.42");
/// assert!("two words".parse::<Channel>().is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "generate", derive(ts_rs::TS), ts(type = "string"))]
pub struct Channel(Name);

/// Servers share a name among all who hear of its channel. A browser has few copies, and the code for sharing them would be
/// larger than they are.
#[cfg(not(target_arch = "wasm32"))]
type Name = Arc<str>;
#[cfg(target_arch = "wasm32")]
type Name = String;

/// The kind of a channel, given by its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChannelKind {
    /// Everybody may subscribe.
    Public,
    /// Requires a grant.
    Private,
    /// Requires a grant, and lists its members.
    Presence,
}

/// Why a string is not a valid channel name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidChannel {
    /// Empty, or nothing after the prefix.
    #[error("a channel name must not be empty, nor only a prefix")]
    Empty,
    /// More than [`MAX_CHANNEL_BYTES`].
    #[error("a channel name may have {MAX_CHANNEL_BYTES} bytes at most; this one has {0}")]
    TooLong(usize),
    /// A character outside the allowed set.
    #[error(
        "a channel name may contain only letters, digits and _ - = @ , . ; :, not {character:?} (at byte {at})"
    )]
    Character {
        /// The character.
        character: char,
        /// Its position in the name, in bytes from 0.
        at: usize,
    },
}

impl Channel {
    /// Validates a name. See [`InvalidChannel`] for the rules.
    pub fn new(name: &str) -> Result<Self, InvalidChannel> {
        Self::parse(name).ok_or_else(|| InvalidChannel::of(name))
    }

    /// The same without a reason, for browsers, which would have to download the messages.
    pub fn parse(name: &str) -> Option<Self> {
        let valid = name.len() <= MAX_CHANNEL_BYTES && name.bytes().all(is_allowed);
        (valid && !split(name).1.is_empty()).then(|| Self(name.into()))
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Public, private or presence.
    pub fn kind(&self) -> ChannelKind {
        split(&self.0).0
    }

    /// The name without its prefix: `chat.42` of `private-chat.42`.
    pub fn rest(&self) -> &str {
        split(&self.0).1
    }
}

fn split(name: &str) -> (ChannelKind, &str) {
    if let Some(rest) = name.strip_prefix("private-") {
        (ChannelKind::Private, rest)
    } else if let Some(rest) = name.strip_prefix("presence-") {
        (ChannelKind::Presence, rest)
    } else {
        (ChannelKind::Public, name)
    }
}

impl InvalidChannel {
    /// Why a name is invalid.
    fn of(name: &str) -> Self {
        if name.len() > MAX_CHANNEL_BYTES {
            return Self::TooLong(name.len());
        }
        // Byte by byte: allowed characters are ASCII, so the first byte that is not allowed begins a character.
        let Some(at) = name.bytes().position(|byte| !is_allowed(byte)) else { return Self::Empty };
        let character = name.get(at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
        Self::Character { character, at }
    }
}

pub(crate) fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'=' | b'@' | b',' | b'.' | b';' | b':')
}

impl FromStr for Channel {
    type Err = InvalidChannel;
    fn from_str(name: &str) -> Result<Self, InvalidChannel> {
        Self::new(name)
    }
}

impl TryFrom<String> for Channel {
    type Error = InvalidChannel;
    fn try_from(name: String) -> Result<Self, InvalidChannel> {
        Self::new(&name)
    }
}

impl From<Channel> for String {
    fn from(channel: Channel) -> Self {
        channel.as_str().into()
    }
}

impl AsRef<str> for Channel {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Channel({})", self.0)
    }
}

#[cfg(feature = "generate")]
impl schemars::JsonSchema for Channel {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Channel".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_CHANNEL_BYTES,
            "pattern": "^(?!(private-|presence-)$)[A-Za-z0-9_=@,.;:-]+$",
            "description": "A channel name; private-… needs a grant, presence-… also lists its members.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_tells_the_kind() {
        for (name, kind, rest) in [
            ("news", ChannelKind::Public, "news"),
            ("private-user.7", ChannelKind::Private, "user.7"),
            ("presence-users", ChannelKind::Presence, "users"),
            ("privately", ChannelKind::Public, "privately"),
        ] {
            let channel = Channel::new(name).unwrap();
            assert_eq!((channel.kind(), channel.rest()), (kind, rest), "{name}");
        }
    }

    #[test]
    fn a_bad_name_is_refused_with_its_reason() {
        assert_eq!(Channel::new(""), Err(InvalidChannel::Empty));
        assert_eq!(Channel::new("private-"), Err(InvalidChannel::Empty));
        assert_eq!(Channel::new(&"x".repeat(201)), Err(InvalidChannel::TooLong(201)));
        assert_eq!(Channel::new("né"), Err(InvalidChannel::Character { character: 'é', at: 1 }));
        assert!(Channel::new(&"x".repeat(200)).is_ok());
    }
}
