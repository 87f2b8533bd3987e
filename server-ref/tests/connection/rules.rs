//! Who may do what in the world around connections.

use super::*;

/// The rules of a server where guests may do everything, and tokens read like `user:expires_at` or
/// `user:expires_at:grant,grant`. Who has the grant `banned` is banned once [`Access::check`] looks, `name=Ann` is
/// a name, and `id=1` the id of the token.
#[derive(Debug)]
pub struct TestRules(pub Rules);

fn issued(id: &str) -> IssuedToken {
    IssuedToken { id: Some(id.into()), issued_at: START }
}

impl Access for TestRules {
    fn identify(&self, credentials: &Credentials<'_>, now_ms: u64) -> Result<Identity, Refusal> {
        let token = credentials.token.and_then(|token| token.split_once(':'));
        match token.map(|(user, rest)| (user, rest.split_once(':').unwrap_or((rest, "")))) {
            Some((_, (at, _))) if at.parse::<u64>().unwrap() <= now_ms => {
                Err(Refusal::of(ErrorCode::TokenExpired))
            }
            Some((user, (at, grants))) => Ok(Identity {
                user: user.into(),
                name: grants.split(',').find_map(|grant| grant.strip_prefix("name=")).map(Into::into),
                grants: grants.split(',').map(str::to_owned).collect(),
                expires_at: Some(at.parse().unwrap()),
                token: grants.split(',').find_map(|grant| grant.strip_prefix("id=")).map(issued),
                payer: Payer::User(user.into()),
            }),
            None => self.0.identify(credentials, now_ms),
        }
    }

    fn check(&self, who: &Identity, _: u64) -> Result<(), Refusal> {
        if who.grants.iter().any(|grant| grant == "banned") {
            return Err(Refusal::of(ErrorCode::Banned));
        }
        Ok(())
    }

    fn may_subscribe(&self, who: &Identity, channel: &Channel) -> bool {
        channel.as_str() != "private-secret" && self.0.may_subscribe(who, channel)
    }

    fn may_send(&self, who: &Identity, channel: &Channel) -> bool {
        self.may_subscribe(who, channel) && self.0.may_send(who, channel)
    }

    fn chat<'a>(&self, who: &Identity, channel: &'a Channel) -> Option<&'a str> {
        self.0.chat(who, channel)
    }

    fn pace(&self, who: &Identity, session: Uuid, what: RateClass, now_ms: u64) -> Result<(), u32> {
        self.0.pace(who, session, what, now_ms)
    }
}
