//! One run: clients, nodes, store and network under virtual time, and the event queue. The other files of this folder
//! implement the parts.

mod access;
mod app;
mod back_end;
mod chats;
mod client;
pub mod doubts;
mod edits;
mod faults;
mod groups;
mod http;
mod leaving;
mod links;
mod mail;
mod node;
mod outcomes;
mod pages;
mod paging;
pub mod permits;
mod quiet;
mod reading;
mod receiving;
mod refusals;
mod requests;
mod rights;
mod serve;
mod signals;
mod sockets;
mod store;
mod talk;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    sync::Arc,
};

use everwire_protocol::{Channel, Uuid};
use everwire_server::{
    connection::{Input, Settings},
    model::log::Entry,
};

use crate::{
    case::Case,
    executor::Clock,
    fault::{Fault, Kind, plan},
    ledger::Ledger,
    mutants::Mutant,
    rng::Rng,
    stats::Stats,
    violation::{Rule, Violation, violated},
};
use chats::Chats;
use client::Client;
use groups::Finale;
use http::Request;
use links::Link;
use node::Process;
use reading::LastRead;
use rights::Rights;
use store::{Copied, SharedStore};

/// The wall clock at the start of every run, in ms since 1970.
pub(crate) const EPOCH: u64 = 1_700_000_000_000;
/// How long after the last fault everything must be quiet, in ms. A dead connection is detected after 60 s,
/// hidden pages wait at most 60 s, a refused token callback is called again after 10 s; twice that is enough.
const QUIET_WITHIN: u64 = 240_000;
/// How long it must then stay quiet, in ms.
const STAYS_QUIET: u64 = 5_000;
/// More steps than this at one moment count as an endless loop.
const STEPS_PER_MS: u32 = 20_000;

/// An event.
#[derive(Debug)]
enum Event {
    /// A client's timer.
    Timer { client: usize, turn: u64 },
    /// The application's next action.
    Act { client: usize },
    /// The token callback of a page answers.
    Token { client: usize, page: u32, until: Option<u64> },
    /// The next page of a client is loaded.
    Page { client: usize },
    /// The back end of the applications may make its next call.
    BackEnd,
    /// Something reaches a client, if it is awake.
    ToClient { client: usize, what: ToClient },
    /// A page or a machine wakes up.
    Wake { client: usize, turn: u64 },
    /// Something reaches a node over a WebSocket.
    ToServer { link: usize, what: ToServer },
    /// A request reaches its node. `copy`: a duplicate.
    Arrives { request: usize, copy: bool },
    /// A client's abort of a request reaches the node.
    Abandoned { request: usize },
    /// A connection's last batch was written.
    Writable { conn: Address },
    /// A connection's timer.
    ConnTimer { conn: Address, turn: u64 },
    /// A timer of a node is due.
    NodeTimer { node: usize, boot: u32 },
    /// Entries committed by another node arrive.
    Feed { node: usize, entries: Vec<Arc<Entry>> },
    /// A node is up again.
    Up { node: usize },
    /// A stopping node stops.
    Down { node: usize, boot: u32 },
    /// A fault starts.
    Fault(Fault),
    /// All faults stop.
    Heal,
    /// Checks whether everything is quiet.
    Look,
}

/// A connection on a node, in one life of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Address {
    node: usize,
    boot: u32,
    conn: u64,
}

#[derive(Debug, Clone)]
enum ToClient {
    Opened {
        link: usize,
    },
    Text {
        link: usize,
        text: Arc<str>,
    },
    Closed {
        link: usize,
        code: u16,
    },
    Response {
        request: usize,
        text: Option<Arc<str>>,
    },
    /// Something between has refused a request.
    Refused {
        request: usize,
        status: u16,
    },
    Input(everwire_client_core::Input),
}

#[derive(Debug)]
enum ToServer {
    Open,
    Text(String),
    Closed,
}

#[derive(Debug)]
struct Queued {
    at: u64,
    order: u64,
    event: Event,
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}
impl Eq for Queued {}
impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Queued {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// Random parameters of a run, besides the case.
#[derive(Debug)]
struct Manner {
    /// Mean time between an application's actions, in ms.
    act_every: u64,
    /// Maximum messages in one burst.
    burst: u64,
    /// Whether applications close clients.
    closes: bool,
    /// Whether each request may reach another node.
    scattered: bool,
    /// The base latency one way, in ms.
    latency: u64,
    /// How long a commit takes, in ms.
    commit: u64,
    /// Whether clients have tokens rather than guests' names.
    tokens: bool,
    /// Whether WebSocket is used at all.
    websocket: bool,
    /// Whether polling is used at all.
    polling: bool,
}

/// The result of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The violation, if any.
    pub violation: Option<Violation>,
    /// The statistics.
    pub stats: Stats,
    /// The trace, if requested.
    pub trace: Vec<String>,
    /// A fingerprint: equal for equal runs.
    pub fingerprint: u64,
}

