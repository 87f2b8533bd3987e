//! Connecting, polling, signs of life, errors.

use super::{
    CONNECTION, Invalid, MESSAGE, REQUEST, SESSION, Valid, bad_client_frame, bad_server_frame, channel,
    client, id, message, server, subscription,
};
use crate::{
    Ack, Bye, Code, Error, ErrorCode, Feature, Goaway, Guest, Hello, Limits, Ping, Poll, Polled, Pong,
    Subscribe, Token, TokenAccepted, Welcome, limits::MAX_OFFSET,
};

/// Batches that must be read.
pub(super) fn valid() -> Vec<Valid> {
    let mut all = from_client();
    all.extend(from_server());
    all.extend(errors());
    all
}

fn hello() -> Hello {
    Hello {
        version: 1,
        versions: None,
        features: None,
        session: id(SESSION),
        token: None,
        guest: None,
        client: None,
    }
}

fn welcome() -> Welcome {
    Welcome {
        version: 1,
        features: Vec::new(),
        session: id(SESSION),
        connection: id(CONNECTION),
        run: "3-8f2a".into(),
        user: "u1".into(),
        name: None,
        server_time: 1_760_000_000_000,
        ping_interval_ms: 25_000,
        hold_ms: 25_000,
        token_expires_in_ms: None,
        limits: Limits {
            payload_bytes: 32_768,
            batch_bytes: 65_536,
            batch_frames: 300,
            subscriptions: 256,
            sends_per_minute: None,
            text_characters: None,
        },
    }
}

fn error(code: ErrorCode, message: &str) -> Error {
    Error {
        code: code.into(),
        message: message.into(),
        retry: code.retry(),
        id: None,
        ids: Vec::new(),
        re: None,
        channel: None,
        retry_after_ms: None,
        versions: None,
    }
}

