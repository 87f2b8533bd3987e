//! The test of the tool itself: what a conforming client does is changed in one way at a time, as if it deviated, and the dialogue
//! that is about it must fail.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Client, ClientStep};
use crate::{dialogue::Dialogue, report::Outcome, run::play_all};

/// How long what is expected may take: a machine that is too busy for this finds only more.
const PATIENCE: Duration = Duration::from_secs(5);

/// A change of what a client says, hears and tells the application.
pub struct Deviation {
    /// What such a client does.
    pub name: &'static str,
    /// The dialogue that has to fail.
    pub found_by: &'static str,
    /// Changes a frame that the client has sent.
    pub(super) heard: fn(Value) -> Vec<Value>,
    /// Changes a frame that the client is to read.
    pub(super) told: fn(Value) -> Vec<Value>,
    /// Changes an event for the application.
    pub(super) events: fn(Value) -> Vec<Value>,
}

fn same(value: Value) -> Vec<Value> {
    vec![value]
}

/// No deviation.
pub const NONE: Deviation = Deviation { name: "none", found_by: "", heard: same, told: same, events: same };

/// All that are planted.
pub const DEVIATIONS: &[Deviation] = &[
    Deviation {
        name: "entries are delivered twice",
        found_by: "duplicates",
        events: |event| if event["event"] == "message" { vec![event.clone(), event] } else { vec![event] },
        ..NONE
    },
    Deviation {
        name: "a copy of a send has another id",
        found_by: "resend",
        heard: |frame| changed(frame, "send", "id", &json!(Uuid::now_v7())),
        ..NONE
    },
    Deviation {
        name: "pings are not answered",
        found_by: "ping",
        heard: |frame| if frame["type"] == "pong" { vec![] } else { vec![frame] },
        ..NONE
    },
    Deviation {
        name: "positions are forgotten",
        found_by: "duplicates",
        heard: |frame| vec![without(frame, &["epoch", "offset", "run"])],
        ..NONE
    },
    Deviation {
        name: "the run of a position is forgotten",
        found_by: "run",
        heard: |frame| vec![without(frame, &["run"])],
        ..NONE
    },
    Deviation {
        name: "gaps are not reported",
        found_by: "gap",
        events: |event| if event["event"] == "gap" { vec![] } else { vec![event] },
        ..NONE
    },
    Deviation {
        name: "the reason of a gap is handed on, whatever it is",
        found_by: "gap-of-an-unknown-reason",
        events: |mut event| {
            if event["event"] == "gap" {
                event["reason"] = json!("acme.flood");
            }
            vec![event]
        },
        ..NONE
    },
    Deviation {
        name: "a refused send stays pending",
        found_by: "send-refused",
        events: |event| if event["event"] == "failed" { vec![] } else { vec![event] },
        ..NONE
    },
    Deviation {
        name: "a temporary refusal counts as final",
        found_by: "send-refused-for-a-time",
        told: |frame| changed(frame, "error", "retry", &json!(false)),
        ..NONE
    },
    Deviation {
        name: "an error ends the subscription that it names",
        found_by: "errors-inform",
        told: |frame| {
            let ended = frame["type"] == "error" && frame.get("channel").is_some();
            vec![if ended { with(frame, "type", json!("unsubscribed")) } else { frame }]
        },
        ..NONE
    },
    Deviation {
        name: "a terminal code is read as any other",
        found_by: "terminal-error-by-polling",
        told: |frame| changed(frame, "error", "code", &json!("acme.anything")),
        ..NONE
    },
    Deviation {
        name: "goaway is ignored",
        found_by: "goaway-and-close",
        told: |frame| if frame["type"] == "goaway" { vec![] } else { vec![frame] },
        ..NONE
    },
    Deviation {
        name: "a poll acknowledges nothing",
        found_by: "polling",
        heard: |frame| changed(frame, "poll", "ack", &json!(0)),
        ..NONE
    },
    Deviation {
        name: "the connection of a response is not looked at",
        found_by: "response-of-an-earlier-connection",
        told: |frame| vec![if frame["type"] == "polled" { without(frame, &["connection"]) } else { frame }],
        ..NONE
    },
    Deviation {
        name: "the life of an accepted token is not used",
        found_by: "token-accepted",
        told: |frame| if frame["type"] == "token_accepted" { vec![] } else { vec![frame] },
        ..NONE
    },
    Deviation {
        name: "the token is in the hello of requests",
        found_by: "token-by-polling",
        heard: |frame| changed(frame, "hello", "token", &json!("secret-1")),
        ..NONE
    },
];

/// A frame with another value in a field, if it is of this type.
fn changed(frame: Value, kind: &str, field: &str, value: &Value) -> Vec<Value> {
    vec![if frame["type"] == kind { with(frame, field, value.clone()) } else { frame }]
}

fn without(mut frame: Value, fields: &[&str]) -> Value {
    if let Some(found) = frame.as_object_mut() {
        found.retain(|field, _| !fields.contains(&field.as_str()));
    }
    frame
}

fn with(mut frame: Value, field: &str, value: Value) -> Value {
    frame[field] = value;
    frame
}

/// Plants all deviations in a client, each for itself. Returns the names of those that were not found.
pub async fn missed(client: &Client, dialogues: &[Arc<Dialogue<ClientStep>>]) -> Vec<&'static str> {
    let mut playing = JoinSet::new();
    for deviation in DEVIATIONS {
        let about: Vec<_> =
            dialogues.iter().filter(|dialogue| dialogue.name == deviation.found_by).cloned().collect();
        let deviating = client.clone().deviating(deviation).with_patience(PATIENCE);
        playing.spawn(async move {
            let played = play_all(&deviating, &about).await;
            let found = matches!(played.first().map(|played| &played.outcome), Some(Outcome::Failed { .. }));
            (!found).then_some(deviation.name)
        });
    }
    playing.join_all().await.into_iter().flatten().collect()
}
