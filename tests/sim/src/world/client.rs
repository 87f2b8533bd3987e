//! A client: the core, a driver as in a browser, and its application. Makes no decision that a browser's driver does not
//! make.

use std::collections::{BTreeMap, BTreeSet};

use everwire_client_core::{
    Config, Connection, Event as CoreEvent, Handle, Input, Now, Output, RequestId, SendStatus, SocketId,
    Source, Status, Stretch,
};
use everwire_protocol::{Action, Channel, ClientFrame, ErrorCode, Guest, Role, Uuid, batch};

use super::{
    ByChannel, EPOCH, Event, ToClient, World, links::Path, pages::Kept, paging::Walk, requests::Requests,
    say, signals::Signals, talk::Talk,
};
use crate::{
    mutants::Mutant,
    rng::Rng,
    violation::{Rule, violated},
    watch::{Place, Watch},
};

/// More outputs than this from one call count as an endless loop. A full outbox that is restored is reported message by
/// message.
const OUTPUTS: usize = 10_000;

/// The outcome of a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    Waiting,
    Stored,
    Failed,
}

/// Why a page is suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    Frozen,
    Asleep { since: u64 },
    PutAway,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) core: Connection,
    /// The entries of a batch that are being delivered.
    pub(super) stretch: Stretch,
    pub(super) rng: Rng,
    /// A separate generator, so that it does not affect others.
    pub(super) talk_rng: Rng,
    pub(super) talk: Talk,
    /// The same, for what only some runs do.
    pub(super) play_rng: Rng,
    pub(super) asks: Requests,
    /// When it subscribed to the channels of chats, in virtual ms.
    pub(super) joined: BTreeMap<Handle, u64>,
    /// Messages in channels that do not follow from their ids, and when they were written.
    pub(super) written: BTreeMap<Uuid, (Channel, u64)>,
    /// What messages do to others.
    pub(super) abouts: BTreeMap<Uuid, (Action, Uuid)>,
    /// The chats of its user, as the page shows them.
    pub(super) own_chats: BTreeMap<String, Role>,
    /// What it has signalled, and received of others.
    pub(super) signals: Signals,
    /// How it goes through a log.
    pub(super) walk: Option<Walk>,
    /// The pages of a list of chats so far.
    pub(super) listed: Vec<(String, Role)>,
    pub(super) path: Path,
    pub(super) links: BTreeMap<SocketId, usize>,
    pub(super) requests: BTreeMap<RequestId, usize>,
    pub(super) channels: ByChannel<Handle>,
    pub(super) watches: BTreeMap<Handle, Watch>,
    pub(super) members: BTreeMap<Handle, BTreeMap<String, u32>>,
    pub(super) sends: BTreeMap<Uuid, Sent>,
    pub(super) waiting: usize,
    pub(super) number: u64,
    pub(super) status: Option<Status>,
    /// The application has closed it.
    pub(super) closed: bool,
    /// Counts its pages: each is a session.
    pub(super) page: u32,
    /// The server has ended the page, and there is no other one yet.
    pub(super) over: bool,
    /// The page has not restored yet what an earlier one has kept.
    pub(super) restoring: bool,
    /// What the browser keeps for the next page: messages without an answer, by the order of the calls.
    pub(super) kept: BTreeMap<Uuid, Kept>,
    /// How many messages contain a word that some proxies refuse.
    pub(super) words: u32,
    /// Messages that something may refuse, with their length in bytes; the greatest if they contain the word.
    pub(super) long: BTreeMap<Uuid, usize>,
    /// The page gives tokens that nobody accepts.
    pub(super) signs_in_wrongly: bool,
    /// Channels that the application still wants after they were refused, by their place.
    pub(super) refused: BTreeSet<usize>,
    /// Whether a node has ended a connection because the client read too slowly: it reconnects, and its requests wait meanwhile.
    pub(super) was_slow: bool,
    pub(super) hidden: bool,
    /// The interval of timers in a hidden page, in ms.
    pub(super) throttle: u64,
    pub(super) rest: Option<Rest>,
    /// Counts suspensions, so that only the end of the last one wakes the page.
    pub(super) rest_turn: u64,
    pub(super) backlog: Vec<ToClient>,
    timer_turn: u64,
    /// For when the timer is set.
    timer_at: u64,
    /// The offsets of its monotonic and wall clock, in ms.
    pub(super) slept: u64,
    pub(super) wall: i64,
    pub(super) token_until: u64,
    /// The id of the last token.
    pub(super) token_id: u64,
    /// For planted bugs: frames that were not sent in time, whether WebSocket was given up, and the first known logs.
    pub(super) stale: Vec<String>,
    pub(super) gave_up: bool,
    pub(super) first_epochs: ByChannel<String>,
    pub(super) sent_before: BTreeSet<Uuid>,
    pub(super) welcomed: u32,
}

