//! What a client's frame must be beyond the types of its fields: what belongs together, what excludes each other, and how long
//! texts may be. A server refuses a frame that is not, whoever sends it and whatever the state is. The JSON Schema says the
//! same (`generate/shapes.rs`), and a property test compares the two.

use alloc::{format, string::String};

use crate::{
    Action, ChatKind, ClientFrame, CoreFrame, CreateChat, ErrorCode, Misfit, Payload, Role, Send,
    ServerFrame, Subscribe,
    batch::Shaped,
    event_data::check_event_data,
    limits::{MAX_CHATS_PAGE, MAX_PAYLOAD_BYTES, MAX_USERS},
    names::{InvalidName, check_event, check_title, check_user},
};

type Checked = Result<(), Misfit>;

impl Shaped for ClientFrame {
    fn check(&self) -> Checked {
        check(self)
    }
}

// Clients take what servers send by the types of its fields.
impl Shaped for ServerFrame {}

impl Shaped for CoreFrame {}

fn check(frame: &ClientFrame) -> Checked {
    match frame {
        ClientFrame::Subscribe(subscribe) => check_position(subscribe),
        ClientFrame::Send(send) => check_send(send),
        ClientFrame::Signal(signal) => {
            check_size(&signal.data)?;
            named("event", &signal.event, check_event)?;
            check_event_data(&signal.event, &signal.data)
        }
        ClientFrame::GetStatus(request) => check_users(&request.users),
        ClientFrame::History(request) => demand(
            request.before.is_none() || request.after.is_none(),
            "before and after exclude each other: give one of them, or neither",
        ),
        ClientFrame::ListChats(request) => {
            let fits = request.limit.is_none_or(|limit| (1..=MAX_CHATS_PAGE).contains(&limit));
            if fits { Ok(()) } else { Err(invalid(format!("limit must be 1 to {MAX_CHATS_PAGE}"))) }
        }
        ClientFrame::CreateChat(request) => check_chat(request),
        ClientFrame::Invite(request) => {
            named("user", &request.user, check_user)?;
            demand(request.role != Some(Role::Invited), "the role must be owner, member or read_only")
        }
        ClientFrame::SetRole(request) => {
            demand(request.role != Role::Invited, "the role must be owner, member or read_only")
        }
        ClientFrame::RenameChat(request) => named("title", &request.title, check_title),
        ClientFrame::Hello(_)
        | ClientFrame::Token(_)
        | ClientFrame::Poll(_)
        | ClientFrame::Ping(_)
        | ClientFrame::Pong(_)
        | ClientFrame::Bye(_)
        | ClientFrame::Unsubscribe(_)
        | ClientFrame::Typing(_)
        | ClientFrame::Mark(_)
        | ClientFrame::Idle(_)
        | ClientFrame::SetStatus(_)
        | ClientFrame::ListMembers(_)
        | ClientFrame::ListReceipts(_)
        | ClientFrame::ListChatMembers(_)
        | ClientFrame::JoinChat(_)
        | ClientFrame::LeaveChat(_)
        | ClientFrame::RemoveMember(_) => Ok(()),
    }
}

fn check_position(frame: &Subscribe) -> Checked {
    let words = "epoch and offset are a position: give both, or neither";
    demand(frame.epoch.is_some() == frame.offset.is_some(), words)
}

fn check_size(data: &Payload) -> Checked {
    let bytes = data.text().len();
    if bytes <= MAX_PAYLOAD_BYTES {
        return Ok(());
    }
    let words = format!("data is limited to {MAX_PAYLOAD_BYTES} bytes of JSON; this has {bytes}");
    Err(Misfit { code: ErrorCode::TooLarge, words })
}

fn check_send(frame: &Send) -> Checked {
    check_size(&frame.data)?;
    if let Some(event) = &frame.event {
        named("event", event, check_event)?;
    }
    let words = "an action needs a target, and a target an action: give both, or neither";
    demand(frame.action.is_some() == frame.target.is_some(), words)?;
    if let Some(event) = &frame.event {
        check_event_data(event, &frame.data)?;
    }
    if frame.action == Some(Action::Delete) && frame.data.text() != "null" {
        let words = "what deletes a message has no data: send null".into();
        return Err(Misfit { code: ErrorCode::InvalidPayload, words });
    }
    Ok(())
}

fn check_chat(frame: &CreateChat) -> Checked {
    match frame.kind {
        ChatKind::Group => {
            // The ids of direct chats can be computed in advance: a group must not take such an id.
            demand(frame.id.get_version_num() != 5, "the id of a group must not be a UUID of version 5")?;
            if let Some(title) = &frame.title {
                named("title", title, check_title)?;
            }
        }
        ChatKind::Direct => {
            let plain = frame.title.is_none() && frame.open != Some(true);
            demand(plain, "a direct chat cannot have a title or be open")?;
            demand(frame.users.len() == 1, "a direct chat needs exactly one other user")?;
        }
    }
    check_users(&frame.users)
}

fn check_users(users: &[String]) -> Checked {
    if users.len() > MAX_USERS {
        return Err(invalid(format!("{MAX_USERS} users at most, not {}", users.len())));
    }
    users.iter().try_for_each(|user| named("user", user, check_user))
}

fn named(field: &str, text: &str, check: fn(&str) -> Result<(), InvalidName>) -> Checked {
    check(text).map_err(|wrong| invalid(format!("{field} {wrong}")))
}

fn demand(holds: bool, words: &str) -> Checked {
    if holds { Ok(()) } else { Err(invalid(words.into())) }
}

fn invalid(words: String) -> Misfit {
    Misfit { code: ErrorCode::InvalidFrame, words }
}
