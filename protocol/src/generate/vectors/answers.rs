//! Batches from servers that must be read: answers to requests.

use super::{REQUEST, Valid, canonical, channel, id, live::direct, server};
use crate::{
    Chats, Done, Error, ErrorCode, Message, Page, ServerFrame, Status, Statuses, UserStatus,
    limits::MAX_OFFSET,
};

fn ok(name: &'static str, text: &'static str, frames: &[ServerFrame]) -> Valid {
    canonical("server", name, text, frames)
}

/// One of each frame, with and without what is optional.
pub(super) fn vectors() -> Vec<Valid> {
    let page = |messages, more| {
        Page { id: id(REQUEST), channel: channel("news"), epoch: "a".into(), messages, more }.into()
    };
    let status = |user: &str, status, last_seen| UserStatus { user: user.into(), status, last_seen };
    vec![
        ok(
            "done",
            r#"[{"type":"done","id":"0199a1b2-c3d4-7000-8000-000000000004"}]"#,
            &[Done { id: id(REQUEST), chat: None }.into()],
        ),
        ok(
            "done with a chat",
            r#"[{"type":"done","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":{"id":"7","kind":"direct","open":false,"role":"owner","members":[{"user":"u1","role":"owner","status":"online","delivered":0,"read":0},{"user":"u2","role":"owner","status":"offline","last_seen":1759999999999,"delivered":0,"read":0}],"member_count":2,"head":0,"unread":0,"at":1760000000000}}]"#,
            &[Done { id: id(REQUEST), chat: Some(direct()) }.into()],
        ),
        ok(
            "error about a request",
            r#"[{"type":"error","code":"not_found","message":"There is no chat 7, or you may not see it.","retry":false,"id":"0199a1b2-c3d4-7000-8000-000000000004"}]"#,
            &[Error {
                code: ErrorCode::NotFound,
                message: "There is no chat 7, or you may not see it.".into(),
                retry: false,
                id: Some(id(REQUEST)),
                channel: None,
                retry_after_ms: None,
            }
            .into()],
        ),
        ok(
            "an empty page",
            r#"[{"type":"page","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"news","epoch":"a","messages":[],"more":false}]"#,
            &[page(Vec::new(), false)],
        ),
        ok(
            "a page with more beyond it",
            r#"[{"type":"page","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"news","epoch":"a","messages":[{"channel":"news","offset":1,"id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1760000000000,"data":{"text":"hello"}},{"channel":"news","offset":2,"id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1760000000000,"data":{"text":"hello"}}],"more":true}]"#,
            &[page(vec![server::message(), Message { offset: 2, ..server::message() }], true)],
        ),
        ok(
            "chats, none",
            r#"[{"type":"chats","id":"0199a1b2-c3d4-7000-8000-000000000004","chats":[],"more":false}]"#,
            &[Chats { id: id(REQUEST), chats: Vec::new(), more: false }.into()],
        ),
        ok(
            "chats, with more to come",
            r#"[{"type":"chats","id":"0199a1b2-c3d4-7000-8000-000000000004","chats":[{"id":"7","kind":"direct","open":false,"role":"owner","members":[{"user":"u1","role":"owner","status":"online","delivered":0,"read":0},{"user":"u2","role":"owner","status":"offline","last_seen":1759999999999,"delivered":0,"read":0}],"member_count":2,"head":0,"unread":0,"at":1760000000000}],"more":true}]"#,
            &[Chats { id: id(REQUEST), chats: vec![direct()], more: true }.into()],
        ),
        ok(
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
