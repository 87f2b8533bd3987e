//! Starting, resuming and ending subscriptions; channel names.

use super::{
    Invalid, Part, Refusal, Valid, bad_client_frame, bad_server_frame, channel, chat, client, server,
    server_lenient,
};
use crate::{
    Code, ErrorCode, Gap, GapReason, Member, OwnMark, Subscribe, Subscribed, Unsubscribe, Unsubscribed,
    UserReceipt, limits::MAX_OFFSET,
};

/// Batches that must be read.
pub(super) fn valid() -> Vec<Valid> {
    let mut all = from_client();
    all.extend(from_server());
    all
}

/// A subscription from the end of the log.
pub(super) fn subscribe(name: &str) -> Subscribe {
    Subscribe {
        channel: channel(name),
        epoch: None,
        offset: None,
        run: None,
        recent: None,
        undelivered: None,
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
        members_next: None,
        own_mark: None,
        receipts: None,
        receipts_next: None,
        chats: None,
        chats_more: None,
    }
}

fn from_client() -> Vec<Valid> {
    vec![
        client(
            "subscribe, from the end of the log",
            r#"[{"type":"subscribe","channel":"news"}]"#,
            &[subscribe("news").into()],
        ),
        client(
            "subscribe with recent entries",
            r#"[{"type":"subscribe","channel":"private-chat.42","recent":500}]"#,
            &[Subscribe { recent: Some(500), ..subscribe("private-chat.42") }.into()],
        ),
        client(
            "subscribe from the beginning",
            r#"[{"type":"subscribe","channel":"presence-users","epoch":"e1","offset":0}]"#,
            &[Subscribe { epoch: Some("e1".into()), offset: Some(0), ..subscribe("presence-users") }.into()],
        ),
        client(
            "subscribe from a position and the run in which it moved",
            r#"[{"type":"subscribe","channel":"news","epoch":"e1","offset":41,"run":"3-8f2a"}]"#,
            &[Subscribe {
                epoch: Some("e1".into()),
                offset: Some(41),
                run: Some("3-8f2a".into()),
                ..subscribe("news")
            }
            .into()],
        ),
        client(
            "subscribe at the biggest offset",
            r#"[{"type":"subscribe","channel":"news","epoch":"e1","offset":9007199254740991}]"#,
            &[Subscribe { epoch: Some("e1".into()), offset: Some(MAX_OFFSET), ..subscribe("news") }.into()],
        ),
        client(
            "subscribe to a name with every kind of character",
            r#"[{"type":"subscribe","channel":"private-Az09_-=@,.;:"}]"#,
            &[subscribe("private-Az09_-=@,.;:").into()],
        ),
        client(
            "subscribe after what was delivered, or else with recent entries",
            r#"[{"type":"subscribe","channel":"private-user.u1","recent":50,"undelivered":true}]"#,
            &[Subscribe {
                channel: channel("private-user.u1"),
                epoch: None,
                offset: None,
                run: None,
                recent: Some(50),
                undelivered: Some(true),
            }
            .into()],
        ),
        client(
            "unsubscribe",
            r#"[{"type":"unsubscribe","channel":"news"}]"#,
            &[Unsubscribe { channel: channel("news") }.into()],
        ),
    ]
}

fn from_server() -> Vec<Valid> {
    let mut all = answers_to_subscribe();
    all.extend(gaps());
    all.extend(ends());
    all
}

fn answers_to_subscribe() -> Vec<Valid> {
    vec![
        server(
            "subscribed, only what is required",
            r#"[{"type":"subscribed","channel":"news","epoch":"a","offset":41,"head":43}]"#,
            &[subscribed("news").into()],
        ),
        server(
            "subscribed to an empty presence channel",
            r#"[{"type":"subscribed","channel":"presence-users","epoch":"a","offset":41,"head":43,"members":[]}]"#,
            &[Subscribed { members: Some(Vec::new()), ..subscribed("presence-users") }.into()],
        ),
        server(
            "subscribed to a chat, with its receipts",
            r#"[{"type":"subscribed","channel":"private-chat.7","epoch":"a","offset":43,"head":43,"receipts":[{"user":"u1","delivered":43,"read":41},{"user":"u2","delivered":0,"read":0}]}]"#,
            &[Subscribed {
                receipts: Some(vec![
                    UserReceipt { user: "u1".into(), delivered: 43, read: 41 },
                    UserReceipt { user: "u2".into(), delivered: 0, read: 0 },
                ]),
                offset: 43,
                ..subscribed("private-chat.7")
            }
            .into()],
        ),
        server(
            "subscribed with the first pages of long lists",
            r#"[{"type":"subscribed","channel":"presence-chat.7","epoch":"a","offset":41,"head":43,"members":[{"user":"u1"}],"members_next":"u1","own_mark":{"delivered":43,"read":41},"receipts":[{"user":"u2","delivered":0,"read":0}],"receipts_next":"u2"}]"#,
            &[Subscribed {
                members: Some(vec![Member { user: "u1".into(), name: None, status: None }]),
                members_next: Some("u1".into()),
                own_mark: Some(OwnMark { delivered: 43, read: 41 }),
                receipts: Some(vec![UserReceipt { user: "u2".into(), delivered: 0, read: 0 }]),
                receipts_next: Some("u2".into()),
                ..subscribed("presence-chat.7")
            }
            .into()],
        ),
        server(
            "subscribed to one's own channel, with the latest of many chats",
            r#"[{"type":"subscribed","channel":"private-user.u1","epoch":"a","offset":41,"head":43,"chats":[],"chats_more":true}]"#,
            &[Subscribed {
                chats: Some(Vec::new()),
                chats_more: Some(true),
                ..subscribed("private-user.u1")
            }
            .into()],
        ),
        server(
            "subscribed to one's own channel, with receipts and chats",
            r#"[{"type":"subscribed","channel":"private-user.u1","epoch":"a","offset":43,"head":43,"receipts":[],"chats":[{"id":"7","kind":"direct","open":false,"role":"owner","members":[{"user":"u1","role":"owner","status":"online","delivered":0,"read":0},{"user":"u2","role":"owner","status":"offline","last_seen":1759999999999,"delivered":0,"read":0}],"member_count":2,"read":0,"head":0,"unread":0,"at":1760000000000}]}]"#,
            &[Subscribed {
                receipts: Some(Vec::new()),
                chats: Some(vec![chat::direct()]),
                offset: 43,
                ..subscribed("private-user.u1")
            }
            .into()],
        ),
    ]
}

