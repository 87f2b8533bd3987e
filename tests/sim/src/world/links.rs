//! WebSockets between clients and nodes: ordered in both directions, with latency, and with their failures.

use std::{collections::VecDeque, sync::Arc};

use everwire_client_core::SocketId;

use super::{Event, ToClient, ToServer, World, say};
use crate::{mutants::Mutant, rng::Rng};

/// How many batches the buffers of a dead link accept before the server's writes block.
const DEAD_BUFFERS: u32 = 3;

/// A WebSocket.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) client: usize,
    /// The page of the client.
    pub(super) page: u32,
    pub(super) id: SocketId,
    pub(super) node: usize,
    pub(super) boot: u32,
    /// The connection on the node, once it was accepted.
    pub(super) conn: Option<u64>,
    /// Whether the client still has it.
    pub(super) client_open: bool,
    /// Whether the node still has it.
    pub(super) server_open: bool,
    /// Whether it is silently dead.
    pub(super) dead: bool,
    /// Whether it was reset: data in flight is lost.
    pub(super) cut: bool,
    dead_taken: u32,
    to_client: u64,
    to_server: u64,
}

/// How WebSocket is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    Refuse,
    Silent,
}

/// What a network lets through that does not let everything through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passes {
    WebSockets,
    /// WebSockets are blocked in this way.
    Requests(Block),
}

/// What a proxy refuses for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Proxy {
    /// The status of its answer; 0 where a browser hides it from the page.
    pub(super) status: u16,
    /// Bodies that are longer, in bytes; otherwise those with [`WORD`].
    longer: Option<usize>,
}

/// A word that some proxies do not let through.
pub(super) const WORD: &str = "<script>";

impl Proxy {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        if rng.chance(400) {
            // A poll for all channels is shorter.
            return Self { status: 413, longer: Some(rng.pick(&[2_000, 4_000, 8_000])) };
        }
        Self { status: rng.pick(&[403, 403, 0]), longer: None }
    }

    /// Whether it refuses this text.
    pub(super) fn refuses(self, text: &str) -> bool {
        self.longer.map_or_else(|| text.contains(WORD), |most| text.len() > most)
    }
}

/// What ends WebSockets because of a message, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cutter {
    pub(super) code: u16,
    /// Texts that are longer, in bytes; otherwise those with [`WORD`]. Few batches are longer, and of the messages some.
    pub(super) longer: Option<usize>,
}

impl Cutter {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        Self { code: rng.pick(&[1009, 1009, 4011]), longer: rng.chance(300).then_some(8_000) }
    }

    fn cuts(self, text: &str) -> bool {
        self.longer.map_or_else(|| text.contains(WORD), |most| text.len() > most)
    }
}

/// The current network between one client and the nodes. Times are virtual ms until which a fault lasts.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) rng: Rng,
    pub(super) slow_until: u64,
    pub(super) slow_by: u64,
    pub(super) blocked: Option<(Block, u64)>,
    /// A proxy, until the end of the run.
    pub(super) proxy: Option<Proxy>,
    /// What ends WebSockets because of a message, until the end of the run.
    pub(super) cutter: Option<Cutter>,
    /// Nodes refuse batches with [`WORD`], until the end of the run.
    pub(super) refuses_batches: bool,
    /// Where the client has moved to, until the end of the run.
    pub(super) passes: Option<Passes>,
    /// WebSockets are killed this long after they opened.
    pub(super) killed: Option<(u64, u64)>,
    pub(super) loses_until: u64,
    pub(super) doubles_until: u64,
    /// The last responses to polls, by page, which something between may repeat; drawn on its own.
    pub(super) seen: VecDeque<(u32, Arc<str>)>,
    pub(super) repeats: Rng,
    /// The client's read rate in bytes per ms.
    pub(super) reads: Option<(u64, u64)>,
    /// Whether there is no network.
    pub(super) down_until: u64,
}

