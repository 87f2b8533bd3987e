//! Health, for orchestrators, load balancers and operators. Nothing here waits for the store: a server whose disk is slow must not
//! be killed for it.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Api;
use crate::{node::Node, store::StoreHealth};

/// How often a failed store is asked again whether it accepts writes: that writes to the disk, which callers must not be able to
/// force.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// When readiness was checked by a write.
#[derive(Debug, Default)]
pub(crate) struct Health {
    asked_at: Mutex<Option<Instant>>,
}

impl Health {
    /// After a failure nobody may send any more, so that no commit shows that the disk has space again. The answer is that of
    /// the next request.
    fn ask_again(&self, node: &Arc<Node>) {
        let mut asked_at = self.asked_at.lock();
        if asked_at.is_none_or(|at| at.elapsed() >= ASK_AGAIN) {
            *asked_at = Some(Instant::now());
            let store = node.store.clone();
            tokio::spawn(async move { store.probe().await });
        }
    }
}

/// `/livez`: 200 while the process answers. Anything else is a reason to restart it.
pub(super) async fn live() -> Response {
    respond(StatusCode::OK, &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

/// `/readyz`: 200 if clients can be sent here; 503 if messages cannot be stored, there is hardly any space for them, or the server
/// is stopping.
pub(super) async fn ready(State(api): State<Api>) -> Response {
    let StoreHealth { failure, last_commit_ms, free_bytes } = api.node.store.health();
    if failure.is_some() {
        api.health.ask_again(&api.node);
    }
    let least = api.min_free_bytes;
    let full = free_bytes
        .filter(|free| *free < least)
        .map(|free| format!("only {free} bytes are free where the database is; --min-free-bytes is {least}"));
    let reason = failure.or(full);
    let stopping = api.node.stopping.borrow().is_some();
    let (status, code) = match (&reason, stopping) {
        (_, true) => ("stopping", StatusCode::SERVICE_UNAVAILABLE),
        (None, false) => ("ok", StatusCode::OK),
        (Some(_), false) => ("degraded", StatusCode::SERVICE_UNAVAILABLE),
    };
    let body = json!({
        "status": status,
        "version": env!("CARGO_PKG_VERSION"),
        "store": {
            "writable": reason.is_none(),
            "reason": reason,
            "last_commit_ms": last_commit_ms,
            "free_bytes": free_bytes,
        },
        "sessions": api.node.sessions.len(),
    });
    respond(code, &body)
}

fn respond(code: StatusCode, body: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (code, headers, format!("{body}\n")).into_response()
}
