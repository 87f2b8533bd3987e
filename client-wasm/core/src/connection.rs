//! One connection: its state, and what the application asks of it. The other files of this folder add to the same
//! type: `websocket.rs` and `polling.rs` the transports, `frames.rs` what the server says, `sending.rs` the outbox,
//! `timers.rs` what happens by itself, `waking.rs` the life of the page.

use alloc::{borrow::ToOwned, collections::VecDeque, string::String, vec, vec::Vec};

use everwire_protocol::{
    Bye, Channel, CloseCode, CoreFrame, ErrorCode, Guest, Hello, Unsubscribe, Uuid, VERSION, batch, limits,
};

use super::{
    Event, Handle, Input, LinkId, Memory, Now, Output, Position, RequestId, SendStatus, Source, Status,
    Transport,
    asking::Asking,
    backoff,
    clock::Clock,
    journal::Journal,
    outbox::Outbox,
    polling::{Poll, Post},
    rng::Rng,
    subscriptions::Subscriptions,
    text,
    token::Token,
    transports::{Choice, REMEMBER_MS},
    typing::Typist,
    websocket::WebSocket,
};

/// What is known before the start.
#[derive(Debug, Clone)]
pub struct Config {
    /// Names this client instance; minted by the driver.
    pub session: Uuid,
    /// Whether the application gives tokens.
    pub token: bool,
    /// Who the user claims to be, for servers in development mode.
    pub guest: Option<Guest>,
    /// Whether WebSocket may be used.
    pub websocket: bool,
    /// Whether HTTP polling may be used.
    pub polling: bool,
    /// Name and version of the library, for the server's log.
    pub client: String,
    /// Whether lines of the journal are events too.
    pub debug: bool,
    /// For the jitter.
    pub seed: u64,
    /// What [`Output::Remember`] left.
    pub memory: Option<Memory>,
    /// Whether the page is hidden.
    pub hidden: bool,
    /// Whether the browser believes to be online.
    pub online: bool,
}

/// What a `send` has around its payload at most, in bytes. What is larger than both is refused at once; within that, by
/// the server, which counts the payload alone.
const ENVELOPE: usize = 512;

/// Where the connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Idle,
    Connecting,
    Connected,
    Waiting,
    /// Put away by the browser, with the page.
    Suspended,
    Closed,
}

/// The state machine. See the module's documentation for how to drive it.
#[derive(Debug)]
pub struct Connection {
    pub(super) config: Config,
    pub(super) clock: Clock,
    pub(super) rng: Rng,
    pub(super) journal: Journal,
    pub(super) outputs: VecDeque<Output>,
    pub(super) phase: Phase,
    pub(super) active: Option<Transport>,
    pub(super) ws: Option<WebSocket>,
    pub(super) poll: Option<Poll>,
    pub(super) post: Option<Post>,
    pub(super) choice: Choice,
    pub(super) token: Token,
    pub(super) subscriptions: Subscriptions,
    pub(super) outbox: Outbox,
    pub(super) asking: Asking,
    /// Who types, of the others.
    pub(super) typists: Vec<Typist>,
    /// When the receipts that were collected are sent.
    pub(super) receipts_at: Option<u64>,
    /// Where the batch that is being read came from, if that transport still counts.
    pub(super) source: Option<Source>,
    /// That transport is the active one: entries are delivered. A field of its own because the hot path asks.
    pub(super) counts: bool,
    pub(super) hidden: bool,
    pub(super) online: bool,
    /// The browser said that the network is gone, and nothing was heard since: what is open hangs in the air.
    pub(super) cut: bool,
    /// Tries that failed in a row.
    pub(super) failures: u32,
    pub(super) retry_at: Option<u64>,
    pub(super) last_attempt: u64,
    pub(super) connected_at: u64,
    /// The present connection has brought something besides `welcome`.
    pub(super) useful: bool,
    /// The connection was probed because of the message that was sent then.
    pub(super) probed_for: Option<u64>,
    /// From `goaway`: when to leave, and when to come back.
    pub(super) goaway: Option<(u64, u64)>,
    pub(super) user: String,
    pub(super) max_payload: usize,
    pub(super) max_batch: usize,
    next_id: u32,
    wall: u64,
}