/// The user behind a client. Two clients of one user are two tabs.
pub(super) fn user_of(client: usize) -> String {
    format!("u{}", client / 2)
}

/// The session of a client's page.
pub(super) fn session_of(client: usize, page: u32) -> Uuid {
    Uuid::from_u128((u128::from(page) << 64) + 0x5e55_0000_0000 + client as u128)
}

impl Client {
    pub(super) fn new(index: usize, seed: &Rng) -> Self {
        let rng = seed.fork(10_000 + index as u64);
        Self {
            core: Connection::new(config(index, 0, 0, false, true, true)),
            stretch: Stretch::default(),
            path: Path::new(rng.fork(1)),
            talk_rng: rng.fork(2),
            talk: Talk::default(),
            play_rng: rng.fork(3),
            asks: Requests::default(),
            joined: BTreeMap::new(),
            written: BTreeMap::new(),
            abouts: BTreeMap::new(),
            own_chats: BTreeMap::new(),
            signals: Signals::default(),
            walk: None,
            listed: Vec::new(),
            rng,
            links: BTreeMap::new(),
            requests: BTreeMap::new(),
            channels: BTreeMap::new(),
            watches: BTreeMap::new(),
            members: BTreeMap::new(),
            sends: BTreeMap::new(),
            waiting: 0,
            number: 0,
            status: None,
            closed: false,
            page: 0,
            over: false,
            restoring: false,
            kept: BTreeMap::new(),
            words: 0,
            long: BTreeMap::new(),
            signs_in_wrongly: false,
            refused: BTreeSet::new(),
            was_slow: false,
            hidden: false,
            throttle: 1,
            rest: None,
            rest_turn: 0,
            backlog: Vec::new(),
            timer_turn: 0,
            timer_at: 0,
            slept: 0,
            wall: 0,
            token_until: 0,
            token_id: 0,
            stale: Vec::new(),
            gave_up: false,
            first_epochs: BTreeMap::new(),
            sent_before: BTreeSet::new(),
            welcomed: 0,
        }
    }

    /// The time of its clocks.
    pub(super) fn clocks(&self, now: u64) -> Now {
        let rest = match self.rest {
            Some(Rest::Asleep { since }) => now - since,
            _ => 0,
        };
        Now { mono: 1_000 + now - self.slept - rest, wall: (EPOCH + now).saturating_add_signed(self.wall) }
    }
}

pub(super) fn config(
    index: usize,
    page: u32,
    seed: u64,
    tokens: bool,
    websocket: bool,
    polling: bool,
) -> Config {
    let user = user_of(index);
    Config {
        server: String::new(),
        session: session_of(index, page),
        token: tokens,
        constant_token: false,
        guest: (!tokens).then(|| Guest { name: user.clone(), user }),
        websocket,
        polling,
        share_polls: false,
        client: "sim".into(),
        debug: false,
        seed,
        memory: None,
        hidden: false,
        online: true,
    }
}

impl World {
    pub(super) fn start_client(&mut self, client: usize) {
        let (tokens, websocket, polling) = (self.manner.tokens, self.manner.websocket, self.manner.polling);
        let c = &mut self.clients[client];
        let seed = c.rng.word();
        c.core = Connection::new(config(client, 0, seed, tokens, websocket, polling));
        c.core.handle(c.clocks(self.now), Input::Start);
        for _ in 0..=self.clients[client].rng.below(3) {
            self.subscribe_to_one(client);
        }
        self.subscribe_to_own(client);
        self.carry_out(client);
        let first = self.clients[client].rng.around(self.manner.act_every);
        self.after(first, Event::Act { client });
    }

    /// Passes an input to the core, and carries out its outputs.
    pub(super) fn tell(&mut self, client: usize, input: Input) {
        let now = self.clients[client].clocks(self.now);
        self.clients[client].core.handle(now, input);
        self.carry_out(client);
    }

    /// Carries out the core's outputs, and sets its timer.
    pub(super) fn carry_out(&mut self, client: usize) {
        self.drain(client);
        let c = &mut self.clients[client];
        let Some(wait) = c.core.poll_timeout() else {
            c.timer_turn += 1;
            c.timer_at = 0;
            let status = c.status;
            let fine = matches!(status, None | Some(Status::Closed | Status::Offline));
            if !fine {
                let what = format!("c{client} is {status:?} and waits for nothing");
                self.broken(violated(Rule::Hangs, what));
            }
            return;
        };
        let mut at = self.now + wait.max(1);
        if c.hidden {
            at = at.next_multiple_of(c.throttle);
        }
        if at == c.timer_at {
            return;
        }
        c.timer_turn += 1;
        c.timer_at = at;
        let turn = c.timer_turn;
        self.at(at, Event::Timer { client, turn });
    }

