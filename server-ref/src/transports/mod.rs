//! The transports: WebSocket and HTTP polling.

mod origins;
mod poll;
pub(crate) mod socket;
mod ws;

use everwire_protocol::paths::{POLL_PATH, WEBSOCKET_PATH};
use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::time::Instant;

pub use origins::Origins;

use crate::node::Node;

/// The state of the request handlers.
#[derive(Debug, Clone)]
struct App {
    node: Arc<Node>,
    origins: Arc<Origins>,
    /// Whether guests are accepted.
    guests: bool,
}

/// The routes of the transports.
pub(crate) fn router(node: Arc<Node>, origins: Arc<Origins>, guests: bool) -> Router {
    Router::new()
        .route(WEBSOCKET_PATH, get(ws::open).fallback(websocket_only))
        .route(POLL_PATH, post(poll::answer).fallback(post_only))
        .with_state(App { node, origins, guests })
}

async fn websocket_only() -> Response {
    say(
        StatusCode::UPGRADE_REQUIRED,
        "This path serves the Everwire protocol over WebSocket. Open it with an Everwire client, or with any \
         WebSocket client that offers the subprotocol everwire.v1.",
    )
}

async fn post_only() -> Response {
    let mut response = say(
        StatusCode::METHOD_NOT_ALLOWED,
        "This path serves the Everwire protocol over HTTP polling: POST a JSON array of frames that starts with hello.",
    );
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

/// Refuses a request of a page whose origin is not allowed.
fn refused_origin() -> Response {
    say(
        StatusCode::FORBIDDEN,
        "This origin is not allowed. The operator of the server can allow it with --allow-origin.",
    )
}

/// When it will be `at_ms`, in the time of the node.
fn instant(node: &Node, at_ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(at_ms.saturating_sub(node.now_ms()))
}

/// A plain text response.
pub(crate) fn say(status: StatusCode, text: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{text}\n")).into_response()
}