impl Connection {
    /// Nothing happens before [`Input::Start`].
    pub fn new(config: Config) -> Self {
        Self {
            rng: Rng::new(config.seed),
            hidden: config.hidden,
            online: config.online,
            cut: false,
            token: Token::new(config.token),
            config,
            clock: Clock::default(),
            journal: Journal::default(),
            outputs: VecDeque::new(),
            phase: Phase::Idle,
            active: None,
            ws: None,
            poll: None,
            post: None,
            choice: Choice::default(),
            subscriptions: Subscriptions::default(),
            outbox: Outbox::default(),
            asking: Asking::default(),
            typists: Vec::new(),
            receipts_at: None,
            source: None,
            counts: false,
            failures: 0,
            retry_at: None,
            last_attempt: 0,
            connected_at: 0,
            useful: false,
            probed_for: None,
            goaway: None,
            user: String::new(),
            max_payload: limits::MAX_PAYLOAD_BYTES,
            max_batch: limits::MAX_BATCH_BYTES,
            next_id: 0,
            wall: 0,
        }
    }

    /// Something happened. Afterwards, carry out what [`Connection::poll_output`] returns.
    pub fn handle(&mut self, now: Now, input: Input) {
        self.tick(now);
        if self.phase == Phase::Closed {
            return;
        }
        match input {
            Input::Start => self.start(),
            Input::Close => self.close(),
            Input::Timeout => {}
            Input::WebSocketOpened(link) => self.websocket_opened(link),
            Input::WebSocketClosed { link, code, reason } => self.websocket_closed(link, code, &reason),
            Input::RequestFailed { request, reason } => self.request_failed(request, &reason),
            Input::Token(token) => self.got_token(token),
            Input::TokenFailed(message) => {
                self.token.answered();
                self.token_failed(&message);
            }
            Input::Online => self.went_online(),
            Input::Offline => self.went_offline(),
            Input::Visible(visible) => self.became_visible(visible),
            Input::PageHide => self.suspend(),
            Input::PageShow => self.page_show(),
            Input::Violation { source, message } => self.violated(source, &message),
        }
        self.run_timers();
    }

    /// What to do next; `None` when nothing is left.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Moves the clock without anything else having happened. Called by what follows a driver's own call.
    pub(super) fn tick(&mut self, now: Now) {
        self.wall = now.wall;
        if self.clock.advance(now) && self.phase != Phase::Closed {
            self.wake("the machine slept");
        }
    }

    /// ms since the start, sleep included.
    pub fn now(&self) -> u64 {
        self.clock.now()
    }

    /// Receives a channel from now on. `recent`: how many entries before the end to replay at first; `position`: where
    /// to go on instead. Returns the handle under which entries and events come.
    pub fn subscribe(
        &mut self,
        now: Now,
        channel: &str,
        recent: Option<u32>,
        position: Option<Position>,
    ) -> Result<Handle, ErrorCode> {
        self.subscribe_from(now, channel, recent, position, false)
    }

    /// The same; `undelivered`: begin after what was delivered to this user, on whatever device.
    pub fn subscribe_from(
        &mut self,
        now: Now,
        channel: &str,
        recent: Option<u32>,
        position: Option<Position>,
        undelivered: bool,
    ) -> Result<Handle, ErrorCode> {
        self.tick(now);
        let channel = Channel::parse(channel).ok_or(ErrorCode::InvalidChannel)?;
        if self.phase == Phase::Closed {
            return Err(ErrorCode::Closed);
        }
        if self.subscriptions.len() >= limits::MAX_SUBSCRIPTIONS {
            return Err(ErrorCode::TooManySubscriptions);
        }
        if position.as_ref().is_some_and(|p| p.offset > limits::MAX_OFFSET) {
            return Err(ErrorCode::InvalidOption);
        }
        if let Some(old) = self.subscriptions.find(&channel) {
            return Ok(old.handle);
        }
        let recent = recent.map(|n| n.min(limits::MAX_RECENT));
        let handle = self.subscriptions.add(channel.clone(), recent, position, undelivered);
        self.poll_set_grew(&channel);
        self.ask_for_subscriptions();
        Ok(handle)
    }

