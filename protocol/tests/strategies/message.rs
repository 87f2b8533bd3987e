//! Durable messages.

use everwire_protocol::{Ack, ClientFrame, Deleted, Message, Send, ServerFrame};
use proptest::{option, prelude::*};

use super::{Kinds, action, channel, number, one, payload, text, uuid};

pub(super) fn client() -> Kinds<ClientFrame> {
    let send = (uuid(), channel(), option::of(text()), payload(), option::of(action()), option::of(uuid()));
    vec![one(
        "send",
        send.prop_map(|(id, channel, event, data, action, target)| Send {
            id,
            channel,
            event,
            data,
            action,
            target,
        }),
    )]
}

pub(super) fn server() -> Kinds<ServerFrame> {
    vec![
        one(
            "ack",
            (uuid(), channel(), number(), number()).prop_map(|(id, channel, offset, at)| Ack {
                id,
                channel,
                offset,
                at,
            }),
        ),
        one("message", message()),
    ]
}

pub(super) fn message() -> impl Strategy<Value = Message> {
    let place = (channel(), number(), uuid(), number());
    let deleted = option::of((text(), number()).prop_map(|(user, at)| Deleted { user, at }));
    let what = (option::of(text()), payload(), option::of(action()), option::of(uuid()), deleted);
    (place, text(), option::of(text()), what).prop_map(
        |((channel, offset, id, at), user, name, (event, data, action, target, deleted))| Message {
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
            deleted,
        },
    )
}
