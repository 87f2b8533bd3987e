//! What holds for everything that a client sends, whatever is played: each dialogue fails on what violates it. `form` has what a
//! single frame shows; this has what is about batches, connections and the whole session.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use super::{form, planted::Deviation};
use crate::inbox::KIND;

pub(super) const SUBPROTOCOL: &str = "everwire.v1";

/// What the first message on a WebSocket may have besides the token: EW-3-9.
const FIRST_BYTES: usize = 4096;
/// What a request that sends may have: EW-3-82.
const POST_FRAMES: usize = 100;
/// The close code after which a client may take a new session, if it comes twice in a row: EW-4-28.
const REPLACED: u16 = 4009;
/// EW-6-48.
const IN_FLIGHT: usize = 32;

/// What a client has done in one dialogue.
pub(super) struct Conduct {
    deviation: &'static Deviation,
    session: Mutex<Session>,
}

struct Session {
    violations: Vec<String>,
    id: Option<Value>,
    /// How many WebSockets in a row were closed because another connection has taken the session.
    replaced: u32,
    tokens: BTreeSet<String>,
    /// Sends and requests by their ids.
    named: BTreeMap<String, Value>,
    batch_bytes: usize,
    batch_frames: usize,
    /// The connection that the last poll with a `welcome` has named.
    polling: Option<Value>,
    /// How many requests with a `send` are in flight.
    posts_with_sends: usize,
}

/// What a client has done on one WebSocket.
pub(super) struct Watch {
    conduct: Arc<Conduct>,
    socket: Mutex<OnSocket>,
}

#[derive(Default)]
struct OnSocket {
    greeted: bool,
    /// The sends without an answer.
    in_flight: BTreeSet<String>,
    sent: BTreeSet<String>,
    /// Whether something was refused, after which sends may come again.
    refused: bool,
}

