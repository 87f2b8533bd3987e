//! The origins whose pages may use this server.

use axum::http::{HeaderMap, HeaderValue, header};

/// The origins whose pages may use this server. Pages from its own host and clients that are not browsers always may.
#[derive(Debug, Clone)]
pub enum Origins {
    /// Any origin.
    Any,
    /// These origins.
    Listed(Vec<HeaderValue>),
}

impl Origins {
    /// Whether the page that makes a request may use this server. Browsers open WebSockets to other origins, and post plain
    /// text to them, without a preflight, so the server has to check.
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