impl Path {
    pub(super) fn new(rng: Rng) -> Self {
        Self {
            repeats: rng.fork(1),
            seen: VecDeque::new(),
            rng,
            slow_until: 0,
            slow_by: 0,
            blocked: None,
            proxy: None,
            cutter: None,
            refuses_batches: false,
            passes: None,
            killed: None,
            loses_until: 0,
            doubles_until: 0,
            reads: None,
            down_until: 0,
        }
    }

    /// Everything works again, but for what is as it is: what refuses messages for good, and the network that the client is in.
    pub(super) fn heal(&mut self) {
        let Self { proxy, cutter, refuses_batches, passes, .. } = *self;
        *self = Self { proxy, cutter, refuses_batches, passes, ..Self::new(self.rng.clone()) };
    }

    /// How WebSockets are blocked at present.
    fn blocks_websockets(&self, now: u64) -> Option<Block> {
        match self.passes {
            Some(Passes::Requests(how)) => Some(how),
            Some(Passes::WebSockets) | None => {
                self.blocked.filter(|(_, until)| *until > now).map(|(how, _)| how)
            }
        }
    }

    /// Whether no request gets anywhere at present.
    pub(super) fn blocks_requests(&self, now: u64) -> bool {
        self.down_until > now || self.passes == Some(Passes::WebSockets)
    }
}

impl World {
    /// The one-way latency between a client and a node, in ms.
    pub(super) fn latency(&mut self, client: usize) -> u64 {
        let (now, base) = (self.now, self.manner.latency);
        let path = &mut self.clients[client].path;
        let slow = if path.slow_until > now { path.rng.between(path.slow_by / 2, path.slow_by) } else { 0 };
        1 + path.rng.between(base / 2, base) + slow
    }

    /// The node to which a client is routed.
    pub(super) fn led_to(&mut self, client: usize) -> usize {
        if self.manner.scattered && !self.healed {
            self.clients[client].path.rng.below(self.nodes.len())
        } else {
            client % self.nodes.len()
        }
    }

    pub(super) fn open_link(&mut self, client: usize, id: SocketId) {
        let node = self.led_to(client);
        let link = self.links.len();
        self.links.push(Link {
            client,
            page: self.clients[client].page,
            id,
            node,
            boot: self.nodes[node].boot,
            conn: None,
            client_open: true,
            server_open: false,
            dead: false,
            cut: false,
            dead_taken: 0,
            to_client: 0,
            to_server: 0,
        });
        self.clients[client].links.insert(id, link);
        let now = self.now;
        let blocked = self.clients[client].path.blocks_websockets(now);
        let there = 2 * self.latency(client);
        if self.clients[client].path.down_until > now {
            if self.clients[client].path.rng.chance(500) {
                self.send_client(client, 5, ToClient::Closed { link, code: 1006 });
            }
        } else if blocked == Some(Block::Silent) {
            say!(self, format!("c{client}"), "WebSocket {link} gets no answer");
        } else if blocked == Some(Block::Refuse) || !self.nodes[node].up {
            self.send_client(client, there, ToClient::Closed { link, code: 1006 });
        } else {
            self.after(there, Event::ToServer { link, what: ToServer::Open });
        }
    }

    /// Sends a client's text on a link.
    pub(super) fn link_up(&mut self, link: usize, text: String) {
        let client = self.links[link].client;
        if let Some(cutter) = self.clients[client].path.cutter.filter(|cutter| cutter.cuts(&text)) {
            self.stats.refused_requests += 1;
            let code = if self.has(Mutant::CutForAnyReason) { 1006 } else { cutter.code };
            say!(self, format!("c{client}"), "WebSocket {link} is cut because of a message ({code})");
            return self.reset_link(link, code);
        }
        let latency = self.latency(self.links[link].client);
        let on = &mut self.links[link];
        on.to_server = on.to_server.max(self.now + latency);
        let at = on.to_server;
        self.at(at, Event::ToServer { link, what: ToServer::Text(text) });
    }

