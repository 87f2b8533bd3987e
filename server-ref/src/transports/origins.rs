//! Whose web pages may use this server.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::api::{GUEST_NAME, GUEST_USER, IDEMPOTENCY_KEY};

/// Whose pages may use this server. The pages that it serves itself always may, and programs that are no browsers.
#[derive(Debug, Clone)]
pub enum Origins {
    /// Anybody's.
    Any,
    /// Those of these origins.
    Listed(Vec<HeaderValue>),
}

impl Origins {
    /// Whether a WebSocket may be opened. Browsers do not ask before they open one to another origin, so the server
    /// has to look.
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        match self {
            Self::Any => true,
            Self::Listed(origins) if origins.contains(origin) => true,
            Self::Listed(_) => {
                let host = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
                host.is_some_and(|(_, host)| headers.get(header::HOST).is_some_and(|here| here == host))
            }
        }
    }

    pub(super) fn cors(&self) -> CorsLayer {
        let allowed = match self {
            Self::Any => AllowOrigin::any(),
            Self::Listed(origins) => AllowOrigin::list(origins.iter().cloned()),
        };
        CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                HeaderName::from_static(IDEMPOTENCY_KEY),
                HeaderName::from_static(GUEST_USER),
                HeaderName::from_static(GUEST_NAME),
            ])
            // Without it a browser asks again before every poll. Two hours is the longest that Chromium remembers.
            .max_age(Duration::from_hours(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_other_origins_open_no_websocket() {
        let origins = Origins::Listed(vec![HeaderValue::from_static("https://chat.example")]);
        let allow = |origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("wire.example:8787"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            origins.allow(&headers)
        };
        assert!(
            allow(None) && allow(Some("https://chat.example")) && allow(Some("http://wire.example:8787"))
        );
        assert!(!allow(Some("https://evil.example")) && !allow(Some("null")));
        assert!(!allow(Some("http://wire.example")));
    }
}
