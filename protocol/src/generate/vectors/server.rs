//! Batches from servers that must be read.

use super::{CONNECTION, MESSAGE, SESSION, Valid, canonical, channel, data, id};
use crate::{
    Ack, Error, ErrorCode, Gap, GapReason, Goaway, Joined, Left, Limits, Member, Message, Ping, Polled, Pong,
    ServerFrame, Subscribed, Unsubscribed, Welcome, limits::MAX_OFFSET,
};

/// One of each frame, with and without what is optional; then how leniently a text is read.
pub(super) fn vectors() -> Vec<Valid> {
    let mut all = connection();
    all.extend(subscriptions());
    all.extend(entries());
    all.extend(lenient());
    all
}

fn ok(name: &'static str, text: &'static str, frames: &[ServerFrame]) -> Valid {
    canonical("server", name, text, frames)
}

fn welcome() -> Welcome {
    Welcome {
        version: 1,
        session: id(SESSION),
        connection: id(CONNECTION),
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

fn subscribed(name: &str) -> Subscribed {
    Subscribed {
        channel: channel(name),
        epoch: "a".into(),
        offset: 41,
        head: 43,
        gap: None,
        members: None,
        receipts: None,
        chats: None,
    }
}

/// The entry that the vectors are about.
pub(super) fn message() -> Message {
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
    }
}

fn error(code: ErrorCode, message: &str) -> Error {
    Error {
        code,
        message: message.into(),
        retry: code.retry(),
        id: None,
        channel: None,
        retry_after_ms: None,
    }
}

fn connection() -> Vec<Valid> {
    vec![
        ok("an empty batch from a server", "[]", &[]),
        ok(
            "welcome, only what is required",
            r#"[{"type":"welcome","version":1,"session":"0199a1b2-c3d4-7000-8000-000000000001","connection":"0199a1b2-c3d4-7000-8000-000000000002","user":"u1","server_time":1760000000000,"ping_interval_ms":25000,"hold_ms":25000,"limits":{"payload_bytes":32768,"batch_bytes":65536,"batch_frames":300,"subscriptions":256}}]"#,
            &[welcome().into()],
        ),
        ok(
            "welcome with everything, from a server that cannot hold polls",
            r#"[{"type":"welcome","version":1,"session":"0199a1b2-c3d4-7000-8000-000000000001","connection":"0199a1b2-c3d4-7000-8000-000000000002","user":"u1","name":"Zoë","server_time":1760000000000,"ping_interval_ms":25000,"hold_ms":0,"token_expires_in_ms":9007199254740991,"limits":{"payload_bytes":32768,"batch_bytes":65536,"batch_frames":300,"subscriptions":256,"sends_per_minute":100,"text_characters":1000}}]"#,
            &[Welcome {
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
        ok(
            "error about the connection",
            r#"[{"type":"error","code":"unauthorized","message":"The server does not accept this token. Sign in again.","retry":false}]"#,
            &[error(ErrorCode::Unauthorized, "The server does not accept this token. Sign in again.").into()],
        ),
        ok(
            "error about a send, to be tried again",
            r#"[{"type":"error","code":"rate_limited","message":"Wait.","retry":true,"id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","retry_after_ms":1500}]"#,
            &[Error {
                id: Some(id(MESSAGE)),
                channel: Some(channel("news")),
                retry_after_ms: Some(1500),
                ..error(ErrorCode::RateLimited, "Wait.")
            }
            .into()],
        ),
        ok(
            "polled at the biggest number",
            r#"[{"type":"polled","seq":9007199254740991}]"#,
            &[Polled { seq: MAX_OFFSET }.into()],
        ),
        ok("ping from a server", r#"[{"type":"ping"}]"#, &[Ping { nonce: None }.into()]),
        ok(
            "ping with the smallest nonce",
            r#"[{"type":"ping","nonce":0}]"#,
            &[Ping { nonce: Some(0) }.into()],
        ),
        ok("pong from a server", r#"[{"type":"pong"}]"#, &[Pong { nonce: None }.into()]),
        ok("pong with a nonce", r#"[{"type":"pong","nonce":7}]"#, &[Pong { nonce: Some(7) }.into()]),
        ok(
            "goaway",
            r#"[{"type":"goaway","delay_ms":1000,"spread_ms":30000,"reason":"restart"}]"#,
            &[Goaway { delay_ms: 1000, spread_ms: 30_000, reason: "restart".into() }.into()],
        ),
    ]
}

fn subscriptions() -> Vec<Valid> {
    vec![
        ok(
            "subscribed, only what is required",
            r#"[{"type":"subscribed","channel":"news","epoch":"a","offset":41,"head":43}]"#,
            &[subscribed("news").into()],
        ),
        ok(
            "subscribed to an empty presence channel",
            r#"[{"type":"subscribed","channel":"presence-users","epoch":"a","offset":41,"head":43,"members":[]}]"#,
            &[Subscribed { members: Some(Vec::new()), ..subscribed("presence-users") }.into()],
        ),
        ok(
            "subscribed with a trimmed log and members",
            r#"[{"type":"subscribed","channel":"presence-chat.7","epoch":"a","offset":50,"head":80,"gap":{"from":42,"to":50,"reason":"trimmed"},"members":[{"user":"u1","name":"Zoë"},{"user":"u2"}]}]"#,
            &[Subscribed {
                offset: 50,
                head: 80,
                gap: Some(Gap { from: 42, to: 50, reason: GapReason::Trimmed }),
                members: Some(vec![
                    Member { user: "u1".into(), name: Some("Zoë".into()), status: None },
                    Member { user: "u2".into(), name: None, status: None },
                ]),
                ..subscribed("presence-chat.7")
            }
            .into()],
        ),
        ok(
            "subscribed to another log: the gap counts in two",
            r#"[{"type":"subscribed","channel":"news","epoch":"b","offset":7,"head":7,"gap":{"from":42,"to":7,"reason":"epoch"}}]"#,
            &[Subscribed {
                epoch: "b".into(),
                offset: 7,
                head: 7,
                gap: Some(Gap { from: 42, to: 7, reason: GapReason::Epoch }),
                ..subscribed("news")
            }
            .into()],
        ),
        ok(
            "subscribed after too much was missed",
            r#"[{"type":"subscribed","channel":"news","epoch":"a","offset":9007199254740991,"head":9007199254740991,"gap":{"from":1,"to":9007199254740991,"reason":"too_far"}}]"#,
            &[Subscribed {
                offset: MAX_OFFSET,
                head: MAX_OFFSET,
                gap: Some(Gap { from: 1, to: MAX_OFFSET, reason: GapReason::TooFar }),
                ..subscribed("news")
            }
            .into()],
        ),
        ok(
            "unsubscribed as asked",
            r#"[{"type":"unsubscribed","channel":"news"}]"#,
            &[Unsubscribed { channel: channel("news"), code: None, message: None }.into()],
        ),
        ok(
            "unsubscribed by the server",
            r#"[{"type":"unsubscribed","channel":"news","code":"forbidden","message":"The grant was withdrawn."}]"#,
            &[Unsubscribed {
                channel: channel("news"),
                code: Some(ErrorCode::Forbidden),
                message: Some("The grant was withdrawn.".into()),
            }
            .into()],
        ),
    ]
}

fn entries() -> Vec<Valid> {
    vec![
        ok(
            "a plain message",
            r#"[{"type":"message","channel":"news","offset":1,"id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1760000000000,"data":{"text":"hello"}}]"#,
            &[message().into()],
        ),
        ok(
            "a custom event, with everything",
            r#"[{"type":"message","channel":"news","offset":9007199254740991,"id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","name":"Zoë","at":1760000000000,"event":"order.shipped","data":[{"order":7},null,"\u00e9"]}]"#,
            &[Message {
                offset: MAX_OFFSET,
                name: Some("Zoë".into()),
                event: Some("order.shipped".into()),
                data: data(r#"[{"order":7},null,"\u00e9"]"#),
                ..message()
            }
            .into()],
        ),
        ok(
            "ack",
            r#"[{"type":"ack","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","offset":9,"at":1760000000000}]"#,
            &[Ack { id: id(MESSAGE), channel: channel("news"), offset: 9, at: 1_760_000_000_000 }.into()],
        ),
        ok(
            "joined",
            r#"[{"type":"joined","channel":"presence-users","member":{"user":"u2","name":"\"Q\" \\ \n"}}]"#,
            &[Joined {
                channel: channel("presence-users"),
                member: Member { user: "u2".into(), name: Some("\"Q\" \\ \n".into()), status: None },
            }
            .into()],
        ),
        ok(
            "left",
            r#"[{"type":"left","channel":"presence-users","user":"u2"}]"#,
            &[Left { channel: channel("presence-users"), user: "u2".into() }.into()],
        ),
        ok(
            "a poll response: seq, an ack and the message that it is about",
            r#"[{"type":"polled","seq":3},{"type":"ack","id":"0199a1b2-c3d4-7000-8000-000000000003","channel":"news","offset":1,"at":1760000000000},{"type":"message","channel":"news","offset":1,"id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1760000000000,"data":{"text":"hello"}}]"#,
            &[
                Polled { seq: 3 }.into(),
                Ack { id: id(MESSAGE), channel: channel("news"), offset: 1, at: 1_760_000_000_000 }.into(),
                message().into(),
            ],
        ),
    ]
}

fn lenient() -> Vec<Valid> {
    let loose = |name, text, frames: &[ServerFrame]| Valid { canonical: false, ..ok(name, text, frames) };
    vec![
        loose(
            "unknown fields from a newer server are ignored",
            r#"[{"type":"left","channel":"presence-users","user":"u2","at":1,"why":{"type":"ping"}}]"#,
            &[Left { channel: channel("presence-users"), user: "u2".into() }.into()],
        ),
        Valid {
            ignored: vec![1],
            ..loose(
                "an unknown type from a newer server is ignored",
                r#"[{"type":"polled","seq":1},{"type":"telepathy","channel":"news","user":"u2"},{"type":"ping"}]"#,
                &[Polled { seq: 1 }.into(), Ping { nonce: None }.into()],
            )
        },
    ]
}