/// One run.
pub struct World {
    case: Case,
    mutant: Option<Mutant>,
    manner: Manner,
    now: u64,
    order: u64,
    queue: BinaryHeap<Reverse<Queued>>,
    /// For the network and whatever else has no rng of its own.
    rng: Rng,
    channels: Vec<Channel>,
    clients: Vec<Client>,
    nodes: Vec<Process>,
    links: Vec<Link>,
    requests: Vec<Request>,
    /// Which client's page each connection belongs to, by the server's ids.
    owners: BTreeMap<Uuid, (usize, u32)>,
    store: SharedStore,
    clock: Clock,
    ledger: Ledger,
    /// A copy of the data, and what was in it.
    copy: Option<(Copied, Vec<(usize, u64)>)>,
    /// The offsets up to which users have read a log with any client.
    reads: BTreeMap<(usize, String), u64>,
    /// Every so many messages of a client are stored in a form that no client can read.
    spoils: Option<u64>,
    /// Logs, those of restored copies that continue them, and the lengths of these at that time.
    copies: Vec<(usize, usize, u64)>,
    settings: Arc<Settings>,
    last_read: LastRead,
    /// What the back end permits, where that changes.
    rights: Option<Rights>,
    chats: Chats,
    finale: Option<Finale>,
    healed: bool,
    quiet_since: Option<u64>,
    steps: u32,
    stats: Stats,
    tracing: bool,
    trace: Vec<String>,
    fingerprint: u64,
    violation: Option<Violation>,
}

/// Adds a line to the trace: the actor, then the event. Free of cost if there is no trace.
macro_rules! say {
    ($world:expr, $who:expr, $($text:tt)*) => {
        if $world.tracing {
            let line = format!("{:>9.3} {:<5} {}", $world.now as f64 / 1_000.0, $who, format_args!($($text)*));
            $world.trace.push(line);
        }
    };
}
use say;

/// Runs a case.
pub fn run(case: Case, mutant: Option<Mutant>, tracing: bool) -> Outcome {
    let mut world = World::new(case, mutant, tracing);
    world.run();
    world.stats.virtual_ms = world.now;
    if let Some(violation) = &world.violation {
        match violation.rule {
            Rule::Lost | Rule::Quiet => world.stats.lost += 1,
            Rule::Duplicated | Rule::StoredTwice => world.stats.duplicated += 1,
            Rule::SendOrder | Rule::WrongEntry => world.stats.reordered += 1,
            _ => {}
        }
    }
    if let Some(violation) = &world.violation {
        say!(world, "ORACLE", "{violation}");
    }
    Outcome {
        violation: world.violation,
        stats: world.stats,
        trace: world.trace,
        fingerprint: world.fingerprint,
    }
}

impl World {
    fn new(case: Case, mutant: Option<Mutant>, tracing: bool) -> Self {
        let seed = case.rng();
        let mut rng = seed.fork(2);
        let mode = rng.between(0, 9);
        let changing = case.kinds.has(Kind::Permission) || case.kinds.has(Kind::Erasure);
        let manner = Manner {
            act_every: rng.pick(&[150, 500, 1_000, 2_000, 5_000]),
            burst: rng.pick(&[1, 1, 3, 10, 60]),
            closes: rng.chance(200),
            scattered: case.nodes > 1 && rng.chance(400),
            latency: rng.pick(&[1, 5, 20, 50, 150, 400]),
            commit: rng.pick(&[0, 1, 5, 30, 200]),
            tokens: case.kinds.has(Kind::Token) || rng.chance(300) || changing,
            websocket: mode != 0,
            polling: mode != 1,
        };
        let mut settings = Settings {
            retry_after_ms: rng.pick(&[200, 1_000]),
            replay_limit: rng.pick(&[10_000, 10_000, 10_000, 20]),
            // Two pages of a replay must fit, or a reader that is not slow would count as slow.
            queue_frames: rng.pick(&[8_192, 8_192, 700]),
            queue_bytes: rng.pick(&[4 << 20, 4 << 20, 300_000]),
            hold_ms: rng.pick(&[25_000, 25_000, 25_000, 2_000, 0]),
            // Room for all that can be under way at once, unless a connection does not run for a while; less where
            // little is sent.
            mailbox_messages: match (rng.chance(500), manner.burst) {
                (true, _) => 16_384,
                // Never so much that a client with a backlog is disconnected each time it sends a part of it.
                (false, ..=3) if case.seconds <= 30 => 16,
                (false, _) => 40 + 34 * case.clients,
            },
            never_defers: mutant == Some(Mutant::NoDeferring),
            keeps_lost_grants: mutant == Some(Mutant::LostGrantsKept),
            ignores_later_tokens: mutant == Some(Mutant::LaterTokensIgnored),
            names_first_only: mutant == Some(Mutant::FirstNamed),
            ..Settings::default()
        };
        if case.kinds.has(Kind::SlowReader) {
            settings.queue_frames = settings.queue_frames.min(1_000);
        }
        let names = [
            "news",
            "presence-room",
            "private-orders.1",
            "presence-users",
            "private-orders.2",
            "talk",
            "last",
        ];
        let channels = if changing {
            rights::channels()
        } else {
            names.iter().filter_map(|name| name.parse().ok()).collect::<Vec<Channel>>()
        };
        let channels = channels.into_iter().take(case.channels).collect();
        let retention = rng.pick(&[10_000, 10_000, 10_000, 50, 8]);
        let commit_ms = manner.commit;
        let mut world = Self {
            manner,
            now: 0,
            order: 0,
            queue: BinaryHeap::new(),
            rng: seed.fork(3),
            clients: (0..case.clients).map(|index| Client::new(index, &seed)).collect(),
            nodes: (0..case.nodes).map(|_| Process::new(0)).collect(),
            links: Vec::new(),
            requests: Vec::new(),
            owners: BTreeMap::new(),
            store: SharedStore::new(retention, commit_ms, seed.fork(4), mutant),
            clock: Clock::new(EPOCH),
            ledger: Ledger::default(),
            copy: None,
            reads: BTreeMap::new(),
            spoils: None,
            copies: Vec::new(),
            settings: Arc::new(settings),
            last_read: LastRead::default(),
            rights: None,
            chats: Chats::default(),
            finale: None,
            healed: false,
            quiet_since: None,
            steps: 0,
            stats: Stats::default(),
            tracing,
            trace: Vec::new(),
            fingerprint: case.seed,
            violation: None,
            channels,
            case,
            mutant,
        };
        if changing {
            world.begin_rights();
        }
        world.begin(&seed);
        world
    }

