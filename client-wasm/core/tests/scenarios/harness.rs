//! A core, a clock and the other end of its transports, in the hands of a test.

use everwire_client_core::{
    Config, Confirmation, Connection, Event, Handle, Heard, Input, Now, Output, RequestId, SendStatus,
    SocketId, Source, Status, Transport,
};
use everwire_protocol::{
    Ack, Channel, ClientFrame, CloseCode, Error, ErrorCode, Gap, GapReason, Limits, Message, Payload, Polled,
    ServerFrame, Subscribed, Uuid, Welcome, batch,
};

pub(crate) const HOUR: u64 = 3_600_000;

pub(crate) struct Harness {
    pub(crate) core: Connection,
    pub(crate) now: Now,
    /// What the core wanted and the test has not looked at yet.
    pub(crate) outputs: Vec<Output>,
    /// What was delivered, as (channel, offset).
    pub(crate) delivered: Vec<(String, u64)>,
    /// What else the application heard.
    pub(crate) heard: Vec<Heard>,
}

/// What has become of a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Queued,
    Sent,
    Stored,
    Failed,
}

impl From<SendStatus> for Progress {
    fn from(status: SendStatus) -> Self {
        match status {
            SendStatus::Queued => Self::Queued,
            SendStatus::Sent => Self::Sent,
            SendStatus::Failed => Self::Failed,
        }
    }
}

pub(crate) fn config() -> Config {
    Config {
        server: "https://chat.example".into(),
        session: Uuid::from_u128(1),
        token: false,
        constant_token: false,
        guest: None,
        websocket: true,
        polling: true,
        share_polls: false,
        client: "test".into(),
        debug: false,
        seed: 1,
        memory: None,
        hidden: false,
        online: true,
    }
}

impl Harness {
    pub(crate) fn new(config: Config) -> Self {
        let now = Now { mono: 1_000, wall: 1_700_000_000_000 };
        Self {
            core: Connection::new(config),
            now,
            outputs: Vec::new(),
            delivered: Vec::new(),
            heard: Vec::new(),
        }
    }

    pub(crate) fn started(config: Config) -> Self {
        let mut harness = Self::new(config);
        harness.tell(Input::Start);
        harness
    }

    /// Connected by WebSocket, with these channels subscribed at offset 0 of epoch "a".
    pub(crate) fn connected(channels: &[&str]) -> (Self, SocketId, Vec<Handle>) {
        let mut harness = Self::new(config());
        let handles = channels.iter().map(|c| harness.subscribe(c)).collect();
        harness.tell(Input::Start);
        let socket = harness.opens_websocket();
        harness.welcome_websocket(socket);
        for channel in channels {
            harness.says(socket, &[subscribed(channel, "a", 0, 0)]);
        }
        harness.outputs.clear();
        (harness, socket, handles)
    }

    pub(crate) fn subscribe(&mut self, channel: &str) -> Handle {
        let handle = self.core.subscribe(self.now, channel, None, None).unwrap();
        self.collect();
        handle
    }

    pub(crate) fn send(&mut self, n: u128, channel: &str) {
        let data = Payload::from_value(&n.to_string()).unwrap();
        self.core.send(self.now, id(n), channel, None, data).unwrap();
        self.collect();
    }

    /// A key is pressed for this subscription.
    pub(crate) fn key(&mut self, handle: Handle) {
        self.core.typing(self.now, handle, true);
        self.collect();
    }

    pub(crate) fn tell(&mut self, input: Input) {
        self.core.handle(self.now, input);
        self.collect();
    }

    fn collect(&mut self) {
        self.outputs.extend(std::iter::from_fn(|| self.core.poll_output()));
    }

