//! Chats.

use everwire_protocol::{
    Activity, Chat, ChatChanged, ChatGone, ChatKind, ChatMember, ChatMembers, Chats, ClientFrame, CreateChat,
    Done, Invite, JoinChat, LeaveChat, ListChatMembers, ListChats, RemoveMember, RenameChat, ServerFrame,
    SetRole,
};
use proptest::{collection::vec as list, option, prelude::*};

use super::{
    Kinds, channel, kind, member_role, message::message, named, number, one, role, status, text, title, uuid,
};

pub(super) fn client() -> Kinds<ClientFrame> {
    let group = (option::of(title()), option::of(any::<bool>()), list(named(), 0..4))
        .prop_map(|(title, open, users)| (ChatKind::Group, title, open, users));
    let direct = (option::of(Just(false)), list(named(), 1..2))
        .prop_map(|(open, users)| (ChatKind::Direct, None, open, users));
    let not_of_version_5 = uuid().prop_filter("version 5", |id| id.get_version_num() != 5);
    let create = (not_of_version_5, prop_oneof![group, direct]);
    vec![
        one(
            "list_chats",
            (uuid(), option::of(text()), option::of(1..=100_u32)).prop_map(|(id, after, limit)| ListChats {
                id,
                after,
                limit,
            }),
        ),
        one(
            "list_chat_members",
            (uuid(), text(), option::of(text())).prop_map(|(id, chat, after)| ListChatMembers {
                id,
                chat,
                after,
            }),
        ),
        one(
            "create_chat",
            create.prop_map(|(id, (kind, title, open, users))| CreateChat { id, kind, title, open, users }),
        ),
        one(
            "invite",
            (uuid(), text(), named(), option::of(member_role())).prop_map(|(id, chat, user, role)| Invite {
                id,
                chat,
                user,
                role,
            }),
        ),
        one("join_chat", (uuid(), text()).prop_map(|(id, chat)| JoinChat { id, chat })),
        one("leave_chat", (uuid(), text()).prop_map(|(id, chat)| LeaveChat { id, chat })),
        one(
            "remove_member",
            (uuid(), text(), text()).prop_map(|(id, chat, user)| RemoveMember { id, chat, user }),
        ),
        one(
            "rename_chat",
            (uuid(), text(), title()).prop_map(|(id, chat, title)| RenameChat { id, chat, title }),
        ),
        one(
            "set_role",
            (uuid(), text(), text(), member_role()).prop_map(|(id, chat, user, role)| SetRole {
                id,
                chat,
                user,
                role,
            }),
        ),
    ]
}

pub(super) fn server() -> Kinds<ServerFrame> {
    vec![
        one(
            "chats",
            (uuid(), list(chat(), 0..3), option::of(text())).prop_map(|(id, chats, next)| Chats {
                id,
                chats,
                next,
            }),
        ),
        one(
            "chat_members",
            (uuid(), text(), list(chat_member(), 0..3), option::of(text()))
                .prop_map(|(id, chat, members, next)| ChatMembers { id, chat, members, next }),
        ),
        one("chat_changed", (channel(), chat()).prop_map(|(channel, chat)| ChatChanged { channel, chat })),
        one("chat_gone", (channel(), text()).prop_map(|(channel, chat)| ChatGone { channel, chat })),
        one("activity", message().prop_map(|message| Activity { message })),
        one("done", (uuid(), option::of(chat())).prop_map(|(id, chat)| Done { id, chat })),
    ]
}

fn chat_member() -> impl Strategy<Value = ChatMember> {
    let who = (text(), option::of(text()), role());
    (who, status(), option::of(number()), number(), number()).prop_map(
        |((user, name, role), status, last_seen, delivered, read)| ChatMember {
            user,
            name,
            role,
            status,
            last_seen,
            delivered,
            read,
        },
    )
}

pub(super) fn chat() -> impl Strategy<Value = Chat> {
    let what = (text(), kind(), option::of(text()), any::<bool>(), role());
    let members = (list(chat_member(), 0..3), any::<u32>());
    let log = (number(), number(), any::<u32>(), option::of(message()), number());
    (what, members, log).prop_map(|(what, (members, member_count), (read, head, unread, last, at))| {
        let (id, kind, title, open, role) = what;
        Chat { id, kind, title, open, role, members, member_count, read, head, unread, last, at }
    })
}
