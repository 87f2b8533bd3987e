//! The Everwire reference server: accepts both transports, authorises, stores and delivers. The protocol is specified in
//! `docs/protocol.md`.
//!
//! Every room uses only those below it:
//!
//! * [`server`]: everything on one port, by `router`.
//! * [`api`]: the HTTP API. [`transports`]: WebSocket and polling.
//! * [`node`]: what all connections share; carries out the outputs of connections.
//! * [`users`]: who is online. [`hub`]: the channels of this node. [`sessions`]: which connection each session has.
//!   [`audience`]: who receives updates of which chats.
//! * [`connection`]: the state machine of one connection; no sockets, no clock.
//! * [`chats`]: the rules of chats. [`store`]: logs and all other durable data. [`auth`]: tokens, permissions and limits.
//! * [`admission`]: who may open sockets. [`accounts`]: what clients cost, and how much of it they may use.
//! * [`model`]: shared data types. [`logs`]: the log, without waiting. [`environment`]: time, ids, tasks and sleep.

pub mod accounts;
pub mod admission;
pub mod api;
pub mod audience;
pub mod auth;
pub mod chats;
pub mod config;
pub mod connection;
pub mod environment;
mod error;
pub mod hub;
pub mod logs;
pub mod model;
pub mod node;
pub mod operator;
mod router;
pub mod server;
pub mod sessions;
pub mod store;
pub mod transports;
pub mod users;

pub use error::Error;
