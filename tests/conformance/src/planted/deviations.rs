//! Ways in which a server may deviate from the protocol. Each changes what a conforming server says or hears.

use serde_json::{Value, json};
use uuid::Uuid;

/// A change of the frames that pass.
pub struct Deviation {
    /// What such a server does.
    pub name: &'static str,
    /// The dialogue that has to fail.
    pub found_by: &'static str,
    /// Changes a batch from the server.
    pub(crate) down: fn(Vec<Value>) -> Vec<Value>,
    /// Changes a batch from the client.
    pub(crate) up: fn(Vec<Value>) -> Vec<Value>,
}

fn same(batch: Vec<Value>) -> Vec<Value> {
    batch
}

/// No deviation.
pub const NONE: Deviation = Deviation { name: "none", found_by: "", down: same, up: same };

/// All that are planted.
pub const DEVIATIONS: &[Deviation] = &[
    Deviation {
        name: "entries are delivered twice",
        found_by: "send-and-receive",
        down: |batch| {
            each(
                batch,
                |frame| if frame["type"] == "message" { vec![frame.clone(), frame] } else { vec![frame] },
            )
        },
        up: same,
    },
    Deviation {
        name: "a copy of a send is stored as another entry",
        found_by: "copies",
        down: same,
        up: |batch| {
            each(batch, |frame| {
                vec![if frame["type"] == "send" { with(frame, "id", json!(Uuid::now_v7())) } else { frame }]
            })
        },
    },
    Deviation {
        name: "a resumed subscription begins at the end",
        found_by: "resume",
        down: same,
        up: |batch| each(batch, |frame| vec![without(frame, &["epoch", "offset", "run"])]),
    },
    Deviation {
        name: "no gap is told",
        found_by: "position-of-another-log",
        down: |batch| each(batch, |frame| vec![without(frame, &["gap"])]),
        up: same,
    },
    Deviation {
        name: "half a position is taken for none",
        found_by: "position-by-halves",
        down: same,
        up: |batch| {
            each(batch, |frame| {
                vec![if frame.get("epoch").is_none() { without(frame, &["offset"]) } else { frame }]
            })
        },
    },
    Deviation {
        name: "a batch with an unknown type is dropped",
        found_by: "tolerance",
        down: same,
        up: |batch| if batch.iter().any(|frame| frame["type"] == "acme.dance") { Vec::new() } else { batch },
    },
    Deviation {
        name: "an invalid frame spoils what follows in its batch",
        found_by: "spoiled-frame",
        down: same,
        up: |batch| match batch.iter().position(|frame| frame["channel"].is_number()) {
            Some(index) => batch[..=index].to_vec(),
            None => batch,
        },
    },
    Deviation {
        name: "the responses of a polling connection are not numbered",
        found_by: "polling",
        down: |batch| {
            each(batch, |frame| {
                vec![if frame["type"] == "polled" { with(frame, "seq", json!(1)) } else { frame }]
            })
        },
        up: same,
    },
    Deviation {
        name: "whoever subscribes to a presence channel is told to itself",
        found_by: "presence",
        down: |batch| {
            each(batch, |frame| match frame["members"].as_array().and_then(|members| members.last()) {
                Some(member) => {
                    let joined =
                        json!({"type": "member_joined", "channel": frame["channel"], "member": member});
                    vec![joined, frame]
                }
                None => vec![frame],
            })
        },
        up: same,
    },
    Deviation {
        name: "an error does not say which type of frame it is about",
        found_by: "tolerance",
        down: |batch| each(batch, |frame| vec![without(frame, &["re"])]),
        up: same,
    },
    Deviation {
        name: "a wrong code is refused as if it could be tried again",
        found_by: "spoiled-frame",
        down: |batch| {
            each(batch, |frame| {
                vec![if frame["type"] == "error" { with(frame, "retry", json!(true)) } else { frame }]
            })
        },
        up: same,
    },
    Deviation {
        name: "a new token is not answered",
        found_by: "token-replaced",
        down: |batch| {
            each(batch, |frame| if frame["type"] == "token_accepted" { vec![] } else { vec![frame] })
        },
        up: same,
    },
    Deviation {
        name: "responses do not say which connection they are of",
        found_by: "polling",
        down: |batch| {
            each(batch, |frame| {
                vec![if frame["type"] == "polled" { without(frame, &["connection"]) } else { frame }]
            })
        },
        up: same,
    },
    Deviation {
        name: "pages are in the reverse order",
        found_by: "history",
        down: |batch| {
            each(batch, |mut frame| {
                if let Some(messages) = frame.get_mut("messages").and_then(Value::as_array_mut) {
                    messages.reverse();
                }
                vec![frame]
            })
        },
        up: same,
    },
];

fn each(batch: Vec<Value>, change: impl Fn(Value) -> Vec<Value>) -> Vec<Value> {
    batch.into_iter().flat_map(change).collect()
}

fn with(mut frame: Value, field: &str, value: Value) -> Value {
    frame[field] = value;
    frame
}

fn without(mut frame: Value, fields: &[&str]) -> Value {
    if let Some(object) = frame.as_object_mut() {
        for field in fields {
            object.shift_remove(*field);
        }
    }
    frame
}
