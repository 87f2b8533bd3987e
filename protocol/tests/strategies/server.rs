//! Strategies for every frame of a server.

use everwire_protocol::{
    Ack, Activity, Chat, ChatChanged, ChatGone, ChatMember, Chats, Done, Error, Gap, GapReason, Goaway,
    Joined, Left, Limits, Mark, Member, Message, Page, Ping, Polled, Pong, Receipted, ServerFrame, Signalled,
    StatusChanged, Statuses, Subscribed, Typed, Unsubscribed, UserStatus, Welcome,
};
use proptest::{collection::vec as list, option, prelude::*, sample::select};

use super::{Kinds, action, channel, code, kind, nonce, number, one, payload, role, status, text, uuid};

/// Every frame of a server, in the order of [`ServerFrame`].
pub(crate) fn server() -> Kinds<ServerFrame> {
    let mut all = connection();
    all.extend(live());
    all.extend(chats());
    all.extend(answers());
    all
}

fn connection() -> Kinds<ServerFrame> {
    vec![
        one("welcome", welcome()),
        one("subscribed", subscribed()),
        one(
            "unsubscribed",
            (channel(), option::of(code()), option::of(text()))
                .prop_map(|(channel, code, message)| Unsubscribed { channel, code, message }),
        ),
        one("message", message()),
        one(
            "ack",
            (uuid(), channel(), number(), number()).prop_map(|(id, channel, offset, at)| Ack {
                id,
                channel,
                offset,
                at,
            }),
        ),
        one("error", error()),
        one("joined", (channel(), member()).prop_map(|(channel, member)| Joined { channel, member })),
        one("left", (channel(), text()).prop_map(|(channel, user)| Left { channel, user })),
        one("polled", number().prop_map(|seq| Polled { seq })),
        one("ping", nonce().prop_map(|nonce| Ping { nonce })),
        one("pong", nonce().prop_map(|nonce| Pong { nonce })),
        one(
            "goaway",
            (any::<u32>(), any::<u32>(), text()).prop_map(|(delay_ms, spread_ms, reason)| Goaway {
                delay_ms,
                spread_ms,
                reason,
            }),
        ),
    ]
}

fn live() -> Kinds<ServerFrame> {
    let who = (option::of(text()), option::of(text()), option::of(uuid()));
    vec![
        one(
            "typing",
            (channel(), text(), option::of(text()), any::<bool>())
                .prop_map(|(channel, user, name, typing)| Typed { channel, user, name, typing }),
        ),
        one(
            "signal",
            (option::of(channel()), text(), payload(), who, number()).prop_map(
                |(channel, event, data, (user, name, from), at)| Signalled {
                    channel,
                    event,
                    data,
                    user,
                    name,
                    from,
                    at,
                },
            ),
        ),
        one(
            "receipt",
            (channel(), text(), number(), number(), nonce()).prop_map(
                |(channel, user, delivered, read, unread)| Receipted {
                    channel,
                    user,
                    delivered,
                    read,
                    unread,
                },
            ),
        ),
        one(
            "status",
            (channel(), text(), status(), option::of(number())).prop_map(
                |(channel, user, status, last_seen)| StatusChanged { channel, user, status, last_seen },
            ),
        ),
    ]
}

fn chats() -> Kinds<ServerFrame> {
    vec![
        one("activity", message().prop_map(|message| Activity { message })),
        one("chat", (channel(), chat()).prop_map(|(channel, chat)| ChatChanged { channel, chat })),
        one("chat_gone", (channel(), text()).prop_map(|(channel, chat)| ChatGone { channel, chat })),
    ]
}