fn from_client() -> Vec<Valid> {
    vec![
        client(
            "hello, only what is required",
            r#"[{"type":"hello","version":1,"session":"0199a1b2-c3d4-7000-8000-000000000001"}]"#,
            &[hello().into()],
        ),
        client(
            "hello with a token and the client's name",
            r#"[{"type":"hello","version":1,"session":"0199a1b2-c3d4-7000-8000-000000000001","token":"eyJhbGciOiJIUzI1NiJ9.e30.x","client":"everwire-js/0.1.0"}]"#,
            &[Hello {
                token: Some("eyJhbGciOiJIUzI1NiJ9.e30.x".into()),
                client: Some("everwire-js/0.1.0".into()),
                ..hello()
            }
            .into()],
        ),
        client(
            "hello of a client that speaks two versions and knows an extension",
            r#"[{"type":"hello","version":1,"versions":[1,2],"features":["acme.reactions"],"session":"0199a1b2-c3d4-7000-8000-000000000001"}]"#,
            &[Hello { versions: Some(vec![1, 2]), features: Some(vec!["acme.reactions".into()]), ..hello() }
                .into()],
        ),
        client(
            "hello of a guest",
            r#"[{"type":"hello","version":1,"session":"0199a1b2-c3d4-7000-8000-000000000001","guest":{"user":"u1","name":"Zoë 🦊"}}]"#,
            &[Hello { guest: Some(Guest { user: "u1".into(), name: "Zoë 🦊".into() }), ..hello() }.into()],
        ),
        client(
            "a first batch",
            r#"[{"type":"hello","version":1,"session":"0199a1b2-c3d4-7000-8000-000000000001"},{"type":"subscribe","channel":"news","epoch":"a","offset":41},{"type":"subscribe","channel":"private-chat.7"}]"#,
            &[
                hello().into(),
                Subscribe { epoch: Some("a".into()), offset: Some(41), ..subscription::subscribe("news") }
                    .into(),
                subscription::subscribe("private-chat.7").into(),
            ],
        ),
        client("token", r#"[{"type":"token","token":"a.b.c"}]"#, &[Token { token: "a.b.c".into() }.into()]),
        client(
            "poll, the first",
            r#"[{"type":"poll","ack":0,"hold_ms":25000}]"#,
            &[Poll { connection: None, ack: 0, hold_ms: 25_000 }.into()],
        ),
        client(
            "poll that goes on",
            r#"[{"type":"poll","connection":"0199a1b2-c3d4-7000-8000-000000000002","ack":9007199254740991,"hold_ms":0}]"#,
            &[Poll { connection: Some(id(CONNECTION)), ack: MAX_OFFSET, hold_ms: 0 }.into()],
        ),
        client("ping", r#"[{"type":"ping"}]"#, &[Ping { nonce: None }.into()]),
        client("ping with a nonce", r#"[{"type":"ping","nonce":7}]"#, &[Ping { nonce: Some(7) }.into()]),
        client("pong", r#"[{"type":"pong"}]"#, &[Pong { nonce: None }.into()]),
        client(
            "pong with the biggest nonce",
            r#"[{"type":"pong","nonce":4294967295}]"#,
            &[Pong { nonce: Some(u32::MAX) }.into()],
        ),
        client("bye", r#"[{"type":"bye"}]"#, &[Bye {}.into()]),
    ]
}

fn from_server() -> Vec<Valid> {
    vec![
        server(
            "welcome, only what is required",
            r#"[{"type":"welcome","version":1,"features":[],"session":"0199a1b2-c3d4-7000-8000-000000000001","connection":"0199a1b2-c3d4-7000-8000-000000000002","run":"3-8f2a","user":"u1","server_time":1760000000000,"ping_interval_ms":25000,"hold_ms":25000,"limits":{"payload_bytes":32768,"batch_bytes":65536,"batch_frames":300,"subscriptions":256}}]"#,
            &[welcome().into()],
        ),
        server(
            "welcome with everything, from a server that cannot hold polls",
            r#"[{"type":"welcome","version":1,"features":["presence","receipts","status","chats","ephemeral","history","acme.reactions"],"session":"0199a1b2-c3d4-7000-8000-000000000001","connection":"0199a1b2-c3d4-7000-8000-000000000002","run":"3-8f2a","user":"u1","name":"Zoë","server_time":1760000000000,"ping_interval_ms":25000,"hold_ms":0,"token_expires_in_ms":9007199254740991,"limits":{"payload_bytes":32768,"batch_bytes":65536,"batch_frames":300,"subscriptions":256,"sends_per_minute":100,"text_characters":1000}}]"#,
            &[Welcome {
                features: Feature::ALL
                    .iter()
                    .map(|feature| feature.as_str())
                    .chain(["acme.reactions"])
                    .map(Into::into)
                    .collect(),
                name: Some("Zoë".into()),
                hold_ms: 0,
                token_expires_in_ms: Some(MAX_OFFSET),
                limits: Limits {
                    sends_per_minute: Some(100),
                    text_characters: Some(1000),
                    ..welcome().limits
                },
                ..welcome()
            }
            .into()],
        ),
        server(
            "a token that is accepted and does not expire",
            r#"[{"type":"token_accepted"}]"#,
            &[TokenAccepted { expires_in_ms: None }.into()],
        ),
        server(
            "a token that is accepted and expires",
            r#"[{"type":"token_accepted","expires_in_ms":3600000}]"#,
            &[TokenAccepted { expires_in_ms: Some(3_600_000) }.into()],
        ),
        server(
            "polled at the biggest number",
            r#"[{"type":"polled","seq":9007199254740991}]"#,
            &[Polled { seq: MAX_OFFSET, connection: None }.into()],
        ),
        server(
            "a poll response: seq, an ack and the message that it is about",
            r#"[{"type":"polled","seq":3,"connection":"0199a1b2-c3d4-7000-8000-000000000002"},{"type":"ack","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","offset":1,"at":1760000000000},{"type":"message","channel":"news","offset":1,"id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1760000000000,"data":{"text":"hello"}}]"#,
            &[
                Polled { seq: 3, connection: Some(id(CONNECTION)) }.into(),
                Ack { id: id(MESSAGE), channel: channel("news"), offset: 1, at: 1_760_000_000_000 }.into(),
                message::entry().into(),
            ],
        ),
        server("ping from a server", r#"[{"type":"ping"}]"#, &[Ping { nonce: None }.into()]),
        server(
            "ping with the smallest nonce",
            r#"[{"type":"ping","nonce":0}]"#,
            &[Ping { nonce: Some(0) }.into()],
        ),
        server("pong from a server", r#"[{"type":"pong"}]"#, &[Pong { nonce: None }.into()]),
        server("pong with a nonce", r#"[{"type":"pong","nonce":7}]"#, &[Pong { nonce: Some(7) }.into()]),
        server(
            "goaway",
            r#"[{"type":"goaway","delay_ms":1000,"spread_ms":30000,"reason":"restart"}]"#,
            &[Goaway { delay_ms: 1000, spread_ms: 30_000, reason: "restart".into() }.into()],
        ),
    ]
}

fn errors() -> Vec<Valid> {
    vec![
        server(
            "error about the connection",
            r#"[{"type":"error","code":"unauthorized","message":"The server does not accept this token. Sign in again.","retry":false}]"#,
            &[error(ErrorCode::Unauthorized, "The server does not accept this token. Sign in again.").into()],
        ),
        server(
            "error about a version, with those that there are",
            r#"[{"type":"error","code":"unsupported_version","message":"This server speaks version 1.","retry":false,"re":"hello","versions":[1]}]"#,
            &[Error {
                re: Some("hello".into()),
                versions: Some(vec![1]),
                ..error(ErrorCode::UnsupportedVersion, "This server speaks version 1.")
            }
            .into()],
        ),
        server(
            "error that is about a channel and answers nothing",
            r#"[{"type":"error","code":"forbidden","message":"Permission denied.","retry":false,"channel":"private-chat.7"}]"#,
            &[Error {
                re: None,
                channel: Some(channel("private-chat.7")),
                ..error(ErrorCode::Forbidden, "Permission denied.")
            }
            .into()],
        ),
        server(
            "error about a send, to be tried again",
            r#"[{"type":"error","code":"rate_limited","message":"Wait.","retry":true,"id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","retry_after_ms":1500}]"#,
            &[Error {
                re: None,
                id: Some(id(MESSAGE)),
                ids: Vec::new(),
                channel: Some(channel("news")),
                retry_after_ms: Some(1500),
                ..error(ErrorCode::RateLimited, "Wait.")
            }
            .into()],
        ),
        server(
            "error about a batch that is refused as a whole",
            r#"[{"type":"error","code":"too_large","message":"Too many frames.","retry":false,"ids":["0199a1b2-c3d4-7000-8000-000000000003","0199a1b2-c3d4-7000-8000-000000000004"]}]"#,
            &[Error {
                ids: vec![id(MESSAGE), id(REQUEST)],
                ..error(ErrorCode::TooLarge, "Too many frames.")
            }
            .into()],
        ),
        server(
            "an error with a code that is not in the list",
            r#"[{"type":"error","code":"bad_mood","message":"No.","retry":true,"id":"0199a1b2-c3d4-7000-8000-000000000003"}]"#,
            &[Error {
                code: Code::from("bad_mood".to_owned()),
                retry: true,
                id: Some(id(MESSAGE)),
                ..error(ErrorCode::Internal, "No.")
            }
            .into()],
        ),
        server(
            "error about a request",
            r#"[{"type":"error","code":"not_found","message":"There is no chat 7, or you may not see it.","retry":false,"id":"0199a1b2-c3d4-7000-8000-000000000004","re":"history"}]"#,
            &[Error {
                re: Some("history".into()),
                code: ErrorCode::NotFound.into(),
                message: "There is no chat 7, or you may not see it.".into(),
                retry: false,
                id: Some(id(REQUEST)),
                ids: Vec::new(),
                channel: None,
                versions: None,
                retry_after_ms: None,
            }
            .into()],
        ),
    ]
}

/// Batches with one frame that must be refused.
pub(super) fn invalid() -> Vec<Invalid> {
    vec![
        bad_client_frame("a hello without a session", r#"{"type":"hello","version":1}"#),
        bad_client_frame("a session that is no UUID", r#"{"type":"hello","version":1,"session":"me"}"#),
        bad_client_frame(
            "a version that is a text",
            r#"{"type":"hello","version":"1","session":"0199a1b2-c3d4-7000-8000-000000000001"}"#,
        ),
        bad_client_frame(
            "a version below 0",
            r#"{"type":"hello","version":-1,"session":"0199a1b2-c3d4-7000-8000-000000000001"}"#,
        ),
        bad_client_frame(
            "an id in upper case",
            r#"{"type":"hello","version":1,"session":"0199A1B2-C3D4-7000-8000-000000000001"}"#,
        ),
        bad_client_frame(
            "an id without hyphens",
            r#"{"type":"hello","version":1,"session":"0199a1b2c3d470008000000000000001"}"#,
        ),
        bad_client_frame(
            "an id in braces",
            r#"{"type":"poll","connection":"{0199a1b2-c3d4-7000-8000-000000000001}","ack":0,"hold_ms":1}"#,
        ),
        bad_client_frame(
            "the nil id",
            r#"{"type":"hello","version":1,"session":"00000000-0000-0000-0000-000000000000"}"#,
        ),
        bad_client_frame("a nonce beyond 32 bits", r#"{"type":"ping","nonce":4294967296}"#),
        bad_server_frame("a token that expires soon", r#"{"type":"token_accepted","expires_in_ms":"soon"}"#),
        bad_client_frame("a poll without ack", r#"{"type":"poll","hold_ms":1}"#),
        bad_client_frame("a field that comes twice", r#"{"type":"ping","nonce":1,"nonce":2}"#),
    ]
}
