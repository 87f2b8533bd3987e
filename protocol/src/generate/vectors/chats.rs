//! Batches from clients that must be read: what is asked about chats.

use super::{REQUEST, Valid, canonical, id};
use crate::{
    ChatKind, ClientFrame, CreateChat, Invite, JoinChat, LeaveChat, ListChats, RemoveMember, RenameChat,
    Role, SetRole,
};

fn ok(name: &'static str, text: &'static str, frames: &[ClientFrame]) -> Valid {
    canonical("client", name, text, frames)
}

/// One of each frame, with and without what is optional.
pub(super) fn vectors() -> Vec<Valid> {
    let mut all = lists_and_new_chats();
    all.extend(membership());
    all
}

fn lists_and_new_chats() -> Vec<Valid> {
    let list = |before, limit| ListChats { id: id(REQUEST), before, limit }.into();
    let create = |kind, title: Option<&str>, open, users: &[&str]| {
        let users = users.iter().map(|user| (*user).into()).collect();
        CreateChat { id: id(REQUEST), kind, title: title.map(Into::into), open, users }.into()
    };
    vec![
        ok(
            "list_chats, the first page",
            r#"[{"type":"list_chats","id":"0199a1b2-c3d4-7000-8000-000000000004"}]"#,
            &[list(None, None)],
        ),
        ok(
            "list_chats, a later page",
            r#"[{"type":"list_chats","id":"0199a1b2-c3d4-7000-8000-000000000004","before":1760000000000,"limit":100}]"#,
            &[list(Some(1_760_000_000_000), Some(100))],
        ),
        ok(
            "create_chat of two users",
            r#"[{"type":"create_chat","id":"0199a1b2-c3d4-7000-8000-000000000004","kind":"direct","users":["u2"]}]"#,
            &[create(ChatKind::Direct, None, None, &["u2"])],
        ),
        ok(
            "create_chat of a group that anybody may join",
            r#"[{"type":"create_chat","id":"0199a1b2-c3d4-7000-8000-000000000004","kind":"group","title":"Déjeuner 🥐","open":true,"users":[]}]"#,
            &[create(ChatKind::Group, Some("Déjeuner 🥐"), Some(true), &[])],
        ),
        ok(
            "create_chat of a group with guests",
            r#"[{"type":"create_chat","id":"0199a1b2-c3d4-7000-8000-000000000004","kind":"group","title":"Team","open":false,"users":["u2","u3"]}]"#,
            &[create(ChatKind::Group, Some("Team"), Some(false), &["u2", "u3"])],
        ),
    ]
}

fn membership() -> Vec<Valid> {
    let invite =
        |user: &str, role| Invite { id: id(REQUEST), chat: "7".into(), user: user.into(), role }.into();
    let set = |role| SetRole { id: id(REQUEST), chat: "7".into(), user: "u2".into(), role }.into();
    vec![
        ok(
            "invite a user",
            r#"[{"type":"invite","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7","user":"u2"}]"#,
            &[invite("u2", None)],
        ),
        ok(
            "invite a user who is only to read",
            r#"[{"type":"invite","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7","user":"u2","role":"read_only"}]"#,
            &[invite("u2", Some(Role::ReadOnly))],
        ),
        ok(
            "join_chat",
            r#"[{"type":"join_chat","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7"}]"#,
            &[JoinChat { id: id(REQUEST), chat: "7".into() }.into()],
        ),
        ok(
            "leave_chat",
            r#"[{"type":"leave_chat","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7"}]"#,
            &[LeaveChat { id: id(REQUEST), chat: "7".into() }.into()],
        ),
        ok(
            "remove_member",
            r#"[{"type":"remove_member","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7","user":"u2"}]"#,
            &[RemoveMember { id: id(REQUEST), chat: "7".into(), user: "u2".into() }.into()],
        ),
        ok(
            "rename_chat",
            r#"[{"type":"rename_chat","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7","title":"Team \"B\""}]"#,
            &[RenameChat { id: id(REQUEST), chat: "7".into(), title: "Team \"B\"".into() }.into()],
        ),
        ok(
            "set_role to each role",
            r#"[{"type":"set_role","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7","user":"u2","role":"owner"},{"type":"set_role","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7","user":"u2","role":"member"},{"type":"set_role","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7","user":"u2","role":"read_only"}]"#,
            &[set(Role::Owner), set(Role::Member), set(Role::ReadOnly)],
        ),
    ]
}
