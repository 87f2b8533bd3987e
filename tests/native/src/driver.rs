//! The network and the clocks of one client. What the core wants of the network is carried out by the driver of everwire-client.

use std::time::{SystemTime, UNIX_EPOCH};

use everwire_client::{
    Error,
    native::{Network, Report},
};
use everwire_client_core::{Event, Now, Output};
use futures_channel::mpsc::UnboundedSender;
use tokio::time::Instant;

pub(crate) struct Driver {
    network: Network,
    begun: Instant,
}

/// What the network has no part in.
pub(crate) enum Wanted {
    Token,
    Event(Event),
}

impl Driver {
    pub(crate) fn new(url: String, reports: UnboundedSender<Report>) -> Result<Self, Error> {
        Ok(Self { network: Network::new(url, reports)?, begun: Instant::now() })
    }

    /// What both clocks say.
    pub(crate) fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { mono: self.begun.elapsed().as_millis() as u64, wall: wall.as_millis() as u64 }
    }

    pub(crate) fn carry_out(&mut self, output: Output) -> Option<Wanted> {
        match self.network.carry_out(output)? {
            Output::FetchToken => Some(Wanted::Token),
            Output::Event(event) => Some(Wanted::Event(event)),
            // Nothing is kept for a later start, and no other page shares this one's connections.
            _ => None,
        }
    }

    /// Waits until what is on its way has left.
    pub(crate) async fn finished(&mut self) {
        self.network.finished().await;
    }
}
