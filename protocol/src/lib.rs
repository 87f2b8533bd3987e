//! The Everwire protocol, version 1: every frame, channel name, error code, close code and limit, defined once.
//!
//! Rust code uses this crate; TypeScript types, the JSON Schema and the golden vectors are generated from it by
//! `cargo xtask generate`. It holds shapes and their validation, and no behaviour: when a frame may be sent and what
//! it causes is written down in `docs/protocol.md`.
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
//! It does without the standard library, because that costs a browser kilobytes of panic messages.

#![cfg_attr(not(any(test, feature = "generate", feature = "openapi")), no_std)]

extern crate alloc;

pub mod batch;
mod channel;
mod chats;
mod client;
pub mod codes;
mod events;
#[cfg(feature = "generate")]
pub mod generate;
pub mod limits;
#[cfg(feature = "openapi")]
mod openapi;
mod payload;
mod people;
mod server;
mod whole;
mod writer;

pub use batch::{BatchError, FrameError};
pub use channel::{Channel, ChannelKind, InvalidChannel};
pub use chats::{
    Chat, ChatKind, ChatMember, CreateChat, Invite, JoinChat, LeaveChat, ListChats, RemoveMember, RenameChat,
    Role, SetRole,
};
pub use client::{
    Action, Bye, ClientFrame, CoreFrame, GetStatus, Guest, Hello, History, Idle, Poll, Receipt, Send,
    SetStatus, Signal, Subscribe, Token, Typing, Unsubscribe,
};
pub use codes::{CloseCode, ErrorCode};
pub use events::{
    ChatAction, ChatChange, DataUpdate, Notification, Priority, SERVER_EVENTS, StandardEvents, StatusUpdate,
    Text, UserActivity,
};
pub use payload::Payload;
pub use people::{Mark, Status, StatusChoice, UserStatus};
pub use server::{
    Ack, Activity, ChatChanged, ChatGone, Chats, Done, Error, Gap, GapReason, Goaway, Joined, Left, Limits,
    Member, Message, Page, Polled, Receipted, ServerFrame, Signalled, StatusChanged, Statuses, Subscribed,
    Typed, Unsubscribed, Welcome,
};
pub use uuid::Uuid;
pub use writer::push_number;

use serde::{Deserialize, Serialize};

/// The protocol version that `hello` carries and `welcome` confirms. Minor additions do not change it: unknown frame
/// types and unknown fields are ignored by both sides.
pub const VERSION: u32 = 1;

/// The WebSocket subprotocol that both sides must agree on.
pub const SUBPROTOCOL: &str = "everwire.v1";

/// Asks the other side for a sign of life; answered with [`Pong`] carrying the same nonce. Either side may send it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Ping {
    /// Chosen by the sender so that it can tell which ping was answered; absent when it does not care.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub nonce: Option<u32>,
}

/// Answers [`Ping`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Pong {
    /// The nonce of the ping that this answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub nonce: Option<u32>,
}
