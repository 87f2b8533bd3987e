//! The golden vectors as dialogues: each invalid text of a client is sent to the server, which must refuse it with the code of the
//! vector. `dialogues/vectors.covers` says which requirements each of them shows; vectors that it does not name are not
//! played.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    dialogue::{Dialogue, of_class},
    error::{Error, Result},
    included,
    play::FEATURES,
    requirements::{Class, Number, requirements},
    step::{Body, Step},
};

#[derive(Deserialize)]
struct Vectors {
    invalid: Vec<Invalid>,
}

#[derive(Deserialize)]
struct Invalid {
    name: String,
    direction: String,
    #[serde(default)]
    parts: Vec<Part>,
    error: Refusal,
}

#[derive(Deserialize)]
struct Part {
    text: String,
    times: usize,
}

/// With a frame, only that one is refused.
#[derive(Deserialize)]
struct Refusal {
    code: String,
    frame: Option<usize>,
}

/// The dialogues that the vectors make.
pub fn dialogues() -> Result<Vec<Dialogue>> {
    let wrong = |line, reason| Error::Dialogue { file: "vectors.covers".into(), line, reason };
    let vectors: Vectors =
        serde_json::from_str(included::VECTORS).map_err(|error| wrong(0, error.to_string()))?;
    let by_name: BTreeMap<_, _> = vectors
        .invalid
        .iter()
        .filter(|vector| vector.direction == "client")
        .map(|vector| (vector.name.as_str(), vector))
        .collect();
    let requirements = requirements();
    let mut covers: Vec<Number> = Vec::new();
    let mut found: BTreeMap<&str, Dialogue> = BTreeMap::new();
    for (index, line) in included::VECTOR_COVERS.lines().enumerate() {
        let wrong = |reason| wrong(index + 1, reason);
        if line.starts_with("EW-") {
            covers = line
                .split_whitespace()
                .map(|number| of_class(number, Class::Server, &requirements).map_err(wrong))
                .collect::<Result<_>>()?;
        } else if let Some(name) = line.strip_prefix("  ") {
            let vector =
                by_name.get(name).ok_or_else(|| wrong(format!("no invalid vector of clients is {name}")))?;
            let dialogue = found.entry(name).or_insert_with(|| dialogue(vector));
            dialogue.covers.extend(&covers);
        }
    }
    Ok(found.into_values().collect())
}

fn dialogue(vector: &Invalid) -> Dialogue {
    let text: String = vector.parts.iter().map(|part| part.text.repeat(part.times)).collect();
    let ann = || "ann".to_owned();
    let code = &vector.error.code;
    let steps = if vector.error.frame.is_none() {
        // By HTTP, because a WebSocket is closed for being sent too much.
        let refused = json!({"type": "error", "code": code});
        vec![
            Step::Post { peer: ann(), token: Some(ann()), body: Body::Raw(text) },
            Step::ExpectResponse { peer: ann(), frames: vec![refused], whole: true },
        ]
    } else {
        // The answer to a ping that stands before the frame, then the refusal; the frame behind it is a pong, which is not
        // answered, and another ping shows that the connection lives.
        let ping = json!([{"type": "ping", "nonce": 77}]);
        vec![
            Step::Connect { peer: ann(), token: ann() },
            Step::SendRaw { peer: ann(), text },
            Step::ExpectNext { peer: ann(), frame: json!({"type": "pong", "nonce": 1}) },
            Step::ExpectNext { peer: ann(), frame: refusal(vector) },
            Step::Send { peer: ann(), batch: ping },
            Step::ExpectNext { peer: ann(), frame: json!({"type": "pong", "nonce": 77}) },
        ]
    };
    Dialogue {
        name: format!("vector: {}", vector.name),
        title: format!("The golden vector \"{}\" is refused with {code}.", vector.name),
        covers: Vec::new(),
        needs: feature_of(vector).map(str::to_owned).into_iter().collect(),
        steps: steps.into_iter().map(|step| (0, step)).collect(),
    }
}

/// The feature that the frame of a vector is part of: table 2.3 has the profile of each type.
fn feature_of(vector: &Invalid) -> Option<&'static str> {
    let frames = vector.parts.get(vector.error.frame?)?;
    let rest = frames.text.split_once("\"type\":\"")?.1;
    let kind = format!("`{}`", rest.split('"').next()?);
    let rows = included::CORE.lines().filter(|line| line.starts_with("| `") && line.contains(&kind));
    rows.filter_map(|row| row.split('|').nth(3)).map(str::trim).find_map(|part| {
        let name = if part == "typing and signals" { "ephemeral" } else { part };
        FEATURES.into_iter().find(|feature| *feature == name)
    })
}

/// A subscription that was asked for with a valid name is refused by `unsubscribed` (EW-2-25).
fn refusal(vector: &Invalid) -> Value {
    json!({"type": "<one of error or unsubscribed>", "code": vector.error.code})
}
