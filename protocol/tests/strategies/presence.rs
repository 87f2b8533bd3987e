//! Who is present in a channel.

use everwire_protocol::{ClientFrame, ListMembers, Member, MemberJoined, MemberLeft, Members, ServerFrame};
use proptest::{collection::vec as list, option, prelude::*};

use super::{Kinds, channel, one, status, text, uuid};

pub(super) fn client() -> Kinds<ClientFrame> {
    vec![one(
        "list_members",
        (uuid(), channel(), option::of(text())).prop_map(|(id, channel, after)| ListMembers {
            id,
            channel,
            after,
        }),
    )]
}

pub(super) fn server() -> Kinds<ServerFrame> {
    vec![
        one(
            "members",
            (uuid(), channel(), list(member(), 0..4), option::of(text()))
                .prop_map(|(id, channel, members, next)| Members { id, channel, members, next }),
        ),
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
