//! The adapter (tests/conformance/adapters/README.md): commands become calls of the core.

use std::collections::HashMap;

use everwire_client::native::Report;
use everwire_client_core::{
    Config, Connection, Event, Handle, Input, Position, SendStatus, Status, Stretch, Transport, receive,
};
use everwire_protocol::{
    Channel, ClientFrame, ErrorCode, Guest, Limits, ServerFrame, Uuid,
    batch::{self, Bounds},
};
use futures_channel::mpsc::UnboundedSender;
use serde_json::{Map, Value, json};

use crate::{
    CLIENT,
    driver::{Driver, Wanted},
    events::{emit, tell_error},
};

const REQUEST_TIMEOUT_MS: u64 = 30_000;

/// Why a command was not carried out.
pub(crate) enum Unfit {
    /// The client refuses it.
    Refused(ErrorCode, String),
    /// It is not in the format.
    Invalid(String),
    /// The adapter does not have it.
    Unsupported,
}

impl From<ErrorCode> for Unfit {
    fn from(code: ErrorCode) -> Self {
        Self::Refused(code, code.message().to_owned())
    }
}

impl From<serde_json::Error> for Unfit {
    fn from(error: serde_json::Error) -> Self {
        Self::Invalid(error.to_string())
    }
}

/// A client that has been told to connect.
pub(crate) struct Client {
    pub(crate) core: Connection,
    pub(crate) stretch: Stretch,
    driver: Driver,
    session: Uuid,
    /// The token that `connect` has named, and whether others can be asked for.
    token: Option<String>,
    asks: bool,
    /// What the last `welcome` has said, besides what the core keeps.
    pub(crate) connection: Option<Uuid>,
    pub(crate) limits: Option<Limits>,
    pub(crate) subscriptions: HashMap<Handle, Subscription>,
    /// The messages without an answer, in order.
    pending: Vec<Uuid>,
    refs: HashMap<Uuid, Value>,
}

pub(crate) struct Subscription {
    pub(crate) channel: Channel,
    pub(crate) position: Option<Position>,
}

impl Client {
    pub(crate) fn connect(command: &Value, reports: UnboundedSender<Report>) -> Result<Self, Unfit> {
        let session = Uuid::now_v7();
        let guest: Option<Guest> = command.get("guest").cloned().map(serde_json::from_value).transpose()?;
        let may_use = |name: &str| {
            command["transports"].as_array().is_none_or(|names| names.iter().any(|other| other == name))
        };
        let token = command["token"].as_str().map(str::to_owned);
        let asks = command["ask_token"] == true;
        let url = text(command, "url")?.to_owned();
        let config = Config {
            server: url.clone(),
            session,
            token: asks || token.is_some(),
            constant_token: !asks,
            guest,
            websocket: may_use("websocket"),
            polling: may_use("polling"),
            share_polls: false,
            client: CLIENT.to_owned(),
            debug: false,
            seed: Uuid::now_v7().as_u128() as u64,
            memory: None,
            hidden: false,
            online: true,
        };
        let mut client = Self {
            core: Connection::new(config),
            stretch: Stretch::default(),
            driver: Driver::new(url, reports).map_err(|error| Unfit::Invalid(error.to_string()))?,
            session,
            token,
            asks,
            connection: None,
            limits: None,
            subscriptions: HashMap::new(),
            pending: Vec::new(),
            refs: HashMap::new(),
        };
        client.tell(Input::Start);
        Ok(client)
    }

    /// Carries out any other command.
    pub(crate) fn command(&mut self, command: &Value) -> Result<(), Unfit> {
        match text(command, "command")? {
            "subscribe" => self.subscribe(command)?,
            "unsubscribe" => self.unsubscribe(command)?,
            "send" => self.send(command)?,
            "cancel" => self.cancel(&command["ref"]),
            "request" => self.request(command)?,
            "ephemeral" => self.ephemeral(&command["frame"])?,
            "token" => self.tell(Input::Token(text(command, "token")?.to_owned())),
            "status" => self.status(&command["ref"]),
            _ => return Err(Unfit::Unsupported),
        }
        self.carry_out();
        Ok(())
    }

    pub(crate) async fn close(&mut self) {
        self.tell(Input::Close);
        self.driver.finished().await;
    }

    /// How long until the core has to be called, in ms.
    pub(crate) fn timeout(&self) -> Option<u64> {
        self.core.poll_timeout()
    }

    pub(crate) fn tell(&mut self, input: Input) {
        self.core.handle(self.driver.now(), input);
        self.carry_out();
    }

