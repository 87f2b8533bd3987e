//! Pages of a channel's log.

use super::{
    Invalid, REQUEST, Valid, bad_client_frame, bad_server_frame, channel, client, id, message, server,
};
use crate::{History, HistoryPage, Message};

/// Batches that must be read.
pub(super) fn valid() -> Vec<Valid> {
    let mut all = from_client();
    all.extend(from_server());
    all
}

fn from_client() -> Vec<Valid> {
    let history = |before, after, limit| {
        History { id: id(REQUEST), channel: channel("private-chat.7"), before, after, limit }.into()
    };
    vec![
        client(
            "history, the last page",
            r#"[{"type":"history","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"private-chat.7"}]"#,
            &[history(None, None, None)],
        ),
        client(
            "history, the page before an offset",
            r#"[{"type":"history","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"private-chat.7","before":42,"limit":200}]"#,
            &[history(Some(42), None, Some(200))],
        ),
        client(
            "history from the beginning",
            r#"[{"type":"history","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"private-chat.7","after":0,"limit":1}]"#,
            &[history(None, Some(0), Some(1))],
        ),
    ]
}

fn from_server() -> Vec<Valid> {
    let page = |messages, more| {
        HistoryPage { id: id(REQUEST), channel: channel("news"), epoch: "a".into(), messages, more }.into()
    };
    vec![
        server(
            "an empty page",
            r#"[{"type":"history_page","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"news","epoch":"a","messages":[],"more":false}]"#,
            &[page(Vec::new(), false)],
        ),
        server(
            "a page with more beyond it",
            r#"[{"type":"history_page","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"news","epoch":"a","messages":[{"channel":"news","offset":1,"id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1760000000000,"data":{"text":"hello"}},{"channel":"news","offset":2,"id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1760000000000,"data":{"text":"hello"}}],"more":true}]"#,
            &[page(vec![message::entry(), Message { offset: 2, ..message::entry() }], true)],
        ),
    ]
}

/// Batches with one frame that must be refused.
pub(super) fn invalid() -> Vec<Invalid> {
    vec![
        bad_client_frame(
            "a history without a channel",
            r#"{"type":"history","id":"0199a1b2-c3d4-7000-8000-000000000004"}"#,
        ),
        bad_server_frame(
            "a page with an entry that has no offset",
            r#"{"type":"history_page","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"news","epoch":"a","messages":[{"channel":"news","id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1,"data":1}],"more":false}"#,
        ),
    ]
}
