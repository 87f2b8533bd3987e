//! The HTTP API: for back ends with the API key, and for pages with a user's token. It parses requests and writes responses;
//! the work is done by the same parts that serve frames.
//!
//! The OpenAPI document at `/openapi.json` is generated from the code.

mod admin_api;
mod bans;
mod body;
mod chats;
mod erasure;
mod extractors;
mod health;
mod messages;
mod problem;
mod publish;
mod user_api;
mod users;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::{Method, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use everwire_protocol::{ErrorCode, Feature, limits::MAX_BATCH_BYTES, paths::API_PATH};
use utoipa::{
    OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub use extractors::ApiKey;
pub(crate) use extractors::{GUEST_NAME, GUEST_USER};
pub use problem::Problem;
pub(crate) use publish::IDEMPOTENCY_KEY;

use crate::node::Node;

/// The state of the request handlers.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) node: Arc<Node>,
    /// The API key of back ends; `None`: they are refused.
    pub(crate) key: Option<ApiKey>,
    /// Whether this is a development server, whose statistics are public.
    pub(crate) dev: bool,
    /// Free bytes below which the server is not ready.
    pub(crate) min_free_bytes: u64,
    health: Arc<health::Health>,
}

impl Api {
    /// The API of this node.
    pub(crate) fn new(node: Arc<Node>, key: Option<ApiKey>, dev: bool, min_free_bytes: u64) -> Self {
        Self { node, key, dev, min_free_bytes, health: Arc::default() }
    }

    /// Refuses an operation of a feature that this server does not have.
    fn needs(&self, feature: Feature) -> Result<(), Problem> {
        Ok(self.node.settings.features.check(feature)?)
    }
}

/// The result of an operation.
type Answered<T> = Result<Json<T>, Problem>;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Everwire HTTP API",
        description = "For back ends (tag `back end`; show the API key as a bearer token) and front ends (tag `front end`; \
                       show the user's token). Every refusal is a `Problem`, whose codes are those of the protocol.",
    ),
    tags(
        (name = "back end", description = "For the application's own servers"),
        (name = "front end", description = "For signed-in users"),
        (name = "operator", description = "For the operator of the server"),
    ),
    modifiers(&Security),
)]
struct Document;

struct Security;

impl utoipa::Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        for (name, words) in [
            ("api_key", "The server's API key (EVERWIRE_API_KEY or --api-key-file)."),
            (
                "user_token",
                "A user's token. On a development server, a guest may give a name instead: by the headers \
                            x-everwire-user and x-everwire-name or by `user` and `name` in the query.",
            ),
        ] {
            let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(words)).build();
            components.add_security_scheme(name, SecurityScheme::Http(bearer));
        }
    }
}

/// The routes of `/api/`, the statistics at `/stats`, and the document at `/openapi.json`.
pub(crate) fn router(api: Api) -> Router {
    let (router, document) = routes();
    let document = axum::body::Bytes::from(document.to_json().unwrap_or_default());
    let router: Router<Api> = router
        .method_not_allowed_fallback(wrong_method)
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        // The former name of /readyz.
        .route("/healthz", get(health::ready))
        .route("/api", get(nothing_here).fallback(nothing_here))
        .route("/api/{*rest}", get(nothing_here).fallback(nothing_here))
        .route(
            "/openapi.json",
            get(move || async move {
                ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")], document)
            }),
        )
        .layer(DefaultBodyLimit::max(MAX_BATCH_BYTES));
    router.with_state(api)
}

fn routes() -> (Router<Api>, utoipa::openapi::OpenApi) {
    let versioned = OpenApiRouter::new()
        .routes(routes!(publish::publish))
        .routes(routes!(chats::create))
        .routes(routes!(chats::get, chats::rename, chats::delete))
        .routes(routes!(chats::members))
        .routes(routes!(chats::add, chats::set_role, chats::remove))
        .routes(routes!(users::status, users::set_status))
        .routes(routes!(users::disconnect))
        .routes(routes!(erasure::erase))
        .routes(routes!(erasure::get))
        .routes(routes!(bans::ban, bans::get, bans::unban))
        .routes(routes!(bans::list))
        .routes(routes!(bans::revoke_user))
        .routes(routes!(bans::revoke_token))
        .routes(routes!(messages::delete))
        .routes(routes!(users::presence))
        .routes(routes!(admin_api::stats))
        .routes(routes!(admin_api::cleanup))
        .routes(routes!(user_api::connection_info))
        .routes(routes!(user_api::online_status))
        .routes(routes!(user_api::active_chats))
        .routes(routes!(user_api::typing))
        .routes(routes!(user_api::messages))
        .routes(routes!(user_api::read))
        .routes(routes!(user_api::authorise));
    OpenApiRouter::with_openapi(Document::openapi())
        .nest(API_PATH, versioned)
        .routes(routes!(admin_api::stats_alone))
        .split_for_parts()
}

/// The document that describes this API, as JSON.
pub fn document() -> String {
    routes().1.to_pretty_json().unwrap_or_default()
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let words = format!("Method {method} not allowed for {}. See /openapi.json.", uri.path());
    Problem::new(ErrorCode::Unexpected, words)
        .with_status(axum::http::StatusCode::METHOD_NOT_ALLOWED)
        .into_response()
}

async fn nothing_here(State(_): State<Api>, uri: Uri) -> Response {
    let words = format!("{} not found. See /openapi.json.", uri.path());
    Problem::new(ErrorCode::NotFound, words).into_response()
}
