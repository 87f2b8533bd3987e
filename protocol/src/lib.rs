//! The Everwire protocol, version 1: every frame, channel name, error code, close code and limit, defined once.
//!
//! Rust code uses this crate; TypeScript types, the JSON Schema and the golden vectors are generated from it by
//! `cargo xtask generate`. It contains types and their validation, but no behaviour: `docs/protocol.md` specifies when a frame
//! may be sent and what it causes.
//!
//! ```
//! use everwire_protocol::{batch, ClientFrame, ServerFrame, Ping};
//!
//! let text = batch::encode(&[ClientFrame::Ping(Ping { nonce: Some(7) })]);
//! assert_eq!(text, r#"[{"type":"ping","nonce":7}]"#);
//! let decoded = batch::decode::<ServerFrame>(&text, &batch::Bounds::default()).unwrap();
//! assert_eq!(decoded[0], Ok(ServerFrame::Ping(Ping { nonce: Some(7) })));
//! ```
//!
//! It does not use the standard library, whose panic messages would add kilobytes to the browser download.

#![cfg_attr(not(any(test, feature = "generate", feature = "openapi")), no_std)]

extern crate alloc;

pub mod batch;
mod channel;
pub mod channels;
mod code;
pub mod codes;
mod event_data;
mod events;
mod features;
mod frames;
#[cfg(feature = "generate")]
pub mod generate;
pub mod ids;
mod json;
pub mod limits;
mod misfit;
pub mod names;
mod objects;
#[cfg(feature = "openapi")]
mod openapi;
pub mod paths;
mod payload;
mod safe_integer;
mod shape;
pub mod strict;
pub mod user_id;
mod words;

pub use batch::{BatchError, FrameError};
pub use channel::{Channel, ChannelKind, InvalidChannel};
pub use code::Code;
pub use codes::{CloseCode, ErrorCode};
pub use event_data::check_event_data;
pub use events::{
    CHAT_EVENT, ChatAction, ChatChange, DataUpdate, ERASED_EVENT, ErasedEntries, Notification, Priority,
    SERVER_EVENTS, StandardEvents, StatusUpdate, Text, UserActivity,
};
pub use features::{Feature, UnknownFeature};
pub use frames::*;
pub use json::{push_number, push_uuid};
pub use misfit::Misfit;
pub use payload::Payload;
pub use uuid::Uuid;

/// The protocol version that `hello` carries and `welcome` confirms. Minor additions do not change it: unknown frame
/// types and unknown fields are ignored by both sides.
pub const VERSION: u32 = 1;

/// The WebSocket subprotocol that both sides must agree on.
pub const SUBPROTOCOL: &str = "everwire.v1";
