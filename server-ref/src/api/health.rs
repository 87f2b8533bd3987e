//! `/healthz`: whether this server works, and whether its store accepts writes. For load balancers and operators.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use tokio::{sync::Mutex, time::Instant};

use super::Api;

/// How long an answer is cached: the check writes to the disk, which callers must not be able to force.
const FRESH: Duration = Duration::from_secs(1);

/// The last answer.
#[derive(Debug, Default)]
pub(crate) struct Health {
    last: Mutex<Option<(Instant, Result<(), String>)>>,
}

impl Health {
    async fn store(&self, store: &Arc<dyn crate::store::Database>) -> Result<(), String> {
        let mut last = self.last.lock().await;
        if let Some((at, result)) = &*last
            && at.elapsed() < FRESH
        {
            return result.clone();
        }
        let result = store.probe().await.map_err(|error| error.to_string());
        *last = Some((Instant::now(), result.clone()));
        result
    }
}

/// 200 if everything works, 503 if messages cannot be stored or the server is stopping.
pub(super) async fn answer(State(api): State<Api>) -> Response {
    let store = api.health.store(&api.node.store).await;
    let stopping = api.node.stopping.borrow().is_some();
    let (status, code) = match (&store, stopping) {
        (_, true) => ("stopping", StatusCode::SERVICE_UNAVAILABLE),
        (Ok(()), false) => ("ok", StatusCode::OK),
        (Err(_), false) => ("degraded", StatusCode::SERVICE_UNAVAILABLE),
    };
    let body = serde_json::json!({
        "status": status,
        "version": env!("CARGO_PKG_VERSION"),
        "store": { "writable": store.is_ok(), "reason": store.err() },
        "sessions": api.node.sessions.len(),
    });
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (code, headers, format!("{body}\n")).into_response()
}
