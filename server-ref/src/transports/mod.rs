//! The transports, and every address that this server answers on its port.

mod health;
mod origins;
mod pages;
mod poll;
mod ws;

use std::{path::Path, sync::Arc};

use axum::{
    Router,
    routing::{get, post},
};

pub use origins::Origins;

use crate::{
    api::{self, Api},
    node::Node,
};
use health::Health;

/// Where a `WebSocket` is opened.
pub const WS_PATH: &str = "/everwire/v1/ws";

/// Where polls are posted.
pub const POLL_PATH: &str = "/everwire/v1/poll";

/// What the answers to requests are made from.
#[derive(Debug, Clone)]
struct App {
    node: Arc<Node>,
    origins: Arc<Origins>,
    health: Arc<Health>,
}

/// Everything that is served: the transports, `/healthz`, the API, and the files in `serve_dir`.
pub(crate) fn router(api: Api, origins: Origins, serve_dir: Option<&Path>) -> Router {
    let cors = origins.cors();
    let node = api.node.clone();
    let app = App { node, origins: Arc::new(origins), health: Arc::default() };
    let router = Router::new()
        .route(WS_PATH, get(ws::open).fallback(pages::websocket_only))
        .route(POLL_PATH, post(poll::answer).fallback(pages::post_only))
        .route("/healthz", get(health::answer));
    let router = match serve_dir {
        Some(directory) => router.fallback_service(pages::directory(directory)),
        None => router.fallback(pages::nothing_here),
    };
    router.with_state(app).merge(api::router(api)).layer(cors)
}
