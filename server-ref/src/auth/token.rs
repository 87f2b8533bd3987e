//! Tokens: parses JSON Web Tokens signed with HS256, and creates them for development.

use std::{fmt, sync::Arc};

use everwire_protocol::{
    ErrorCode,
    names::{check_name, check_user},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::Number;

use super::hs256;
use crate::{
    Error,
    model::identity::{Identity, IssuedToken, Payer, Refusal},
};

/// How long a token is accepted after its expiry, in ms: as long as an open connection waits for a new one, and more than
/// the clocks of two servers differ.
const LEEWAY_MS: u64 = 10_000;

/// Minimum length of the secret in bytes. HS256 is as strong as its secret; a shorter one can be guessed offline.
pub const MIN_SECRET_BYTES: usize = 16;

/// The claims of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user id.
    pub sub: String,
    /// The name that others see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it expires, in s since 1970.
    pub exp: u64,
    /// When it was issued, in s since 1970. A revocation of the user's tokens spares those issued after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<Number>,
    /// The id of the token, by which it can be revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// Not valid before, in s since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    /// The granted channels: names, or patterns that end in `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<String>,
}

/// Verifies and creates tokens.
pub struct TokenKey {
    check: DecodingKey,
    sign: EncodingKey,
    validation: Validation,
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

impl TokenKey {
    /// A key from a shared secret.
    ///
    /// # Errors
    /// [`Error::Setting`] if the secret is shorter than [`MIN_SECRET_BYTES`].
    pub fn new(secret: &str) -> Result<Self, Error> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(Error::Setting(format!(
                "the token secret has {} bytes; give it {MIN_SECRET_BYTES} at least, for example from `openssl rand -hex 32`",
                secret.len()
            )));
        }
        hs256::install();
        let mut validation = Validation::new(Algorithm::HS256);
        // Times are checked below, with the server's clock. The audience is not checked.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        Ok(Self {
            check: DecodingKey::from_secret(secret.as_bytes()),
            sign: EncodingKey::from_secret(secret.as_bytes()),
            validation,
        })
    }

    /// The user of a token.
    ///
    /// # Errors
    /// [`ErrorCode::Unauthorized`], or [`ErrorCode::TokenExpired`] if only the time is wrong. The message never contains
    /// the token.
    pub fn read(&self, token: &str, now_ms: u64) -> Result<Identity, Refusal> {
        let refuse = |why: &str| {
            Err(Refusal::new(ErrorCode::Unauthorized, format!("The token {why}. Sign in again.")))
        };
        let not_now = |why: &str| Err(Refusal::new(ErrorCode::TokenExpired, format!("The token {why}.")));
        let claims = match jsonwebtoken::decode::<Claims>(token, &self.check, &self.validation) {
            // RFC 7515, section 4.1.11: what a header calls critical must be understood, and nothing is here.
            Ok(token) if token.header.crit.is_some() => {
                return refuse("demands extensions (crit) that this server does not have");
            }
            Ok(token) => token.claims,
            Err(error) => {
                return match error.kind() {
                    jsonwebtoken::errors::ErrorKind::InvalidSignature => {
                        refuse("is not signed by whom this server trusts")
                    }
                    jsonwebtoken::errors::ErrorKind::InvalidAlgorithm => refuse("is not signed with HS256"),
                    _ => refuse("is malformed, or lacks a claim (sub and exp are needed)"),
                };
            }
        };
        let (expires_at, not_before) =
            (claims.exp.saturating_mul(1000), claims.nbf.unwrap_or(0).saturating_mul(1000));
        if expires_at.saturating_add(LEEWAY_MS) <= now_ms {
            return not_now("has expired");
        }
        if not_before > now_ms.saturating_add(LEEWAY_MS) {
            return not_now("is not valid yet");
        }
        if let Err(wrong) = check_user(&claims.sub) {
            return refuse(&format!("has an invalid user id, which {wrong}"));
        }
        let name = claims.name.filter(|name| !name.is_empty());
        if let Some(Err(wrong)) = name.as_deref().map(check_name) {
            return refuse(&format!("has an invalid name, which {wrong}"));
        }
        // A date in s may have a fraction. Negative ones and those that are not numbers here become 0.
        let issued_at = claims.iat.as_ref().and_then(Number::as_f64).map_or(0, |at| (at * 1000.0) as u64);
        let user: Arc<str> = claims.sub.into();
        Ok(Identity {
            user: user.clone(),
            name: name.map(Into::into),
            grants: Arc::from(claims.grants),
            expires_at: Some(expires_at),
            token: Some(IssuedToken { id: claims.jti.map(Into::into), issued_at }),
            payer: Payer::User(user),
        })
    }

    /// Creates a token.
    ///
    /// # Errors
    /// [`Error::Setting`] if the claims cannot be written.
    pub fn make(&self, claims: &Claims) -> Result<String, Error> {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.sign)
            .map_err(|error| Error::Setting(format!("cannot make the token: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a secret of enough bytes";
    const NOW: u64 = 1_800_000_000_000;

    fn claims(exp_ms: u64) -> Claims {
        let grants = vec!["private-orders".into()];
        let (sub, name, exp) = ("7".into(), Some("Ada".into()), exp_ms / 1000);
        Claims { sub, name, exp, iat: Number::from_f64(7.25), jti: Some("t7".into()), nbf: None, grants }
    }

    #[test]
    fn a_token_says_who_and_until_when() {
        let key = TokenKey::new(SECRET).unwrap();
        let identity = key.read(&key.make(&claims(NOW + 60_000)).unwrap(), NOW).unwrap();
        assert_eq!((&*identity.user, identity.name.as_deref()), ("7", Some("Ada")));
        assert_eq!(identity.expires_at, Some(NOW + 60_000));
        assert_eq!(&*identity.grants, ["private-orders"]);
        assert_eq!(identity.token, Some(IssuedToken { id: Some("t7".into()), issued_at: 7_250 }));
    }

    #[test]
    fn a_wrong_token_is_refused_with_its_reason_and_without_being_quoted() {
        let key = TokenKey::new(SECRET).unwrap();
        let good = key.make(&claims(NOW + 60_000)).unwrap();
        let forged = TokenKey::new("another secret altogether").unwrap().make(&claims(NOW + 60_000)).unwrap();
        // {"alg":"none","typ":"JWT"}
        let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", good.split('.').nth(1).unwrap());
        let late = Claims { nbf: Some(NOW / 1000 + 60), ..claims(NOW + 90_000) };
        let header = Header { crit: Some(vec!["b64".into()]), ..Header::new(Algorithm::HS256) };
        let critical = jsonwebtoken::encode(&header, &claims(NOW + 60_000), &key.sign).unwrap();
        for (token, reason) in [
            (critical, "extensions (crit)"),
            (forged, "not signed by whom"),
            (unsigned, "malformed"),
            ("rubbish".into(), "malformed"),
            (good.replace('.', ""), "malformed"),
            (key.make(&claims(NOW - 10_000)).unwrap(), "expired"),
            (key.make(&late).unwrap(), "not valid yet"),
            (key.make(&Claims { sub: String::new(), ..claims(NOW + 60_000) }).unwrap(), "user id"),
            (
                key.make(&Claims { sub: "a\u{1b}[2J".into(), ..claims(NOW + 60_000) }).unwrap(),
                "control characters",
            ),
            (
                key.make(&Claims { name: Some("Ada\n".into()), ..claims(NOW + 60_000) }).unwrap(),
                "control characters",
            ),
            (key.make(&Claims { name: Some("x".repeat(129)), ..claims(NOW + 60_000) }).unwrap(), "128 bytes"),
        ] {
            let refusal = key.read(&token, NOW).unwrap_err();
            let timely = matches!(reason, "expired" | "not valid yet");
            assert_eq!(refusal.code, if timely { ErrorCode::TokenExpired } else { ErrorCode::Unauthorized });
            assert!(refusal.message.contains(reason), "{} for {token}", refusal.message);
            assert!(!refusal.message.contains(&token));
        }
        assert!(key.read(&good, NOW + 69_000).is_ok(), "within the leeway");
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert!(TokenKey::new("short").unwrap_err().to_string().contains("16"));
    }
}
