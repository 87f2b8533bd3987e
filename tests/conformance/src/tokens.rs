//! Tokens for the users of a dialogue: JWT with HS256, as docs/operations.md describes them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::error::{Error, Result};

/// How long a token is good for.
const LIFETIME: Duration = Duration::from_mins(10);

/// Issues tokens with the secret of the server under test.
#[derive(Clone)]
pub struct Tokens(Hmac<Sha256>);

impl Tokens {
    /// With the server's secret.
    pub fn new(secret: &[u8]) -> Result<Self> {
        let key = Hmac::new_from_slice(secret).map_err(|error| Error::Argument(error.to_string()))?;
        Ok(Self(key))
    }

    /// The claims of a token for a user who is granted some channels.
    pub(crate) fn claims(user: &str, grants: &[String]) -> Value {
        let now = Self::now();
        json!({
            "sub": user,
            "name": user,
            "iat": now,
            "exp": now + LIFETIME.as_secs().cast_signed(),
            "grants": grants,
        })
    }

    /// The time of tokens: s since 1970.
    pub(crate) fn now() -> i64 {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().cast_signed()
    }

    /// A token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({"alg": "HS256", "typ": "JWT"})), part(claims));
        let signature = self.0.clone().chain_update(&signed).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