fn gaps() -> Vec<Valid> {
    vec![
        server(
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
        server(
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
        server(
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
        server_lenient(
            "a gap with an unknown reason",
            r#"[{"type":"subscribed","channel":"news","epoch":"a","offset":50,"head":80,"gap":{"from":42,"to":50,"reason":"bored"}}]"#,
            &[Subscribed {
                offset: 50,
                head: 80,
                gap: Some(Gap { from: 42, to: 50, reason: GapReason::Trimmed }),
                ..subscribed("news")
            }
            .into()],
        ),
    ]
}

fn ends() -> Vec<Valid> {
    vec![
        server(
            "unsubscribed as asked",
            r#"[{"type":"unsubscribed","channel":"news"}]"#,
            &[Unsubscribed { channel: channel("news"), code: None, message: None, retry_after_ms: None }
                .into()],
        ),
        server(
            "unsubscribed by the server",
            r#"[{"type":"unsubscribed","channel":"news","code":"forbidden","message":"The grant was withdrawn."}]"#,
            &[Unsubscribed {
                channel: channel("news"),
                code: Some(ErrorCode::Forbidden.into()),
                message: Some("The grant was withdrawn.".into()),
                retry_after_ms: None,
            }
            .into()],
        ),
        server(
            "unsubscribed with a code that is not in the list",
            r#"[{"type":"unsubscribed","channel":"news","code":"acme.weather"}]"#,
            &[Unsubscribed {
                channel: channel("news"),
                code: Some(Code::from("acme.weather".to_owned())),
                message: None,
                retry_after_ms: None,
            }
            .into()],
        ),
        server(
            "unsubscribed for a reason that is temporary",
            r#"[{"type":"unsubscribed","channel":"news","code":"unavailable","message":"Storage temporarily unavailable.","retry_after_ms":1000}]"#,
            &[Unsubscribed {
                channel: channel("news"),
                code: Some(ErrorCode::Unavailable.into()),
                message: Some("Storage temporarily unavailable.".into()),
                retry_after_ms: Some(1000),
            }
            .into()],
        ),
    ]
}

/// Batches with one frame that must be refused.
pub(super) fn invalid() -> Vec<Invalid> {
    vec![
        bad_client_frame("a subscribe without a channel", r#"{"type":"subscribe"}"#),
        bad_channel("an empty channel name", r#"{"type":"subscribe","channel":""}"#),
        bad_channel("a channel name that is only a prefix", r#"{"type":"subscribe","channel":"private-"}"#),
        bad_channel("a channel name with a space", r#"{"type":"subscribe","channel":"two words"}"#),
        bad_channel("a channel name outside ASCII", r#"{"type":"subscribe","channel":"né"}"#),
        Invalid {
            parts: vec![
                Part {
                    text: "[{\"type\":\"ping\",\"nonce\":1},{\"type\":\"subscribe\",\"channel\":\"",
                    times: 1,
                },
                Part { text: "x", times: 201 },
                Part { text: "\"},{\"type\":\"pong\",\"nonce\":2}]", times: 1 },
            ],
            ..bad_channel("a channel name of 201 bytes", "")
        },
        bad_client_frame(
            "an offset that is not whole",
            r#"{"type":"subscribe","channel":"news","epoch":"a","offset":1.5}"#,
        ),
        bad_client_frame(
            "an offset below 0",
            r#"{"type":"subscribe","channel":"news","epoch":"a","offset":-1}"#,
        ),
        bad_client_frame(
            "an offset beyond 64 bits",
            r#"{"type":"subscribe","channel":"news","epoch":"a","offset":18446744073709551616}"#,
        ),
        bad_server_frame(
            "a retry after a time that is a text",
            r#"{"type":"unsubscribed","channel":"news","code":"unavailable","retry_after_ms":"soon"}"#,
        ),
        bad_server_frame(
            "members that are no list",
            r#"{"type":"subscribed","channel":"news","epoch":"a","offset":1,"head":1,"members":{}}"#,
        ),
    ]
}

/// A frame of a client whose channel has no valid name.
fn bad_channel(name: &'static str, text: &'static str) -> Invalid {
    let error = Refusal { code: "invalid_channel", frame: Some(1) };
    Invalid { error, ..bad_client_frame(name, text) }
}
