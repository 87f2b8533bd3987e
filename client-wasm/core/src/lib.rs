//! The connection as a pure state machine, without a clock, a socket or randomness of its own.
//!
//! It is driven like quinn-proto and str0m. Pass in what happened: [`Connection::handle`] takes events, and
//! [`Connection::receive_frame`] the frames of a batch, between [`Connection::begin_batch`] and
//! [`Connection::end_batch`]; drivers in Rust pass whole batches to `receive`. Then carry out what
//! [`Connection::poll_output`] returns until it returns `None`, and call again when something happens or when
//! [`Connection::poll_timeout`] says so. Every promise about connections is kept in this crate, so all of them are
//! tested natively under a virtual clock.

#![cfg_attr(all(target_arch = "wasm32", not(test)), no_std)]

extern crate alloc;

#[macro_use]
mod text;

#[cfg(any(not(target_arch = "wasm32"), feature = "application"))]
mod application;
mod backoff;
mod clock;
mod connection;
mod deadline;
mod frames;
mod ids;
mod incoming;
mod input;
mod lifecycle;
mod log;
mod outgoing;
mod rng;
#[cfg(not(target_arch = "wasm32"))]
mod test_driver;
mod token;
mod transport;

#[doc(hidden)]
pub use alloc::string::String;
#[cfg(any(not(target_arch = "wasm32"), feature = "application"))]
pub use application::{Application, Stretch, receive, typist};
pub use backoff::{BASE_MS, CAP_HIDDEN_MS, CAP_MS, FIRST_MS, LEAST_MS};
pub use clock::Now;
pub use connection::{Config, Connection};
pub use frames::{
    Confirmation, ErrorFrame, Gap, GapStart, Outcome, ReceivedFrame, SubscribedFrame, UnsubscribedFrame,
    WelcomeFrame,
};
pub use ids::{Handle, RequestId, SocketId, Source};
pub use incoming::subscription::Position;
pub use input::{Event, Input, Output, SendStatus, Status};
pub use outgoing::outbox::{MAX_OUTBOX_BYTES, MAX_OUTBOX_MESSAGES, Restored};
#[cfg(not(target_arch = "wasm32"))]
pub use test_driver::{Heard, OutgoingMessage};
#[doc(hidden)]
pub use text::TextPart;
pub use transport::{Memory, Transport};
