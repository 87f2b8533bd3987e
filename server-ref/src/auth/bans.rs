//! The bans and revocations in force, in memory, because every `hello` and every use of a channel looks here. Changed only by
//! the commit loop, after the change is on disk.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use everwire_protocol::ErrorCode;
use parking_lot::RwLock;

use crate::model::{
    ban::{AccessChange, Ban, Revocation, Revoked},
    identity::{Identity, Refusal},
};

/// The bans and revocations of this server.
#[derive(Debug, Default)]
pub struct Bans {
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    bans: BTreeMap<Arc<str>, Ban>,
    /// The revocations of users' tokens, by user.
    users: BTreeMap<Arc<str>, Revocation>,
    /// The revocations of single tokens, by the token's id.
    tokens: BTreeMap<Arc<str>, Revocation>,
    /// The users who are being erased.
    erasing: BTreeSet<Arc<str>>,
}

impl Bans {
    /// Adds what was stored before.
    pub fn load(&self, bans: Vec<Ban>, revocations: Vec<Revocation>) {
        let mut known = self.known.write();
        for ban in bans {
            known.bans.insert(ban.user.clone(), ban);
        }
        for revocation in revocations {
            known.revoke(revocation);
        }
    }

    /// Applies a change, and forgets what is over.
    pub fn apply(&self, change: AccessChange, now_ms: u64) {
        let mut known = self.known.write();
        known.bans.retain(|_, ban| ban.applies(now_ms));
        known.users.retain(|_, revocation| now_ms < revocation.until);
        known.tokens.retain(|_, revocation| now_ms < revocation.until);
        match change {
            AccessChange::Ban(ban) => {
                known.bans.insert(ban.user.clone(), ban);
            }
            AccessChange::Unban(user) => {
                known.bans.remove(&user);
            }
            AccessChange::Revoke(revocation) => known.revoke(revocation),
        }
    }

    /// The ban of a user, if it applies.
    pub fn ban(&self, user: &str, now_ms: u64) -> Option<Ban> {
        self.known.read().bans.get(user).filter(|ban| ban.applies(now_ms)).cloned()
    }

    /// The bans that apply, by rising user id: those after `after`, at most `most`.
    pub fn list(&self, after: &str, most: usize, now_ms: u64) -> Vec<Ban> {
        let known = self.known.read();
        let all = known.bans.range::<str, _>((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded));
        all.map(|(_, ban)| ban).filter(|ban| ban.applies(now_ms)).take(most).cloned().collect()
    }

    /// A user is being erased from now on, or not any more.
    pub fn set_erasing(&self, user: &Arc<str>, erasing: bool) {
        let users = &mut self.known.write().erasing;
        if erasing {
            users.insert(user.clone());
        } else {
            users.remove(user);
        }
    }

    /// Whether a user is being erased.
    pub fn is_erasing(&self, user: &str) -> bool {
        self.known.read().erasing.contains(user)
    }

    /// Whether a user may use the server at all: not while banned or being erased.
    ///
    /// # Errors
    /// [`ErrorCode::Banned`] or [`ErrorCode::Unauthorized`].
    pub fn check_user(&self, user: &str, now_ms: u64) -> Result<(), Refusal> {
        let known = self.known.read();
        if known.erasing.contains(user) {
            return Err(Refusal::new(ErrorCode::Unauthorized, "The user's data is being erased."));
        }
        match known.bans.get(user) {
            Some(ban) if ban.applies(now_ms) => Err(refusal(ban)),
            _ => Ok(()),
        }
    }

    /// Whether an identity may be used: its user is not banned, its token not revoked.
    ///
    /// # Errors
    /// [`ErrorCode::Banned`] or [`ErrorCode::Unauthorized`].
    pub fn check(&self, who: &Identity, now_ms: u64) -> Result<(), Refusal> {
        self.check_user(&who.user, now_ms)?;
        let Some(token) = &who.token else { return Ok(()) };
        let known = self.known.read();
        let applies = |revocation: &&Revocation| now_ms < revocation.until;
        let by_user = known.users.get(&who.user).filter(applies);
        let by_id = token.id.as_ref().and_then(|id| known.tokens.get(id)).filter(applies);
        if by_id.is_some() || by_user.is_some_and(|revocation| token.issued_at <= revocation.at) {
            return Err(Refusal::new(ErrorCode::Unauthorized, "The token has been revoked. Sign in again."));
        }
        Ok(())
    }
}

