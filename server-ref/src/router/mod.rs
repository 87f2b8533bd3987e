//! All paths on the server's port: the transports, the API, health, and an application's files.

mod headers;
mod pages;
mod refusals;

use std::{path::Path, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, Method, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use everwire_protocol::ErrorCode;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::{
    api::{self, Api, GUEST_NAME, GUEST_USER, IDEMPOTENCY_KEY, Problem},
    transports::{self, Origins},
};

/// The router for the transports, the API, and the files in `serve_dir`.
pub(crate) fn router(api: Api, origins: Origins, serve_dir: Option<&Path>) -> Router {
    let cors = cors(&origins);
    let origins = Arc::new(origins);
    let transports = transports::router(api.node.clone(), origins.clone(), api.dev);
    let api = api::router(api).layer(from_fn_with_state(origins, check_origin));
    let router = match serve_dir {
        Some(directory) => Router::new().fallback_service(pages::directory(directory)),
        None => Router::new().fallback(pages::nothing_here).layer(from_fn(headers::data)),
    };
    router
        .merge(transports.merge(api).layer(from_fn(headers::data)).layer(from_fn(refusals::log)))
        .layer(cors)
}

/// Refuses calls of pages that may not use this server. Browsers keep such a page from reading an answer, but not from
/// sending plain text without a preflight.
async fn check_origin(State(origins): State<Arc<Origins>>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if reads || origins.allow(request.headers()) {
        return next.run(request).await;
    }
    let words = "This origin is not allowed. The operator of the server can allow it with --allow-origin.";
    Problem::new(ErrorCode::Forbidden, words).into_response()
}

/// The allowed origins, as browsers check them.
fn cors(origins: &Origins) -> CorsLayer {
    let allowed = match origins {
        Origins::Any => AllowOrigin::any(),
        Origins::Listed(origins) => AllowOrigin::list(origins.iter().cloned()),
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
        // Without it a browser sends a preflight before every poll. Chromium caches it for two hours at most.
        .max_age(Duration::from_hours(2))
}
