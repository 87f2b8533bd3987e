//! Durable messages.

use everwire_protocol::{Ack, Action, ClientFrame, Deleted, Message, Payload, Send, ServerFrame};
use proptest::{option, prelude::*};

use super::{Kinds, action, channel, event, number, one, payload, text, uuid};

pub(super) fn client() -> Kinds<ClientFrame> {
    let plain = payload().prop_map(|data| (None, data));
    let with_event = event().prop_map(|(event, data)| (Some(event), data));
    let what = prop_oneof![plain, with_event];
    let send = (uuid(), channel(), what, option::of((action(), uuid())));
    vec![one(
        "send",
        send.prop_map(|(id, channel, (event, data), act)| {
            let (action, target) = act.unzip();
            let (event, data) = match action {
                Some(Action::Delete) => (None, Payload::from_text("null".into()).expect("this is JSON")),
                Some(Action::Reply | Action::Edit) | None => (event, data),
            };
            Send { id, channel, event, data, action, target }
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
