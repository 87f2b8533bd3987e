//! Batches from clients that must be read: what is ephemeral, and questions about channels and people. Those about chats
//! are in `chats.rs`.

use super::{CONNECTION, MESSAGE, REQUEST, Valid, canonical, channel, data, id};
use crate::{
    Action, ClientFrame, GetStatus, History, Idle, Receipt, Send, SetStatus, Signal, StatusChoice, Subscribe,
    Typing, limits::MAX_OFFSET,
};

/// One of each frame, with and without what is optional.
pub(super) fn vectors() -> Vec<Valid> {
    let mut all = positions_and_actions();
    all.extend(ephemeral());
    all.extend(people());
    all.extend(history());
    all
}

fn ok(name: &'static str, text: &'static str, frames: &[ClientFrame]) -> Valid {
    canonical("client", name, text, frames)
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

fn positions_and_actions() -> Vec<Valid> {
    vec![
        ok(
            "subscribe after what was delivered, or else with recent entries",
            r#"[{"type":"subscribe","channel":"private-user.u1","recent":50,"undelivered":true}]"#,
            &[Subscribe {
                channel: channel("private-user.u1"),
                epoch: None,
                offset: None,
                recent: Some(50),
                undelivered: Some(true),
            }
            .into()],
        ),
        ok(
            "send an answer to a message",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"private-chat.7","data":{"text":"yes"},"action":"reply","target":"0199a1b2-c3d4-7000-8000-000000000003"}]"#,
            &[acting(None, Action::Reply, r#"{"text":"yes"}"#)],
        ),
        ok(
            "send an edit of a custom event",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"private-chat.7","event":"poll","data":[1,2],"action":"edit","target":"0199a1b2-c3d4-7000-8000-000000000003"}]"#,
            &[acting(Some("poll"), Action::Edit, "[1,2]")],
        ),
        ok(
            "take a message back",
            r#"[{"type":"send","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"private-chat.7","data":null,"action":"delete","target":"0199a1b2-c3d4-7000-8000-000000000003"}]"#,
            &[acting(None, Action::Delete, "null")],
        ),
    ]
}

fn ephemeral() -> Vec<Valid> {
    let typing = |typing| Typing { channel: channel("private-chat.7"), typing }.into();
    let receipt = |delivered, read| {
        let epoch = "a1".into();
        Receipt { channel: channel("private-chat.7"), epoch, delivered, read }.into()
    };
    let signal = |to| {
        Signal { channel: channel("presence-board"), event: "cursor".into(), data: data("[3,4]"), to }.into()
    };
    vec![
        ok(
            "begin to type, and stop",
            r#"[{"type":"typing","channel":"private-chat.7","typing":true},{"type":"typing","channel":"private-chat.7","typing":false}]"#,
            &[typing(true), typing(false)],
        ),
        ok(
            "signal to everybody in a channel",
            r#"[{"type":"signal","channel":"presence-board","event":"cursor","data":[3,4]}]"#,
            &[signal(None)],
        ),
        ok(
            "signal to one connection",
            r#"[{"type":"signal","channel":"presence-board","event":"cursor","data":[3,4],"to":"0199a1b2-c3d4-7000-8000-000000000002"}]"#,
            &[signal(Some(id(CONNECTION)))],
        ),
        ok(
            "receipt of what was delivered",
            r#"[{"type":"receipt","channel":"private-chat.7","epoch":"a1","delivered":43,"read":0}]"#,
            &[receipt(43, 0)],
        ),
        ok(
            "receipt of what was read",
            r#"[{"type":"receipt","channel":"private-chat.7","epoch":"a1","delivered":0,"read":9007199254740991}]"#,
            &[receipt(0, MAX_OFFSET)],
        ),
        ok(
            "receipt of both",
            r#"[{"type":"receipt","channel":"private-chat.7","epoch":"a1","delivered":43,"read":40}]"#,
            &[receipt(43, 40)],
        ),
        ok(
            "nobody is here any more, and somebody is back",
            r#"[{"type":"idle","idle":true},{"type":"idle","idle":false}]"#,
            &[Idle { idle: true }.into(), Idle { idle: false }.into()],
        ),
    ]
}

fn people() -> Vec<Valid> {
    let set = |status| SetStatus { id: id(REQUEST), status }.into();
    let get = |users: &[&str]| {
        let users = users.iter().map(|user| (*user).into()).collect();
        GetStatus { id: id(REQUEST), users }.into()
    };
    vec![
        ok(
            "set_status to each choice",
            r#"[{"type":"set_status","id":"0199a1b2-c3d4-7000-8000-000000000004","status":"auto"},{"type":"set_status","id":"0199a1b2-c3d4-7000-8000-000000000004","status":"online"},{"type":"set_status","id":"0199a1b2-c3d4-7000-8000-000000000004","status":"away"},{"type":"set_status","id":"0199a1b2-c3d4-7000-8000-000000000004","status":"offline"}]"#,
            &[
                set(StatusChoice::Auto),
                set(StatusChoice::Online),
                set(StatusChoice::Away),
                set(StatusChoice::Offline),
            ],
        ),
        ok(
            "get_status of nobody",
            r#"[{"type":"get_status","id":"0199a1b2-c3d4-7000-8000-000000000004","users":[]}]"#,
            &[get(&[])],
        ),
        ok(
            "get_status of several users",
            r#"[{"type":"get_status","id":"0199a1b2-c3d4-7000-8000-000000000004","users":["u1","Zoë"]}]"#,
            &[get(&["u1", "Zoë"])],
        ),
    ]
}

fn history() -> Vec<Valid> {
    let history = |before, after, limit| {
        History { id: id(REQUEST), channel: channel("private-chat.7"), before, after, limit }.into()
    };
    vec![
        ok(
            "history, the last page",
            r#"[{"type":"history","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"private-chat.7"}]"#,
            &[history(None, None, None)],
        ),
        ok(
            "history, the page before an offset",
            r#"[{"type":"history","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"private-chat.7","before":42,"limit":200}]"#,
            &[history(Some(42), None, Some(200))],
        ),
        ok(
            "history from the beginning",
            r#"[{"type":"history","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"private-chat.7","after":0,"limit":1}]"#,
            &[history(None, Some(0), Some(1))],
        ),
    ]
}