    /// The client closes its end.
    pub(super) fn link_closed_by_client(&mut self, link: usize) {
        let latency = self.latency(self.links[link].client);
        let on = &mut self.links[link];
        if !std::mem::take(&mut on.client_open) {
            return;
        }
        on.to_server = on.to_server.max(self.now + latency);
        let at = on.to_server;
        self.at(at, Event::ToServer { link, what: ToServer::Closed });
    }

    /// Something reaches the node.
    pub(super) fn reaches_server(&mut self, link: usize, what: ToServer) {
        let on = &self.links[link];
        let (client, node) = (on.client, on.node);
        let gone = self.nodes[node].boot != on.boot || !self.nodes[node].up;
        match what {
            ToServer::Open if !on.client_open || on.dead => {}
            ToServer::Open if gone => {
                self.send_client(client, 1, ToClient::Closed { link, code: 1006 });
            }
            ToServer::Open => {
                let latency = self.latency(client);
                self.links[link].server_open = true;
                self.links[link].to_client = self.now + latency;
                self.send_client(client, latency, ToClient::Opened { link });
                self.accept(link);
                let now = self.now;
                if let Some((after, _)) = self.clients[client].path.killed.filter(|(_, until)| *until > now) {
                    let after = latency + self.clients[client].path.rng.between(0, after);
                    // The proxy ends both sides.
                    self.send_client(client, after, ToClient::Closed { link, code: 1006 });
                    self.after(after, Event::ToServer { link, what: ToServer::Closed });
                }
            }
            _ if gone || !on.server_open => {}
            ToServer::Text(_) if on.dead || on.cut => {}
            ToServer::Closed if on.dead => {}
            ToServer::Text(text) => self.conn_reads(link, Some(text)),
            ToServer::Closed => self.conn_reads(link, None),
        }
    }

    /// A node sends a text on a link. Returns when it has been written, if ever.
    pub(super) fn link_down(&mut self, link: usize, text: &Arc<str>) -> Option<u64> {
        let client = self.links[link].client;
        if self.links[link].dead {
            self.links[link].dead_taken += 1;
            return (self.links[link].dead_taken <= DEAD_BUFFERS).then_some(1);
        }
        let latency = self.latency(client);
        let now = self.now;
        let slow = self.clients[client].path.reads.filter(|(_, until)| *until > now);
        let reading = slow.map_or(0, |(rate, _)| text.len() as u64 / rate.max(1));
        let on = &mut self.links[link];
        on.to_client = on.to_client.max(now + latency) + reading;
        let at = on.to_client;
        let what = ToClient::Text { link, text: text.clone() };
        self.at(at, Event::ToClient { client, what });
        Some(if slow.is_some() { at - now } else { 1 })
    }

    /// The node closes its end.
    pub(super) fn link_closed_by_server(&mut self, link: usize, code: u16) {
        let on = &mut self.links[link];
        on.server_open = false;
        if on.dead {
            return;
        }
        let client = on.client;
        let latency = self.latency(client);
        let on = &mut self.links[link];
        on.to_client = on.to_client.max(self.now + latency);
        let at = on.to_client;
        self.at(at, Event::ToClient { client, what: ToClient::Closed { link, code } });
    }

    /// A reset: both ends notice it after their latency, and data in flight is lost.
    pub(super) fn reset_link(&mut self, link: usize, code: u16) {
        let client = self.links[link].client;
        self.links[link].cut = true;
        let (one, other) = (self.latency(client), self.latency(client));
        self.send_client(client, one, ToClient::Closed { link, code });
        self.after(other, Event::ToServer { link, what: ToServer::Closed });
    }

    /// Something reaches a client over the network after a while.
    pub(super) fn send_client(&mut self, client: usize, ms: u64, what: ToClient) {
        self.after(ms, Event::ToClient { client, what });
    }

    /// Whether a client receives events of a link: it must have it, and the link must be alive.
    pub(super) fn link_counts(&self, link: usize, text: bool) -> bool {
        let on = &self.links[link];
        let through = !(on.dead || (text && on.cut));
        on.client_open && through
    }
}