    pub(super) fn client_timer(&mut self, client: usize, turn: u64) {
        if self.clients[client].timer_turn == turn && self.clients[client].rest.is_none() {
            self.tell(client, Input::Timeout);
        }
    }

    /// Something reaches a page; a suspended one receives it later.
    pub(super) fn reaches_client(&mut self, client: usize, what: ToClient) {
        match self.clients[client].rest {
            None => self.page_gets(client, what),
            // Data for transports of a page in the cache is lost.
            Some(Rest::PutAway) if !matches!(what, ToClient::Input(_)) => {}
            Some(_) => self.clients[client].backlog.push(what),
        }
    }

    pub(super) fn page_gets(&mut self, client: usize, what: ToClient) {
        match what {
            ToClient::Opened { link } => {
                if self.link_counts(link, false) {
                    say!(self, format!("c{client}"), "WebSocket {link} is open");
                    self.tell(client, Input::WebSocketOpened(self.links[link].id));
                }
            }
            ToClient::Text { link, text } => {
                if self.link_counts(link, true) {
                    let id = self.links[link].id;
                    self.receives(client, Source::WebSocket(id), &text);
                }
            }
            ToClient::Closed { link, code } => {
                if self.link_counts(link, false) {
                    self.links[link].client_open = false;
                    let id = self.links[link].id;
                    self.clients[client].links.remove(&id);
                    say!(self, format!("c{client}"), "WebSocket {link} is closed ({code})");
                    self.tell(client, Input::WebSocketClosed { socket: id, code, reason: String::new() });
                }
            }
            ToClient::Response { request, text } => self.response(client, request, text.as_deref()),
            ToClient::Refused { request, status } => self.refused(client, request, status),
            ToClient::Input(input) => {
                say!(self, format!("c{client}"), "page: {input:?}");
                self.tell(client, input);
            }
        }
    }

    /// Carries out the core's outputs, without setting the timer.
    pub(super) fn drain(&mut self, client: usize) {
        let mut count = 0;
        while let Some(output) = self.clients[client].core.poll_output() {
            count += 1;
            if count > OUTPUTS {
                let what = format!("c{client} wants more than {OUTPUTS} things at once");
                return self.broken(violated(Rule::Bounded, what));
            }
            self.perform_output(client, output);
        }
    }

    fn perform_output(&mut self, client: usize, output: Output) {
        match output {
            // The planted bug: nothing is opened, and it fails.
            Output::OpenWebSocket(socket) if self.clients[client].gave_up => {
                let input = Input::WebSocketClosed { socket, code: 1006, reason: String::new() };
                self.send_client(client, 1, ToClient::Input(input));
            }
            Output::OpenWebSocket(id) => {
                say!(self, format!("c{client}"), "opens WebSocket {}", self.links.len());
                self.open_link(client, id);
            }
            Output::SendWebSocket { socket, text } => {
                self.check_positions(client, &text);
                self.check_typing(client, &text, !self.messages_cost_connections());
                if let Some(at) = self.clients[client].links.get(&socket).copied() {
                    let text = self.maybe_spoiled(client, at, text);
                    self.signals_leave(client, &text);
                    say!(self, format!("c{client}"), "> {}", shortened(&text));
                    self.mark(&text);
                    self.link_up(at, text);
                }
            }
            Output::CloseWebSocket { socket, code } => {
                if let Some(at) = self.clients[client].links.remove(&socket) {
                    say!(self, format!("c{client}"), "closes WebSocket {at} ({code})");
                    self.link_closed_by_client(at);
                }
            }
            Output::Request { request, body, token, .. } => {
                self.check_positions(client, &body);
                self.check_typing(client, &body, false);
                self.signals_leave(client, &body);
                say!(self, format!("c{client}"), "> POST {}: {}", request.0, shortened(&body));
                self.mark(&body);
                self.request(client, request, body, token);
            }
            Output::Abort(request) => {
                say!(self, format!("c{client}"), "aborts {}", request.0);
                self.abort(client, request);
            }
            Output::FetchToken => self.fetch_token(client),
            // Every client is a browser of its own.
            Output::Remember(Some(_)) if self.has(Mutant::GivenUpForGood) => {
                self.clients[client].gave_up = true;
            }
            Output::PollSlot(_) | Output::Remember(_) => {}
            Output::Event(event) => self.hears(client, event),
        }
    }

