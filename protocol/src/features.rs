//! The parts of the protocol that a server may lack, each of which is a profile of its own: `welcome.features` names those
//! that it has.

use core::{fmt, str::FromStr};

use crate::ClientFrame;

macro_rules! features {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $words:literal;)*) => {
        /// A part of the protocol that a server may lack.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Feature { $($(#[$doc])* $variant,)* }

        impl Feature {
            /// Every feature, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What it is, for people.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$variant => $words),* }
            }
        }
    };
}

features! {
    /// Who is in a channel.
    Presence = "presence", "lists of who is in a channel";
    /// How far users have received and read.
    Receipts = "receipts", "receipts";
    /// Who is online.
    Status = "status", "the status of users";
    /// Groups and direct chats with members and roles.
    Chats = "chats", "chats";
    /// Typing and signals.
    Ephemeral = "ephemeral", "typing and signals";
    /// Pages of a log.
    History = "history", "history";
}

/// A text that names no feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such feature; there are presence, receipts, status, chats, ephemeral and history")]
pub struct UnknownFeature;

impl FromStr for Feature {
    type Err = UnknownFeature;

    fn from_str(name: &str) -> Result<Self, UnknownFeature> {
        Self::ALL.iter().copied().find(|feature| feature.as_str() == name).ok_or(UnknownFeature)
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ClientFrame {
    /// The feature that this frame is part of; `None` if every server must have it.
    pub const fn feature(&self) -> Option<Feature> {
        match self {
            Self::Hello(_)
            | Self::Token(_)
            | Self::Poll(_)
            | Self::Ping(_)
            | Self::Pong(_)
            | Self::Bye(_)
            | Self::Subscribe(_)
            | Self::Unsubscribe(_)
            | Self::Send(_) => None,
            Self::ListMembers(_) => Some(Feature::Presence),
            Self::Mark(_) | Self::ListReceipts(_) => Some(Feature::Receipts),
            Self::Idle(_) | Self::SetStatus(_) | Self::GetStatus(_) => Some(Feature::Status),
            Self::ListChats(_)
            | Self::ListChatMembers(_)
            | Self::CreateChat(_)
            | Self::Invite(_)
            | Self::JoinChat(_)
            | Self::LeaveChat(_)
            | Self::RemoveMember(_)
            | Self::RenameChat(_)
            | Self::SetRole(_) => Some(Feature::Chats),
            Self::Typing(_) | Self::Signal(_) => Some(Feature::Ephemeral),
            Self::History(_) => Some(Feature::History),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_is_found_by_its_name() {
        for feature in Feature::ALL {
            assert_eq!(feature.as_str().parse(), Ok(*feature));
        }
        assert_eq!("core".parse::<Feature>(), Err(UnknownFeature));
        let words = UnknownFeature.to_string();
        assert!(Feature::ALL.iter().all(|feature| words.contains(feature.as_str())), "{words}");
    }
}
