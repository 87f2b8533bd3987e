//! The Everwire reference server: accepts both transports, stores, fans out and authorises. The protocol is written down
//! in `docs/protocol.md`.
//!
//! * [`session`]: what one connection may do and has been sent; no sockets, no clock.
//! * [`hub`]: the channels of this node. [`store`]: their logs. [`auth`]: who may do what.
//! * [`transports`]: WebSocket and polling. [`server`]: all of it together on one port.

pub mod api;
pub mod auth;
pub mod chats;
pub mod clock;
pub mod config;
mod error;
pub mod hub;
pub mod node;
pub mod operator;
pub mod server;
pub mod session;
pub mod stats;
pub mod store;
pub mod transports;

pub use error::Error;
