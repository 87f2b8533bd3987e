//! The driver for tokio: WebSocket by tokio-tungstenite, polling by reqwest.
//!
//! [`Client::connect`](crate::Client::connect) uses it. It is public for programs that drive the core
//! (`everwire-client-core`) themselves, such as test tools: [`Network`] carries out what the core wants of a network, and reports what
//! happens.

mod network;
mod websocket;

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use everwire_client_core::Output;
use futures_channel::mpsc;
use tokio::{
    runtime::Handle,
    time::{Sleep, sleep},
};

pub use crate::report::Report;
pub use network::Network;

use crate::{
    Error, Options,
    driver::{Driver, Platform, Reports},
    options::Tokens,
    shared::Shared,
    start::begin,
};

/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// There is no page that an address could be relative to.
pub(crate) fn resolve(_: &mut String) {}

/// Starts a session, and the task that drives it.
pub(crate) fn start(
    mut options: Options,
    reports: Reports,
    reported: mpsc::UnboundedReceiver<Report>,
) -> Result<Arc<Shared>, Error> {
    let runtime = Handle::try_current().map_err(|_| Error::NoRuntime)?;
    if options.url.starts_with("https:") && !cfg!(feature = "rustls") {
        return Err(Error::InvalidOption("https needs the feature `rustls` of everwire-client".into()));
    }
    let network = Network::new(options.url.clone(), reports)?;
    let shared = begin(&options, |config| config, false);
    let tokens = std::mem::replace(&mut options.tokens, Tokens::None);
    runtime.spawn(Driver::new(shared.clone(), Tokio { network, goodbye: None }, reported, tokens));
    Ok(shared)
}

/// The network of one client, in a tokio runtime.
struct Tokio {
    network: Network,
    /// When to wait no longer for what is on its way.
    goodbye: Option<Pin<Box<Sleep>>>,
}

impl Platform for Tokio {
    type Timer = Pin<Box<Sleep>>;

    fn timer(ms: u64) -> Self::Timer {
        Box::pin(sleep(Duration::from_millis(ms)))
    }

    fn carry_out(&mut self, output: Output) {
        // Nothing is kept for a later start, and no other page shares this one's connections.
        drop(self.network.carry_out(output));
    }

    fn poll_finished(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let goodbye = self.goodbye.get_or_insert_with(|| Box::pin(sleep(GOODBYE)));
        if goodbye.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        self.network.poll_finished(cx)
    }
}
