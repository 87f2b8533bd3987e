//! Who is present in a channel.

use super::{Valid, channel, server};
use crate::{Member, MemberJoined, MemberLeft, Status};

/// Batches that must be read.
pub(super) fn valid() -> Vec<Valid> {
    vec![
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