    /// Stops receiving. Nothing is delivered for this handle any more.
    pub fn unsubscribe(&mut self, now: Now, handle: Handle) {
        self.typing(now, handle, false);
        self.say_receipts();
        self.typists.retain(|t| t.handle != handle);
        let Some(subscription) = self.subscriptions.remove(handle) else { return };
        if subscription.has_asked(Transport::WebSocket) && self.ws.as_ref().is_some_and(WebSocket::is_open) {
            self.subscriptions.leave(subscription.channel.clone());
            self.send_websocket(&[Unsubscribe { channel: subscription.channel.clone() }.into()]);
        }
        self.poll_set_shrank(subscription.channel);
    }

    /// Puts a message into the outbox: `text` is the frame `send` with this id for this channel. What becomes of it is
    /// told by [`Event::Sending`]. `restored`: it was written before the page was loaded, and goes before all that was
    /// written since and has not left yet.
    pub fn queue(
        &mut self,
        now: Now,
        id: Uuid,
        channel: &str,
        text: String,
        restored: bool,
    ) -> Result<(), ErrorCode> {
        self.tick(now);
        if self.phase == Phase::Closed {
            return Err(ErrorCode::Closed);
        }
        if text.len() > self.max_payload + ENVELOPE {
            return Err(ErrorCode::TooLarge);
        }
        if self.outbox.contains(id) {
            return Err(ErrorCode::IdReused);
        }
        self.outbox.push(id, text, restored)?;
        self.sending(id, SendStatus::Queued);
        self.typing_is_over(channel);
        self.flush();
        Ok(())
    }

    /// The last frames and state changes, one a line, without payloads or tokens.
    pub fn report(&self) -> String {
        let place = match self.active {
            Some(transport) => transport.name(),
            None => "none",
        };
        let mut session = Uuid::encode_buffer();
        let head = text![
            "session ",
            &*self.config.session.hyphenated().encode_lower(&mut session),
            "\ntransport ",
            place,
            "\nsubscriptions ",
            self.subscriptions.len(),
            "\noutbox ",
            self.outbox.len(),
            "\nfailures ",
            self.failures,
            "\n\n"
        ];
        head + &self.journal.report()
    }

    fn start(&mut self) {
        if self.phase != Phase::Idle {
            return;
        }
        if let Some(memory) = self.config.memory.take() {
            // A time further away than it can have been set to comes from a clock that was wrong.
            if memory.polling_until > self.wall && memory.polling_until <= self.wall + REMEMBER_MS {
                self.choice.give_up();
            }
        }
        self.attempt("starting");
    }

    fn close(&mut self) {
        self.say_last(Some(Bye {}.into()));
        self.finish(None, const { ErrorCode::Closed.sentence() });
    }

    /// What has to be said before the transport goes: the receipts that were collected, and perhaps more.
    pub(super) fn say_last(&mut self, more: Option<CoreFrame>) {
        let Some(transport) = self.active else { return };
        let mut frames = self.take_receipts();
        frames.extend(more);
        if frames.is_empty() {
            return;
        }
        if transport == Transport::WebSocket {
            self.send_websocket(&frames);
        } else {
            let body = self.http_body(frames);
            let request = self.next_request();
            let token = self.token.text.clone();
            self.outputs.push_back(Output::Request { request, body, token, keepalive: true });
        }
    }