    fn begin(&mut self, seed: &Rng) {
        let ms = self.case.seconds * 1_000;
        for fault in plan(self.case.kinds, seed, ms) {
            self.at(fault.at, Event::Fault(fault));
        }
        self.at(ms, Event::Heal);
        for node in 0..self.nodes.len() {
            self.start_process(node);
        }
        if self.rights.is_some() {
            self.at(0, Event::BackEnd);
        }
        for client in 0..self.clients.len() {
            self.start_client(client);
        }
    }

    fn run(&mut self) {
        while self.violation.is_none() {
            let Some(Reverse(next)) = self.queue.pop() else {
                self.broken(violated(Rule::Hangs, "nothing is left to happen"));
                return;
            };
            if next.at > self.now {
                (self.now, self.steps) = (next.at, 0);
                self.clock.set(EPOCH + next.at);
            }
            self.steps += 1;
            if self.steps > STEPS_PER_MS {
                let what =
                    format!("more than {STEPS_PER_MS} steps within a millisecond; now {:?}", next.event);
                self.broken(violated(Rule::Bounded, what));
                return;
            }
            if self.happens(next.event) {
                return;
            }
        }
    }

    /// Processes an event. Returns true at the end of the run.
    fn happens(&mut self, event: Event) -> bool {
        self.stats.steps += 1;
        match event {
            Event::Timer { client, turn } => self.client_timer(client, turn),
            Event::Act { client } => self.act(client),
            Event::Token { client, page, until } => self.token_answers(client, page, until),
            Event::Page { client } => self.next_page(client),
            Event::BackEnd => self.back_end(),
            Event::ToClient { client, what } => self.reaches_client(client, what),
            Event::Wake { client, turn } => self.wakes(client, turn),
            Event::ToServer { link, what } => self.reaches_server(link, what),
            Event::Arrives { request, copy } => self.request_arrives(request, copy),
            Event::Abandoned { request } => self.request_abandoned(request),
            Event::Writable { conn } => self.answer(conn, Input::Writable),
            Event::ConnTimer { conn, turn } => self.conn_timer(conn, turn),
            Event::NodeTimer { node, boot } => self.node_timer(node, boot),
            Event::Feed { node, entries } => self.feed(node, &entries),
            Event::Up { node } => self.up(node),
            Event::Down { node, boot } => {
                if self.nodes[node].boot == boot && self.nodes[node].up {
                    self.down(node, 500);
                }
            }
            Event::Fault(fault) => self.fault(fault),
            Event::Heal => self.heal(),
            Event::Look => return self.look(),
        }
        false
    }

    fn at(&mut self, at: u64, event: Event) {
        self.order += 1;
        self.queue.push(Reverse(Queued { at: at.max(self.now), order: self.order, event }));
    }

    fn after(&mut self, ms: u64, event: Event) {
        self.at(self.now + ms, event);
    }

    /// The server's time.
    fn server_ms(&self) -> u64 {
        EPOCH + self.now
    }

    /// Ends the run if a rule was violated.
    fn broken(&mut self, result: Result<(), Violation>) {
        if let Err(violation) = result
            && self.violation.is_none()
        {
            self.violation = Some(violation);
        }
    }

    fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// Adds something to the fingerprint.
    fn mark(&mut self, text: &str) {
        let mut mark = self.fingerprint ^ self.now;
        for byte in text.bytes() {
            mark = (mark ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self.fingerprint = mark;
    }
}

type ByChannel<T> = BTreeMap<Channel, T>;
