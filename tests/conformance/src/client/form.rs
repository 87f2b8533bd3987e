//! What every frame of a client has to look like: EW-2-2, EW-2-3, and sections 12.1, 14 and 15.

use std::{collections::BTreeSet, sync::OnceLock};

use serde_json::Value;
use uuid::Uuid;

use crate::{inbox::KIND, included};

/// EW-14-3.
const MAX_DEPTH: usize = 31;
/// EW-14-21.
const MAX_INTEGER: u64 = (1 << 53) - 1;
/// The fields of a client that EW-14-22 names.
const SMALL: [&str; 5] = ["version", "hold_ms", "recent", "limit", "nonce"];
/// Fields that are ids: EW-14-41.
const IDS: [&str; 4] = ["id", "session", "connection", "target"];
/// EW-12-1.
const CHANNEL_BYTES: usize = 200;

/// What is wrong with a frame.
pub(super) fn of_frame(frame: &Value) -> Option<String> {
    let Some(fields) = frame.as_object() else { return Some("a frame that is no object (EW-2-2)".into()) };
    let Some(kind) = frame[KIND].as_str() else { return Some("a frame without a type (EW-2-2)".into()) };
    if !types().contains(kind) && !kind.contains('.') {
        return Some(format!("the protocol has no frame `{kind}` of clients (EW-15-4)"));
    }
    if depth(frame) > MAX_DEPTH {
        return Some("a frame that is nested too deep (EW-14-3)".into());
    }
    fields.iter().find_map(|(name, value)| of_field(kind, name, value))
}

fn of_field(kind: &str, name: &str, value: &Value) -> Option<String> {
    // What the application sends is its own.
    if name == "data" {
        return None;
    }
    if value.is_null() {
        return Some(format!("{name} is null instead of absent (EW-2-3)"));
    }
    if let Value::Number(number) = value {
        let most = if SMALL.contains(&name) { u64::from(u32::MAX) } else { MAX_INTEGER };
        if number.as_u64().is_none_or(|number| number > most) {
            return Some(format!("{name} is {number} (EW-14-21, EW-14-22)"));
        }
    }
    if IDS.contains(&name) {
        let text = value.as_str().unwrap_or_default();
        let Some(id) = uuid(text) else { return Some(format!("{name} is no UUID in its form (EW-14-41)")) };
        if name == "id" && id.get_version_num() != 7 {
            return Some(format!("the id of a {kind} has another version than 7 (EW-6-21, EW-7-4)"));
        }
    }
    if name == "channel" && !is_channel(value.as_str().unwrap_or_default()) {
        return Some(format!("{value} is no channel (EW-12-1)"));
    }
    None
}

fn uuid(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    (id.hyphenated().to_string() == text && !id.is_nil()).then_some(id)
}

fn is_channel(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-=@,.;:".contains(c);
    !["", "private-", "presence-"].contains(&name) && name.len() <= CHANNEL_BYTES && name.chars().all(allowed)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

/// The types of frames of a client, as section 2.3 has them.
fn types() -> &'static BTreeSet<&'static str> {
    static TYPES: OnceLock<BTreeSet<&str>> = OnceLock::new();
    TYPES.get_or_init(|| {
        let table = included::CORE.split_once("From a client:").map_or("", |(_, rest)| rest);
        let rows = table.lines().skip_while(|line| !line.starts_with("| `"));
        let cells = rows.take_while(|line| line.starts_with('|')).filter_map(|row| row.split('|').nth(1));
        // Every second part is between backticks.
        cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_table_of_types_is_read() {
        assert!(["hello", "send", "invite", "history"].iter().all(|kind| types().contains(kind)));
        assert!(!types().contains("welcome"), "{:?}", types());
    }

    #[test]
    fn violations_are_found() {
        let id = Uuid::now_v7().to_string();
        assert_eq!(of_frame(&json!({"type": "send", "id": id, "channel": "a", "data": null})), None);
        let wrong = [
            json!([]),
            json!({"channel": "a"}),
            json!({"type": "sned"}),
            json!({"type": "ping", "nonce": null}),
            json!({"type": "ping", "nonce": 1.0}),
            json!({"type": "ping", "nonce": 1_u64 << 32}),
            json!({"type": "send", "id": id.to_uppercase()}),
            json!({"type": "send", "id": Uuid::from_u128(4 << 76 | 1)}),
            json!({"type": "subscribe", "channel": "a b"}),
        ];
        for frame in wrong {
            assert!(of_frame(&frame).is_some(), "{frame}");
        }
    }
}
