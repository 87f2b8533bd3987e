//! Responses for browsers: the files of an application, and a message for paths that are meant for clients.

use everwire_protocol::paths::{POLL_PATH, WEBSOCKET_PATH};
use std::path::Path;

use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::{Next, from_fn},
    response::Response,
    routing::{MethodRouter, get_service},
};
use tower_http::services::{ServeDir, ServeFile};

use crate::transports::say;

pub(super) async fn nothing_here() -> Response {
    let text = format!(
        "Not found. This is an Everwire server: WebSocket at {WEBSOCKET_PATH}, polling at {POLL_PATH}, \
         its health at /readyz."
    );
    say(StatusCode::NOT_FOUND, &text)
}

/// Serves an application's files. A path without a file is a route of the application, so it gets `index.html`.
pub(super) fn directory(directory: &Path) -> MethodRouter {
    let files = ServeDir::new(directory)
        .precompressed_br()
        .precompressed_gzip()
        .fallback(ServeFile::new(directory.join("index.html")));
    get_service(files).layer(from_fn(for_browsers))
}

/// Sets how long files are cached. Bundlers put a hash of the content into the file names in `assets/`, so these are
/// immutable; everything else is revalidated each time, and answered with 304 if unchanged.
async fn for_browsers(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let hashed = path.contains("/assets/");
    // `/rooms/42` is a route of the application, `/app.js` a file.
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_file = name.rsplit_once('.').is_some_and(|(_, kind)| kind != "html");
    let mut response = next.run(request).await;
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_file && is_page {
        // Answering a missing script with a page would only confuse.
        return say(StatusCode::NOT_FOUND, "File not found.");
    }
    let keep = if hashed && !is_page { "public, max-age=31536000, immutable" } else { "no-cache" };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
