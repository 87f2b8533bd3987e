//! Batches as such: what makes one unreadable, and how leniently frames are read.

use serde_json::json;

use super::{
    Invalid, MESSAGE, Part, Refusal, Valid, bad_client_frame, channel, client, client_lenient, server,
    server_lenient, subscription,
};
use crate::{Bye, MemberLeft, Ping, Polled, Unsubscribe};

/// Batches that must be read.
pub(super) fn valid() -> Vec<Valid> {
    vec![
        client("an empty batch", "[]", &[]),
        server("an empty batch from a server", "[]", &[]),
        client_lenient(
            "white space anywhere",
            " [ { \"type\" : \"ping\" ,\n\t\"nonce\" : 1 } , {\"type\":\"bye\"}\r\n] ",
            &[Ping { nonce: Some(1) }.into(), Bye {}.into()],
        ),
        client_lenient(
            "the type need not come first",
            r#"[{"channel":"news","type":"unsubscribe"}]"#,
            &[Unsubscribe { channel: channel("news") }.into()],
        ),
        client_lenient(
            "unknown fields are ignored",
            r#"[{"type":"ping","nonce":1,"colour":"red","nested":{"nonce":2}}]"#,
            &[Ping { nonce: Some(1) }.into()],
        ),
        server_lenient(
            "unknown fields from a newer server are ignored",
            r#"[{"type":"member_left","channel":"presence-users","user":"u2","at":1,"why":{"type":"ping"}}]"#,
            &[MemberLeft { channel: channel("presence-users"), user: "u2".into() }.into()],
        ),
        client_lenient(
            "an optional field that is null is absent",
            r#"[{"type":"subscribe","channel":"news","epoch":null,"offset":null,"recent":null,"undelivered":null}]"#,
            &[subscription::subscribe("news").into()],
        ),
        client_lenient(
            "escapes in a name",
            r#"[{"type":"\u0070ing"},{"type":"subscribe","channel":"\u006eews"}]"#,
            &[Ping { nonce: None }.into(), subscription::subscribe("news").into()],
        ),
        Valid {
            ignored: vec![0, 2],
            ..client_lenient(
                "frames of unknown types are ignored, their neighbours are not",
                r#"[{"type":"telepathy","to":"all"},{"type":"ping"},{"type":""},{"type":"bye"}]"#,
                &[Ping { nonce: None }.into(), Bye {}.into()],
            )
        },
        Valid {
            ignored: vec![0],
            ..client_lenient(
                "a frame of the other direction is of an unknown type",
                r#"[{"type":"polled","seq":1},{"type":"bye"}]"#,
                &[Bye {}.into()],
            )
        },
        Valid {
            ignored: vec![1],
            ..server_lenient(
                "an unknown type from a newer server is ignored",
                r#"[{"type":"polled","seq":1},{"type":"telepathy","channel":"news","user":"u2"},{"type":"ping"}]"#,
                &[Polled { seq: 1, connection: None }.into(), Ping { nonce: None }.into()],
            )
        },
        Valid {
            frames: vec![json!({
                "type": "send", "id": MESSAGE, "channel": "news", "data": { "big": 1e300, "empty": {}, "list": [] },
            })],
            ..client_lenient(
                "white space in a payload",
                r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data": { "big" : 1E300, "empty":{ } ,"list":[ ] } }]"#,
                &[],
            )
        },
    ]
}

/// Invalid batches, and invalid frames.
pub(super) fn invalid() -> Vec<Invalid> {
    let mut all = malformed();
    all.extend(too_large());
    all.extend(not_frames());
    all.extend(not_strict());
    all
}

fn refused(name: &'static str, text: &'static str, code: &'static str) -> Invalid {
    Invalid {
        name,
        direction: "client",
        parts: vec![Part { text, times: 1 }],
        error: Refusal { code, frame: None },
        frames: Vec::new(),
    }
}

