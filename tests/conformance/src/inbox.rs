//! What has arrived from a peer and no step has asked for yet. Steps ask by type: the protocol orders the frames of one
//! channel and one type, and leaves open whether an `ack` comes before a `message` of another. The events of a client's adapter
//! are kept in the same way.

use std::{collections::VecDeque, time::Duration};

use serde_json::Value;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

/// What arrives.
#[derive(Debug, Clone)]
pub(crate) enum Arrival {
    /// One frame, over a WebSocket or in a response.
    Frame(Value),
    /// A whole response to a POST: its status, and the batch if it is one.
    Response(u16, Vec<Value>),
    /// The WebSocket has ended, with this code; 1006 without one.
    Closed(u16),
    /// Something that no Everwire peer may send.
    Nonsense(String),
}

/// The field that tells frames from each other.
pub(crate) const KIND: &str = "type";

/// How much of what has arrived instead is shown.
const SHOWN: usize = 5;

/// What a step looks for, in one arrival.
enum Found<T> {
    /// It is all of the arrival.
    Whole(T),
    /// It has been taken out, and the rest may be asked for.
    Part(T),
    Nothing,
}

/// What has arrived from one peer.
pub(crate) struct Inbox {
    arriving: mpsc::UnboundedReceiver<Arrived>,
    waiting: VecDeque<(Arrival, Instant)>,
    /// All that has arrived, as it was written.
    texts: Vec<String>,
    kind: &'static str,
    violation: Violation,
    /// When that arrived which a step has asked for last.
    found_at: Instant,
}

/// What the protocol forbids in anything that arrives, with its text if it is the first of it.
pub(crate) type Violation = fn(&Arrival, Option<&str>) -> Option<String>;

struct Arrived {
    arrival: Arrival,
    text: Option<String>,
    at: Instant,
}

/// Where to put what arrives.
#[derive(Clone)]
pub(crate) struct Arrivals(mpsc::UnboundedSender<Arrived>);

impl Arrivals {
    /// Puts something there, the first arrival of a text with that text. Nobody listens if the dialogue is over.
    pub(crate) fn put(&self, arrival: Arrival, text: Option<String>) {
        let _ = self.0.send(Arrived { arrival, text, at: Instant::now() });
    }
}

impl Inbox {
    /// An inbox, and where to put what arrives. `kind` is the field that tells frames from each other.
    pub(crate) fn new(kind: &'static str, violation: Violation) -> (Arrivals, Self) {
        let (sender, arriving) = mpsc::unbounded_channel();
        let (waiting, texts) = (VecDeque::new(), Vec::new());
        let inbox = Self { arriving, waiting, texts, kind, violation, found_at: Instant::now() };
        (Arrivals(sender), inbox)
    }

    /// When that arrived which was found last.
    pub(crate) fn found_at(&self) -> Instant {
        self.found_at
    }

    /// The next frame of a type in which these fields have these values.
    pub(crate) async fn frame(
        &mut self,
        kind: &str,
        fields: &[(&str, Value)],
        patience: Duration,
    ) -> Result<Value, String> {
        let named = self.kind;
        let fits = |frame: &Value| {
            frame[named] == kind && fields.iter().all(|(field, value)| frame.get(*field) == Some(value))
        };
        let found = self.next(patience, |arrival| match arrival {
            Arrival::Frame(frame) if fits(frame) => Found::Whole(frame.clone()),
            Arrival::Response(_, frames) => match frames.iter().position(fits) {
                Some(index) => Found::Part(frames.remove(index)),
                None => Found::Nothing,
            },
            _ => Found::Nothing,
        });
        found.await.map_err(|instead| format!("no such {kind} arrived {instead}"))
    }

    /// The next frame of any type.
    pub(crate) async fn any(&mut self, patience: Duration) -> Result<Value, String> {
        let found = self.next(patience, |arrival| match arrival {
            Arrival::Frame(frame) => Found::Whole(frame.clone()),
            Arrival::Response(_, frames) if !frames.is_empty() => Found::Part(frames.remove(0)),
            _ => Found::Nothing,
        });
        found.await.map_err(|instead| format!("no frame arrived {instead}"))
    }

    /// Whether a text is part of what has arrived, byte by byte.
    pub(crate) fn has_read(&self, text: &str) -> bool {
        self.texts.iter().any(|read| read.contains(text))
    }

    /// The next response.
    pub(crate) async fn response(&mut self, patience: Duration) -> Result<(u16, Vec<Value>), String> {
        let found = self.next(patience, |arrival| match arrival {
            Arrival::Response(status, frames) => Found::Whole((*status, frames.clone())),
            _ => Found::Nothing,
        });
        found.await.map_err(|instead| format!("no response arrived {instead}"))
    }

    /// Gives back frames of a response, so that steps can ask for them one by one.
    pub(crate) fn put_back(&mut self, frames: Vec<Value>) {
        for frame in frames.into_iter().rev() {
            self.waiting.push_front((Arrival::Frame(frame), self.found_at));
        }
    }

    /// The code with which the WebSocket is closed.
    pub(crate) async fn close(&mut self, patience: Duration) -> Result<u16, String> {
        let found = self.next(patience, |arrival| match arrival {
            Arrival::Closed(code) => Found::Whole(*code),
            _ => Found::Nothing,
        });
        found.await.map_err(|instead| format!("it was not closed {instead}"))
    }

    /// Takes out the first arrival that fits. The error says what has arrived instead.
    async fn next<T>(
        &mut self,
        patience: Duration,
        fits: impl Fn(&mut Arrival) -> Found<T>,
    ) -> Result<T, String> {
        let deadline = Instant::now() + patience;
        let mut seen = 0;
        loop {
            while let Some((arrival, at)) = self.waiting.get_mut(seen) {
                let found = fits(arrival);
                if !matches!(found, Found::Nothing) {
                    self.found_at = *at;
                }
                match found {
                    Found::Whole(found) => {
                        self.waiting.remove(seen);
                        return Ok(found);
                    }
                    Found::Part(found) => return Ok(found),
                    Found::Nothing => seen += 1,
                }
            }
            match timeout_at(deadline, self.arriving.recv()).await {
                Ok(Some(Arrived { arrival, text, at })) => {
                    if let Some(violation) = (self.violation)(&arrival, text.as_deref()) {
                        return Err(format!("in time; instead {violation}"));
                    }
                    self.waiting.push_back((arrival, at));
                    self.texts.extend(text);
                }
                Ok(None) => return Err(format!("before the end; instead {}", self.instead())),
                Err(_) => {
                    return Err(format!("within {} ms; instead {}", patience.as_millis(), self.instead()));
                }
            }
        }
    }

    fn instead(&self) -> String {
        let mut told: Vec<_> = self.waiting.iter().take(SHOWN).map(|(arrival, _)| arrival.short()).collect();
        if self.waiting.len() > SHOWN {
            told.push(format!("and {} more", self.waiting.len() - SHOWN));
        }
        if told.is_empty() { "nothing".into() } else { told.join(", ") }
    }
}

impl Arrival {
    fn short(&self) -> String {
        match self {
            Self::Frame(frame) => frame.to_string().chars().take(200).collect(),
            Self::Response(status, frames) => format!("a response {status} with {} frames", frames.len()),
            Self::Closed(code) => format!("the end ({code})"),
            Self::Nonsense(what) => format!("nonsense: {what}"),
        }
    }
}
