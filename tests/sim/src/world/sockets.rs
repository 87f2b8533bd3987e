//! The writing side of a node's WebSockets: what is written, by the driver or directly by whoever publishes, is passed to the network
//! in this order. Sometimes the buffers of a socket are full, as they are whenever the client reads slowly.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Wake,
};

use everwire_server::connection::{BatchEncoder, batch_text, shared::BatchWriter};

use super::{
    Address, Event, World,
    node::{Conn, Machine},
};
use crate::rng::Rng;

/// How often a batch fits into the buffers of a client that reads, per mille.
const FITS: u64 = 800;

/// The writing side of a socket.
#[derive(Debug)]
pub(super) struct SimWriter {
    rng: Rng,
    /// Whether the client does not read as fast as it could.
    full: bool,
    /// What was written, and whether all of it was at once.
    written: Vec<(Arc<str>, bool)>,
}

impl SimWriter {
    pub(super) fn new(rng: Rng) -> Self {
        Self { rng, full: false, written: Vec::new() }
    }
}

impl BatchWriter for SimWriter {
    fn write(&mut self, frames: Vec<Arc<str>>, _: &mut BatchEncoder) -> bool {
        let whole = !self.full && self.rng.chance(FITS);
        self.written.push((batch_text(&frames).into(), whole));
        whole
    }
}

/// Whether somebody has woken a driver.
#[derive(Debug, Default)]
pub(super) struct Woken(AtomicBool);

impl Woken {
    pub(super) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Machine {
    /// Whether something was written that has not been passed to the network yet.
    pub(super) fn has_written(&self) -> bool {
        matches!(self, Self::WebSocket { session, .. } if !session.lock().writer.written.is_empty())
    }
}

impl World {
    /// What is about to be written depends on how the clients read now.
    pub(super) fn fill_sockets(&mut self, node: usize) {
        for conn in self.nodes[node].conns.values() {
            if let Machine::WebSocket { session, link } = &conn.machine {
                let link = &self.links[*link];
                let reads = self.clients[link.client].path.reads;
                session.lock().writer.full = link.dead || reads.is_some_and(|(_, until)| until > self.now);
            }
        }
    }

    /// Passes what was written to the network.
    pub(super) fn pass_written(&mut self, address: Address, conn: &mut Conn) {
        let Machine::WebSocket { session, link } = &conn.machine else { return };
        let link = *link;
        let written = std::mem::take(&mut session.lock().writer.written);
        for (text, whole) in written {
            self.check_refusal(conn, &text);
            self.check_leaving(conn, &text);
            let taken_in = self.link_down(link, &text);
            if let Some(ms) = taken_in.filter(|_| !whole) {
                self.after(ms, Event::Writable { conn: address });
            }
        }
    }
}
