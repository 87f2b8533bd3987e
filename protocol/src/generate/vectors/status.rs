//! Whether users can be reached.

use super::{Invalid, REQUEST, Valid, bad_client_frame, bad_server_frame, channel, client, id, server};
use crate::{
    GetStatus, Idle, SetStatus, Status, StatusChanged, StatusChoice, Statuses, UserStatus, limits::MAX_OFFSET,
};

/// Batches that must be read.
pub(super) fn valid() -> Vec<Valid> {
    let mut all = from_client();
    all.extend(from_server());
    all
}

fn from_client() -> Vec<Valid> {
    let set = |status| SetStatus { id: id(REQUEST), status }.into();
    let get = |users: &[&str]| {
        let users = users.iter().map(|user| (*user).into()).collect();
        GetStatus { id: id(REQUEST), users }.into()
    };
    vec![
        client(
            "nobody is here any more, and somebody is back",
            r#"[{"type":"idle","idle":true},{"type":"idle","idle":false}]"#,
            &[Idle { idle: true }.into(), Idle { idle: false }.into()],
        ),
        client(
            "set_status to each choice",
            r#"[{"type":"set_status","id":"0199a1b2-c3d4-7000-8000-000000000004","status":"auto"},{"type":"set_status","id":"0199a1b2-c3d4-7000-8000-000000000004","status":"online"},{"type":"set_status","id":"0199a1b2-c3d4-7000-8000-000000000004","status":"away"},{"type":"set_status","id":"0199a1b2-c3d4-7000-8000-000000000004","status":"offline"}]"#,
            &[
                set(StatusChoice::Auto),
                set(StatusChoice::Online),
                set(StatusChoice::Away),
                set(StatusChoice::Offline),
            ],
        ),
        client(
            "get_status of nobody",
            r#"[{"type":"get_status","id":"0199a1b2-c3d4-7000-8000-000000000004","users":[]}]"#,
            &[get(&[])],
        ),
        client(
            "get_status of several users",
            r#"[{"type":"get_status","id":"0199a1b2-c3d4-7000-8000-000000000004","users":["u1","Zoë"]}]"#,
            &[get(&["u1", "Zoë"])],
        ),
    ]
}

fn from_server() -> Vec<Valid> {
    let changed = |name: &str, status, last_seen| {
        StatusChanged { channel: channel(name), user: "u2".into(), name: None, status, last_seen }.into()
    };
    let renamed = StatusChanged {
        channel: channel("private-user.u1"),
        user: "u2".into(),
        name: Some("Zoë".into()),
        status: Status::Away,
        last_seen: None,
    };
    let status = |user: &str, status, last_seen| UserStatus { user: user.into(), status, last_seen };
    vec![
        server(
            "somebody has another name",
            r#"[{"type":"status_changed","channel":"private-user.u1","user":"u2","name":"Zoë","status":"away"}]"#,
            &[renamed.into()],
        ),
        server(
            "somebody is online, and away",
            r#"[{"type":"status_changed","channel":"presence-users","user":"u2","status":"online"},{"type":"status_changed","channel":"presence-users","user":"u2","status":"away"}]"#,
            &[changed("presence-users", Status::Online, None), changed("presence-users", Status::Away, None)],
        ),
        server(
            "somebody of one's chats is offline",
            r#"[{"type":"status_changed","channel":"private-user.u1","user":"u2","status":"offline","last_seen":1760000000000}]"#,
            &[changed("private-user.u1", Status::Offline, Some(1_760_000_000_000))],
        ),
        server(
            "statuses",
            r#"[{"type":"statuses","id":"0199a1b2-c3d4-7000-8000-000000000004","statuses":[{"user":"u1","status":"online"},{"user":"u2","status":"offline","last_seen":9007199254740991},{"user":"Zoë","status":"away"}]}]"#,
            &[Statuses {
                id: id(REQUEST),
                statuses: vec![
                    status("u1", Status::Online, None),
                    status("u2", Status::Offline, Some(MAX_OFFSET)),
                    status("Zoë", Status::Away, None),
                ],
            }
            .into()],
        ),
    ]
}

/// Batches with one frame that must be refused.
pub(super) fn invalid() -> Vec<Invalid> {
    vec![
        bad_client_frame("idle without saying whether", r#"{"type":"idle"}"#),
        bad_client_frame("a status set without an id", r#"{"type":"set_status","status":"away"}"#),
        bad_client_frame(
            "a status that nobody can choose",
            r#"{"type":"set_status","id":"0199a1b2-c3d4-7000-8000-000000000004","status":"busy"}"#,
        ),
        bad_client_frame(
            "a user where users belong",
            r#"{"type":"get_status","id":"0199a1b2-c3d4-7000-8000-000000000004","users":"u1"}"#,
        ),
        bad_server_frame(
            "a status that users can only choose",
            r#"{"type":"status_changed","channel":"presence-users","user":"u1","status":"auto"}"#,
        ),
    ]
}
