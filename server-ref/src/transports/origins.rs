//! The origins whose pages may use this server.

use std::collections::BTreeSet;

use axum::http::{HeaderMap, HeaderValue, header};
use parking_lot::Mutex;

use crate::model::address::AddressKey;

/// Maximum refused origins that are named in the log, in bytes each and in number.
const NAMED: (usize, usize) = (200, 100);

/// The refused origins that the log has named.
static REFUSED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Tells the operator, once for each origin, that its pages are refused and how to allow them. Returns whether it did.
pub(super) fn log_refusal(headers: &HeaderMap, address: Option<AddressKey>) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()).unwrap_or("null");
    let mut refused = REFUSED.lock();
    let first = origin.len() <= NAMED.0 && refused.len() < NAMED.1 && refused.insert(origin.to_owned());
    drop(refused);
    if first {
        let address = address.map(|address| address.to_string());
        tracing::warn!(
            origin,
            address,
            "pages of this origin are refused; to allow them, start the server with --allow-origin {origin}"
        );
    }
    first
}

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
    fn a_refused_origin_is_named_once() {
        let headers = |origin| HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static(origin))]);
        let (one, other) = (headers("https://once.example"), headers("https://another.example"));
        assert_eq!([&one, &one, &other].map(|origin| log_refusal(origin, None)), [true, false, true]);
    }

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
