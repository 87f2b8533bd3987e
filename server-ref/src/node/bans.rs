//! Bans and revocations: stored in one order with sends, then checked by every open connection.

use super::Node;
use crate::{
    Error,
    environment::planted,
    model::ban::{AccessChange, Revocation, Revoked},
};

impl Node {
    /// Carries out a change of who may use this server. When this returns, nothing that a banned user sends is stored, and
    /// the connections concerned are about to end. Returns how many connections check whether they are.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: nothing has changed.
    pub async fn change_access(&self, change: AccessChange) -> Result<usize, Error> {
        let user = match &change {
            AccessChange::Ban(ban) => Some(ban.user.clone()),
            AccessChange::Revoke(Revocation { of: Revoked::User(user), .. }) => Some(user.clone()),
            // Any connection may have this token.
            AccessChange::Revoke(Revocation { of: Revoked::Token(_), .. }) => None,
            AccessChange::Unban(_) => return self.commits.change_access(change).await.map(|()| 0),
        };
        self.commits.change_access(change).await?;
        if planted!(self.environment, BanNotTold) {
            return Ok(0);
        }
        Ok(self.sessions.check_identities(user.as_deref()))
    }
}
