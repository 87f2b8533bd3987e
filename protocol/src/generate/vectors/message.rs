//! Durable messages: sends, acks and entries.

use super::{
    Invalid, MESSAGE, REQUEST, Valid, bad_client_frame, bad_server_frame, channel, client, data, id, server,
};
use crate::{Ack, Action, ClientFrame, Deleted, Message, Send, limits::MAX_OFFSET};

/// Batches that must be read.
pub(super) fn valid() -> Vec<Valid> {
    let mut all = sends();
    all.extend(actions());
    all.extend(from_server());
    all
}

/// The entry that the vectors are about.
pub(super) fn entry() -> Message {
    Message {
        channel: channel("news"),
        offset: 1,
        id: id(MESSAGE),
        user: "u1".into(),
        name: None,
        at: 1_760_000_000_000,
        event: None,
        data: data(r#"{"text":"hello"}"#),
        action: None,
        target: None,
        deleted: None,
    }
}

fn send(text: &str) -> ClientFrame {
    Send {
        id: id(MESSAGE),
        channel: channel("news"),
        event: None,
        data: data(text),
        action: None,
        target: None,
    }
    .into()
}

fn acting(event: Option<&str>, action: Action, text: &str) -> ClientFrame {
    Send {
        id: id(REQUEST),
        channel: channel("private-chat.7"),
        event: event.map(Into::into),
        data: data(text),
        action: Some(action),
        target: Some(id(MESSAGE)),
    }
    .into()
}

fn sends() -> Vec<Valid> {
    vec![
        client(
            "send a plain message",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":{"text":"hello"}}]"#,
            &[send(r#"{"text":"hello"}"#)],
        ),
        client(
            "send a custom event",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","event":"order.shipped","data":{"order":7}}]"#,
            &[Send {
                id: id(MESSAGE),
                channel: channel("news"),
                event: Some("order.shipped".into()),
                data: data(r#"{"order":7}"#),
                action: None,
                target: None,
            }
            .into()],
        ),
        client(
            "send null",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":null}]"#,
            &[send("null")],
        ),
        client(
            "send numbers at the ends of what is exact",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":[0,-1,1.5,2e-3,9007199254740991,-9007199254740991]}]"#,
            &[send("[0,-1,1.5,2e-3,9007199254740991,-9007199254740991]")],
        ),
        client(
            "send text of many scripts",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":"Grüße, שלום, 你好, नमस्ते, 👩‍👩‍👧‍👦"}]"#,
            &[send(r#""Grüße, שלום, 你好, नमस्ते, 👩‍👩‍👧‍👦""#)],
        ),
        client(
            "send escapes: a payload is passed on as it was written",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":"\" \\ \/ \b\f\n\r\t \u0000 \u00e9 \ud83e\udd8a"}]"#,
            &[send(r#""\" \\ \/ \b\f\n\r\t \u0000 \u00e9 \ud83e\udd8a""#)],
        ),
        client(
            "send brackets in text: they are no nesting",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"[[[["}]"#,
            &[send(r#""[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"[[[[""#)],
        ),
        client(
            "send the deepest nesting",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}]"#,
            &[send("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]")],
        ),
        client(
            "send a key that means something elsewhere",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":{"type":"bye","__proto__":{"polluted":true}}}]"#,
            &[send(r#"{"type":"bye","__proto__":{"polluted":true}}"#)],
        ),
    ]
}

fn actions() -> Vec<Valid> {
    vec![
        client(
            "send an answer to a message",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"private-chat.7","data":{"text":"yes"},"action":"reply","target":"0199a1b2-c3d4-7000-8000-000000000003"}]"#,
            &[acting(None, Action::Reply, r#"{"text":"yes"}"#)],
        ),
        client(
            "send an edit of a custom event",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"private-chat.7","event":"poll","data":[1,2],"action":"edit","target":"0199a1b2-c3d4-7000-8000-000000000003"}]"#,
            &[acting(Some("poll"), Action::Edit, "[1,2]")],
        ),
        client(
            "take a message back",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"private-chat.7","data":null,"action":"delete","target":"0199a1b2-c3d4-7000-8000-000000000003"}]"#,
            &[acting(None, Action::Delete, "null")],
        ),
    ]
}

fn from_server() -> Vec<Valid> {
    vec![
        server(
            "ack",
            r#"[{"type":"ack","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","offset":9,"at":1760000000000}]"#,
            &[Ack { id: id(MESSAGE), channel: channel("news"), offset: 9, at: 1_760_000_000_000 }.into()],
        ),
        server(
            "a plain message",
            r#"[{"type":"message","channel":"news","offset":1,"id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1760000000000,"data":{"text":"hello"}}]"#,
            &[entry().into()],
        ),
        server(
            "a custom event, with everything",
            r#"[{"type":"message","channel":"news","offset":9007199254740991,"id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","name":"Zoë","at":1760000000000,"event":"order.shipped","data":[{"order":7},null,"\u00e9"]}]"#,
            &[Message {
                offset: MAX_OFFSET,
                name: Some("Zoë".into()),
                event: Some("order.shipped".into()),
                data: data(r#"[{"order":7},null,"\u00e9"]"#),
                ..entry()
            }
            .into()],
        ),
        server(
            "a message that takes another back",
            r#"[{"type":"message","channel":"private-chat.7","offset":44,"id":"0199a1b2-c3d4-7000-8000-000000000004","user":"u1","at":1760000000000,"data":null,"action":"delete","target":"0199a1b2-c3d4-7000-8000-000000000003"}]"#,
            &[Message {
                channel: channel("private-chat.7"),
                offset: 44,
                id: id(REQUEST),
                data: data("null"),
                action: Some(Action::Delete),
                target: Some(id(MESSAGE)),
                ..entry()
            }
            .into()],
        ),
        server(
            "a message that was deleted",
            r#"[{"type":"message","channel":"private-chat.7","offset":43,"id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1760000000000,"data":null,"deleted":{"user":"u2","at":1760000000001}}]"#,
            &[Message {
                channel: channel("private-chat.7"),
                offset: 43,
                data: data("null"),
                deleted: Some(Deleted { user: "u2".into(), at: 1_760_000_000_001 }),
                ..entry()
            }
            .into()],
        ),
        server(
            "a change of a chat's members, in its log",
            r#"[{"type":"message","channel":"private-chat.7","offset":1,"id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1760000000000,"event":"everwire.chat","data":{"action":"role_set","user":"u2","name":"Zoë","role":"owner"}}]"#,
            &[Message {
                channel: channel("private-chat.7"),
                event: Some("everwire.chat".into()),
                data: data(r#"{"action":"role_set","user":"u2","name":"Zoë","role":"owner"}"#),
                ..entry()
            }
            .into()],
        ),
    ]
}

/// Batches with one frame that must be refused.
pub(super) fn invalid() -> Vec<Invalid> {
    vec![
        bad_client_frame(
            "a send without data",
            r#"{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news"}"#,
        ),
        bad_client_frame("a send without an id", r#"{"type":"send","channel":"news","data":1}"#),
        bad_client_frame(
            "a send whose id is no UUID",
            r#"{"type":"send","id":"1","channel":"news","data":1}"#,
        ),
        bad_client_frame(
            "an action that does not exist",
            r#"{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":1,"action":"praise","target":"0199a1b2-c3d4-7000-8000-000000000004"}"#,
        ),
        bad_client_frame(
            "a target that is no UUID",
            r#"{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":1,"action":"edit","target":"42"}"#,
        ),
        bad_server_frame(
            "a message without an offset",
            r#"{"type":"message","channel":"news","id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1,"data":1}"#,
        ),
        bad_server_frame(
            "a deletion without its time",
            r#"{"type":"message","channel":"news","offset":1,"id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1,"data":null,"deleted":{"user":"u2"}}"#,
        ),
        bad_server_frame(
            "an ack without an offset",
            r#"{"type":"ack","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","at":1}"#,
        ),
    ]
}
