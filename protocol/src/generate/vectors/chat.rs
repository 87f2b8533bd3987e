//! Chats: requests, their answers, and what keeps a list of chats up to date.

use super::{
    Invalid, REQUEST, Valid, bad_client_frame, bad_server_frame, channel, client, id, message, server,
};
use crate::{
    Activity, Chat, ChatChanged, ChatGone, ChatKind, ChatMember, ChatMembers, Chats, CreateChat, Done,
    Invite, JoinChat, LeaveChat, ListChatMembers, ListChats, Message, RemoveMember, RenameChat, Role,
    SetRole, Status,
};

/// Batches that must be read.
pub(super) fn valid() -> Vec<Valid> {
    let mut all = lists_and_new_chats();
    all.extend(membership());
    all.extend(answers());
    all.extend(changes());
    all
}

fn member(user: &str, role: Role, status: Status) -> ChatMember {
    ChatMember { user: user.into(), name: None, role, status, last_seen: None, delivered: 0, read: 0 }
}

/// A chat with nothing in it but its members.
pub(super) fn direct() -> Chat {
    Chat {
        id: "7".into(),
        kind: ChatKind::Direct,
        title: None,
        open: false,
        role: Role::Owner,
        members: vec![
            member("u1", Role::Owner, Status::Online),
            ChatMember { last_seen: Some(1_759_999_999_999), ..member("u2", Role::Owner, Status::Offline) },
        ],
        member_count: 2,
        read: 0,
        head: 0,
        unread: 0,
        last: None,
        at: 1_760_000_000_000,
    }
}

fn group() -> Chat {
    Chat {
        kind: ChatKind::Group,
        title: Some("Team".into()),
        open: true,
        role: Role::Member,
        members: vec![
            ChatMember {
                name: Some("Zoë".into()),
                delivered: 43,
                read: 41,
                ..member("u1", Role::Member, Status::Away)
            },
            member("u2", Role::ReadOnly, Status::Offline),
            member("u3", Role::Invited, Status::Online),
        ],
        member_count: 120,
        read: 41,
        head: 43,
        unread: 1000,
        last: Some(Message { channel: channel("private-chat.7"), offset: 43, ..message::entry() }),
        ..direct()
    }
}

