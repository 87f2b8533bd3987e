//! Strategies for every frame of a client.

use everwire_protocol::{
    Bye, ClientFrame, CreateChat, GetStatus, Guest, Hello, History, Idle, Invite, JoinChat, LeaveChat,
    ListChats, Ping, Poll, Pong, Receipt, RemoveMember, RenameChat, Send, SetRole, SetStatus, Signal,
    StatusChoice, Subscribe, Token, Typing, Unsubscribe,
};
use proptest::{collection::vec as list, option, prelude::*, sample::select};

use super::{Kinds, action, channel, kind, nonce, number, one, payload, role, text, uuid};

/// Every frame of a client, in the order of [`ClientFrame`].
pub(crate) fn client() -> Kinds<ClientFrame> {
    let mut all = connection();
    all.extend(ephemeral());
    all.extend(requests());
    all.extend(chats());
    all
}

fn connection() -> Kinds<ClientFrame> {
    let guest = (text(), text()).prop_map(|(user, name)| Guest { user, name });
    let hello = (any::<u32>(), uuid(), option::of(text()), option::of(guest), option::of(text()));
    let subscribe = (channel(), option::of(text()), option::of(number()), nonce(), option::of(any::<bool>()));
    let send = (uuid(), channel(), option::of(text()), payload(), option::of(action()), option::of(uuid()));
    vec![
        one(
            "hello",
            hello.prop_map(|(version, session, token, guest, client)| Hello {
                version,
                session,
                token,
                guest,
                client,
            }),
        ),
        one("token", text().prop_map(|token| Token { token })),
        one(
            "subscribe",
            subscribe.prop_map(|(channel, epoch, offset, recent, undelivered)| Subscribe {
                channel,
                epoch,
                offset,
                recent,
                undelivered,
            }),
        ),
        one("unsubscribe", channel().prop_map(|channel| Unsubscribe { channel })),
        one(
            "send",
            send.prop_map(|(id, channel, event, data, action, target)| Send {
                id,
                channel,
                event,
                data,
                action,
                target,
            }),
        ),
        one(
            "poll",
            (option::of(uuid()), number(), any::<u32>()).prop_map(|(connection, ack, hold_ms)| Poll {
                connection,
                ack,
                hold_ms,
            }),
        ),
        one("ping", nonce().prop_map(|nonce| Ping { nonce })),
        one("pong", nonce().prop_map(|nonce| Pong { nonce })),
        one("bye", Just(Bye {})),
    ]
}

fn ephemeral() -> Kinds<ClientFrame> {
    vec![
        one("typing", (channel(), any::<bool>()).prop_map(|(channel, typing)| Typing { channel, typing })),
        one(
            "signal",
            (channel(), text(), payload(), option::of(uuid()))
                .prop_map(|(channel, event, data, to)| Signal { channel, event, data, to }),
        ),
        one(
            "receipt",
            (channel(), text(), number(), number()).prop_map(|(channel, epoch, delivered, read)| Receipt {
                channel,
                epoch,
                delivered,
                read,
            }),
        ),
        one("idle", any::<bool>().prop_map(|idle| Idle { idle })),
    ]
}

fn requests() -> Kinds<ClientFrame> {
    let choice =
        select(vec![StatusChoice::Auto, StatusChoice::Online, StatusChoice::Away, StatusChoice::Offline]);
    vec![
        one("set_status", (uuid(), choice).prop_map(|(id, status)| SetStatus { id, status })),
        one("get_status", (uuid(), list(text(), 0..4)).prop_map(|(id, users)| GetStatus { id, users })),
        one(
            "history",
            (uuid(), channel(), option::of(number()), option::of(number()), nonce()).prop_map(
                |(id, channel, before, after, limit)| History { id, channel, before, after, limit },
            ),
        ),
        one(
            "list_chats",
            (uuid(), option::of(number()), nonce()).prop_map(|(id, before, limit)| ListChats {
                id,
                before,
                limit,
            }),
        ),
    ]
}

fn chats() -> Kinds<ClientFrame> {
    let create = (uuid(), kind(), option::of(text()), option::of(any::<bool>()), list(text(), 0..4));
    vec![
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
