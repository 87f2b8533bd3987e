//! Identities, and the queries about permissions that a connection makes.

use std::{fmt, sync::Arc};

use everwire_protocol::{Channel, ErrorCode, Guest, Member, Role, Uuid};

use super::address::AddressKey;

/// The credentials of a client.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// A token.
    pub token: Option<&'a str>,
    /// A guest name.
    pub guest: Option<&'a Guest>,
    /// The address of the client; `None` if it is not counted.
    pub address: Option<AddressKey>,
}

/// A signed-in user. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user id.
    pub user: Arc<str>,
    /// The name that others see.
    pub name: Option<Arc<str>>,
    /// The granted channels: names, or patterns that end in `*`.
    pub grants: Arc<[String]>,
    /// When the token expires, in ms since 1970.
    pub expires_at: Option<u64>,
    /// The token, for revocations. `None`: a guest, or known to the server only by id.
    pub token: Option<IssuedToken>,
    /// Who is charged for what this user does.
    pub payer: Payer,
}

/// What a revocation needs to know of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedToken {
    /// Its id, if it has one (`jti`).
    pub id: Option<Arc<str>>,
    /// When it was issued, in ms since 1970 (`iat`); 0 if it does not say so.
    pub issued_at: u64,
}

/// Whose account is charged: somebody whom a client cannot choose.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Payer {
    /// A signed-in user, from whatever address: an office or a mobile network shares one.
    User(Arc<str>),
    /// An address, for its guests.
    Address(AddressKey),
}

impl Identity {
    /// This user as others see it.
    pub fn member(&self) -> Member {
        Member { user: self.user.as_ref().into(), name: self.name.as_deref().map(Into::into), status: None }
    }

    /// Whether the token grants a channel.
    pub fn granted(&self, channel: &Channel) -> bool {
        covers(&self.grants, channel)
    }
}

/// Whether one of these names, or patterns that end in `*`, means a channel.
pub fn covers(names: &[String], channel: &Channel) -> bool {
    names.iter().any(|name| match name.strip_suffix('*') {
        Some(start) => channel.as_str().starts_with(start),
        None => channel.as_str() == name,
    })
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The code.
    pub code: ErrorCode,
    /// The message: what happened, and what to do.
    pub message: String,
    /// When to try again, in ms, if that is known.
    pub retry_after_ms: Option<u32>,
}

impl Refusal {
    /// A refusal with a specific message.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: None }
    }

    /// [`ErrorCode::RateLimited`], with the time to wait, in ms.
    pub fn rate_limited(retry_after_ms: u32) -> Self {
        let refusal = Self::new(ErrorCode::RateLimited, "Rate limit exceeded.");
        Self { retry_after_ms: Some(retry_after_ms), ..refusal }
    }

    /// A refusal with the code's own message.
    pub fn of(code: ErrorCode) -> Self {
        Self::new(code, code.message())
    }
}

/// Authenticates users and decides about permissions, without waiting.
pub trait Access: Send + Sync + fmt::Debug {
    /// The user with these credentials.
    ///
    /// # Errors
    /// [`ErrorCode::Unauthorized`] or [`ErrorCode::Banned`], with a message.
    fn identify(&self, credentials: &Credentials<'_>, wall_ms: u64) -> Result<Identity, Refusal>;

    /// The wall clock, in ms since 1970, at this monotonic time: what tokens are checked with. Read afresh each time, because
    /// it may be corrected. Where time is simulated, both may be one.
    fn wall_ms(&self, now_ms: u64) -> u64 {
        now_ms
    }

    /// Whether an identity that was accepted before is still accepted: its user is not banned, its token not revoked.
    ///
    /// # Errors
    /// [`ErrorCode::Unauthorized`] or [`ErrorCode::Banned`], with a message.
    fn check(&self, who: &Identity, now_ms: u64) -> Result<(), Refusal> {
        let _ = (who, now_ms);
        Ok(())
    }

    /// Whether a user may receive a channel. For the channels of chats see also [`Self::chat`].
    fn may_subscribe(&self, who: &Identity, channel: &Channel) -> bool;

    /// Whether a user may send to a channel. For the channels of chats see also [`Self::chat`].
    fn may_send(&self, who: &Identity, channel: &Channel) -> bool;

    /// The chat of which a user must be a member in order to use a channel. `None`: the other two methods decide alone.
    fn chat<'a>(&self, who: &Identity, channel: &'a Channel) -> Option<&'a str> {
        let _ = (who, channel);
        None
    }

    /// Counts something against its rate limit. The error is how long to wait, in ms.
    ///
    /// # Errors
    /// How long to wait, in ms, if the limit is exceeded. It is then not counted.
    fn pace(&self, who: &Identity, session: Uuid, what: RateClass, now_ms: u64) -> Result<(), u32> {
        let _ = (who, session, what, now_ms);
        Ok(())
    }
}

/// A class of things with a rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateClass {
    /// A send: counted per user, over all connections.
    Send,
    /// Typing, or a signal.
    Ephemeral,
    /// A receipt.
    Receipt,
    /// A request.
    Request,
    /// The cost of a frame in units (see the room `accounts`), over all sessions.
    Work(u32),
    /// A new connection, by session.
    NewConnection,
    /// A session that was never seen before.
    NewSession,
    /// A new chat.
    NewChat,
    /// A change of a chat.
    ChatChange,
    /// This many users are invited to a chat.
    Invitations(u32),
    /// Something ephemeral is delivered to this many connections, or as many kibibytes.
    Deliveries(u32),
}

/// The refusal for a user with this role in a chat.
pub fn not_for(role: Option<Role>) -> Refusal {
    let words = match role {
        Some(Role::Owner | Role::Member) => ErrorCode::Forbidden.message(),
        Some(Role::ReadOnly) => "You may read this chat but not write in it.",
        Some(Role::Invited) => "You are invited to this chat. Join it first.",
        None => "You are not a member of this chat.",
    };
    Refusal::new(ErrorCode::Forbidden, words)
}
