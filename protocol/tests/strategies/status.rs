//! Whether users can be reached.

use everwire_protocol::{
    ClientFrame, GetStatus, Idle, ServerFrame, SetStatus, StatusChanged, StatusChoice, Statuses, UserStatus,
};
use proptest::{collection::vec as list, option, prelude::*, sample::select};

use super::{Kinds, channel, named, number, one, status, text, uuid};

pub(super) fn client() -> Kinds<ClientFrame> {
    let choice =
        select(vec![StatusChoice::Auto, StatusChoice::Online, StatusChoice::Away, StatusChoice::Offline]);
    vec![
        one("idle", any::<bool>().prop_map(|idle| Idle { idle })),
        one("set_status", (uuid(), choice).prop_map(|(id, status)| SetStatus { id, status })),
        one("get_status", (uuid(), list(named(), 0..4)).prop_map(|(id, users)| GetStatus { id, users })),
    ]
}

pub(super) fn server() -> Kinds<ServerFrame> {
    let user_status = (text(), status(), option::of(number()))
        .prop_map(|(user, status, last_seen)| UserStatus { user, status, last_seen });
    vec![
        one(
            "status_changed",
            (channel(), text(), option::of(text()), status(), option::of(number())).prop_map(
                |(channel, user, name, status, last_seen)| StatusChanged {
                    channel,
                    user,
                    name,
                    status,
                    last_seen,
                },
            ),
        ),
        one(
            "statuses",
            (uuid(), list(user_status, 0..3)).prop_map(|(id, statuses)| Statuses { id, statuses }),
        ),
    ]
}
