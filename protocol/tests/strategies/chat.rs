//! Chats.

use everwire_protocol::{
    Activity, Chat, ChatChanged, ChatGone, ChatMember, ChatMembers, Chats, ClientFrame, CreateChat, Done,
    Invite, JoinChat, LeaveChat, ListChatMembers, ListChats, RemoveMember, RenameChat, ServerFrame, SetRole,
};
use proptest::{collection::vec as list, option, prelude::*};

use super::{Kinds, channel, kind, message::message, nonce, number, one, role, status, text, uuid};

pub(super) fn client() -> Kinds<ClientFrame> {
    let create = (uuid(), kind(), option::of(text()), option::of(any::<bool>()), list(text(), 0..4));
    vec![
        one(
            "list_chats",
            (uuid(), option::of(text()), nonce()).prop_map(|(id, after, limit)| ListChats {
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
            create.prop_map(|(id, kind, title, open, users)| CreateChat { id, kind, title, open, users }),
        ),
        one(
            "invite",
            (uuid(), text(), text(), option::of(role())).prop_map(|(id, chat, user, role)| Invite {
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
            (uuid(), text(), text()).prop_map(|(id, chat, title)| RenameChat { id, chat, title }),
        ),
        one(
            "set_role",
            (uuid(), text(), text(), role()).prop_map(|(id, chat, user, role)| SetRole {
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
