//! Who is present in a channel.

use super::{REQUEST, Valid, channel, client, id, server};
use crate::{ListMembers, Member, MemberJoined, MemberLeft, Members, Status};

/// Batches that must be read.
pub(super) fn valid() -> Vec<Valid> {
    let list = |after: Option<&str>| {
        let channel = channel("presence-users");
        ListMembers { id: id(REQUEST), channel, after: after.map(Into::into) }.into()
    };
    let page = |members, next: Option<&str>| {
        let channel = channel("presence-users");
        Members { id: id(REQUEST), channel, members, next: next.map(Into::into) }.into()
    };
    vec![
        client(
            "list_members, the first page",
            r#"[{"type":"list_members","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"presence-users"}]"#,
            &[list(None)],
        ),
        client(
            "list_members, a later page",
            r#"[{"type":"list_members","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"presence-users","after":"u2"}]"#,
            &[list(Some("u2"))],
        ),
        server(
            "members, with more to come",
            r#"[{"type":"members","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"presence-users","members":[{"user":"u2","status":"away"}],"next":"u2"}]"#,
            &[page(vec![Member { user: "u2".into(), name: None, status: Some(Status::Away) }], Some("u2"))],
        ),
        server(
            "members, the last page",
            r#"[{"type":"members","id":"0199a1b2-c3d4-7000-8000-000000000004","channel":"presence-users","members":[]}]"#,
            &[page(Vec::new(), None)],
        ),
        server(
            "member_joined",
            r#"[{"type":"member_joined","channel":"presence-users","member":{"user":"u2","name":"\"Q\" \\ \n"}}]"#,
            &[MemberJoined {
                channel: channel("presence-users"),
                member: Member { user: "u2".into(), name: Some("\"Q\" \\ \n".into()), status: None },
            }
            .into()],
        ),
        server(
            "member_joined with a status",
            r#"[{"type":"member_joined","channel":"presence-users","member":{"user":"u2","status":"away"}}]"#,
            &[MemberJoined {
                channel: channel("presence-users"),
                member: Member { user: "u2".into(), name: None, status: Some(Status::Away) },
            }
            .into()],
        ),
        server(
            "member_left",
            r#"[{"type":"member_left","channel":"presence-users","user":"u2"}]"#,
            &[MemberLeft { channel: channel("presence-users"), user: "u2".into() }.into()],
        ),
    ]
}
