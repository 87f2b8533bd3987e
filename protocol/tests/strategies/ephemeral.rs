//! Typing and signals.

use everwire_protocol::{ClientFrame, ServerFrame, Signal, Signalled, Typing, UserTyping};
use proptest::{option, prelude::*};

use super::{Kinds, channel, event, number, one, payload, text, uuid};

pub(super) fn client() -> Kinds<ClientFrame> {
    vec![
        one("typing", (channel(), any::<bool>()).prop_map(|(channel, typing)| Typing { channel, typing })),
        one(
            "signal",
            (channel(), event(), option::of(uuid())).prop_map(|(channel, (event, data), to)| Signal {
                channel,
                event,
                data,
                to,
            }),
        ),
    ]
}

pub(super) fn server() -> Kinds<ServerFrame> {
    let who = (option::of(text()), option::of(text()), option::of(uuid()));
    vec![
        one(
            "user_typing",
            (channel(), text(), option::of(text()), any::<bool>())
                .prop_map(|(channel, user, name, typing)| UserTyping { channel, user, name, typing }),
        ),
        one(
            "signalled",
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
    ]
}
