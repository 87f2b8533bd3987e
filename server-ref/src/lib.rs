//! The Everwire reference server: accepts both transports, stores, fans out and authorises. The protocol is written down
//! in `docs/protocol.md`.
//!
//! Every room uses those below it, and none above:
//!
//! * [`server`]: all of it together on one port, by `router`.
//! * [`api`]: the HTTP API. [`transports`]: WebSocket and polling.
//! * [`node`]: what all connections share, and how what a connection wants is carried out.
//! * [`users`]: who is online. [`hub`]: the channels of this node. [`sessions`]: which connection each session has.
//!   [`audience`]: who is told of which chats.
//! * [`connection`]: what one connection may do and has been sent; no sockets, no clock.
//! * [`chats`]: their rules and members. [`store`]: logs and what is kept besides. [`auth`]: who may do what.
//! * [`model`]: the data that all of them speak of. [`environment`]: time, ids, tasks and sleep.

pub mod api;
pub mod audience;
pub mod auth;
pub mod chats;
pub mod config;
pub mod connection;
pub mod environment;
mod error;
pub mod hub;
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
