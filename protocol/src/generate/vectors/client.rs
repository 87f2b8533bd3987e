//! Batches from clients that must be read.

use serde_json::json;

use super::{CONNECTION, MESSAGE, SESSION, Valid, canonical, channel, data, id};
use crate::{
    Bye, ClientFrame, Guest, Hello, Ping, Poll, Pong, Send, Subscribe, Token, Unsubscribe, limits::MAX_OFFSET,
};

/// One of each frame, with and without what is optional; then how leniently a text is read.
pub(super) fn vectors() -> Vec<Valid> {
    let mut all = frames();
    all.extend(payloads());
    all.extend(lenient());
    all
}

fn ok(name: &'static str, text: &'static str, frames: &[ClientFrame]) -> Valid {
    canonical("client", name, text, frames)
}

fn hello() -> Hello {
    Hello { version: 1, session: id(SESSION), token: None, guest: None, client: None }
}

fn subscribe(name: &str) -> Subscribe {
    Subscribe { channel: channel(name), epoch: None, offset: None, recent: None, undelivered: None }
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

fn frames() -> Vec<Valid> {
    vec![
        ok("an empty batch", "[]", &[]),
        ok(
            "hello, only what is required",
            r#"[{"type":"hello","version":1,"session":"0199a1b2-c3d4-7000-8000-000000000001"}]"#,
            &[hello().into()],
        ),
        ok(
            "hello with a token and the client's name",
            r#"[{"type":"hello","version":1,"session":"0199a1b2-c3d4-7000-8000-000000000001","token":"eyJhbGciOiJIUzI1NiJ9.e30.x","client":"everwire-js/0.1.0"}]"#,
            &[Hello {
                token: Some("eyJhbGciOiJIUzI1NiJ9.e30.x".into()),
                client: Some("everwire-js/0.1.0".into()),
                ..hello()
            }
            .into()],
        ),
        ok(
            "hello of a guest",
            r#"[{"type":"hello","version":1,"session":"0199a1b2-c3d4-7000-8000-000000000001","guest":{"user":"u1","name":"Zoë 🦊"}}]"#,
            &[Hello { guest: Some(Guest { user: "u1".into(), name: "Zoë 🦊".into() }), ..hello() }.into()],
        ),
        ok("token", r#"[{"type":"token","token":"a.b.c"}]"#, &[Token { token: "a.b.c".into() }.into()]),
        ok(
            "subscribe, from the end of the log",
            r#"[{"type":"subscribe","channel":"news"}]"#,
            &[subscribe("news").into()],
        ),
        ok(
            "subscribe with recent entries",
            r#"[{"type":"subscribe","channel":"private-chat.42","recent":500}]"#,
            &[Subscribe { recent: Some(500), ..subscribe("private-chat.42") }.into()],
        ),
        ok(
            "subscribe from the beginning",
            r#"[{"type":"subscribe","channel":"presence-users","epoch":"e1","offset":0}]"#,
            &[Subscribe { epoch: Some("e1".into()), offset: Some(0), ..subscribe("presence-users") }.into()],
        ),
        ok(
            "subscribe at the biggest offset",
            r#"[{"type":"subscribe","channel":"news","epoch":"e1","offset":9007199254740991}]"#,
            &[Subscribe { epoch: Some("e1".into()), offset: Some(MAX_OFFSET), ..subscribe("news") }.into()],
        ),
        ok(
            "subscribe to a name with every kind of character",
            r#"[{"type":"subscribe","channel":"private-Az09_-=@,.;:"}]"#,
            &[subscribe("private-Az09_-=@,.;:").into()],
        ),
        ok(
            "unsubscribe",
            r#"[{"type":"unsubscribe","channel":"news"}]"#,
            &[Unsubscribe { channel: channel("news") }.into()],
        ),
        ok(
            "poll, the first",
            r#"[{"type":"poll","ack":0,"hold_ms":25000}]"#,
            &[Poll { connection: None, ack: 0, hold_ms: 25_000 }.into()],
        ),
        ok(
            "poll that goes on",
            r#"[{"type":"poll","connection":"0199a1b2-c3d4-7000-8000-000000000002","ack":9007199254740991,"hold_ms":0}]"#,
            &[Poll { connection: Some(id(CONNECTION)), ack: MAX_OFFSET, hold_ms: 0 }.into()],
        ),
        ok("ping", r#"[{"type":"ping"}]"#, &[Ping { nonce: None }.into()]),
        ok("ping with a nonce", r#"[{"type":"ping","nonce":7}]"#, &[Ping { nonce: Some(7) }.into()]),
        ok("pong", r#"[{"type":"pong"}]"#, &[Pong { nonce: None }.into()]),
        ok(
            "pong with the biggest nonce",
            r#"[{"type":"pong","nonce":4294967295}]"#,
            &[Pong { nonce: Some(u32::MAX) }.into()],
        ),
        ok("bye", r#"[{"type":"bye"}]"#, &[Bye {}.into()]),
        ok(
            "a first batch",
            r#"[{"type":"hello","version":1,"session":"0199a1b2-c3d4-7000-8000-000000000001"},{"type":"subscribe","channel":"news","epoch":"a","offset":41},{"type":"subscribe","channel":"private-chat.7"}]"#,
            &[
                hello().into(),
                Subscribe { epoch: Some("a".into()), offset: Some(41), ..subscribe("news") }.into(),
                subscribe("private-chat.7").into(),
            ],
        ),
    ]
}

fn payloads() -> Vec<Valid> {
    vec![
        ok(
            "send a plain message",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":{"text":"hello"}}]"#,
            &[send(r#"{"text":"hello"}"#)],
        ),
        ok(
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
        ok(
            "send null",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":null}]"#,
            &[send("null")],
        ),
        ok(
            "send numbers at the ends of what is exact",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":[0,-1,1.5,2e-3,9007199254740991,-9007199254740991]}]"#,
            &[send("[0,-1,1.5,2e-3,9007199254740991,-9007199254740991]")],
        ),
        ok(
            "send text of many scripts",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":"Grüße, שלום, 你好, नमस्ते, 👩‍👩‍👧‍👦"}]"#,
            &[send(r#""Grüße, שלום, 你好, नमस्ते, 👩‍👩‍👧‍👦""#)],
        ),
        ok(
            "send escapes: a payload is passed on as it was written",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":"\" \\ \/ \b\f\n\r\t \u0000 \u00e9 \ud83e\udd8a"}]"#,
            &[send(r#""\" \\ \/ \b\f\n\r\t \u0000 \u00e9 \ud83e\udd8a""#)],
        ),
        ok(
            "send brackets in text: they are no nesting",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"[[[["}]"#,
            &[send(r#""[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"[[[[""#)],
        ),
        ok(
            "send the deepest nesting",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}]"#,
            &[send("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]")],
        ),
        ok(
            "send a key that means something elsewhere",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":{"type":"bye","__proto__":{"polluted":true}}}]"#,
            &[send(r#"{"type":"bye","__proto__":{"polluted":true}}"#)],
        ),
    ]
}

fn lenient() -> Vec<Valid> {
    let loose = |name, text, frames: &[ClientFrame]| Valid { canonical: false, ..ok(name, text, frames) };
    vec![
        loose(
            "white space anywhere",
            " [ { \"type\" : \"ping\" ,\n\t\"nonce\" : 1 } , {\"type\":\"bye\"}\r\n] ",
            &[Ping { nonce: Some(1) }.into(), Bye {}.into()],
        ),
        loose(
            "the type need not come first",
            r#"[{"channel":"news","type":"unsubscribe"}]"#,
            &[Unsubscribe { channel: channel("news") }.into()],
        ),
        loose(
            "unknown fields are ignored",
            r#"[{"type":"ping","nonce":1,"colour":"red","nested":{"nonce":2}}]"#,
            &[Ping { nonce: Some(1) }.into()],
        ),
        loose(
            "an optional field that is null is absent",
            r#"[{"type":"subscribe","channel":"news","epoch":null,"offset":null,"recent":null,"undelivered":null}]"#,
            &[subscribe("news").into()],
        ),
        loose(
            "escapes in a name",
            r#"[{"type":"\u0070ing"},{"type":"subscribe","channel":"\u006eews"}]"#,
            &[Ping { nonce: None }.into(), subscribe("news").into()],
        ),
        Valid {
            ignored: vec![0, 2],
            ..loose(
                "frames of unknown types are ignored, their neighbours are not",
                r#"[{"type":"telepathy","to":"all"},{"type":"ping"},{"type":""},{"type":"bye"}]"#,
                &[Ping { nonce: None }.into(), Bye {}.into()],
            )
        },
        Valid {
            ignored: vec![0],
            ..loose(
                "a frame of the other direction is of an unknown type",
                r#"[{"type":"polled","seq":1},{"type":"bye"}]"#,
                &[Bye {}.into()],
            )
        },
        Valid {
            frames: vec![json!({
                "type": "send", "id": MESSAGE, "channel": "news", "data": { "big": 1e300, "empty": {}, "list": [] },
            })],
            ..loose(
                "white space in a payload",
                r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data": { "big" : 1E300, "empty":{ } ,"list":[ ] } }]"#,
                &[],
            )
        },
    ]
}
