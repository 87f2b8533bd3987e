//! Extractors for bodies, paths and queries with useful errors.

use axum::{
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::request::Parts,
};
use everwire_protocol::{
    ErrorCode,
    limits::{MAX_BATCH_BYTES, MAX_DEPTH},
    names::check_user,
    strict,
    user_id::decode_user,
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::value::RawValue;
use utoipa::IntoParams;

use super::{Api, Problem};
use crate::admission::{BodyError, read_body};

/// Selects a page of a list of users.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct After {
    /// Only users after this one: `next` of the previous page.
    pub(super) after: Option<String>,
}

/// A JSON body. An empty one counts as `{}`.
#[derive(Debug)]
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Api> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Api) -> Result<Self, Problem> {
        let read = read_body(request.into_body(), MAX_BATCH_BYTES).await;
        let bytes = read.map_err(|error| match error {
            BodyError::TooLarge => {
                let words = format!(
                    "{} A request body may have up to {MAX_BATCH_BYTES} bytes.",
                    ErrorCode::TooLarge.message()
                );
                Problem::new(ErrorCode::TooLarge, words)
            }
            BodyError::TooManyPieces => {
                Problem::new(ErrorCode::InvalidFrame, "Request body arrives in too many small pieces.")
            }
            BodyError::TooSlow => Problem::new(ErrorCode::Timeout, "Request body timed out."),
            BodyError::Broken => Problem::new(ErrorCode::InvalidFrame, "Request body could not be read."),
        })?;
        let refuse = |code, why: String| Problem::new(code, format!("Invalid request body: {why}."));
        let invalid = |error: serde_json::Error| refuse(ErrorCode::InvalidFrame, error.to_string());
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return Err(refuse(ErrorCode::InvalidFrame, "it is not valid UTF-8".into()));
        };
        let text = if text.is_empty() { "{}" } else { text };
        // The grammar first, without recursion; then what strict readers refuse; then the types.
        let text = serde_json::from_str::<&RawValue>(text).map_err(invalid)?.get();
        strict::check(text, MAX_DEPTH).map_err(|flaw| {
            let of_data = flaw.is_within("data");
            refuse(
                if of_data { ErrorCode::InvalidPayload } else { ErrorCode::InvalidFrame },
                flaw.to_string(),
            )
        })?;
        serde_json::from_str(text).map(Self).map_err(invalid)
    }
}

/// The id of a user in a path: percent-encoded, or in the form that it has in channel names.
#[derive(Debug, Clone)]
pub(super) struct UserId(pub(super) String);

impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Some(user) = decode_user(&text) {
            return Ok(Self(user.into_owned()));
        }
        if text.starts_with('=') {
            return Err(D::Error::custom("a user id that begins with = must be encoded as in channel names"));
        }
        checked(text).map(Self)
    }
}

/// The id of a user in a field.
pub(super) fn user_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(String::deserialize(deserializer)?)
}

fn checked<E: serde::de::Error>(user: String) -> Result<String, E> {
    match check_user(&user) {
        Ok(()) => Ok(user),
        Err(wrong) => Err(E::custom(format!("a user id {wrong}"))),
    }
}

/// The parameters of the path.
#[derive(Debug)]
pub(super) struct PathParams<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Api> for PathParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, api).await {
            Ok(Path(found)) => Ok(Self(found)),
            Err(error) => {
                let words = format!("Invalid path: {}.", error.body_text());
                Err(Problem::new(ErrorCode::InvalidFrame, words))
            }
        }
    }
}

/// The parameters of the query.
#[derive(Debug)]
pub(super) struct QueryParams<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Api> for QueryParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, api).await {
            Ok(Query(found)) => Ok(Self(found)),
            Err(error) => {
                let words = format!("Invalid query: {}.", error.body_text());
                Err(Problem::new(ErrorCode::InvalidFrame, words))
            }
        }
    }
}
