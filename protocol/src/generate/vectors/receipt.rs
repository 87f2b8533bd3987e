//! Marks and receipts.

use super::{Invalid, REQUEST, Valid, bad_client_frame, bad_server_frame, channel, client, id, server};
use crate::{ListReceipts, Mark, Receipt, Receipts, UserReceipt, limits::MAX_OFFSET};

/// Batches that must be read.
pub(super) fn valid() -> Vec<Valid> {
    let mut all = from_client();
    all.extend(from_server());
    all
}

fn from_client() -> Vec<Valid> {
    let mark = |delivered, read| {
        Mark { channel: channel("private-chat.7"), epoch: "a1".into(), delivered, read, run: None }.into()
    };
    let list = |after: Option<&str>| {
        let channel = channel("private-chat.7");
        ListReceipts { id: id(REQUEST), channel, after: after.map(Into::into) }.into()
    };
    vec![
        client(
            "list_receipts, the first page",
            r#"[{"type":"list_receipts","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"private-chat.7"}]"#,
            &[list(None)],
        ),
        client(
            "list_receipts, a later page",
            r#"[{"type":"list_receipts","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"private-chat.7","after":"u2"}]"#,
            &[list(Some("u2"))],
        ),
        client(
            "mark of what was delivered",
            r#"[{"type":"mark","channel":"private-chat.7","epoch":"a1","delivered":43,"read":0}]"#,
            &[mark(43, 0)],
        ),
        client(
            "mark of what was read",
            r#"[{"type":"mark","channel":"private-chat.7","epoch":"a1","delivered":0,"read":9007199254740991}]"#,
            &[mark(0, MAX_OFFSET)],
        ),
        client(
            "mark with the run of its position",
            r#"[{"type":"mark","channel":"private-chat.7","epoch":"a1","delivered":43,"read":40,"run":"3-8f2a"}]"#,
            &[Mark {
                channel: channel("private-chat.7"),
                epoch: "a1".into(),
                delivered: 43,
                read: 40,
                run: Some("3-8f2a".into()),
            }
            .into()],
        ),
        client(
            "mark of both",
            r#"[{"type":"mark","channel":"private-chat.7","epoch":"a1","delivered":43,"read":40}]"#,
            &[mark(43, 40)],
        ),
    ]
}

fn from_server() -> Vec<Valid> {
    let receipt = |delivered, read, unread| {
        Receipt { channel: channel("private-chat.7"), user: "u1".into(), delivered, read, unread }.into()
    };
    let page = |receipts, next: Option<&str>| {
        let channel = channel("private-chat.7");
        Receipts { id: id(REQUEST), channel, receipts, next: next.map(Into::into) }.into()
    };
    vec![
        server(
            "receipts, with more to come",
            r#"[{"type":"receipts","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"private-chat.7","receipts":[{"user":"u2","delivered":2,"read":1}],"next":"u2"}]"#,
            &[page(vec![UserReceipt { user: "u2".into(), delivered: 2, read: 1 }], Some("u2"))],
        ),
        server(
            "receipts, the last page",
            r#"[{"type":"receipts","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"private-chat.7","receipts":[]}]"#,
            &[page(Vec::new(), None)],
        ),
        server(
            "somebody has read a chat",
            r#"[{"type":"receipt","channel":"private-chat.7","user":"u1","delivered":43,"read":41}]"#,
            &[receipt(43, 41, None)],
        ),
        server(
            "the user's own receipt, with what remains unread",
            r#"[{"type":"receipt","channel":"private-chat.7","user":"u1","delivered":9007199254740991,"read":0,"unread":1000}]"#,
            &[receipt(MAX_OFFSET, 0, Some(1000))],
        ),
    ]
}

/// Batches with one frame that must be refused.
pub(super) fn invalid() -> Vec<Invalid> {
    vec![
        bad_client_frame(
            "a mark below 0",
            r#"{"type":"mark","channel":"news","epoch":"a","delivered":1,"read":-1}"#,
        ),
        bad_client_frame(
            "a mark beyond 2^53",
            r#"{"type":"mark","channel":"news","epoch":"a","delivered":9007199254740992,"read":0}"#,
        ),
        bad_server_frame(
            "a receipt without marks",
            r#"{"type":"receipt","channel":"private-chat.7","user":"u1"}"#,
        ),
    ]
}