fn answers() -> Kinds<ServerFrame> {
    let user_status = (text(), status(), option::of(number()))
        .prop_map(|(user, status, last_seen)| UserStatus { user, status, last_seen });
    vec![
        one("done", (uuid(), option::of(chat())).prop_map(|(id, chat)| Done { id, chat })),
        one(
            "page",
            (uuid(), channel(), text(), list(message(), 0..3), any::<bool>())
                .prop_map(|(id, channel, epoch, messages, more)| Page { id, channel, epoch, messages, more }),
        ),
        one(
            "chats",
            (uuid(), list(chat(), 0..3), any::<bool>()).prop_map(|(id, chats, more)| Chats {
                id,
                chats,
                more,
            }),
        ),
        one(
            "statuses",
            (uuid(), list(user_status, 0..3)).prop_map(|(id, statuses)| Statuses { id, statuses }),
        ),
    ]
}

fn member() -> impl Strategy<Value = Member> {
    (text(), option::of(text()), option::of(status())).prop_map(|(user, name, status)| Member {
        user,
        name,
        status,
    })
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

fn chat() -> impl Strategy<Value = Chat> {
    let what = (text(), kind(), option::of(text()), any::<bool>(), role());
    let members = (list(chat_member(), 0..3), any::<u32>());
    let log = (number(), any::<u32>(), option::of(message()), number());
    (what, members, log).prop_map(|(what, (members, member_count), (head, unread, last, at))| {
        let (id, kind, title, open, role) = what;
        Chat { id, kind, title, open, role, members, member_count, head, unread, last, at }
    })
}

fn welcome() -> impl Strategy<Value = Welcome> {
    let who = (any::<u32>(), uuid(), uuid(), text(), option::of(text()));
    let times = (number(), any::<u32>(), any::<u32>(), option::of(number()));
    let limits =
        (any::<[u32; 4]>(), nonce(), nonce()).prop_map(|(always, sends_per_minute, text_characters)| {
            let [payload_bytes, batch_bytes, batch_frames, subscriptions] = always;
            Limits {
                payload_bytes,
                batch_bytes,
                batch_frames,
                subscriptions,
                sends_per_minute,
                text_characters,
            }
        });
    (who, times, limits).prop_map(|(who, times, limits)| {
        let (version, session, connection, user, name) = who;
        let (server_time, ping_interval_ms, hold_ms, token_expires_in_ms) = times;
        Welcome {
            version,
            session,
            connection,
            user,
            name,
            server_time,
            ping_interval_ms,
            hold_ms,
            token_expires_in_ms,
            limits,
        }
    })
}

fn subscribed() -> impl Strategy<Value = Subscribed> {
    let reason = select(vec![GapReason::Trimmed, GapReason::Epoch, GapReason::TooFar]);
    let gap = (number(), number(), reason).prop_map(|(from, to, reason)| Gap { from, to, reason });
    let mark =
        (text(), number(), number()).prop_map(|(user, delivered, read)| Mark { user, delivered, read });
    let state =
        (option::of(list(member(), 0..4)), option::of(list(mark, 0..4)), option::of(list(chat(), 0..2)));
    (channel(), text(), number(), number(), option::of(gap), state).prop_map(
        |(channel, epoch, offset, head, gap, (members, receipts, chats))| Subscribed {
            channel,
            epoch,
            offset,
            head,
            gap,
            members,
            receipts,
            chats,
        },
    )
}

fn message() -> impl Strategy<Value = Message> {
    let place = (channel(), number(), uuid(), number());
    let what = (option::of(text()), payload(), option::of(action()), option::of(uuid()));
    (place, text(), option::of(text()), what).prop_map(
        |((channel, offset, id, at), user, name, (event, data, action, target))| Message {
            channel,
            offset,
            id,
            user,
            name,
            at,
            event,
            data,
            action,
            target,
        },
    )
}

fn error() -> impl Strategy<Value = Error> {
    (code(), text(), any::<bool>(), option::of(uuid()), option::of(channel()), nonce()).prop_map(
        |(code, message, retry, id, channel, retry_after_ms)| Error {
            code,
            message,
            retry,
            id,
            channel,
            retry_after_ms,
        },
    )
}
