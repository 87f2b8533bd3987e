//! The payloads that every application understands: the `data` of an event of this name, and what must be refused with
//! `invalid_payload`.

use serde::Serialize;

use super::data;
use crate::Payload;

/// The data of one event.
#[derive(Debug, Serialize)]
pub(super) struct Standard {
    name: &'static str,
    event: &'static str,
    data: Payload,
    /// Whether it may be sent.
    fits: bool,
}

/// Each payload with and without what is optional, and some that do not fit.
pub(super) fn vectors() -> Vec<Standard> {
    let mut all = Vec::new();
    let mut add = |fits, event, name, text| all.push(Standard { name, event, data: data(text), fits });
    add(true, "notification", "a notification", r#"{"title":"Hello","message":"Somebody invited you."}"#);
    add(
        true,
        "notification",
        "a notification with everything",
        r#"{"title":"Hello","message":"Somebody invited you.","priority":"high","url":"/chats/7"}"#,
    );
    add(
        true,
        "notification",
        "a field of the application's own",
        r#"{"title":"","message":"","icon":"bell"}"#,
    );
    add(false, "notification", "a notification without a message", r#"{"title":"Hello"}"#);
    add(false, "notification", "a title that is no text", r#"{"title":7,"message":"x"}"#);
    add(false, "notification", "an unknown priority", r#"{"title":"x","message":"x","priority":"urgent"}"#);
    add(false, "notification", "a notification that is a text", r#""Hello""#);
    add(true, "data_update", "a data update", r#"{"entity":"order","action":"updated","data":{"id":7}}"#);
    add(
        true,
        "data_update",
        "a data update with null",
        r#"{"entity":"order","action":"deleted","data":null}"#,
    );
    add(false, "data_update", "a data update without data", r#"{"entity":"order","action":"deleted"}"#);
    add(false, "data_update", "a data update of nothing", "null");
    add(true, "status_update", "a status update", r#"{"system":"payments","status":"ok"}"#);
    add(
        true,
        "status_update",
        "a status update for a person",
        r#"{"system":"payments","status":"down","message":"Back at noon."}"#,
    );
    add(false, "status_update", "a status update without a status", r#"{"system":"payments"}"#);
    add(true, "user_activity", "user activity", r#"{"user":"u1","activity":"editing invoice 7"}"#);
    add(false, "user_activity", "user activity of nobody", r#"{"activity":"editing invoice 7"}"#);
    add(true, "everwire.chat", "a chat was made", r#"{"action":"created"}"#);
    add(
        true,
        "everwire.chat",
        "a change of a chat, with everything",
        r#"{"action":"renamed","user":"u2","name":"Zoë","title":"Team","role":"member"}"#,
    );
    add(false, "everwire.chat", "a change of a chat that is unknown", r#"{"action":"burnt"}"#);
    add(true, "everwire.erased", "entries of an erased user", r#"{"offsets":[1,3,9007199254740991]}"#);
    add(false, "everwire.erased", "entries of an erased user that are not named", "{}");
    all
}
