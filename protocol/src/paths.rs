//! The HTTP paths of a server.

/// Accepts WebSocket connections.
pub const WEBSOCKET_PATH: &str = "/everwire/v1/ws";

/// Accepts batches of polling clients, by POST.
pub const POLL_PATH: &str = "/everwire/v1/poll";

/// The prefix of the HTTP API.
pub const API_PATH: &str = "/api/v1";