    pub(crate) fn take(&mut self, report: Report) {
        let (source, text) = match report {
            Report::Input(input) => return self.tell(input),
            Report::Batch(source, text) => (source, text),
            // Nothing is kept.
            _ => return,
        };
        let bounds = Bounds { bytes: usize::MAX, frames: usize::MAX, ..Bounds::default() };
        match batch::decode_received::<ServerFrame>(&text, &bounds) {
            Ok(frames) => {
                let now = self.driver.now();
                receive(self, now, source, frames);
                self.carry_out();
            }
            Err(error) => self.tell(Input::Violation { source, message: error.to_string() }),
        }
    }

    pub(crate) fn carry_out(&mut self) {
        let mut closed = None;
        while let Some(output) = self.core.poll_output() {
            match self.driver.carry_out(output) {
                Some(Wanted::Token) => self.give_token(),
                Some(Wanted::Event(Event::State { status: Status::Closed, code, .. })) => {
                    closed = Some(code.unwrap_or(ErrorCode::Closed));
                }
                Some(Wanted::Event(event)) => self.on_event(event),
                None => {}
            }
        }
        // What has failed with it comes before.
        if let Some(code) = closed {
            emit("state", json!({"status": "closed", "code": code.as_str()}));
        }
    }

    fn give_token(&mut self) {
        let token = if self.asks { self.token.take() } else { self.token.clone() };
        match token {
            Some(token) => self.core.handle(self.driver.now(), Input::Token(token)),
            None => emit("token_wanted", Value::Null),
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::State { status, transport, retry_in, reason, .. } => match status {
                Status::Connecting => emit("state", json!({"status": "connecting"})),
                Status::Connected => {
                    let transport = transport.map(|transport| match transport {
                        Transport::WebSocket => "websocket",
                        Transport::Polling => "polling",
                    });
                    let (run, user) = (self.core.run(), self.core.user());
                    emit(
                        "state",
                        json!({"status": "connected", "transport": transport, "connection": self.connection, "run": run, "user": user}),
                    );
                }
                Status::Waiting | Status::Offline | Status::Closed => emit(
                    "state",
                    json!({"status": "reconnecting", "reason": reason, "retry_in_ms": retry_in}),
                ),
            },
            Event::Sending { id, status: SendStatus::Failed, error } => {
                let (code, message) = error.unwrap_or((ErrorCode::Closed, String::new()));
                self.fails(id, code.as_str(), &message);
            }
            Event::Sending { .. } | Event::TypingExpired { .. } | Event::Log(_) => {}
            Event::Error { code: code @ ErrorCode::ProtocolViolation, message } => {
                emit("invalid", json!({"code": code.as_str(), "message": message}));
            }
            Event::Error { code, message } => tell_error(code.as_str(), &message, None),
        }
    }

    fn subscribe(&mut self, command: &Value) -> Result<(), Unfit> {
        let name = text(command, "channel")?;
        let channel = Channel::new(name).map_err(|_| ErrorCode::InvalidChannel)?;
        if self.core.subscription(&channel).is_some() {
            return Ok(());
        }
        let recent = command.get("recent").cloned().map(serde_json::from_value).transpose()?;
        let position = match command.get("epoch") {
            Some(epoch) => Some(Position {
                epoch: serde_json::from_value(epoch.clone())?,
                offset: serde_json::from_value(command["offset"].clone())?,
                run: command["run"].as_str().unwrap_or_default().to_owned(),
            }),
            None => None,
        };
        let undelivered = command["undelivered"] == true;
        let now = self.driver.now();
        let handle = self.core.subscribe_from(now, name, recent, position.clone(), undelivered)?;
        self.subscriptions.insert(handle, Subscription { channel, position });
        Ok(())
    }

    fn unsubscribe(&mut self, command: &Value) -> Result<(), Unfit> {
        let handle = self.handle(command)?;
        self.core.unsubscribe(self.driver.now(), handle);
        self.subscriptions.remove(&handle);
        emit("unsubscribed", json!({"channel": command["channel"]}));
        Ok(())
    }

    fn send(&mut self, command: &Value) -> Result<(), Unfit> {
        let mut frame = Map::from_iter([("type".to_owned(), "send".into())]);
        let id = match command.get("id") {
            Some(id) => serde_json::from_value(id.clone())?,
            None => Uuid::now_v7(),
        };
        frame.insert("id".to_owned(), json!(id));
        for field in ["channel", "event", "action", "target", "data"] {
            if let Some(value) = command.get(field) {
                frame.insert(field.to_owned(), value.clone());
            }
        }
        self.check_size(&command["data"])?;
        let frame = valid(frame)?;
        let channel = text(command, "channel")?;
        self.core.queue(self.driver.now(), id, channel, batch::encode_frame(&frame), None)?;
        self.pending.push(id);
        emit("sending", json!({"id": id, "ref": command["ref"]}));
        self.refs.insert(id, command["ref"].clone());
        Ok(())
    }

