//! One connection: takes what happens outside and what the application asks for, hands it to the parts that own the state,
//! and carries out what follows from their answers. The files of the folder `connection` add to the same type:
//! `transports.rs`, `websocket.rs` and `polling.rs` open and close transports, `receiving.rs` takes what the server sends,
//! `subscribing.rs` and `sending.rs` what the application asks for, `tokens.rs` tokens, `waking.rs` the life of the page,
//! `timers.rs` time.

mod polling;
mod receiving;
mod sending;
mod subscribing;
mod timers;
mod tokens;
mod transports;
mod waking;
mod websocket;

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use everwire_protocol::{
    Bye, CloseCode, CoreFrame, ErrorCode, Guest, Hello, Uuid, VERSION, limits, push_uuid,
};

use super::{
    Event, Input, Memory, Now, Output, RequestId, SocketId, Status, Transport,
    clock::Clock,
    incoming::{subscriptions::Subscriptions, typists::Typists},
    lifecycle::{Lifecycle, Phase},
    log::Log,
    outgoing::{BatchLimits, outbox::Outbox, receipts::Receipts, requests::Requests},
    rng::Rng,
    token::Token,
    transport::{Transports, selector::REMEMBER_MS},
};

/// What is known before the start.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address of the server, for reasons that people read.
    pub server: String,
    /// Names this client instance; minted by the driver.
    pub session: Uuid,
    /// Whether the application has tokens.
    pub token: bool,
    /// Whether it has only one: to ask for another brings the same again.
    pub constant_token: bool,
    /// Who the user claims to be, for servers in development mode.
    pub guest: Option<Guest>,
    /// Whether WebSocket may be used.
    pub websocket: bool,
    /// Whether HTTP polling may be used.
    pub polling: bool,
    /// Whether pages of this browser share the connections that polls may occupy ([`Output::PollSlot`]).
    pub share_polls: bool,
    /// Name and version of the library, for the server's log.
    pub client: String,
    /// Whether lines of the log are events too.
    pub debug: bool,
    /// For the jitter.
    pub seed: u64,
    /// What [`Output::Remember`] left.
    pub memory: Option<Memory>,
    /// Whether the page is hidden.
    pub hidden: bool,
    /// Whether the browser reports to be online.
    pub online: bool,
}

/// The state machine. See the documentation of the crate for how to drive it.
#[derive(Debug)]
pub struct Connection {
    config: Config,
    clock: Clock,
    /// The time of day, in ms since 1970.
    wall: u64,
    rng: Rng,
    log: Log,
    /// What the driver has taken already is `None`. A plain list, because a ring buffer would be more to download.
    outputs: Vec<Option<Output>>,
    next_output: usize,
    next_id: u32,
    lifecycle: Lifecycle,
    transports: Transports,
    token: Token,
    subscriptions: Subscriptions,
    typists: Typists,
    outbox: Outbox,
    requests: Requests,
    receipts: Receipts,
    /// The connection was probed because of the message that was sent then.
    probed_for: Option<u64>,
    /// Who the server takes the client for.
    user: String,
    /// The run of the server's store on the transport in use.
    run: String,
    max_payload: usize,
    max_subscriptions: usize,
    batch_limits: BatchLimits,
}

impl Connection {
    /// Nothing happens before [`Input::Start`].
    pub fn new(config: Config) -> Self {
        Self {
            clock: Clock::default(),
            wall: 0,
            rng: Rng::new(config.seed),
            log: Log::default(),
            outputs: Vec::new(),
            next_output: 0,
            next_id: 0,
            lifecycle: Lifecycle::new(config.online, config.hidden),
            transports: Transports::default(),
            token: Token::new(config.token, config.constant_token),
            subscriptions: Subscriptions::default(),
            typists: Typists::default(),
            outbox: Outbox::default(),
            requests: Requests::default(),
            receipts: Receipts::default(),
            probed_for: None,
            user: String::new(),
            run: String::new(),
            max_payload: limits::MAX_PAYLOAD_BYTES,
            max_subscriptions: limits::MAX_SUBSCRIPTIONS,
            batch_limits: BatchLimits { bytes: limits::MAX_BATCH_BYTES, frames: limits::MAX_BATCH_FRAMES },
            config,
        }
    }

    /// Something happened. Afterwards, carry out what [`Connection::poll_output`] returns.
    pub fn handle(&mut self, now: Now, input: Input) {
        self.tick(now);
        if self.lifecycle.is_closed() {
            return;
        }
        match input {
            Input::Start => self.start(),
            Input::Close => self.close(),
            Input::Timeout => {}
            Input::WebSocketOpened(socket) => self.websocket_opened(socket),
            Input::WebSocketClosed { socket, code, reason } => self.websocket_closed(socket, code, &reason),
            Input::RequestFailed { request, status, reason } => self.request_failed(request, status, &reason),
            Input::Token(token) => self.token_received(token),
            Input::TokenFailed(message) => {
                self.token.answered();
                self.token_failed(&message);
            }
            Input::Online => self.went_online(),
            Input::Offline => self.went_offline(),
            Input::Visible(visible) => self.visibility_changed(visible),
            Input::PageHide => self.suspend(),
            Input::PageShow => self.resume(),
            Input::PollSlot => self.slot_granted(),
            Input::Violation { source, message } => self.on_violation(source, &message),
        }
        self.run_timers();
    }