    /// The end: nothing is tried any more.
    pub(super) fn finish(&mut self, code: Option<ErrorCode>, reason: &str) {
        self.drop_transports(CloseCode::Normal);
        self.phase = Phase::Closed;
        self.retry_at = None;
        self.state(code, reason);
        let why = code.unwrap_or(ErrorCode::Closed);
        self.give_up_asking(u64::MAX, why, reason);
        for id in self.outbox.drain() {
            self.failed(id, why, reason.to_owned());
        }
    }

    /// Begins a try: first a token if one is needed, then the transports.
    pub(super) fn attempt(&mut self, reason: &str) {
        self.phase = Phase::Connecting;
        self.retry_at = None;
        self.goaway = None;
        self.last_attempt = self.now();
        self.state(None, reason);
        if self.token.missing(self.now()) {
            if self.token.ask(self.now()) {
                self.outputs.push_back(Output::FetchToken);
            }
        } else {
            self.open_transports();
        }
    }

    fn open_transports(&mut self) {
        if self.config.websocket && !(self.choice.given_up && self.config.polling) {
            self.open_websocket();
            self.choice.poll_at = self.config.polling.then(|| self.now() + super::transports::FALLBACK_MS);
        } else {
            self.start_polling();
        }
    }

    fn got_token(&mut self, token: String) {
        if !self.token.answered() {
            return;
        }
        if token.is_empty() || token.len() > limits::MAX_TOKEN_BYTES {
            self.token_failed("the token is empty or too long");
            return;
        }
        self.token.got(self.now(), token.clone());
        match self.phase {
            Phase::Connecting if self.ws.is_none() && self.poll.is_none() => self.open_transports(),
            Phase::Connected if self.active == Some(Transport::WebSocket) => {
                if let Some(ws) = &mut self.ws {
                    ws.token = self.token.serial;
                }
                // How long it is good for is said by the next `welcome`; until then the server's own closing counts.
                self.send_websocket(&[everwire_protocol::Token { token }.into()]);
            }
            _ => {}
        }
    }

    pub(super) fn token_failed(&mut self, message: &str) {
        self.token.failed(self.now());
        self.error(
            ErrorCode::TokenFailed,
            text!(const { ErrorCode::TokenFailed.sentence() }, " (", message, ")"),
        );
        if self.phase == Phase::Connecting && self.ws.is_none() && self.poll.is_none() {
            self.wait("the token callback failed", None);
        }
    }

    /// The connection, or the try, is over; the next comes after a while. `delay`: instead of the backoff's.
    pub(super) fn lost(&mut self, reason: &str, delay: Option<u64>) {
        let now = self.now();
        if self.phase == Phase::Connected
            && self.useful
            && now >= self.connected_at + super::transports::WORKED_MS
        {
            self.failures = 0;
        }
        self.drop_transports(CloseCode::Abandoned);
        self.wait(reason, delay);
    }

    fn wait(&mut self, reason: &str, delay: Option<u64>) {
        let now = self.now();
        let delay = match (self.goaway.take(), delay) {
            (Some((_, back)), _) => back.saturating_sub(now),
            (None, Some(delay)) => {
                self.failures += 1;
                delay
            }
            (None, None) => {
                let delay = backoff::delay(self.failures, self.hidden, &mut self.rng);
                self.failures += 1;
                delay
            }
        };
        self.phase = Phase::Waiting;
        self.retry_at = Some(now + delay);
        if self.online {
            self.state(None, reason);
        } else {
            self.state(None, &text!("no network: ", reason));
        }
    }

    /// Gives up all transports: what was under way goes back into the queue, no subscription is confirmed any more.
    pub(super) fn drop_transports(&mut self, code: CloseCode) {
        if let Some(ws) = self.ws.take() {
            self.outputs.push_back(Output::CloseWebSocket { link: ws.link, code: code.as_u16() });
        }
        self.stop_polling();
        self.active = None;
        self.counts = false;
        self.cut = false;
        self.source = None;
        self.choice.poll_at = None;
        self.choice.probe_at = None;
        self.subscriptions.reset();
        self.recall();
    }

