//! Bans of users and revocations of tokens: what ends a permission before a token expires.

use std::sync::Arc;

/// A ban: the user may not use this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// The id of the user.
    pub user: Arc<str>,
    /// When it was declared, in ms since 1970.
    pub since: u64,
    /// When it ends, in ms since 1970; `None`: only by a call of the API.
    pub until: Option<u64>,
    /// The reason, which the user is told.
    pub reason: Option<String>,
}

impl Ban {
    /// Whether it applies at this time.
    pub fn applies(&self, now_ms: u64) -> bool {
        self.until.is_none_or(|until| now_ms < until)
    }
}

/// The object of a revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revoked {
    /// All tokens of a user that were issued until then.
    User(Arc<str>),
    /// The token with this id (`jti`).
    Token(Arc<str>),
}

/// A revocation of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The tokens.
    pub of: Revoked,
    /// When they were revoked, in ms since 1970.
    pub at: u64,
    /// Until when this is remembered, in ms since 1970: the tokens expire before.
    pub until: u64,
}

/// A change of who may use this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessChange {
    /// Bans a user, or changes the ban.
    Ban(Ban),
    /// Ends the ban of a user.
    Unban(Arc<str>),
    /// Revokes tokens.
    Revoke(Revocation),
}