    /// What to do next; `None` when nothing is left.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outputs.get_mut(self.next_output)?.take();
        self.next_output += 1;
        if self.next_output == self.outputs.len() {
            self.outputs.clear();
            self.next_output = 0;
        }
        output
    }

    /// Who the server takes the client for; empty before the first `welcome`.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The run of the server's store on the transport in use; empty before the first `welcome`.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// ms since the start, sleep included.
    pub fn now(&self) -> u64 {
        self.clock.now()
    }

    /// The last frames and state changes, one a line, without payloads or tokens.
    pub fn report(&self) -> String {
        let transport = self.transports.active().map_or("none", Transport::name);
        let mut session = String::new();
        push_uuid(&self.config.session, &mut session);
        let head = text![
            "session ",
            session.as_str(),
            "\ntransport ",
            transport,
            "\nsubscriptions ",
            self.subscriptions.len(),
            "\noutbox ",
            self.outbox.len(),
            "\nfailures ",
            self.lifecycle.failures(),
            "\n\n"
        ];
        head + &self.log.report()
    }

    /// Moves the clock. Called by every method that the driver calls.
    fn tick(&mut self, now: Now) {
        self.wall = now.wall;
        if self.clock.advance(now) && !self.lifecycle.is_closed() {
            self.wake("the machine was asleep");
        }
    }

    fn start(&mut self) {
        if self.lifecycle.phase() != Phase::Idle {
            return;
        }
        if let Some(memory) = self.config.memory.take() {
            // A time further away than it can have been set to comes from a clock that was wrong.
            if memory.polling_until > self.wall && memory.polling_until <= self.wall + REMEMBER_MS {
                self.transports.selector.give_up();
            }
        }
        self.attempt("starting");
    }

    fn close(&mut self) {
        self.send_last(Some(Self::encode(Bye {})));
        self.finish(None, const { ErrorCode::Closed.message() });
    }

    /// The end: nothing is tried any more.
    fn finish(&mut self, code: Option<ErrorCode>, reason: &str) {
        self.drop_transports(CloseCode::Normal);
        self.lifecycle.close();
        self.report_state(code, reason);
        let why = code.unwrap_or(ErrorCode::Closed);
        self.expire_requests(u64::MAX, why, reason);
        for id in self.outbox.drain() {
            self.failed(id, why, reason.to_owned());
        }
    }

    fn hello(&self, token: Option<String>) -> String {
        Self::encode(Hello {
            version: VERSION,
            #[cfg(not(target_arch = "wasm32"))]
            versions: None,
            #[cfg(not(target_arch = "wasm32"))]
            features: None,
            session: self.config.session,
            token,
            guest: self.config.guest.clone(),
            client: Some(self.config.client.clone()),
        })
    }

    /// Writes a frame of the core's own.
    fn encode(frame: impl Into<CoreFrame>) -> String {
        frame.into().to_json()
    }

    fn next_id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    fn next_request(&mut self) -> RequestId {
        RequestId(self.next_id())
    }

    fn close_websocket(&mut self, socket: SocketId, code: CloseCode) {
        self.output(Output::CloseWebSocket { socket, code: code.as_u16() });
    }

    #[inline(never)]
    fn output(&mut self, output: Output) {
        self.outputs.push(Some(output));
    }

    fn abort(&mut self, request: Option<RequestId>) {
        if let Some(request) = request {
            self.output(Output::Abort(request));
        }
    }

    fn event(&mut self, event: Event) {
        self.output(Output::Event(event));
    }

    /// Tells the application the state of the connection.
    fn report_state(&mut self, code: Option<ErrorCode>, reason: &str) {
        let status = self.lifecycle.status();
        let name = match status {
            Status::Connecting => "connecting",
            Status::Connected => "connected",
            Status::Waiting => "waiting",
            Status::Offline => "offline",
            Status::Closed => "closed",
        };
        self.log(text!(name, ": ", reason));
        let now = self.now();
        self.event(Event::State {
            status,
            transport: self.transports.active(),
            attempt: self.lifecycle.failures(),
            retry_in: self.lifecycle.retry_at().map(|at| at.saturating_sub(now)),
            code,
            reason: reason.to_owned(),
        });
    }

    fn error(&mut self, code: ErrorCode, message: String) {
        self.log(text!("error ", code.as_str()));
        self.event(Event::Error { code, message });
    }

    fn log(&mut self, line: String) {
        if self.config.debug {
            self.event(Event::Log(line.clone()));
        }
        self.log.push(self.clock.now(), line);
    }
}
