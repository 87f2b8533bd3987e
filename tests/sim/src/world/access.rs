//! Permissions and tokens in the simulation. Where permissions do not change, a token is a name and its expiry; where they do,
//! tokens and rules are the real ones.

use std::sync::Arc;

use everwire_protocol::{Channel, ErrorCode, Uuid, channels};
use everwire_server::{
    auth::{
        Bans, Rules,
        token::{Claims, TokenKey},
    },
    model::identity::{Access, Credentials, Identity, Payer, RateClass, Refusal},
};

/// The secret of all tokens.
const SECRET: &str = "the secret of a simulation";

/// Everybody with an unexpired token or a guest name may do everything, but for chats, which are for their members.
#[derive(Debug)]
pub(super) struct SimAccess;

impl Access for SimAccess {
    fn identify(&self, credentials: &Credentials<'_>, now_ms: u64) -> Result<Identity, Refusal> {
        let known = |user: &str, expires_at| Identity {
            user: user.into(),
            name: Some(user.into()),
            grants: Arc::default(),
            expires_at,
            token: None,
            payer: Payer::User(user.into()),
        };
        if let Some(guest) = credentials.guest {
            return Ok(known(&guest.user, None));
        }
        let (user, until) = credentials
            .token
            .and_then(|token| token.split_once(' '))
            .and_then(|(user, until)| Some((user, until.parse::<u64>().ok()?)))
            .ok_or_else(|| Refusal::of(ErrorCode::Unauthorized))?;
        if until <= now_ms {
            return Err(Refusal::new(ErrorCode::TokenExpired, "The token has expired."));
        }
        Ok(known(user, Some(until)))
    }

    fn may_subscribe(&self, _: &Identity, _: &Channel) -> bool {
        true
    }

    fn may_send(&self, _: &Identity, _: &Channel) -> bool {
        true
    }

    fn chat<'a>(&self, _: &Identity, channel: &'a Channel) -> Option<&'a str> {
        channels::chat_of(channel)
    }
}

/// The rules of a production server, but for rate limits: what a run sends depends on its seed, not on what is reasonable.
#[derive(Debug)]
pub(super) struct RealAccess(Rules);

impl RealAccess {
    /// The rules of one life of a node. Everybody may write to public channels.
    pub(super) fn new(bans: Arc<Bans>) -> Self {
        let key = TokenKey::new(SECRET).ok();
        Self(Rules { key, public_write: vec!["*".into()], bans, ..Rules::default() })
    }
}

impl Access for RealAccess {
    fn identify(&self, credentials: &Credentials<'_>, now_ms: u64) -> Result<Identity, Refusal> {
        self.0.identify(credentials, now_ms)
    }

    fn check(&self, who: &Identity, now_ms: u64) -> Result<(), Refusal> {
        self.0.check(who, now_ms)
    }

    fn may_subscribe(&self, who: &Identity, channel: &Channel) -> bool {
        self.0.may_subscribe(who, channel)
    }

    fn may_send(&self, who: &Identity, channel: &Channel) -> bool {
        self.0.may_send(who, channel)
    }

    fn chat<'a>(&self, who: &Identity, channel: &'a Channel) -> Option<&'a str> {
        self.0.chat(who, channel)
    }

    fn pace(&self, _: &Identity, _: Uuid, _: RateClass, _: u64) -> Result<(), u32> {
        Ok(())
    }
}

/// Signs a token. Its times are in ms; those on the wire are in s.
pub(super) fn sign(
    user: &str,
    grants: Vec<String>,
    id: u64,
    issued_at: u64,
    expires_at: u64,
) -> Option<String> {
    let claims = Claims {
        sub: user.to_owned(),
        name: Some(user.to_owned()),
        exp: expires_at / 1000,
        iat: serde_json::Number::from_f64(issued_at as f64 / 1000.0),
        jti: Some(id.to_string()),
        nbf: None,
        grants,
    };
    TokenKey::new(SECRET).ok()?.make(&claims).ok()
}
