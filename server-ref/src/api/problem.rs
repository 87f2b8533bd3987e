//! Error responses of the API: the codes and messages of error frames, with a matching HTTP status.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use everwire_protocol::ErrorCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Error, admission::Refused, model::identity::Refusal};

/// The retry delay after the store was unavailable, in ms.
const RETRY_AFTER_MS: u32 = 1000;

/// Maximum length of a message in characters: it may quote the request.
const MAX_MESSAGE: usize = 500;

/// An error response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// The error code, as in error frames.
    pub code: ErrorCode,
    /// The message for humans: what happened, and what to do.
    pub message: String,
    /// Whether the same request can succeed later.
    pub retry: bool,
    /// The earliest time for a retry, in ms from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub retry_after_ms: Option<u32>,
    /// The status, if it is not the code's default.
    #[serde(skip)]
    #[schema(ignore)]
    status: Option<StatusCode>,
}

impl Problem {
    /// A refusal with a specific message.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let message = message.into().chars().take(MAX_MESSAGE).collect();
        let retry_after_ms = (code == ErrorCode::Unavailable).then_some(RETRY_AFTER_MS);
        Self { code, message, retry: code.retry(), retry_after_ms, status: None }
    }

    /// A refusal with the code's message.
    pub fn of(code: ErrorCode) -> Self {
        Self::new(code, code.message())
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status: Some(status), ..self }
    }

    /// The same with a retry delay, in ms.
    #[must_use]
    pub fn after(self, ms: u32) -> Self {
        Self { retry_after_ms: Some(ms), ..self }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let problem = Self::new(refusal.code, refusal.message);
        match refusal.retry_after_ms {
            Some(ms) => problem.after(ms),
            None => problem,
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        // The database's message is for the operator.
        tracing::error!(%error, "request failed");
        Self::of(ErrorCode::Unavailable)
    }
}

const fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Unauthorized | ErrorCode::TokenExpired => StatusCode::UNAUTHORIZED,
        ErrorCode::Banned | ErrorCode::Forbidden | ErrorCode::SessionMismatch => StatusCode::FORBIDDEN,
        ErrorCode::NotFound | ErrorCode::UnsupportedFeature => StatusCode::NOT_FOUND,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::IdReused => StatusCode::CONFLICT,
        ErrorCode::RateLimited | ErrorCode::TooManySubscriptions => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Unavailable | ErrorCode::Deferred => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Timeout => StatusCode::REQUEST_TIMEOUT,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status.unwrap_or_else(|| status_of(self.code));
        let retry_after = self.retry_after_ms;
        let refused = Refused { code: self.code, reason: self.message.clone() };
        let mut response = (status, [(header::CACHE_CONTROL, "no-store")], Json(self)).into_response();
        response.extensions_mut().insert(refused);
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        if let Some(ms) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1000)));
        }
        response
    }
}