    /// A transport was welcomed: it is the one that counts from now on.
    pub(super) fn activate(&mut self, transport: Transport, reason: &str) {
        self.active = Some(transport);
        self.counts = true;
        self.subscriptions.unconfirm();
        self.choice.poll_at = None;
        self.goaway = None;
        self.phase = Phase::Connected;
        self.connected_at = self.now();
        self.useful = false;
        self.recall();
        self.outbox.hold_until = None;
        self.remember(transport);
        self.state(None, reason);
        self.ask_for_subscriptions();
        self.flush();
    }

    pub(super) fn remember(&mut self, transport: Transport) {
        let memory = match transport {
            Transport::Polling if self.choice.given_up => {
                Some(Memory { polling_until: self.wall + REMEMBER_MS })
            }
            Transport::Polling => return,
            Transport::WebSocket => None,
        };
        self.outputs.push_back(Output::Remember(memory));
    }

    /// Sends `subscribe` for what the present WebSocket was not asked for yet. Polls carry the whole set anyway.
    pub(super) fn ask_for_subscriptions(&mut self) {
        if self.active != Some(Transport::WebSocket) {
            return;
        }
        let frames = self.unasked();
        if !frames.is_empty() {
            self.send_websocket(&frames);
        }
    }

    /// `subscribe` for every subscription that was not asked for on this WebSocket; they count as asked for now.
    pub(super) fn unasked(&mut self) -> Vec<CoreFrame> {
        let asked = self.subscriptions.iter_mut().filter(|s| !s.asked && s.retry_at.is_none()).map(|s| {
            s.asked = true;
            s.ask(Transport::WebSocket).into()
        });
        asked.collect()
    }

    pub(super) fn hello(&self, token: Option<String>) -> CoreFrame {
        Hello {
            version: VERSION,
            session: self.config.session,
            token,
            guest: self.config.guest.clone(),
            client: Some(self.config.client.clone()),
        }
        .into()
    }

    /// A request's batch: it starts with `hello`, whose token travels in a header.
    pub(super) fn http_body(&self, frames: impl IntoIterator<Item = CoreFrame>) -> String {
        let mut batch = vec![self.hello(None)];
        batch.extend(frames);
        batch::encode(&batch)
    }

    pub(super) fn next_link(&mut self) -> LinkId {
        self.next_id += 1;
        LinkId(self.next_id)
    }

    pub(super) fn next_request(&mut self) -> RequestId {
        self.next_id += 1;
        RequestId(self.next_id)
    }

    /// Tells the application where things stand.
    pub(super) fn state(&mut self, code: Option<ErrorCode>, reason: &str) {
        let status = match self.phase {
            Phase::Idle | Phase::Connecting => Status::Connecting,
            Phase::Connected => Status::Connected,
            Phase::Waiting if self.online => Status::Waiting,
            Phase::Waiting | Phase::Suspended => Status::Offline,
            Phase::Closed => Status::Closed,
        };
        let name = match status {
            Status::Connecting => "connecting",
            Status::Connected => "connected",
            Status::Waiting => "waiting",
            Status::Offline => "offline",
            Status::Closed => "closed",
        };
        self.note(text!(name, ": ", reason));
        self.outputs.push_back(Output::Event(Event::State {
            status,
            transport: self.active,
            attempt: self.failures,
            retry_in: self.retry_at.map(|at| at.saturating_sub(self.now())),
            code,
            reason: reason.to_owned(),
        }));
    }

    pub(super) fn error(&mut self, code: ErrorCode, message: String) {
        self.note(text!("error ", code.as_str()));
        self.outputs.push_back(Output::Event(Event::Error { code, message }));
    }

    pub(super) fn note(&mut self, line: String) {
        if self.config.debug {
            self.outputs.push_back(Output::Event(Event::Log(line.clone())));
        }
        self.journal.note(self.clock.now(), line);
    }
}
