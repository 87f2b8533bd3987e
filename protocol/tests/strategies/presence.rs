//! Who is present in a channel.

use everwire_protocol::{Member, MemberJoined, MemberLeft, ServerFrame};
use proptest::{option, prelude::*};

use super::{Kinds, channel, one, status, text};

pub(super) fn server() -> Kinds<ServerFrame> {
    vec![
        one(
            "member_joined",
            (channel(), member()).prop_map(|(channel, member)| MemberJoined { channel, member }),
        ),
        one("member_left", (channel(), text()).prop_map(|(channel, user)| MemberLeft { channel, user })),
    ]
}

pub(super) fn member() -> impl Strategy<Value = Member> {
    (text(), option::of(text()), option::of(status())).prop_map(|(user, name, status)| Member {
        user,
        name,
        status,
    })
}