fn malformed() -> Vec<Invalid> {
    vec![
        refused("no text at all", "", "invalid_batch"),
        refused("not JSON", "hello", "invalid_batch"),
        refused("a frame without its batch", r#"{"type":"ping"}"#, "invalid_batch"),
        refused("null instead of a batch", "null", "invalid_batch"),
        refused("a batch that is cut off", r#"[{"type":"ping"}"#, "invalid_batch"),
        refused("a batch cut off within a text", r#"[{"type":"pi"#, "invalid_batch"),
        refused("a byte order mark", "\u{feff}[]", "invalid_batch"),
        refused("a comma too many", r#"[{"type":"ping"},]"#, "invalid_batch"),
        refused("two batches in one text", "[][]", "invalid_batch"),
        refused("something after the batch", "[] x", "invalid_batch"),
        refused("a control character in a text", "[{\"type\":\"pi\u{1}ng\"}]", "invalid_batch"),
        refused("an escape that does not exist", r#"[{"type":"\x70ing"}]"#, "invalid_batch"),
    ]
}

fn too_large() -> Vec<Invalid> {
    let parts = |parts: &[(&'static str, usize)]| {
        parts.iter().map(|&(text, times)| Part { text, times }).collect::<Vec<_>>()
    };
    vec![
        Invalid { parts: parts(&[("[", 60_000)]), ..refused("nesting without end", "", "invalid_batch") },
        Invalid {
            parts: parts(&[("[{\"type\":\"ping\"}", 1), (",{\"type\":\"ping\"}", 300), ("]", 1)]),
            ..refused("301 frames", "", "too_large")
        },
        Invalid {
            parts: parts(&[("[", 1), (" ", 65_535), ("]", 1)]),
            ..refused("65,537 bytes", "", "too_large")
        },
        Invalid {
            parts: parts(&[("[{\"type\":\"token\",\"token\":\"", 1), ("🦊", 20_000), ("\"}]", 1)]),
            ..refused("bytes are counted, not characters", "", "too_large")
        },
    ]
}

fn not_frames() -> Vec<Invalid> {
    vec![
        bad_client_frame("a frame that is null", "null"),
        bad_client_frame("a frame that is a number", "1"),
        bad_client_frame("a frame that is a batch", r#"[{"type":"ping"}]"#),
        bad_client_frame("a frame without a type", r#"{"nonce":1}"#),
        bad_client_frame("a type that is no text", r#"{"type":7}"#),
        bad_client_frame("a type that comes twice", r#"{"type":"ping","type":"bye"}"#),
        Invalid {
            parts: vec![
                Part { text: r#"[{"type":"ping","nonce":1},"#, times: 1 },
                Part { text: "[", times: 32 },
                Part { text: "]", times: 32 },
                Part { text: r#",{"type":"pong","nonce":2}]"#, times: 1 },
            ],
            ..bad_client_frame("nesting of 33 levels", "")
        },
    ]
}

/// Frames of JSON that strict readers refuse, between two good ones.
fn not_strict() -> Vec<Invalid> {
    vec![
        bad_client_frame(
            "a key that comes twice",
            r#"{"type":"subscribe","channel":"news","channel":"other"}"#,
        ),
        bad_client_frame(
            "a key that comes twice, escaped once",
            r#"{"type":"subscribe","channel":"news","\u0063hannel":"other"}"#,
        ),
        bad_client_frame("a lone surrogate in a field", r#"{"type":"token","token":"\ud800"}"#),
        bad_client_frame("a noncharacter in a field", r#"{"type":"token","token":"\ufffe"}"#),
        bad_client_frame("a number out of range", r#"{"type":"ping","nonce":1,"unknown":1e400}"#),
        bad_payload(
            "a lone surrogate in data",
            r#"{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":{"text":"\ud83e!"}}"#,
        ),
        bad_payload(
            "a key that comes twice in data",
            r#"{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":[{"a":1,"a":2}]}"#,
        ),
        bad_payload(
            "a number out of range in data",
            r#"{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":-1e400}"#,
        ),
        bad_payload(
            "a noncharacter in the data of a signal",
            r#"{"type":"signal","channel":"news","event":"e","data":"\uffff"}"#,
        ),
        Invalid {
            parts: vec![
                Part {
                    text: r#"[{"type":"ping","nonce":1},{"type":"send","channel":"news","data":"#,
                    times: 1,
                },
                Part { text: "[", times: 31 },
                Part { text: "]", times: 31 },
                Part { text: r#"},{"type":"pong","nonce":2}]"#, times: 1 },
            ],
            ..bad_payload("data that nests too deeply", "")
        },
    ]
}

fn bad_payload(name: &'static str, text: &'static str) -> Invalid {
    Invalid { error: Refusal { code: "invalid_payload", frame: Some(1) }, ..bad_client_frame(name, text) }
}
