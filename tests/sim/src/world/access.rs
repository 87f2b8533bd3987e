//! Permissions and tokens in the simulation: a token is a name and its expiry.

use std::sync::Arc;

use everwire_protocol::{Channel, ErrorCode};
use everwire_server::model::identity::{Access, Credentials, Identity, Payer, Refusal};

/// Everybody with an unexpired token or a guest name may do everything.
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
}
