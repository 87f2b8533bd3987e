//! Batches from servers that must be read: state and ephemeral things about people and chats.

use super::{CONNECTION, MESSAGE, REQUEST, Valid, canonical, channel, data, id, server};
use crate::{
    Action, Activity, Chat, ChatChanged, ChatGone, ChatKind, ChatMember, Joined, Mark, Member, Message,
    Receipted, Role, ServerFrame, Signalled, Status, StatusChanged, Subscribed, Typed, limits::MAX_OFFSET,
};

fn ok(name: &'static str, text: &'static str, frames: &[ServerFrame]) -> Valid {
    canonical("server", name, text, frames)
}

/// One of each frame, with and without what is optional.
pub(super) fn vectors() -> Vec<Valid> {
    let mut all = people();
    all.extend(subscriptions());
    all.extend(signals());
    all.extend(chats());
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
        head: 43,
        unread: 1000,
        last: Some(Message { channel: channel("private-chat.7"), offset: 43, ..server::message() }),
        ..direct()
    }
}

fn people() -> Vec<Valid> {
    let typed = |name: Option<&str>, typing| {
        Typed { channel: channel("private-chat.7"), user: "u2".into(), name: name.map(Into::into), typing }
            .into()
    };
    let status = |name: &str, status, last_seen| {
        StatusChanged { channel: channel(name), user: "u2".into(), status, last_seen }.into()
    };
    let receipt = |delivered, read, unread| {
        Receipted { channel: channel("private-chat.7"), user: "u1".into(), delivered, read, unread }.into()
    };
    vec![
        ok(
            "somebody types, and stops",
            r#"[{"type":"typing","channel":"private-chat.7","user":"u2","name":"Zoë","typing":true},{"type":"typing","channel":"private-chat.7","user":"u2","typing":false}]"#,
            &[typed(Some("Zoë"), true), typed(None, false)],
        ),
        ok(
            "somebody has read a chat",
            r#"[{"type":"receipt","channel":"private-chat.7","user":"u1","delivered":43,"read":41}]"#,
            &[receipt(43, 41, None)],
        ),
        ok(
            "the user's own receipt, with what remains unread",
            r#"[{"type":"receipt","channel":"private-chat.7","user":"u1","delivered":9007199254740991,"read":0,"unread":1000}]"#,
            &[receipt(MAX_OFFSET, 0, Some(1000))],
        ),
        ok(
            "somebody is online, and away",
            r#"[{"type":"status","channel":"presence-users","user":"u2","status":"online"},{"type":"status","channel":"presence-users","user":"u2","status":"away"}]"#,
            &[status("presence-users", Status::Online, None), status("presence-users", Status::Away, None)],
        ),
        ok(
            "somebody of one's chats is offline",
            r#"[{"type":"status","channel":"private-user.u1","user":"u2","status":"offline","last_seen":1760000000000}]"#,
            &[status("private-user.u1", Status::Offline, Some(1_760_000_000_000))],
        ),
        ok(
            "joined with a status",
            r#"[{"type":"joined","channel":"presence-users","member":{"user":"u2","status":"away"}}]"#,
            &[Joined {
                channel: channel("presence-users"),
                member: Member { user: "u2".into(), name: None, status: Some(Status::Away) },
            }
            .into()],
        ),
    ]
}

