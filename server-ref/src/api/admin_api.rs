//! What operators ask for: statistics, and a clean-up.

use axum::{Json, extract::State};
use everwire_protocol::ErrorCode;

use super::{
    Answered, Api, Problem,
    extractors::{BackEnd, Operator},
};
use crate::{node::stats::Stats, store::Removed};

/// Get what this server is doing and has done.
#[utoipa::path(
    get, path = "/stats", operation_id = "stats", tag = "operator", security(("api_key" = [])),
    responses((status = 200, body = Stats), (status = "default", body = Problem)),
)]
pub(super) async fn stats(_: BackEnd, State(api): State<Api>) -> Json<Stats> {
    Json(api.node.stats())
}

/// Get the same at a shorter address. A development server asks for no key here.
#[utoipa::path(
    get, path = "/stats", operation_id = "statsAlone", tag = "operator", security((), ("api_key" = [])),
    responses((status = 200, body = Stats), (status = "default", body = Problem)),
)]
pub(super) async fn stats_alone(_: Operator, State(api): State<Api>) -> Json<Stats> {
    Json(api.node.stats())
}

/// Remove what is no longer needed: stale sessions, the ids of old sends, and messages beyond the retention. The server
/// does it every five minutes by itself.
#[utoipa::path(
    post, path = "/cleanup", operation_id = "cleanup", tag = "operator", security(("api_key" = [])),
    responses((status = 200, body = Removed), (status = "default", body = Problem)),
)]
pub(super) async fn cleanup(_: BackEnd, State(api): State<Api>) -> Answered<Removed> {
    match api.node.cleanup().await {
        Some(tidied) => Ok(Json(tidied)),
        None => Err(Problem::of(ErrorCode::Unavailable)),
    }
}
