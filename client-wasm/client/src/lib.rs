//! Realtime messages for Rust: exactly once and in order, over WebSocket or HTTP polling, across lost connections, restarts of the
//! server and reloads of the page.
//!
//! The same crate serves applications in browsers (plain wasm-bindgen, Leptos, Yew, Dioxus) and, with the feature `native`, bots and back
//! ends on tokio. The npm package `everwire` is the same client for JavaScript.
//!
//! ```no_run
//! use everwire_client::{Client, Event, Options, Stored, Subscribe};
//! use futures_util::StreamExt;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! enum OrderEvent {
//!     Placed { id: u32 },
//!     Shipped { id: u32 },
//! }
//!
//! # async fn fetch_token() -> Result<String, std::io::Error> { Ok("…".into()) }
//! # async fn run() -> Result<(), everwire_client::Error> {
//! let client = Client::connect(Options::new("https://shop.example").token(fetch_token))?;
//! let orders = client.channel::<OrderEvent>("private-orders.eu")?;
//! let mut events = orders.subscribe(Subscribe::recent(20)).await?;
//! let Stored { offset, .. } = orders.send(&OrderEvent::Shipped { id: 7 }).await?;
//! println!("stored at {offset}");
//! while let Some(event) = events.next().await {
//!     match event {
//!         Event::Message(message) => match message.data {
//!             Some(OrderEvent::Shipped { id }) => println!("{id} is on its way to you"),
//!             Some(OrderEvent::Placed { id }) => println!("{id} was placed by {}", message.user),
//!             None => println!("a message was deleted"),
//!         },
//!         Event::Gap(gap) => println!("{} to {} are lost", gap.from, gap.to),
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised
//!
//! * Each stored message is delivered once to each [`Subscription`], in the order of offsets, or a [`Event::Gap`] says which are missing.
//! * [`Channel::send`] resolves once the message is stored, or refused for good. While there is no connection it waits in the outbox,
//!   which holds 1000 messages or 1 MiB.
//! * Dropping ends: a subscription, with the last one of a channel; the connection, with the last [`Client`]; the wait for a future.
//! * Nothing grows without bound: a stream that is not polled keeps its latest events, and says what is missing.
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `outbox` | yes | in browsers, unsent messages survive a reload, in IndexedDB |
//! | `native` | no | the driver for tokio; [`Client::connect`] is only there with it, or in a browser |
//! | `rustls` | no | `https` for that driver, with the root certificates of the system |

// Without a driver nobody connects; the types are there all the same.
#![cfg_attr(
    not(any(target_arch = "wasm32", feature = "native")),
    allow(dead_code, unreachable_pub, unused_imports)
)]

mod channel;
mod client;
mod clock;
mod driver;
mod error;
mod event;
#[cfg(any(target_arch = "wasm32", test))]
mod frames;
mod ids;
mod json;
#[cfg(all(not(target_arch = "wasm32"), feature = "native"))]
pub mod native;
mod options;
mod queue;
mod report;
mod request;
mod send;
mod session;
mod shared;
#[cfg(any(target_arch = "wasm32", feature = "native"))]
mod start;
mod streams;
mod table;
#[cfg(target_arch = "wasm32")]
mod web;

pub use channel::{Channel, History, HistoryPage};
pub use client::Client;
pub use error::Error;
pub use event::{ConnectionState, Event, Gap, GapReason, Message, Notice, Stored, Subscribed, Unreadable};
pub use everwire_client_core::{Position, Transport};
/// Frames and codes of the protocol, for [`Client::request`] and for what events contain.
pub use everwire_protocol as protocol;
pub use options::{MaybeSend, Options, Subscribe};
pub use request::Request;
pub use send::Sending;
pub use session::Typist;
pub use streams::{Subscription, Updates};

/// Compiles the code of docs/rust.md.
#[cfg(all(doctest, feature = "native"))]
#[doc = include_str!("../../../docs/rust.md")]
struct Documented;