fn lists_and_new_chats() -> Vec<Valid> {
    let list = |after: Option<&str>, limit| {
        ListChats { id: id(REQUEST), after: after.map(Into::into), limit }.into()
    };
    let members = |after: Option<&str>| {
        ListChatMembers { id: id(REQUEST), chat: "7".into(), after: after.map(Into::into) }.into()
    };
    let create = |kind, title: Option<&str>, open, users: &[&str]| {
        let users = users.iter().map(|user| (*user).into()).collect();
        CreateChat { id: id(REQUEST), kind, title: title.map(Into::into), open, users }.into()
    };
    vec![
        client(
            "list_chats, the first page",
            r#"[{"type":"list_chats","id":"0199a1b2-c3d4-7000-8000-000000000004"}]"#,
            &[list(None, None)],
        ),
        client(
            "list_chats, a later page",
            r#"[{"type":"list_chats","id":"0199a1b2-c3d4-7000-8000-000000000004","after":"7","limit":100}]"#,
            &[list(Some("7"), Some(100))],
        ),
        client(
            "list_chat_members, the first page",
            r#"[{"type":"list_chat_members","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7"}]"#,
            &[members(None)],
        ),
        client(
            "list_chat_members, a later page",
            r#"[{"type":"list_chat_members","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7","after":"Zoë"}]"#,
            &[members(Some("Zoë"))],
        ),
        client(
            "create_chat of two users",
            r#"[{"type":"create_chat","id":"0199a1b2-c3d4-7000-8000-000000000004","kind":"direct","users":["u2"]}]"#,
            &[create(ChatKind::Direct, None, None, &["u2"])],
        ),
        client(
            "create_chat of a group that anybody may join",
            r#"[{"type":"create_chat","id":"0199a1b2-c3d4-7000-8000-000000000004","kind":"group","title":"Déjeuner 🥐","open":true,"users":[]}]"#,
            &[create(ChatKind::Group, Some("Déjeuner 🥐"), Some(true), &[])],
        ),
        client(
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
        client(
            "invite a user",
            r#"[{"type":"invite","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7","user":"u2"}]"#,
            &[invite("u2", None)],
        ),
        client(
            "invite a user who is only to read",
            r#"[{"type":"invite","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7","user":"u2","role":"read_only"}]"#,
            &[invite("u2", Some(Role::ReadOnly))],
        ),
        client(
            "join_chat",
            r#"[{"type":"join_chat","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7"}]"#,
            &[JoinChat { id: id(REQUEST), chat: "7".into() }.into()],
        ),
        client(
            "leave_chat",
            r#"[{"type":"leave_chat","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7"}]"#,
            &[LeaveChat { id: id(REQUEST), chat: "7".into() }.into()],
        ),
        client(
            "remove_member",
            r#"[{"type":"remove_member","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7","user":"u2"}]"#,
            &[RemoveMember { id: id(REQUEST), chat: "7".into(), user: "u2".into() }.into()],
        ),
        client(
            "rename_chat",
            r#"[{"type":"rename_chat","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7","title":"Team \"B\""}]"#,
            &[RenameChat { id: id(REQUEST), chat: "7".into(), title: "Team \"B\"".into() }.into()],
        ),
        client(
            "set_role to each role",
            r#"[{"type":"set_role","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7","user":"u2","role":"owner"},{"type":"set_role","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7","user":"u2","role":"member"},{"type":"set_role","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7","user":"u2","role":"read_only"}]"#,
            &[set(Role::Owner), set(Role::Member), set(Role::ReadOnly)],
        ),
    ]
}

fn answers() -> Vec<Valid> {
    vec![
        server(
            "done",
            r#"[{"type":"done","id":"0199a1b2-c3d4-7000-8000-000000000004"}]"#,
            &[Done { id: id(REQUEST), chat: None }.into()],
        ),
        server(
            "done with a chat",
            r#"[{"type":"done","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":{"id":"7","kind":"direct","open":false,"role":"owner","members":[{"user":"u1","role":"owner","status":"online","delivered":0,"read":0},{"user":"u2","role":"owner","status":"offline","last_seen":1759999999999,"delivered":0,"read":0}],"member_count":2,"read":0,"head":0,"unread":0,"at":1760000000000}}]"#,
            &[Done { id: id(REQUEST), chat: Some(direct()) }.into()],
        ),
        server(
            "chats, none",
            r#"[{"type":"chats","id":"0199a1b2-c3d4-7000-8000-000000000004","chats":[]}]"#,
            &[Chats { id: id(REQUEST), chats: Vec::new(), next: None }.into()],
        ),
        server(
            "chats, with more to come",
            r#"[{"type":"chats","id":"0199a1b2-c3d4-7000-8000-000000000004","chats":[{"id":"7","kind":"direct","open":false,"role":"owner","members":[{"user":"u1","role":"owner","status":"online","delivered":0,"read":0},{"user":"u2","role":"owner","status":"offline","last_seen":1759999999999,"delivered":0,"read":0}],"member_count":2,"read":0,"head":0,"unread":0,"at":1760000000000}],"next":"7"}]"#,
            &[Chats { id: id(REQUEST), chats: vec![direct()], next: Some("7".into()) }.into()],
        ),
        server(
            "chat_members, with more to come",
            r#"[{"type":"chat_members","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7","members":[{"user":"u1","role":"owner","status":"online","delivered":0,"read":0}],"next":"u1"}]"#,
            &[ChatMembers {
                id: id(REQUEST),
                chat: "7".into(),
                members: vec![member("u1", Role::Owner, Status::Online)],
                next: Some("u1".into()),
            }
            .into()],
        ),
        server(
            "chat_members, the last page",
            r#"[{"type":"chat_members","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7","members":[]}]"#,
            &[ChatMembers { id: id(REQUEST), chat: "7".into(), members: Vec::new(), next: None }.into()],
        ),
    ]
}

fn changes() -> Vec<Valid> {
    let own = || channel("private-user.u1");
    vec![
        server(
            "a chat, with everything",
            r#"[{"type":"chat_changed","channel":"private-user.u1","chat":{"id":"7","kind":"group","title":"Team","open":true,"role":"member","members":[{"user":"u1","name":"Zoë","role":"member","status":"away","delivered":43,"read":41},{"user":"u2","role":"read_only","status":"offline","delivered":0,"read":0},{"user":"u3","role":"invited","status":"online","delivered":0,"read":0}],"member_count":120,"read":41,"head":43,"unread":1000,"last":{"channel":"private-chat.7","offset":43,"id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1760000000000,"data":{"text":"hello"}},"at":1760000000000}}]"#,
            &[ChatChanged { channel: own(), chat: group() }.into()],
        ),
        server(
            "a chat that is gone",
            r#"[{"type":"chat_gone","channel":"private-user.u1","chat":"7"}]"#,
            &[ChatGone { channel: own(), chat: "7".into() }.into()],
        ),
        server(
            "activity in a chat that is not open",
            r#"[{"type":"activity","message":{"channel":"private-chat.7","offset":43,"id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1760000000000,"data":{"text":"hello"}}}]"#,
            &[Activity {
                message: Message { channel: channel("private-chat.7"), offset: 43, ..message::entry() },
            }
            .into()],
        ),
    ]
}

/// Batches with one frame that must be refused.
pub(super) fn invalid() -> Vec<Invalid> {
    vec![
        bad_client_frame(
            "a limit that is a text",
            r#"{"type":"list_chats","id":"0199a1b2-c3d4-7000-8000-000000000004","limit":"all"}"#,
        ),
        bad_client_frame(
            "a chat of an unknown kind",
            r#"{"type":"create_chat","id":"0199a1b2-c3d4-7000-8000-000000000004","kind":"secret","users":[]}"#,
        ),
        bad_client_frame(
            "a chat without users",
            r#"{"type":"create_chat","id":"0199a1b2-c3d4-7000-8000-000000000004","kind":"group"}"#,
        ),
        bad_client_frame(
            "a role that does not exist",
            r#"{"type":"set_role","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7","user":"u2","role":"king"}"#,
        ),
        bad_client_frame(
            "an invitation of nobody",
            r#"{"type":"invite","id":"0199a1b2-c3d4-7000-8000-000000000004","chat":"7"}"#,
        ),
        bad_server_frame(
            "a chat without its members",
            r#"{"type":"chat_changed","channel":"private-user.u1","chat":{"id":"7","kind":"direct","open":false,"role":"owner","member_count":2,"read":0,"head":0,"unread":0,"at":1}}"#,
        ),
        bad_server_frame("an answer to nothing", r#"{"type":"done"}"#),
    ]
}
