//! Tokens for the users of a dialogue: JWT with HS256, as docs/operations.md describes them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::error::{Error, Result};

/// How long a token is good for.
const LIFETIME: Duration = Duration::from_secs(600);

/// Issues tokens with the secret of the server under test.
#[derive(Clone)]
pub struct Tokens(Hmac<Sha256>);

impl Tokens {
    /// With the server's secret.
    pub fn new(secret: &[u8]) -> Result<Self> {
        let key = Hmac::new_from_slice(secret).map_err(|error| Error::Argument(error.to_string()))?;
        Ok(Self(key))
    }

    /// A token for a user who is granted some channels.
    pub fn issue(&self, user: &str, grants: &[String]) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let claims = json!({
            "sub": user,
            "name": user,
            "iat": now.as_secs(),
            "exp": (now + LIFETIME).as_secs(),
            "grants": grants,
        });
        self.sign(&claims)
    }

    fn sign(&self, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({"alg": "HS256", "typ": "JWT"})), part(claims));
        let signature = self.0.clone().chain_update(&signed).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