    /// Lets time pass, waking the core whenever it asked for it.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.now.mono + ms;
        while let Some(wait) = self.core.poll_timeout() {
            if self.now.mono + wait > end {
                break;
            }
            // A timer in a browser never fires at once either.
            self.step(wait.max(1));
            self.tell(Input::Timeout);
        }
        let rest = end.saturating_sub(self.now.mono);
        self.step(rest);
        self.tell(Input::Timeout);
    }

    /// Moves both clocks without calling the core.
    pub(crate) fn step(&mut self, ms: u64) {
        self.now.mono += ms;
        self.now.wall += ms;
    }

    /// Lets time pass until the core wants something, at most this long; returns how long it took.
    pub(crate) fn pass_until(&mut self, most: u64, wanted: impl Fn(&Output) -> bool) -> u64 {
        let start = self.now.mono;
        while !self.outputs.iter().any(&wanted) {
            assert!(self.now.mono - start <= most, "nothing within {most} ms; state {:?}", self.state());
            let wait = self.core.poll_timeout().expect("the core waits for nothing");
            self.step(wait.max(1));
            self.tell(Input::Timeout);
        }
        self.now.mono - start
    }

    /// Takes the one WebSocket that the core wants, and opens it.
    pub(crate) fn opens_websocket(&mut self) -> SocketId {
        let socket = self.wants_websocket();
        self.tell(Input::WebSocketOpened(socket));
        socket
    }

    pub(crate) fn wants_websocket(&mut self) -> SocketId {
        let place = self.outputs.iter().position(|o| matches!(o, Output::OpenWebSocket(_)));
        match self.outputs.remove(place.expect("a WebSocket is wanted")) {
            Output::OpenWebSocket(socket) => socket,
            _ => unreachable!(),
        }
    }

    pub(crate) fn wants_request(&mut self) -> (RequestId, Vec<ClientFrame>, Option<String>) {
        let place = self.outputs.iter().position(|o| matches!(o, Output::Request { .. }));
        match self.outputs.remove(place.expect("a request is wanted")) {
            Output::Request { request, body, token, .. } => (request, frames(&body), token),
            _ => unreachable!(),
        }
    }

    pub(crate) fn welcome_websocket(&mut self, socket: SocketId) {
        self.says(socket, &[welcome(1)]);
    }

    /// The server says this on a WebSocket.
    pub(crate) fn says(&mut self, socket: SocketId, frames: &[ServerFrame]) {
        self.hears(Source::WebSocket(socket), &batch::encode(frames));
    }

    pub(crate) fn responds(&mut self, request: RequestId, frames: &[ServerFrame]) {
        self.hears(Source::Response(request), &batch::encode(frames));
    }

    pub(crate) fn hears(&mut self, source: Source, text: &str) {
        for heard in self.core.receive_text(self.now, source, text) {
            match heard {
                Heard::Message(_, message) => {
                    self.delivered.push((message.channel.to_string(), message.offset));
                }
                other => self.heard.push(other),
            }
        }
        self.collect();
    }

    pub(crate) fn closes(&mut self, socket: SocketId, code: u16) {
        let reason = CloseCode::from_u16(code).map_or("", CloseCode::message).into();
        self.tell(Input::WebSocketClosed { socket, code, reason });
    }

    /// The frames that the core sent by WebSocket since the last look.
    pub(crate) fn sent(&mut self) -> Vec<ClientFrame> {
        let mut sent = Vec::new();
        self.outputs.retain(|output| match output {
            Output::SendWebSocket { text, .. } => {
                sent.extend(frames(text));
                false
            }
            _ => true,
        });
        sent
    }

    /// The ids of the sends among them.
    pub(crate) fn sent_ids(&mut self) -> Vec<u128> {
        ids(&self.sent())
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        self.outputs.retain(|output| match output {
            Output::Event(event) => {
                events.push(event.clone());
                false
            }
            _ => true,
        });
        events
    }

    /// The last state that was told, without forgetting it.
    pub(crate) fn state(&self) -> Option<(Status, Option<Transport>, String)> {
        self.outputs.iter().rev().find_map(|output| match output {
            Output::Event(Event::State { status, transport, reason, .. }) => {
                Some((*status, *transport, reason.clone()))
            }
            _ => None,
        })
    }

    pub(crate) fn status(&self) -> Status {
        self.state().expect("a state was told").0
    }

    /// Whether the application heard of a gap.
    pub(crate) fn has_gaps(&self) -> bool {
        let gap = |heard: &Heard| matches!(heard, Heard::Subscribed(_, Confirmation { gap: Some(_), .. }));
        self.heard.iter().any(gap)
    }

    /// What became of the sends since the last look: (number, state); what follows from frames comes last.
    pub(crate) fn sendings(&mut self) -> Vec<(u128, Progress)> {
        let events = self.events().into_iter().filter_map(|event| match event {
            Event::Sending { id, status, .. } => Some((id.as_u128(), status.into())),
            _ => None,
        });
        let heard = self.heard.drain(..).filter_map(|heard| match heard {
            Heard::Stored(ack) => Some((ack.id.as_u128(), Progress::Stored)),
            Heard::Failed(id, ..) => Some((id.as_u128(), Progress::Failed)),
            _ => None,
        });
        events.chain(heard).collect()
    }
}

