//! Extractors for the caller of a request: a back end with the API key, or a user with a token.

use std::fmt;

use axum::{
    extract::{FromRequestParts, Query},
    http::{HeaderMap, header, request::Parts},
};
use everwire_protocol::{ErrorCode, Guest, Uuid, limits::MAX_TOKEN_BYTES};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Api, Problem};
use crate::{
    Error,
    admission::Peer,
    model::identity::{Credentials, Identity, Payer, RateClass},
};

/// Minimum length of an API key in bytes: a shorter one can be guessed.
const MIN_KEY_BYTES: usize = 16;

/// The UUID name space for rate limits of a user's HTTP requests: a random constant.
const REQUESTS: Uuid = Uuid::from_u128(0x91c2_77d4_0a5e_4f0b_8e36_2b7f_d0c4_61aa);

/// The headers with the name of a guest, on a development server.
pub(crate) const GUEST_USER: &str = "x-everwire-user";
pub(crate) const GUEST_NAME: &str = "x-everwire-name";

/// The API key of back ends. Kept as a hash, so that it appears in no log or dump.
#[derive(Clone)]
pub struct ApiKey([u8; 32]);

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

impl ApiKey {
    /// A key.
    ///
    /// # Errors
    /// [`Error::Setting`] if it has less than 16 bytes.
    pub fn new(key: &str) -> Result<Self, Error> {
        if key.len() < MIN_KEY_BYTES {
            return Err(Error::Setting(format!(
                "the API key has {} bytes; give it {MIN_KEY_BYTES} at least, for example from `openssl rand -hex 32`",
                key.len()
            )));
        }
        Ok(Self(Sha256::digest(key).into()))
    }

    /// Whether a key is this one, in constant time.
    fn is(&self, shown: &str) -> bool {
        self.0.ct_eq(&<[u8; 32]>::from(Sha256::digest(shown))).into()
    }
}

/// A back end of the application.
#[derive(Debug)]
pub(super) struct BackEnd;

impl FromRequestParts<Api> for BackEnd {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let Some(key) = &api.key else {
            let words = "This server has no API key, so back ends cannot use it. Its operator sets one with \
                         EVERWIRE_API_KEY or --api-key-file.";
            return Err(Problem::new(ErrorCode::Forbidden, words));
        };
        match bearer(&parts.headers) {
            Some(shown) if key.is(shown) => {
                peer(parts).trusted();
                Ok(Self)
            }
            Some(_) => Err(Problem::new(ErrorCode::Unauthorized, "Wrong API key.")),
            None => {
                let words = "No API key: send it in the header Authorization: Bearer ….";
                Err(Problem::new(ErrorCode::Unauthorized, words))
            }
        }
    }
}

/// An operator: a back end, or everybody on a development server.
#[derive(Debug)]
pub(super) struct Operator;

impl FromRequestParts<Api> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        if api.dev {
            return Ok(Self);
        }
        BackEnd::from_request_parts(parts, api).await.map(|BackEnd| Self)
    }
}

/// A signed-in user.
#[derive(Debug)]
pub(super) struct Caller(pub(super) Identity);

impl FromRequestParts<Api> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let guest = guest(parts);
        let token = bearer(&parts.headers);
        if token.is_some_and(|token| token.len() > MAX_TOKEN_BYTES) {
            return Err(Problem::new(ErrorCode::Unauthorized, "The token is too long."));
        }
        if token.is_none() && guest.is_none() {
            let words = "No token: send the user's token in the header Authorization: Bearer ….";
            return Err(Problem::new(ErrorCode::Unauthorized, words));
        }
        let credentials = Credentials { token, guest: guest.as_ref(), address: peer(parts).address() };
        let identity = api.node.access.identify(&credentials, api.node.wall_ms())?;
        if let Payer::User(user) = &identity.payer {
            peer(parts).signed_in(user);
        }
        // There is no session here: all requests of a user share one limit.
        let session = Uuid::new_v5(&REQUESTS, identity.user.as_bytes());
        if let Err(ms) = api.node.access.pace(&identity, session, RateClass::Request, api.node.now_ms()) {
            let words = "Rate limit exceeded.";
            return Err(Problem::new(ErrorCode::RateLimited, words).after(ms));
        }
        Ok(Self(identity))
    }
}

/// The client at the other end.
fn peer(parts: &Parts) -> Peer {
    parts.extensions.get::<Peer>().cloned().unwrap_or_default()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The guest in the query.
#[derive(Debug, Default, Deserialize)]
struct Named {
    user: Option<String>,
    name: Option<String>,
}

/// The guest in the headers or the query. Whether guests are accepted is decided elsewhere.
fn guest(parts: &Parts) -> Option<Guest> {
    let header = |name| parts.headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
    let named =
        Query::<Named>::try_from_uri(&parts.uri).map_or_else(|_| Named::default(), |Query(named)| named);
    let user = header(GUEST_USER).map(str::to_owned).or(named.user)?;
    let name = header(GUEST_NAME).map(str::to_owned).or(named.name).unwrap_or_else(|| user.clone());
    Some(Guest { user, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_is_the_key() {
        let key = ApiKey::new("the key of the tests").unwrap();
        assert!(key.is("the key of the tests") && !key.is("the key of the test") && !key.is(""));
        assert!(ApiKey::new("short").unwrap_err().to_string().contains("16"));
        assert_eq!(format!("{key:?}"), "ApiKey(…)");
    }
}
