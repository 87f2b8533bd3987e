//! The API for operators: statistics and cleanup.

use axum::{Json, extract::State};
use everwire_protocol::ErrorCode;

use super::{
    Answered, Api, Problem,
    extractors::{BackEnd, Operator},
};
use crate::{node::stats::Stats, store::Removed};

/// Maximum steps of a cleanup in one call: some ten thousand rows, so that callers see progress and no proxy gives up on it.
const CLEANUP_STEPS: u32 = 100;

/// Get statistics.
#[utoipa::path(
    get, path = "/stats", operation_id = "stats", tag = "operator", security(("api_key" = [])),
    responses((status = 200, body = Stats), (status = "default", body = Problem)),
)]
pub(super) async fn stats(_: BackEnd, State(api): State<Api>) -> Json<Stats> {
    Json(api.node.stats())
}

/// Get statistics at a shorter path. A development server does not require a key here.
#[utoipa::path(
    get, path = "/stats", operation_id = "statsAlone", tag = "operator", security((), ("api_key" = [])),
    responses((status = 200, body = Stats), (status = "default", body = Problem)),
)]
pub(super) async fn stats_alone(_: Operator, State(api): State<Api>) -> Json<Stats> {
    Json(api.node.stats())
}

/// Clean up: stale sessions, the ids of old sends, and messages beyond the retention. The server does this every five
/// minutes automatically. A call takes a few seconds at most: while `more` is true, call it again.
#[utoipa::path(
    post, path = "/cleanup", operation_id = "cleanup", tag = "operator", security(("api_key" = [])),
    responses((status = 200, body = Removed), (status = "default", body = Problem)),
)]
pub(super) async fn cleanup(_: BackEnd, State(api): State<Api>) -> Answered<Removed> {
    match api.node.cleanup(CLEANUP_STEPS).await {
        Some(removed) => Ok(Json(removed)),
        None => Err(Problem::of(ErrorCode::Unavailable)),
    }
}