fn subscriptions() -> Vec<Valid> {
    let subscribed = |name| Subscribed {
        channel: channel(name),
        epoch: "a".into(),
        offset: 43,
        head: 43,
        gap: None,
        members: None,
        receipts: None,
        chats: None,
    };
    vec![
        ok(
            "subscribed to a chat, with its receipts",
            r#"[{"type":"subscribed","channel":"private-chat.7","epoch":"a","offset":43,"head":43,"receipts":[{"user":"u1","delivered":43,"read":41},{"user":"u2","delivered":0,"read":0}]}]"#,
            &[Subscribed {
                receipts: Some(vec![
                    Mark { user: "u1".into(), delivered: 43, read: 41 },
                    Mark { user: "u2".into(), delivered: 0, read: 0 },
                ]),
                ..subscribed("private-chat.7")
            }
            .into()],
        ),
        ok(
            "subscribed to one's own channel, with receipts and chats",
            r#"[{"type":"subscribed","channel":"private-user.u1","epoch":"a","offset":43,"head":43,"receipts":[],"chats":[{"id":"7","kind":"direct","open":false,"role":"owner","members":[{"user":"u1","role":"owner","status":"online","delivered":0,"read":0},{"user":"u2","role":"owner","status":"offline","last_seen":1759999999999,"delivered":0,"read":0}],"member_count":2,"head":0,"unread":0,"at":1760000000000}]}]"#,
            &[Subscribed {
                receipts: Some(Vec::new()),
                chats: Some(vec![direct()]),
                ..subscribed("private-user.u1")
            }
            .into()],
        ),
    ]
}

fn signals() -> Vec<Valid> {
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
        ok(
            "a signal of a back end to one connection",
            r#"[{"type":"signal","event":"notification","data":{"title":"Hello","message":"You are on node 3."},"at":1760000000000}]"#,
            &[bare().into()],
        ),
        ok(
            "a signal in a channel, with everything",
            r#"[{"type":"signal","channel":"presence-board","event":"cursor","data":[3,4],"user":"u2","name":"Zoë","from":"0199a1b2-c3d4-7000-8000-000000000002","at":1760000000000}]"#,
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

fn chats() -> Vec<Valid> {
    let own = || channel("private-user.u1");
    vec![
        ok(
            "a message that takes another back",
            r#"[{"type":"message","channel":"private-chat.7","offset":44,"id":"0199a1b2-c3d4-7000-8000-000000000004","user":"u1","at":1760000000000,"data":null,"action":"delete","target":"0199a1b2-c3d4-7000-8000-000000000003"}]"#,
            &[Message {
                channel: channel("private-chat.7"),
                offset: 44,
                id: id(REQUEST),
                data: data("null"),
                action: Some(Action::Delete),
                target: Some(id(MESSAGE)),
                ..server::message()
            }
            .into()],
        ),
        ok(
            "a change of a chat's members, in its log",
            r#"[{"type":"message","channel":"private-chat.7","offset":1,"id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1760000000000,"event":"everwire.chat","data":{"action":"role_set","user":"u2","name":"Zoë","role":"owner"}}]"#,
            &[Message {
                channel: channel("private-chat.7"),
                event: Some("everwire.chat".into()),
                data: data(r#"{"action":"role_set","user":"u2","name":"Zoë","role":"owner"}"#),
                ..server::message()
            }
            .into()],
        ),
        ok(
            "activity in a chat that is not open",
            r#"[{"type":"activity","message":{"channel":"private-chat.7","offset":43,"id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1760000000000,"data":{"text":"hello"}}}]"#,
            &[Activity {
                message: Message { channel: channel("private-chat.7"), offset: 43, ..server::message() },
            }
            .into()],
        ),
        ok(
            "a chat, with everything",
            r#"[{"type":"chat","channel":"private-user.u1","chat":{"id":"7","kind":"group","title":"Team","open":true,"role":"member","members":[{"user":"u1","name":"Zoë","role":"member","status":"away","delivered":43,"read":41},{"user":"u2","role":"read_only","status":"offline","delivered":0,"read":0},{"user":"u3","role":"invited","status":"online","delivered":0,"read":0}],"member_count":120,"head":43,"unread":1000,"last":{"channel":"private-chat.7","offset":43,"id":"0199a1b2-c3d4-7000-8000-000000000003","user":"u1","at":1760000000000,"data":{"text":"hello"}},"at":1760000000000}}]"#,
            &[ChatChanged { channel: own(), chat: group() }.into()],
        ),
        ok(
            "a chat that is gone",
            r#"[{"type":"chat_gone","channel":"private-user.u1","chat":"7"}]"#,
            &[ChatGone { channel: own(), chat: "7".into() }.into()],
        ),
    ]
}