impl Known {
    fn revoke(&mut self, revocation: Revocation) {
        let (list, key) = match &revocation.of {
            Revoked::User(user) => (&mut self.users, user.clone()),
            Revoked::Token(id) => (&mut self.tokens, id.clone()),
        };
        // A shorter one, or a clock that went back, must not make tokens valid again that were revoked before.
        let (at, until) = list.get(&key).map_or((0, 0), |known| (known.at, known.until));
        let (at, until) = (revocation.at.max(at), revocation.until.max(until));
        list.insert(key, Revocation { at, until, ..revocation });
    }
}

fn refusal(ban: &Ban) -> Refusal {
    match &ban.reason {
        Some(reason) => Refusal::new(ErrorCode::Banned, format!("User banned from this server: {reason}")),
        None => Refusal::of(ErrorCode::Banned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::identity::{IssuedToken, Payer};

    fn who(user: &str, token: Option<(&str, u64)>) -> Identity {
        let token = token.map(|(id, issued_at)| IssuedToken { id: Some(id.into()), issued_at });
        let payer = Payer::User(user.into());
        Identity { user: user.into(), name: None, grants: Arc::default(), expires_at: None, token, payer }
    }

    fn ban(user: &str, until: Option<u64>) -> AccessChange {
        AccessChange::Ban(Ban { user: user.into(), since: 0, until, reason: Some("spam".into()) })
    }

    #[test]
    fn a_ban_holds_until_its_end_or_an_unban() {
        let bans = Bans::default();
        bans.apply(ban("a", None), 10);
        bans.apply(ban("b", Some(20)), 10);
        let code = |user: &str, now| bans.check(&who(user, None), now).map_err(|refusal| refusal.code);
        assert_eq!((code("a", 99), code("b", 19)), (Err(ErrorCode::Banned), Err(ErrorCode::Banned)));
        assert_eq!((code("b", 20), code("c", 0)), (Ok(()), Ok(())));
        assert!(bans.check_user("a", 0).unwrap_err().message.ends_with("spam"));
        let listed = |after, most| bans.list(after, most, 0).into_iter().map(|b| b.user).collect::<Vec<_>>();
        assert_eq!((listed("", 1), listed("a", 9)), (vec!["a".into()], vec!["b".into()]));
        bans.apply(AccessChange::Unban("a".into()), 30);
        assert_eq!((code("a", 30), bans.list("", 9, 0).len()), (Ok(()), 0));
    }

    #[test]
    fn a_revocation_is_for_tokens_issued_before_or_with_that_id_and_is_forgotten() {
        let bans = Bans::default();
        let revoke = |of| AccessChange::Revoke(Revocation { of, at: 50, until: 100 });
        bans.apply(revoke(Revoked::User("a".into())), 50);
        bans.apply(revoke(Revoked::Token("t7".into())), 50);
        let code = |who: &Identity, now| bans.check(who, now).map_err(|refusal| refusal.code);
        let refused = Err(ErrorCode::Unauthorized);
        assert_eq!(code(&who("a", Some(("t1", 50))), 60), refused);
        assert_eq!(code(&who("a", Some(("t1", 51))), 60), Ok(()));
        assert_eq!(code(&who("b", Some(("t7", 99))), 60), refused);
        assert_eq!(code(&who("b", Some(("t1", 0))), 60), Ok(()));
        assert_eq!(code(&who("a", None), 60), Ok(()), "a guest has no token");
        assert_eq!(code(&who("b", Some(("t7", 99))), 100), Ok(()), "by then it has expired");
        // A later one for less time, by a clock that went back.
        bans.apply(revoke(Revoked::User("a".into())), 50);
        bans.apply(AccessChange::Revoke(Revocation { of: Revoked::User("a".into()), at: 40, until: 70 }), 40);
        assert_eq!([69, 70, 99].map(|now| code(&who("a", Some(("t1", 50))), now)), [refused; 3]);
        bans.apply(AccessChange::Unban("a".into()), 100);
        assert!(bans.known.read().users.is_empty() && bans.known.read().tokens.is_empty());
    }
}
