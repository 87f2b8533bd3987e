//! What the JSON Schema says beyond the types of the fields: the same as [`crate::shape`], which the server applies. A property
//! test compares the two.

use serde_json::{Value, json};

use crate::limits::{
    MAX_CHATS_PAGE, MAX_EVENT_BYTES, MAX_NAME_BYTES, MAX_TITLE_BYTES, MAX_TOKEN_BYTES, MAX_USERS,
};

/// Control characters (Unicode category Cc), as a part of a pattern's class.
const CONTROL: &str = r"\u0000-\u001f\u007f-\u009f";

/// White space (Unicode property `White_Space`) that is no control character.
const SPACE: &str = r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";

/// The events whose data the protocol defines, with their schemas.
const STANDARD: [(&str, &str); 4] = [
    ("notification", "Notification"),
    ("data_update", "DataUpdate"),
    ("status_update", "StatusUpdate"),
    ("user_activity", "UserActivity"),
];

/// What to add to each definition.
pub(super) fn additions() -> Vec<(&'static str, Value)> {
    let user = name(MAX_NAME_BYTES);
    let users = json!({ "maxItems": MAX_USERS, "items": user });
    let token = json!({ "maxLength": MAX_TOKEN_BYTES, "x-maxBytes": MAX_TOKEN_BYTES });
    let no_invited = json!({ "not": { "const": "invited" } });
    vec![
        ("Hello", json!({ "properties": { "token": token } })),
        ("Token", json!({ "properties": { "token": token } })),
        ("Guest", json!({ "properties": { "user": user, "name": user } })),
        ("Subscribe", json!({ "allOf": together("epoch", "offset") })),
        ("Send", send()),
        ("Signal", json!({ "properties": { "event": event() }, "allOf": event_data() })),
        ("GetStatus", json!({ "properties": { "users": users } })),
        ("History", json!({ "not": { "allOf": [present("before"), present("after")] } })),
        ("ListChats", json!({ "properties": { "limit": { "minimum": 1, "maximum": MAX_CHATS_PAGE } } })),
        ("CreateChat", create_chat(&users)),
        ("Invite", json!({ "properties": { "user": user, "role": no_invited } })),
        ("SetRole", json!({ "properties": { "role": no_invited } })),
        ("RenameChat", json!({ "properties": { "title": title() } })),
    ]
}

fn name(bytes: usize) -> Value {
    json!({ "minLength": 1, "maxLength": bytes, "x-maxBytes": bytes, "pattern": format!("^[^{CONTROL}]*$") })
}

fn title() -> Value {
    json!({
        "maxLength": MAX_TITLE_BYTES,
        "x-maxBytes": MAX_TITLE_BYTES,
        "pattern": format!("^[^{CONTROL}]*[^{CONTROL}{SPACE}][^{CONTROL}]*$"),
    })
}

fn event() -> Value {
    let mut event = name(MAX_EVENT_BYTES);
    event["pattern"] = format!(r"^(?!everwire\.)[^{CONTROL}]*$").into();
    event
}

/// A field that is there, and not null, which means the same as absent.
fn present(field: &str) -> Value {
    json!({ "required": [field], "properties": { field: { "not": { "type": "null" } } } })
}

fn is(field: &str, value: &str) -> Value {
    json!({ "required": [field], "properties": { field: { "const": value } } })
}

/// `dependentRequired` in both directions, but for null.
fn together(one: &str, other: &str) -> Vec<Value> {
    [(one, other), (other, one)]
        .map(|(given, needed)| json!({ "if": present(given), "then": present(needed) }))
        .into()
}

fn event_data() -> Vec<Value> {
    let of = |(event, schema): (&str, &str)| {
        let data = json!({ "$ref": format!("#/$defs/{schema}") });
        json!({ "if": is("event", event), "then": { "properties": { "data": data } } })
    };
    STANDARD.map(of).into()
}

fn send() -> Value {
    let delete =
        json!({ "if": is("action", "delete"), "then": { "properties": { "data": { "type": "null" } } } });
    let rules = [together("action", "target"), vec![delete], event_data()].concat();
    json!({ "properties": { "event": event() }, "allOf": rules })
}

fn create_chat(users: &Value) -> Value {
    let group = json!({
        "if": is("kind", "group"),
        // A UUID of version 5 is the id of a direct chat.
        "then": { "properties": { "title": title(), "id": { "not": { "pattern": "^.{14}5" } } } },
    });
    let direct = json!({
        "if": is("kind", "direct"),
        "then": { "properties": {
            "title": { "type": "null" },
            "open": { "not": { "const": true } },
            "users": { "minItems": 1, "maxItems": 1 },
        } },
    });
    json!({ "properties": { "users": users }, "allOf": [group, direct] })
}
