//! What people and browsers get: the files of an application, and a sentence where they opened an address that is meant
//! for clients.

use std::path::Path;

use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get_service},
};
use tower_http::services::{ServeDir, ServeFile};

use super::{POLL_PATH, WS_PATH};

pub(super) async fn websocket_only() -> Response {
    say(
        StatusCode::UPGRADE_REQUIRED,
        "This address speaks the Everwire protocol over WebSocket. Open it with an Everwire client, or with any \
         WebSocket client that offers the subprotocol everwire.v1.",
    )
}

pub(super) async fn post_only() -> Response {
    let mut response = say(
        StatusCode::METHOD_NOT_ALLOWED,
        "This address speaks the Everwire protocol by HTTP polling: POST a JSON array of frames that starts with hello.",
    );
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

pub(super) async fn nothing_here() -> Response {
    let text = format!(
        "There is nothing at this address. This is an Everwire server: WebSocket at {WS_PATH}, polling at {POLL_PATH}, \
         its health at /healthz."
    );
    say(StatusCode::NOT_FOUND, &text)
}

pub(super) fn say(status: StatusCode, text: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{text}\n")).into_response()
}

/// Serves an application's files. An address without a file is the application's own, so it gets `index.html`.
pub(super) fn directory(directory: &Path) -> MethodRouter {
    let files = ServeDir::new(directory)
        .precompressed_br()
        .precompressed_gzip()
        .fallback(ServeFile::new(directory.join("index.html")));
    get_service(files).layer(from_fn(for_browsers))
}

/// Says how long files may be kept. Bundlers put a hash of the content into the names of what is in `assets/`, so that
/// may be kept for ever; everything else is asked for again each time, and answered with 304 if it is the same.
async fn for_browsers(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let hashed = path.contains("/assets/");
    // `/rooms/42` is a place in the application, `/app.js` a file.
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_file = name.rsplit_once('.').is_some_and(|(_, kind)| kind != "html");
    let mut response = next.run(request).await;
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_file && is_page {
        // A missing script answered with a page only confuses: say that it is missing.
        return say(StatusCode::NOT_FOUND, "There is no such file here.");
    }
    let keep = if hashed && !is_page { "public, max-age=31536000, immutable" } else { "no-cache" };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