/// A request with a `send` that has not been answered.
pub(super) struct Sending(Arc<Conduct>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Conduct {
    pub(super) fn new(deviation: &'static Deviation) -> Self {
        let session = Session {
            violations: Vec::new(),
            id: None,
            replaced: 0,
            tokens: BTreeSet::new(),
            named: BTreeMap::new(),
            batch_bytes: 65_536,
            batch_frames: 300,
            polling: None,
            posts_with_sends: 0,
        };
        Self { deviation, session: Mutex::new(session) }
    }

    /// A WebSocket is closed with this code.
    pub(super) fn closing(&self, code: u16) {
        let mut session = lock(&self.session);
        session.replaced = if code == REPLACED { session.replaced + 1 } else { 0 };
    }

    /// Something that no client may do.
    pub(super) fn violated(&self, what: String) {
        lock(&self.session).violations.push(what);
    }

    /// The first thing that the client has done and may not do.
    pub(super) fn violation(&self) -> Option<String> {
        lock(&self.session).violations.first().cloned()
    }

    /// The session's id, once the client has named it.
    pub(super) fn session(&self) -> Option<Value> {
        lock(&self.session).id.clone()
    }

    /// A WebSocket is to be opened.
    pub(super) fn opening(&self, offered: &str) {
        if !offered.split(',').any(|one| one.trim() == SUBPROTOCOL) {
            self.violated(format!("the subprotocols `{offered}` lack {SUBPROTOCOL} (EW-3-1)"));
        }
    }

    /// A new WebSocket.
    pub(super) fn socket(self: Arc<Self>) -> Watch {
        Watch { conduct: self, socket: Mutex::default() }
    }

    /// A request, whose frames are returned.
    pub(super) fn post(&self, content_type: &str, token: Option<&str>, body: &[u8]) -> Vec<Value> {
        let frames = self.frames(body);
        let mut session = lock(&self.session);
        session.tokens.extend(token.map(str::to_owned));
        let mut wrong =
            |what: &str| session.violations.push(format!("{what}: {}", String::from_utf8_lossy(body)));
        if content_type.split(';').next().is_none_or(|kind| kind.trim() != "application/json") {
            wrong("a request that is not application/json (EW-3-21)");
        }
        let count = |kind: &str| frames.iter().filter(|frame| frame[KIND] == kind).count();
        if frames.first().is_none_or(|frame| frame[KIND] != "hello") || count("hello") != 1 {
            wrong("a request that does not begin with one hello (EW-3-22)");
        }
        if frames.iter().any(|frame| frame[KIND] == "hello" && frame.get("token").is_some()) {
            wrong("a token in the hello of a request (EW-3-23)");
        }
        match count("poll") {
            0 if count("subscribe") > 0 => wrong("a request that sends, with a subscribe (EW-3-81)"),
            0 if frames.len() > POST_FRAMES => {
                wrong("a request that sends, with more than 100 frames (EW-3-82)");
            }
            0 | 1 => {}
            _ => wrong("a request with several polls (EW-3-41)"),
        }
        if frames.iter().any(|frame| !["hello", "poll", "subscribe"].iter().any(|kind| frame[KIND] == *kind))
            && count("poll") > 0
        {
            wrong("a request that receives, with other frames (EW-3-43)");
        }
        let named = frames.iter().find(|frame| frame[KIND] == "poll").and_then(|poll| poll.get("connection"));
        if named.is_some() && named != session.polling.as_ref() {
            session
                .violations
                .push(format!("a poll names {named:?}, which is not the last welcome's (EW-3-44)"));
        }
        frames
    }

    /// Keeps count of the requests that send: one at a time.
    pub(super) fn sending(self: &Arc<Self>, frames: &[Value]) -> Option<Sending> {
        if !frames.iter().any(|frame| frame[KIND] == "send") {
            return None;
        }
        let mut session = lock(&self.session);
        session.posts_with_sends += 1;
        if session.posts_with_sends > 1 {
            session.violations.push("two requests with a send in flight (EW-3-84)".into());
        }
        Some(Sending(Arc::clone(self)))
    }

    /// A batch that the client will read as the answer to a request, as a deviation changes it.
    pub(super) fn told_by_request(&self, batch: Value) -> Value {
        let batch = self.told(batch);
        if let Some(welcome) =
            batch.as_array().and_then(|frames| frames.iter().find(|frame| frame[KIND] == "welcome"))
        {
            lock(&self.session).polling = welcome.get("connection").cloned();
        }
        batch
    }

    fn told(&self, batch: Value) -> Value {
        let Value::Array(frames) = batch else { return batch };
        let frames: Vec<_> = frames.into_iter().flat_map(self.deviation.told).collect();
        if let Some(welcome) = frames.iter().find(|frame| frame[KIND] == "welcome") {
            let limit = |name: &str| welcome["limits"][name].as_u64().map(|limit| limit as usize);
            let mut session = lock(&self.session);
            session.batch_bytes = limit("batch_bytes").unwrap_or(session.batch_bytes);
            session.batch_frames = limit("batch_frames").unwrap_or(session.batch_frames);
        }
        Value::Array(frames)
    }

    /// The frames of a text that a client has sent, as a deviation changes them.
    fn frames(&self, text: &[u8]) -> Vec<Value> {
        let frames = match serde_json::from_slice(text) {
            Ok(Value::Array(frames)) if !text.starts_with(b"\xef\xbb\xbf") => frames,
            _ => {
                let shown: String = String::from_utf8_lossy(text).chars().take(200).collect();
                self.violated(format!("`{shown}` is no batch (EW-2-1, EW-14-1)"));
                return Vec::new();
            }
        };
        let frames: Vec<_> = frames.into_iter().flat_map(self.deviation.heard).collect();
        let mut session = lock(&self.session);
        if text.len() > session.batch_bytes || frames.len() > session.batch_frames {
            let what = format!("a batch of {} bytes and {} frames (EW-4-3)", text.len(), frames.len());
            session.violations.push(what);
        }
        for frame in &frames {
            session.violations.extend(form::of_frame(frame).map(|what| format!("{what}: {frame}")));
            session.remember(frame);
        }
        frames
    }
}

impl Session {
    fn remember(&mut self, frame: &Value) {
        if let Some(token) = frame.get("token").and_then(Value::as_str) {
            self.tokens.insert(token.into());
        }
        if frame[KIND] == "hello" {
            let id = frame.get("session").cloned();
            if self.id.is_some() && self.id != id {
                if self.replaced < 2 {
                    self.violations.push(format!("the session has changed to {id:?} (EW-4-21)"));
                }
                self.replaced = 0;
            }
            self.id = id;
        } else if let Some(id) = frame.get("id").and_then(Value::as_str) {
            let mut frame = frame.clone();
            // What a send has beside its contents may change with each copy.
            if frame[KIND] == "send"
                && let Some(fields) = frame.as_object_mut()
            {
                fields.retain(|name, _| {
                    ["type", "channel", "event", "data", "action", "target"].contains(&&**name)
                });
            }
            match self.named.get(id) {
                Some(known) if *known != frame => {
                    let what = format!("{frame} has the id of {known} (EW-6-21, EW-7-4, EW-7-5)");
                    self.violations.push(what);
                }
                Some(_) => {}
                None => {
                    self.named.insert(id.into(), frame);
                }
            }
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        lock(&self.0.session).posts_with_sends -= 1;
    }
}

impl Watch {
    /// A text of the client, whose frames are returned.
    pub(super) fn heard(&self, text: &str) -> Vec<Value> {
        let frames = self.conduct.frames(text.as_bytes());
        let mut socket = lock(&self.socket);
        let wrong = |what: &str| self.conduct.violated(format!("{what}: {text}"));
        if !socket.greeted {
            let token = frames.first().and_then(|hello| hello["token"].as_str()).unwrap_or_default();
            if text.len() > FIRST_BYTES + token.len() {
                wrong("a first message above 4 KiB (EW-3-9)");
            }
            if frames.first().is_none_or(|frame| frame[KIND] != "hello") {
                wrong("a WebSocket that does not begin with hello (EW-3-7)");
            }
        }
        for frame in &frames {
            if frame[KIND] == "hello" && std::mem::replace(&mut socket.greeted, true) {
                wrong("a second hello (EW-3-7)");
            }
            if let ("send", Some(id)) = (frame[KIND].as_str().unwrap_or_default(), frame["id"].as_str()) {
                if !socket.sent.insert(id.into()) && !socket.refused {
                    wrong("a send twice on a connection on which nothing was refused (EW-6-72)");
                }
                socket.in_flight.insert(id.into());
            }
        }
        if socket.in_flight.len() > IN_FLIGHT {
            wrong("more than 32 sends in flight (EW-6-48)");
        }
        frames
    }

    /// A batch that the client will read, as a deviation changes it.
    pub(super) fn told(&self, batch: Value) -> Value {
        let batch = self.conduct.told(batch);
        let mut socket = lock(&self.socket);
        for frame in batch.as_array().into_iter().flatten() {
            socket.refused |= frame[KIND] == "error";
            if frame[KIND] == "ack" || frame[KIND] == "error" {
                socket.in_flight.remove(frame["id"].as_str().unwrap_or_default());
            }
            // Without an id it may be about all of them.
            if frame[KIND] == "error" && frame.get("id").is_none() {
                socket.in_flight.clear();
            }
        }
        batch
    }

    /// A binary message.
    pub(super) fn binary(&self) {
        self.conduct.violated("a binary message (EW-3-4)".into());
    }

    /// The reason of a close frame.
    pub(super) fn closed(&self, reason: &str) {
        if lock(&self.conduct.session).tokens.iter().any(|token| reason.contains(token)) {
            self.conduct.violated("a token in a close reason (EW-4-73)".into());
        }
    }
}
