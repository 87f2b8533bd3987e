//! Who somebody is, and the questions that a connection asks about what they may do.

use std::{fmt, sync::Arc};

use everwire_protocol::{Channel, ErrorCode, Guest, Member, Role, Uuid};

/// What a client shows to say who it is.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// A token.
    pub token: Option<&'a str>,
    /// A name that the client gave itself.
    pub guest: Option<&'a Guest>,
}

/// A signed-in user. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user id.
    pub user: Arc<str>,
    /// The name that others see.
    pub name: Option<Arc<str>>,
    /// Channels that the token grants: names, or patterns that end in `*`.
    pub grants: Arc<[String]>,
    /// When the token expires, in ms since 1970.
    pub expires_at: Option<u64>,
}

impl Identity {
    /// How others see this user.
    pub fn member(&self) -> Member {
        Member { user: self.user.as_ref().into(), name: self.name.as_deref().map(Into::into), status: None }
    }

    /// Whether the token grants a channel.
    pub fn granted(&self, channel: &Channel) -> bool {
        self.grants.iter().any(|grant| match grant.strip_suffix('*') {
            Some(start) => channel.as_str().starts_with(start),
            None => channel.as_str() == grant,
        })
    }
}

/// Why somebody was not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The code.
    pub code: ErrorCode,
    /// What happened and what to do.
    pub message: String,
}

impl Refusal {
    /// A refusal with a sentence of its own.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A refusal with the code's sentence.
    pub fn of(code: ErrorCode) -> Self {
        Self::new(code, code.message())
    }
}

/// Decides who somebody is and what he may do. Answers at once: what has to be looked up first is looked up when the
/// connection is opened.
pub trait Access: Send + Sync + fmt::Debug {
    /// Who shows these credentials.
    ///
    /// # Errors
    /// [`ErrorCode::Unauthorized`] or [`ErrorCode::Banned`], with a sentence.
    fn identify(&self, credentials: &Credentials<'_>, now_ms: u64) -> Result<Identity, Refusal>;

    /// Whether somebody may receive a channel. Of a chat's channels see [`Self::chat`] too.
    fn may_subscribe(&self, who: &Identity, channel: &Channel) -> bool;

    /// Whether somebody may send to a channel. Of a chat's channels see [`Self::chat`] too.
    fn may_send(&self, who: &Identity, channel: &Channel) -> bool;

    /// The chat that somebody has to be a member of in order to use a channel. Memberships are in the store, so that has
    /// to be looked up. `None`: what the other two say is all.
    fn chat<'a>(&self, who: &Identity, channel: &'a Channel) -> Option<&'a str> {
        let _ = (who, channel);
        None
    }

    /// Counts something that may be done only so often. The error is for how long it may not be done, in ms.
    ///
    /// # Errors
    /// How long to wait, in ms, if it was done too often already. It is not counted then.
    fn pace(&self, who: &Identity, session: Uuid, what: RateClass, now_ms: u64) -> Result<(), u32> {
        let _ = (who, session, what, now_ms);
        Ok(())
    }
}

/// What may be done only so often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateClass {
    /// Something to be stored: counted per user, over all connections.
    Send,
    /// Typing, or a signal.
    Ephemeral,
    /// A receipt.
    Receipt,
    /// A question.
    Request,
}

/// Why somebody with this role may not do something in a chat.
pub fn not_for(role: Option<Role>) -> Refusal {
    let words = match role {
        Some(Role::Owner | Role::Member) => ErrorCode::Forbidden.message(),
        Some(Role::ReadOnly) => "You may read this chat, and not write in it.",
        Some(Role::Invited) => "You are invited to this chat. Join it first.",
        None => "You are not a member of this chat.",
    };
    Refusal::new(ErrorCode::Forbidden, words)
}
