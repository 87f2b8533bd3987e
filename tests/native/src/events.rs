//! Events, as lines of JSON.

use everwire_protocol::{ServerFrame, batch};
use serde_json::{Map, Value, json};

/// Tells an event. Fields without a value are left out.
pub(crate) fn emit(event: &str, fields: Value) {
    let mut line = Map::from_iter([("event".to_owned(), event.into())]);
    if let Value::Object(fields) = fields {
        line.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
    }
    println!("{}", Value::Object(line));
}

pub(crate) fn emit_ready() {
    let features = ["position", "id", "request", "ephemeral", "ask_token", "cancel", "status"];
    let transports = ["websocket", "polling"];
    emit(
        "ready",
        json!({"client": crate::CLIENT, "versions": [1], "transports": transports, "features": features}),
    );
}

pub(crate) fn json_of(frame: impl Into<ServerFrame>) -> Value {
    serde_json::from_str(&batch::encode_frame(&frame.into())).unwrap_or_default()
}

pub(crate) fn tell_frame(frame: impl Into<ServerFrame>) {
    emit("frame", json!({"frame": json_of(frame)}));
}

pub(crate) fn tell_error(code: &str, message: &str, retry_after_ms: Option<u32>) {
    let mut error = json!({"code": code, "message": message});
    if let Some(ms) = retry_after_ms {
        error["retry_after_ms"] = ms.into();
    }
    emit("error", json!({"error": error}));
}
