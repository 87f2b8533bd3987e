//! Ten thousand real cores and a server that is down for a while.

use std::{cmp::Reverse, collections::BinaryHeap};

use everwire_client_core::{
    Config, Connection, Event, Input, Now, Output, ReceivedFrame, RequestId, SocketId, Source, Status,
    WelcomeFrame,
};
use everwire_protocol::{Guest, Uuid, limits};

use super::{ROUND_TRIP_MS, SPREAD_MS, Tries};
use crate::rng::Rng;

/// How long all were connected before, in ms: long enough to reset the backoff.
const BEFORE_MS: u64 = 20_000;
/// The maximum wait after the server is back, in ms.
const AFTER_MS: u64 = 120_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Timer(u32),
    Opens(SocketId),
    Opened(SocketId),
    Refused(SocketId),
    Posts(RequestId),
    Answered(RequestId),
    Failed(RequestId),
    Cut,
    Begin,
}

struct Herd {
    cores: Vec<Client>,
    queue: BinaryHeap<Reverse<(u64, u64, usize, Next)>>,
    order: u64,
    now: u64,
    /// The outage of the server.
    away: (u64, u64),
    tries: Tries,
}

struct Client {
    core: Connection,
    turn: u32,
    link: Option<SocketId>,
    connected: bool,
}

pub(super) fn run(clients: usize, outage_ms: u64, seed: u64) -> Tries {
    let mut rng = Rng::new(seed);
    let away = (BEFORE_MS, BEFORE_MS + outage_ms);
    let mut herd = Herd {
        cores: (0..clients).map(|n| Client::new(n, rng.word())).collect(),
        queue: BinaryHeap::new(),
        order: 0,
        now: 0,
        away,
        tries: Tries::default(),
    };
    for client in 0..clients {
        herd.at(rng.between(0, 5_000), client, Next::Begin);
        herd.at(away.0 + rng.between(0, SPREAD_MS), client, Next::Cut);
    }
    herd.run();
    let after = |at: &u64| *at >= away.0;
    let from_cut = |at: u64| at - away.0;
    Tries {
        connects: herd.tries.connects.into_iter().filter(after).map(from_cut).collect(),
        back: herd.tries.back.into_iter().filter(after).map(from_cut).collect(),
    }
}

impl Client {
    fn new(n: usize, seed: u64) -> Self {
        let name = n.to_string();
        let core = Connection::new(Config {
            server: String::new(),
            session: Uuid::from_u128(n as u128 + 1),
            token: false,
            constant_token: false,
            guest: Some(Guest { user: name.clone(), name }),
            websocket: true,
            polling: true,
            share_polls: false,
            client: "herd".into(),
            debug: false,
            seed,
            memory: None,
            hidden: false,
            online: true,
        });
        Self { core, turn: 0, link: None, connected: false }
    }
}

impl Herd {
    fn at(&mut self, at: u64, client: usize, next: Next) {
        self.order += 1;
        self.queue.push(Reverse((at, self.order, client, next)));
    }

    fn run(&mut self) {
        let end = self.away.1 + AFTER_MS;
        while let Some(Reverse((at, _, client, next))) = self.queue.pop() {
            if at > end {
                break;
            }
            self.now = at;
            self.happens(client, next);
        }
    }

    fn up(&self) -> bool {
        !(self.away.0..self.away.1).contains(&self.now)
    }

    fn happens(&mut self, client: usize, next: Next) {
        let half = ROUND_TRIP_MS / 2;
        match next {
            Next::Begin => self.tell(client, Input::Start),
            Next::Timer(turn) => {
                if self.cores[client].turn == turn {
                    self.tell(client, Input::Timeout);
                }
            }
            Next::Opens(link) => {
                self.tries.connects.push(self.now);
                let next = if self.up() { Next::Opened(link) } else { Next::Refused(link) };
                self.at(self.now + half, client, next);
            }
            Next::Opened(link) => {
                self.tell(client, Input::WebSocketOpened(link));
                self.welcome(client, Source::WebSocket(link), limits::POLL_HOLD_MS);
            }
            Next::Refused(link) => {
                self.tell(client, Input::WebSocketClosed { socket: link, code: 1006, reason: String::new() });
            }
            Next::Posts(request) => {
                self.tries.connects.push(self.now);
                let next = if self.up() { Next::Answered(request) } else { Next::Failed(request) };
                self.at(self.now + half, client, next);
            }
            Next::Answered(request) => {
                self.welcome(client, Source::Response(request), limits::POLL_HOLD_MS);
            }
            Next::Failed(request) => {
                self.tell(client, Input::RequestFailed { request, status: 0, reason: "refused".into() });
            }
            Next::Cut => {
                if let Some(link) = self.cores[client].link.take() {
                    self.tell(
                        client,
                        Input::WebSocketClosed { socket: link, code: 1006, reason: String::new() },
                    );
                }
            }
        }
    }

    fn clocks(&self) -> Now {
        Now { mono: self.now, wall: 1_700_000_000_000 + self.now }
    }

    fn welcome(&mut self, client: usize, source: Source, hold: u32) {
        let now = self.clocks();
        let core = &mut self.cores[client].core;
        core.begin_batch(now, source);
        core.receive_frame(ReceivedFrame::Welcome(WelcomeFrame {
            run: "1",
            connection: Uuid::from_u128(9),
            user: "herd",
            ping_interval: 10 * limits::PING_INTERVAL_MS,
            hold,
            token_expires_in: None,
            payload_bytes: limits::MAX_PAYLOAD_BYTES as u32,
            batch_bytes: limits::MAX_BATCH_BYTES as u32,
            batch_frames: limits::MAX_BATCH_FRAMES as u32,
            subscriptions: limits::MAX_SUBSCRIPTIONS as u32,
        }));
        core.end_batch();
        // Something productive, as every real connection brings.
        core.begin_batch(now, source);
        core.end_batch();
        self.carry_out(client);
    }

    fn tell(&mut self, client: usize, input: Input) {
        let now = self.clocks();
        self.cores[client].core.handle(now, input);
        self.carry_out(client);
    }

    fn carry_out(&mut self, client: usize) {
        let half = ROUND_TRIP_MS / 2;
        while let Some(output) = self.cores[client].core.poll_output() {
            match output {
                Output::OpenWebSocket(link) => {
                    self.cores[client].link = Some(link);
                    self.at(self.now + half, client, Next::Opens(link));
                }
                // A connected client does not attempt more connections.
                Output::Request { request, .. } if !self.cores[client].connected => {
                    self.at(self.now + half, client, Next::Posts(request));
                }
                Output::Event(Event::State { status, .. }) => {
                    let connected = status == Status::Connected;
                    if connected && !self.cores[client].connected {
                        self.tries.back.push(self.now);
                    }
                    self.cores[client].connected = connected;
                }
                _ => {}
            }
        }
        let core = &mut self.cores[client];
        core.turn += 1;
        let turn = core.turn;
        // Clients that are back are finished.
        let done = core.connected && self.now > self.away.0 + SPREAD_MS;
        if let Some(wait) = core.core.poll_timeout().filter(|_| !done) {
            self.at(self.now + wait.max(1), client, Next::Timer(turn));
        }
    }
}
