//! Frames of the right types that must be refused all the same: fields that do not belong together, texts that are too long,
//! numbers in another spelling.

use super::{Invalid, Part, Refusal, bad_client_frame};

/// Batches with one frame that must be refused.
pub(super) fn invalid() -> Vec<Invalid> {
    [together(), texts(), spellings(), data()].concat()
}

fn together() -> Vec<Invalid> {
    vec![
        bad_client_frame(
            "an epoch without an offset",
            r#"{"type":"subscribe","channel":"news","epoch":"a"}"#,
        ),
        bad_client_frame("an offset without an epoch", r#"{"type":"subscribe","channel":"news","offset":1}"#),
        bad_client_frame(
            "an epoch with an offset that is null",
            r#"{"type":"subscribe","channel":"news","epoch":"a","offset":null}"#,
        ),
        bad_client_frame(
            "an action without a target",
            r#"{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":1,"action":"edit"}"#,
        ),
        bad_client_frame(
            "a target without an action",
            r#"{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":1,"target":"0199a1b2-c3d4-7000-8000-000000000004"}"#,
        ),
        bad_client_frame(
            "a history before and after",
            r#"{"type":"history","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"news","before":9,"after":1}"#,
        ),
        bad_client_frame(
            "an action that is an object",
            r#"{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":1,"action":{"edit":null},"target":"0199a1b2-c3d4-7000-8000-000000000004"}"#,
        ),
        bad_client_frame("an array instead of a frame", r#"["token"]"#),
        bad_client_frame("null for a field that is required", r#"{"type":"unsubscribe","channel":null}"#),
        bad_client_frame(
            "an unknown type with a key that comes twice",
            r#"{"type":"telepathy","to":"all","to":"none"}"#,
        ),
    ]
}

fn texts() -> Vec<Invalid> {
    let users = r#"{"type":"get_status","id":"0199a1b2-c3d4-7000-8000-000000000004","users":["#;
    let send =
        r#"{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":1,"event":""#;
    vec![
        long("101 users", [users, r#""u1","#, r#""u1"]}"#], 100),
        long(
            "a user id of 129 bytes",
            [r#"{"type":"get_status","id":"0199a1b2-c3d4-7000-8000-000000000004","users":[""#, "x", r#""]}"#],
            129,
        ),
        long("an event of 101 bytes", [send, "x", r#""}"#], 101),
        bad_client_frame(
            "a user id with a control character",
            r#"{"type":"get_status","id":"0199a1b2-c3d4-7000-8000-000000000004","users":["a\u0007"]}"#,
        ),
        bad_client_frame(
            "an empty event",
            r#"{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":1,"event":""}"#,
        ),
        coded(
            "forbidden",
            bad_client_frame(
                "an event of the server",
                r#"{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":1,"event":"everwire.chat"}"#,
            ),
        ),
    ]
}

fn spellings() -> Vec<Invalid> {
    vec![
        bad_client_frame("an integer with a fraction of 0", r#"{"type":"ping","nonce":1.0}"#),
        bad_client_frame("an integer with an exponent", r#"{"type":"ping","nonce":1e0}"#),
        bad_client_frame("an integer with a minus before 0", r#"{"type":"ping","nonce":-0}"#),
    ]
}

fn data() -> Vec<Invalid> {
    let send = r#"{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":""#;
    vec![
        coded("too_large", long("data of 32 KiB and one byte", [send, "x", r#""}"#], 32_767)),
        coded(
            "invalid_payload",
            bad_client_frame(
                "a deletion with data",
                r#"{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","data":1,"action":"delete","target":"0199a1b2-c3d4-7000-8000-000000000004"}"#,
            ),
        ),
        coded(
            "invalid_payload",
            bad_client_frame(
                "a notification without a title",
                r#"{"type":"signal","channel":"news","event":"notification","data":{"message":"b"}}"#,
            ),
        ),
    ]
}

/// A frame of three parts, of which the second is repeated.
fn long(name: &'static str, [before, repeated, after]: [&'static str; 3], times: usize) -> Invalid {
    let mut vector = bad_client_frame(name, "");
    let part = |text, times| Part { text, times };
    let place = 1;
    vector.parts.splice(place..=place, [part(before, 1), part(repeated, times), part(after, 1)]);
    vector
}

fn coded(code: &'static str, vector: Invalid) -> Invalid {
    Invalid { error: Refusal { code, ..vector.error }, ..vector }
}