pub(crate) fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub(crate) fn ids(frames: &[ClientFrame]) -> Vec<u128> {
    let sends = frames.iter().filter_map(|frame| match frame {
        ClientFrame::Send(send) => Some(send.id.as_u128()),
        _ => None,
    });
    sends.collect()
}

pub(crate) fn frames(text: &str) -> Vec<ClientFrame> {
    batch::decode(text, &batch::Bounds::default()).unwrap().into_iter().map(Result::unwrap).collect()
}

pub(crate) fn channel(name: &str) -> Channel {
    Channel::new(name).unwrap()
}

pub(crate) fn welcome(connection: u128) -> ServerFrame {
    Welcome {
        version: 1,
        features: Vec::new(),
        session: Uuid::from_u128(1),
        connection: Uuid::from_u128(connection),
        run: "1".into(),
        user: "ann".into(),
        name: None,
        server_time: 0,
        ping_interval_ms: 25_000,
        hold_ms: 25_000,
        token_expires_in_ms: None,
        limits: Limits {
            payload_bytes: 32_768,
            batch_bytes: 65_536,
            batch_frames: 300,
            subscriptions: 256,
            sends_per_minute: None,
            text_characters: None,
        },
    }
    .into()
}

pub(crate) fn wants_request(output: &Output) -> bool {
    matches!(output, Output::Request { .. })
}

pub(crate) fn polled(seq: u64) -> ServerFrame {
    Polled { seq, connection: None }.into()
}

/// The beginning of the response to a request that receives, with the number that is due.
pub(crate) fn polled_in_turn(request: &[ClientFrame]) -> ServerFrame {
    let acknowledged = request.iter().find_map(|frame| match frame {
        ClientFrame::Poll(poll) => Some(poll.ack),
        _ => None,
    });
    polled(acknowledged.expect("a poll") + 1)
}

pub(crate) fn subscribed(name: &str, epoch: &str, offset: u64, head: u64) -> ServerFrame {
    Subscribed {
        channel: channel(name),
        epoch: epoch.into(),
        offset,
        head,
        gap: None,
        members: None,
        members_next: None,
        own_mark: None,
        receipts: None,
        receipts_next: None,
        chats: None,
        chats_more: None,
    }
    .into()
}

pub(crate) fn subscribed_with_gap(
    name: &str,
    epoch: &str,
    offset: u64,
    from: u64,
    reason: GapReason,
) -> ServerFrame {
    let gap = Some(Gap { from, to: offset, reason });
    Subscribed {
        channel: channel(name),
        epoch: epoch.into(),
        offset,
        head: offset,
        gap,
        members: None,
        members_next: None,
        own_mark: None,
        receipts: None,
        receipts_next: None,
        chats: None,
        chats_more: None,
    }
    .into()
}

pub(crate) fn message(name: &str, offset: u64) -> ServerFrame {
    Message {
        channel: channel(name),
        offset,
        id: Uuid::from_u128(u128::from(offset) + 1_000_000),
        user: "bob".into(),
        name: None,
        at: 0,
        event: None,
        data: Payload::from_value("x").unwrap(),
        action: None,
        target: None,
        deleted: None,
    }
    .into()
}

pub(crate) fn ack(n: u128, offset: u64) -> ServerFrame {
    Ack { id: id(n), channel: channel("news"), offset, at: 7 }.into()
}

pub(crate) fn error(code: ErrorCode, about: Option<u128>, retry_after_ms: Option<u32>) -> ServerFrame {
    let message = code.message().into();
    let (retry, id) = (code.retry(), about.map(id));
    Error {
        code: code.into(),
        message,
        retry,
        id,
        ids: Vec::new(),
        re: None,
        channel: None,
        retry_after_ms,
        versions: None,
    }
    .into()
}