    fn cancel(&mut self, reference: &Value) {
        let named = self.refs.iter().find(|(_, other)| *other == reference).map(|(id, _)| *id);
        if let Some(id) = named {
            self.core.cancel(self.driver.now(), id);
        }
    }

    /// What the server would refuse is not sent.
    fn check_size(&self, data: &Value) -> Result<(), Unfit> {
        let Some(limits) = &self.limits else { return Ok(()) };
        let text = data.as_str().or_else(|| data["text"].as_str()).unwrap_or_default();
        let too_long = limits.text_characters.is_some_and(|most| text.chars().count() > most as usize);
        if too_long || data.to_string().len() > limits.payload_bytes as usize {
            return Err(ErrorCode::TooLarge.into());
        }
        Ok(())
    }

    fn request(&mut self, command: &Value) -> Result<(), Unfit> {
        let id = Uuid::now_v7();
        let Value::Object(mut frame) = command["frame"].clone() else {
            return Err(Unfit::Invalid("frame: not an object".into()));
        };
        frame.insert("id".to_owned(), json!(id));
        let text = batch::encode_frame(&valid(frame)?);
        let timeout = command["timeout_ms"].as_u64().unwrap_or(REQUEST_TIMEOUT_MS);
        self.core.request(self.driver.now(), id, text, timeout)?;
        self.refs.insert(id, command["ref"].clone());
        Ok(())
    }

    fn ephemeral(&mut self, frame: &Value) -> Result<(), Unfit> {
        let now = self.driver.now();
        match text(frame, "type")? {
            "typing" => self.core.typing(now, self.handle(frame)?, frame["typing"] == true),
            "mark" => {
                let offset = |name: &str| frame[name].as_u64().unwrap_or_default();
                self.core.mark(now, self.handle(frame)?, offset("delivered"), offset("read"));
            }
            "signal" | "idle" => {
                let Value::Object(frame) = frame.clone() else { return Ok(()) };
                self.core.send_ephemeral(now, batch::encode_frame(&valid(frame)?))?;
            }
            _ => return Err(Unfit::Invalid("not an ephemeral frame".into())),
        }
        Ok(())
    }

    fn status(&self, reference: &Value) {
        let positions: Map<String, Value> = self
            .subscriptions
            .values()
            .filter_map(|Subscription { channel, position }| {
                let Position { epoch, offset, run } = position.as_ref()?;
                let run = (!run.is_empty()).then_some(run);
                Some((channel.to_string(), json!({"epoch": epoch, "offset": offset, "run": run})))
            })
            .collect();
        emit(
            "status",
            json!({"ref": reference, "session": self.session, "positions": positions, "pending": self.pending}),
        );
    }

    fn handle(&self, command: &Value) -> Result<Handle, Unfit> {
        let channel = Channel::new(text(command, "channel")?).map_err(|_| ErrorCode::InvalidChannel)?;
        self.core.subscription(&channel).ok_or_else(|| Unfit::Invalid("not subscribed".into()))
    }

    /// The reference of a message or request that is over.
    pub(crate) fn forget(&mut self, id: Uuid) -> Value {
        self.pending.retain(|other| *other != id);
        self.refs.remove(&id).unwrap_or_default()
    }

    pub(crate) fn fails(&mut self, id: Uuid, code: &str, message: &str) {
        let reference = self.forget(id);
        emit("failed", json!({"id": id, "ref": reference, "code": code, "message": message}));
    }

    /// The position of a subscription has moved to this offset.
    pub(crate) fn moved(&mut self, handle: Handle, offset: u64) {
        let Some(Subscription { position: Some(position), .. }) = self.subscriptions.get_mut(&handle) else {
            return;
        };
        position.offset = offset;
    }

    pub(crate) fn channel_of(&self, handle: Handle) -> Option<&str> {
        self.subscriptions.get(&handle).map(|subscription| subscription.channel.as_str())
    }
}

fn text<'a>(command: &'a Value, field: &str) -> Result<&'a str, Unfit> {
    command[field].as_str().ok_or_else(|| Unfit::Invalid(format!("{field}: expected a text")))
}

/// A frame that servers accept.
fn valid(frame: Map<String, Value>) -> Result<ClientFrame, Unfit> {
    let text = format!("[{}]", Value::Object(frame));
    let frame = batch::decode::<ClientFrame>(&text, &Bounds::default())
        .map_err(|error| Unfit::Refused(error.code(), error.to_string()))?;
    match frame.into_iter().next() {
        Some(Ok(frame)) => Ok(frame),
        Some(Err(error)) => Err(Unfit::Refused(error.code(), error.to_string())),
        None => Err(Unfit::Invalid("no frame".into())),
    }
}
