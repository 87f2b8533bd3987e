//! Requests and their answers.

use std::{sync::Arc, time::Duration};

use everwire_protocol::{
    CreateChat, GetStatus, History, Invite, JoinChat, LeaveChat, ListChatMembers, ListChats, ListMembers,
    ListReceipts, RemoveMember, RenameChat, ServerFrame, SetRole, SetStatus, Uuid,
};
use serde::Serialize;

use crate::{Error, json, shared::Shared};

/// How long an answer is waited for.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A request of the protocol: one of the frames that are answered by another with the same id.
pub trait Request: Serialize + sealed::Sealed {
    /// What answers it.
    type Answer;

    #[doc(hidden)]
    const KIND: &'static str;

    #[doc(hidden)]
    fn take(answer: ServerFrame) -> Option<Self::Answer>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! requests {
    ($($kind:literal => $request:ident -> $answer:ident,)*) => {$(
        impl sealed::Sealed for $request {}

        impl Request for $request {
            type Answer = everwire_protocol::$answer;
            const KIND: &'static str = $kind;

            fn take(answer: ServerFrame) -> Option<Self::Answer> {
                match answer {
                    ServerFrame::$answer(answer) => Some(answer),
                    _ => None,
                }
            }
        }
    )*};
}

requests! {
    "set_status" => SetStatus -> Done,
    "get_status" => GetStatus -> Statuses,
    "history" => History -> HistoryPage,
    "list_members" => ListMembers -> Members,
    "list_receipts" => ListReceipts -> Receipts,
    "list_chats" => ListChats -> Chats,
    "list_chat_members" => ListChatMembers -> ChatMembers,
    "create_chat" => CreateChat -> Done,
    "invite" => Invite -> Done,
    "join_chat" => JoinChat -> Done,
    "leave_chat" => LeaveChat -> Done,
    "remove_member" => RemoveMember -> Done,
    "rename_chat" => RenameChat -> Done,
    "set_role" => SetRole -> Done,
}

/// Nobody waits any more once this is dropped.
struct Waiting {
    shared: Arc<Shared>,
    id: Uuid,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.shared.peek(|session| session.forget(self.id));
    }
}

pub(crate) async fn answer<R: Request>(
    shared: Arc<Shared>,
    make: impl FnOnce(Uuid) -> R,
    limit: Duration,
) -> Result<R::Answer, Error> {
    let id = shared.peek(|session| session.ids.next());
    let frame = json::frame(R::KIND, &make(id))?;
    let wait = shared.with(|session| session.request(id, frame, limit))?;
    let waiting = Waiting { shared, id };
    let answered = wait.await;
    let answer = answered.unwrap_or_else(|_| Err(waiting.shared.peek(|session| session.closed())))?;
    R::take(answer).ok_or_else(|| Error::from(everwire_protocol::ErrorCode::ProtocolViolation))
}
