//! The connection as a pure state machine: no clock, no socket, no randomness of its own.
//!
//! How it is driven, in the manner of quinn-proto and str0m: tell it what happened ([`Connection::handle`], and one
//! method per incoming frame between [`Connection::begin_batch`] and [`Connection::end_batch`]), then carry out what
//! [`Connection::poll_output`] returns until it returns `None`, and call again when something happens or when
//! [`Connection::poll_timeout`] says so. Every promise that Everwire makes about connections is kept in here, so all
//! of them are tested natively under a virtual clock.

#![cfg_attr(all(target_arch = "wasm32", not(test)), no_std)]

extern crate alloc;

mod asking;
mod backoff;
mod clock;
mod connection;
mod deadline;
mod frames;
mod input;
mod journal;
#[cfg(not(target_arch = "wasm32"))]
mod native;
mod outbox;
mod polling;
mod receipts;
mod rng;
mod sending;
mod subscriptions;
mod timers;
mod token;
mod transports;
mod typing;
mod waking;
mod websocket;

#[doc(hidden)]
pub use alloc::string::String;
pub use backoff::{CAP_HIDDEN_MS, CAP_MS, FIRST_MS};
pub use clock::Now;
pub use connection::{Config, Connection};
pub use frames::{GapStart, Refusal, SubscribedFrame, Verdict, WelcomeFrame};
pub use input::{Event, Handle, Input, LinkId, Output, RequestId, SendStatus, Source, Status};
#[doc(hidden)]
pub use journal::Part;
#[cfg(not(target_arch = "wasm32"))]
pub use native::{Draft, typist};
pub use outbox::{MAX_OUTBOX_BYTES, MAX_OUTBOX_MESSAGES};
pub use subscriptions::Position;
pub use transports::{Memory, Transport};

/// Joins texts and numbers without the formatting machinery, which would cost kilobytes in the browser.
#[macro_export]
macro_rules! text {
    ($($part:expr),* $(,)?) => {{
        let mut text = $crate::String::new();
        $( $crate::Part::add(&$part, &mut text); )*
        text
    }};
}
