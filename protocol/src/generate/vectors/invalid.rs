//! Batches that must be refused, and batches of which one frame must be.

use serde_json::{Value, json};

use super::{Invalid, Part, Refusal};

/// Refusals of whole batches, then of single frames.
pub(super) fn vectors() -> Vec<Invalid> {
    let mut all = batches();
    all.extend(too_big());
    all.extend(frames());
    all.extend(requests());
    all.extend(server_frames());
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

/// `text` is the frame; it is put between two good ones, which must survive it.
fn frame(name: &'static str, text: &'static str) -> Invalid {
    let part = |text| Part { text, times: 1 };
    Invalid {
        name,
        direction: "client",
        parts: vec![
            part(r#"[{"type":"ping","nonce":1},"#),
            part(text),
            part(r#",{"type":"pong","nonce":2}]"#),
        ],
        error: Refusal { code: "invalid_frame", frame: Some(1) },
        frames: survivors(),
    }
}

fn survivors() -> Vec<Value> {
    vec![json!({ "type": "ping", "nonce": 1 }), json!({ "type": "pong", "nonce": 2 })]
}

fn batches() -> Vec<Invalid> {
    vec![
        refused("no text at all", "", "invalid_batch"),
        refused("not JSON", "hello", "invalid_batch"),
        refused("a frame without its batch", r#"{"type":"ping"}"#, "invalid_batch"),
        refused("null instead of a batch", "null", "invalid_batch"),
        refused("a batch that is cut off", r#"[{"type":"ping"}"#, "invalid_batch"),
        refused("a batch cut off within a text", r#"[{"type":"pi"#, "invalid_batch"),
        refused("a comma too many", r#"[{"type":"ping"},]"#, "invalid_batch"),
        refused("two batches in one text", "[][]", "invalid_batch"),
        refused("something after the batch", "[] x", "invalid_batch"),
        refused("a control character in a text", "[{\"type\":\"pi\u{1}ng\"}]", "invalid_batch"),
        refused("an escape that does not exist", r#"[{"type":"\x70ing"}]"#, "invalid_batch"),
    ]
}

fn too_big() -> Vec<Invalid> {
    let parts = |parts: &[(&'static str, usize)]| {
        parts.iter().map(|&(text, times)| Part { text, times }).collect::<Vec<_>>()
    };
    vec![
        Invalid {
            parts: parts(&[("[", 33), ("]", 33)]),
            ..refused("nesting of 33 levels", "", "invalid_batch")
        },
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

fn frames() -> Vec<Invalid> {
    vec![
        frame("a frame that is null", "null"),
        frame("a frame that is a number", "1"),
        frame("a frame that is a batch", r#"[{"type":"ping"}]"#),
        frame("a frame without a type", r#"{"nonce":1}"#),
        frame("a type that is no text", r#"{"type":7}"#),
        frame("a hello without a session", r#"{"type":"hello","version":1}"#),
        frame("a session that is no UUID", r#"{"type":"hello","version":1,"session":"me"}"#),
        frame(
            "a version that is a text",
            r#"{"type":"hello","version":"1","session":"0199a1b2-c3d4-7000-8000-000000000001"}"#,
        ),
        frame(
            "a version below 0",
            r#"{"type":"hello","version":-1,"session":"0199a1b2-c3d4-7000-8000-000000000001"}"#,
        ),
        frame("a subscribe without a channel", r#"{"type":"subscribe"}"#),
        frame("an empty channel name", r#"{"type":"subscribe","channel":""}"#),
        frame("a channel name that is only a prefix", r#"{"type":"subscribe","channel":"private-"}"#),
        frame("a channel name with a space", r#"{"type":"subscribe","channel":"two words"}"#),
        frame("a channel name outside ASCII", r#"{"type":"subscribe","channel":"né"}"#),
        Invalid {
            parts: vec![
                Part {
                    text: "[{\"type\":\"ping\",\"nonce\":1},{\"type\":\"subscribe\",\"channel\":\"",
                    times: 1,
                },
                Part { text: "x", times: 201 },
                Part { text: "\"},{\"type\":\"pong\",\"nonce\":2}]", times: 1 },
            ],
            ..frame("a channel name of 201 bytes", "")
        },
        frame(
            "an offset that is not whole",
            r#"{"type":"subscribe","channel":"news","epoch":"a","offset":1.5}"#,
        ),
        frame("an offset below 0", r#"{"type":"subscribe","channel":"news","epoch":"a","offset":-1}"#),
        frame(
            "an offset beyond 64 bits",
            r#"{"type":"subscribe","channel":"news","epoch":"a","offset":18446744073709551616}"#,
        ),
        frame(
            "a send without data",
            r#"{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news"}"#,
        ),
        frame("a send without an id", r#"{"type":"send","channel":"news","data":1}"#),
        frame("a send whose id is no UUID", r#"{"type":"send","id":"1","channel":"news","data":1}"#),
        frame("a nonce beyond 32 bits", r#"{"type":"ping","nonce":4294967296}"#),
        frame("a poll without ack", r#"{"type":"poll","hold_ms":1}"#),
        frame("a field that comes twice", r#"{"type":"ping","nonce":1,"nonce":2}"#),
        frame("a type that comes twice", r#"{"type":"ping","type":"bye"}"#),
    ]
}

fn requests() -> Vec<Invalid> {
    vec![
        frame(
            "an action that does not exist",
            r#"{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":1,"action":"praise","target":"0199a1b2-c3d4-7000-8000-000000000004"}"#,
        ),
        frame(
            "a target that is no UUID",
            r#"{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":1,"action":"edit","target":"42"}"#,
        ),
        frame("typing that is a number", r#"{"type":"typing","channel":"news","typing":1}"#),
        frame("typing nowhere", r#"{"type":"typing","typing":true}"#),
        frame("a signal without an event", r#"{"type":"signal","channel":"news","data":1}"#),
        frame(
            "a signal to a connection that is no UUID",
            r#"{"type":"signal","channel":"news","event":"e","data":1,"to":"everybody"}"#,
        ),
        frame("a receipt below 0", r#"{"type":"receipt","channel":"news","read":-1}"#),
        frame("a receipt beyond 2^53", r#"{"type":"receipt","channel":"news","delivered":9007199254740992}"#),
        frame("idle without saying whether", r#"{"type":"idle"}"#),
        frame("a status set without an id", r#"{"type":"set_status","status":"away"}"#),
        frame(
            "a status that nobody can choose",
            r#"{"type":"set_status","id":"0199a1b2-c3d4-7000-8000-000000000004","status":"busy"}"#,
        ),
        frame(
            "a user where users belong",
            r#"{"type":"get_status","id":"0199a1b2-c3d4-7000-8000-000000000004","users":"u1"}"#,
        ),
        frame(
            "a history without a channel",
            r#"{"type":"history","id":"0199a1b2-c3d4-7000-8000-000000000004"}"#,
        ),
        frame(
            "a limit that is a text",
            r#"{"type":"list_chats","id":"0199a1b2-c3d4-7000-8000-000000000004","limit":"all"}"#,
        ),
        frame(
            "a chat of an unknown kind",
            r#"{"type":"create_chat","id":"0199a1b2-c3d4-7000-8000-000000000004","kind":"secret","users":[]}"#,
        ),
        frame(
            "a chat without users",
            r#"{"type":"create_chat","id":"0199a1b2-c3d4-7000-8000-000000000004","kind":"group"}"#,
        ),
        frame(
            "a role that does not exist",
            r#"{"type":"set_role","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7","user":"u2","role":"king"}"#,
        ),
        frame(
            "an invitation of nobody",
            r#"{"type":"invite","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7"}"#,
        ),
    ]
}

fn server_frames() -> Vec<Invalid> {
    let from_server = |name, text| Invalid { direction: "server", ..frame(name, text) };
    vec![
        from_server(
            "a receipt without marks",
            r#"{"type":"receipt","channel":"private-chat.7","user":"u1"}"#,
        ),
        from_server(
            "a status that users can only choose",
            r#"{"type":"status","channel":"presence-users","user":"u1","status":"auto"}"#,
        ),
        from_server(
            "a page with an entry that has no offset",
            r#"{"type":"page","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"news","epoch":"a","messages":[{"channel":"news","id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1,"data":1}],"more":false}"#,
        ),
        from_server(
            "a chat without its members",
            r#"{"type":"chat","channel":"private-user.u1","chat":{"id":"7","kind":"direct","open":false,"role":"owner","member_count":2,"head":0,"unread":0,"at":1}}"#,
        ),
        from_server("an answer to nothing", r#"{"type":"done"}"#),
        from_server(
            "a message without an offset",
            r#"{"type":"message","channel":"news","id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1,"data":1}"#,
        ),
        from_server(
            "an ack without an offset",
            r#"{"type":"ack","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","at":1}"#,
        ),
        from_server(
            "an error with a code that is not in the list",
            r#"{"type":"error","code":"bad_mood","message":"No.","retry":false}"#,
        ),
        from_server(
            "a gap with an unknown reason",
            r#"{"type":"subscribed","channel":"news","epoch":"a","offset":1,"head":1,"gap":{"from":1,"to":1,"reason":"bored"}}"#,
        ),
        from_server(
            "members that are no list",
            r#"{"type":"subscribed","channel":"news","epoch":"a","offset":1,"head":1,"members":{}}"#,
        ),
    ]
}