    /// A position on the wire must be that of what was delivered or declared missing.
    fn check_positions(&mut self, client: usize, text: &str) {
        if !text.contains("\"subscribe\"") {
            return;
        }
        let frames = batch::decode::<ClientFrame>(text, &batch::Bounds::default()).unwrap_or_default();
        for frame in frames.into_iter().flatten() {
            let ClientFrame::Subscribe(frame) = frame else { continue };
            let c = &self.clients[client];
            let Some(watch) = c.channels.get(&frame.channel).and_then(|handle| c.watches.get(handle)) else {
                let what = format!("c{client} asks for {}, which nobody wants", frame.channel);
                return self.broken(violated(Rule::AfterUnsubscribe, what));
            };
            let told = watch.place.map(|place| (self.ledger.logs[place.log].epoch.clone(), place.offset));
            let said = frame.epoch.clone().zip(frame.offset);
            // The planted bug concerns what follows.
            if told != said && !self.has(Mutant::PositionAfterListener) && !self.has(Mutant::EpochIgnored) {
                let what = format!("c{client} is at {told:?} in {} and says {said:?}", frame.channel);
                return self.broken(violated(Rule::Position, what));
            }
            let log = frame.run.as_deref().and_then(|run| self.ledger.in_run(&frame.channel, run));
            let right = |place: Place| log.is_some_and(|log| self.ledger.agree(place.log, log, place.offset));
            if watch.place.is_some_and(|place| !right(place)) && !self.has(Mutant::EpochIgnored) {
                let what = format!("c{client} is at {told:?} in {} and says {:?}", frame.channel, frame.run);
                return self.broken(violated(Rule::Position, what));
            }
        }
    }

    /// The application receives an event.
    fn hears(&mut self, client: usize, event: CoreEvent) {
        match event {
            CoreEvent::State { status, transport, code, reason, .. } => {
                say!(self, format!("c{client}"), "{status:?} {transport:?}: {reason}");
                self.mark(&reason);
                let c = &mut self.clients[client];
                let was = c.status.replace(status);
                c.talk.reconnected();
                if status == Status::Connected && was != Some(Status::Connected) {
                    match transport {
                        Some(everwire_client_core::Transport::WebSocket) => {
                            self.stats.connected_by_websocket += 1;
                        }
                        _ => self.stats.connected_by_polling += 1,
                    }
                }
                if status == Status::Connected {
                    self.signals_connected(client, was == Some(Status::Connected), transport);
                    self.restore(client);
                }
                let c = &self.clients[client];
                if let (Status::Closed, Some(code)) = (status, code)
                    && self.may_end(client, code)
                {
                    self.page_ended(client, code);
                } else if status == Status::Closed && (!c.closed || code.is_some()) {
                    let what = format!("c{client} closed without being asked to: {code:?}, {reason}");
                    self.broken(violated(Rule::Ended, what));
                }
            }
            CoreEvent::Sending { id, status: status @ (SendStatus::Queued | SendStatus::Sent), .. } => {
                self.waiting(client, id);
                if status == SendStatus::Sent {
                    self.left(client, id);
                }
            }
            CoreEvent::Sending { id, status: SendStatus::Failed, error } => {
                self.failed(client, id, error.map_or(ErrorCode::Internal, |(code, _)| code));
            }
            CoreEvent::Error { code, message } => self.reports(client, code, &message),
            CoreEvent::TypingExpired { handle, typist } => {
                if !self.has(Mutant::TypingForever) {
                    self.clients[client].talk.quiet(handle, typist);
                }
            }
            CoreEvent::Log(_) => {}
        }
    }

    /// Whether the server may end a client's page for good.
    fn may_end(&self, client: usize, code: ErrorCode) -> bool {
        match code {
            ErrorCode::Banned => {
                self.rights.as_ref().is_some_and(|rights| rights.was_restricted(&user_of(client)))
            }
            ErrorCode::Unauthorized => {
                let revoked = self.rights.as_ref().is_some_and(|r| r.keeps_revoking(self.server_ms()));
                let erased = self.rights.as_ref().is_some_and(|r| r.was_erased(&user_of(client)));
                self.clients[client].signs_in_wrongly || revoked || erased
            }
            _ => false,
        }
    }

    pub(super) fn reports(&mut self, client: usize, code: ErrorCode, message: &str) {
        say!(self, format!("c{client}"), "error {code:?}: {message}");
        self.clients[client].was_slow |= code == ErrorCode::SlowConsumer;
        if code == ErrorCode::ProtocolViolation && !message.contains("acknowledge") {
            self.broken(violated(Rule::Protocol, format!("c{client}: {message}")));
        }
    }
}

/// A text for one line of the trace.
pub(super) fn shortened(text: &str) -> String {
    if text.len() <= 400 {
        return text.to_owned();
    }
    let head: String = text.chars().take(400).collect();
    format!("{head}… ({} bytes)", text.len())
}
