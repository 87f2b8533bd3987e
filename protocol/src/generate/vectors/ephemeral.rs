//! Typing and signals.

use super::{CONNECTION, Invalid, Valid, bad_client_frame, channel, client, data, id, server};
use crate::{Signal, Signalled, Typing, UserTyping};

/// Batches that must be read.
pub(super) fn valid() -> Vec<Valid> {
    let mut all = from_client();
    all.extend(from_server());
    all
}

fn from_client() -> Vec<Valid> {
    let typing = |typing| Typing { channel: channel("private-chat.7"), typing }.into();
    let signal = |to| {
        Signal { channel: channel("presence-board"), event: "cursor".into(), data: data("[3,4]"), to }.into()
    };
    vec![
        client(
            "begin to type, and stop",
            r#"[{"type":"typing","channel":"private-chat.7","typing":true},{"type":"typing","channel":"private-chat.7","typing":false}]"#,
            &[typing(true), typing(false)],
        ),
        client(
            "signal to everybody in a channel",
            r#"[{"type":"signal","channel":"presence-board","event":"cursor","data":[3,4]}]"#,
            &[signal(None)],
        ),
        client(
            "signal to one connection",
            r#"[{"type":"signal","channel":"presence-board","event":"cursor","data":[3,4],"to":"0199a1b2-c3d4-7000-8000-000000000002"}]"#,
            &[signal(Some(id(CONNECTION)))],
        ),
    ]
}

fn from_server() -> Vec<Valid> {
    let typing = |name: Option<&str>, typing| {
        UserTyping {
            channel: channel("private-chat.7"),
            user: "u2".into(),
            name: name.map(Into::into),
            typing,
        }
        .into()
    };
    let bare = || Signalled {
        channel: None,
        event: "notification".into(),
        data: data(r#"{"title":"Hello","message":"You are on node 3."}"#),
        user: None,
        name: None,
        from: None,
        at: 1_760_000_000_000,
    };
    vec![
        server(
            "somebody types, and stops",
            r#"[{"type":"user_typing","channel":"private-chat.7","user":"u2","name":"Zoë","typing":true},{"type":"user_typing","channel":"private-chat.7","user":"u2","typing":false}]"#,
            &[typing(Some("Zoë"), true), typing(None, false)],
        ),
        server(
            "a signal of a back end to one connection",
            r#"[{"type":"signalled","event":"notification","data":{"title":"Hello","message":"You are on node 3."},"at":1760000000000}]"#,
            &[bare().into()],
        ),
        server(
            "a signal in a channel, with everything",
            r#"[{"type":"signalled","channel":"presence-board","event":"cursor","data":[3,4],"user":"u2","name":"Zoë","from":"0199a1b2-c3d4-7000-8000-000000000002","at":1760000000000}]"#,
            &[Signalled {
                channel: Some(channel("presence-board")),
                event: "cursor".into(),
                data: data("[3,4]"),
                user: Some("u2".into()),
                name: Some("Zoë".into()),
                from: Some(id(CONNECTION)),
                ..bare()
            }
            .into()],
        ),
    ]
}

/// Batches with one frame that must be refused.
pub(super) fn invalid() -> Vec<Invalid> {
    vec![
        bad_client_frame("typing that is a number", r#"{"type":"typing","channel":"news","typing":1}"#),
        bad_client_frame("typing nowhere", r#"{"type":"typing","typing":true}"#),
        bad_client_frame("a signal without an event", r#"{"type":"signal","channel":"news","data":1}"#),
        bad_client_frame(
            "a signal to a connection that is no UUID",
            r#"{"type":"signal","channel":"news","event":"e","data":1,"to":"everybody"}"#,
        ),
    ]
}
