//! Answers requests: one match over all of them.

use std::sync::Arc;

use everwire_protocol::{
    Answered, Done, ErrorCode, GetStatus, History, HistoryPage, ListMembers, ListReceipts, Members, Receipts,
    Request, ServerFrame, SetStatus, Statuses,
    limits::{MAX_HISTORY, MAX_USERS},
    names::check_user,
};

use super::{Node, Use};
use crate::{
    connection::PendingRequest,
    model::{
        identity::{Identity, Refusal},
        people::{HistoryRange, StoredHistory},
    },
};

/// The default number of entries in a page.
const USUAL_PAGE: u32 = 50;

/// The answer to a type of request, as the protocol declares it.
pub(crate) type Answer<Request> = Result<<Request as Answered>::Answer, Refusal>;

/// Answers a request.
///
/// # Errors
/// The refusal, with a message.
pub(super) async fn answer(node: &Arc<Node>, asked: PendingRequest) -> Result<ServerFrame, Refusal> {
    let PendingRequest { request, who } = asked;
    node.access.check(&who, node.now_ms())?;
    let answer = match request {
        Request::History(request) => node.answer_history(&who, &request).await?.into(),
        Request::SetStatus(request) => node.answer_set_status(&who, &request).await?.into(),
        Request::GetStatus(request) => node.answer_get_status(&request).await?.into(),
        Request::ListMembers(request) => node.answer_list_members(&who, request)?.into(),
        Request::ListReceipts(request) => node.answer_list_receipts(&who, request).await?.into(),
        Request::ListChats(request) => node.answer_list_chats(&who, &request).await?.into(),
        Request::ListChatMembers(request) => node.answer_list_chat_members(&who, request).await?.into(),
        Request::CreateChat(request) => node.answer_create_chat(&who, request).await?.into(),
        Request::Invite(request) => node.answer_invite(&who, request).await?.into(),
        Request::JoinChat(request) => node.answer_join_chat(&who, request).await?.into(),
        Request::LeaveChat(request) => node.answer_leave_chat(&who, request).await?.into(),
        Request::RemoveMember(request) => node.answer_remove_member(&who, request).await?.into(),
        Request::RenameChat(request) => node.answer_rename_chat(&who, request).await?.into(),
        Request::SetRole(request) => node.answer_set_role(&who, request).await?.into(),
    };
    // A user who was banned meanwhile, or whose token was revoked, does not get what was read since.
    node.access.check(&who, node.now_ms())?;
    Ok(answer)
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` calls")]
pub(super) fn unavailable(error: crate::Error) -> Refusal {
    tracing::error!(%error, "request failed");
    Refusal::of(ErrorCode::Unavailable)
}

impl Node {
    pub(crate) async fn answer_history(&self, who: &Identity, request: &History) -> Answer<History> {
        let History { id, channel, before, after, limit } = request;
        let part = match (before, after) {
            (Some(offset), _) => HistoryRange::Before(*offset),
            (None, Some(offset)) => HistoryRange::After(*offset),
            (None, None) => HistoryRange::Latest,
        };
        let limit = limit.unwrap_or(USUAL_PAGE).clamp(1, MAX_HISTORY);
        self.permit(who, channel, Use::Receive)?;
        let found = self.store.history(channel, part, limit).await.map_err(unavailable)?;
        let StoredHistory { log, messages, more } = found.cut(part);
        // A user who was removed meanwhile does not get what was stored since.
        self.permit(who, channel, Use::Receive)?;
        let (channel, epoch) = (channel.clone(), log.epoch.as_ref().into());
        Ok(HistoryPage { id: *id, channel, epoch, messages, more })
    }

    fn answer_list_members(&self, who: &Identity, request: ListMembers) -> Answer<ListMembers> {
        let ListMembers { id, channel, after } = request;
        self.permit(who, &channel, Use::Receive)?;
        let page = self.members_for(&channel, &who.user, after.as_deref()).unwrap_or_default();
        Ok(Members { id, channel, next: page.next(), members: page.listed.items })
    }

    async fn answer_list_receipts(&self, who: &Identity, request: ListReceipts) -> Answer<ListReceipts> {
        let ListReceipts { id, channel, after } = request;
        self.permit(who, &channel, Use::Receive)?;
        let page = self.marks(&channel, &who.user, after.as_deref()).await?.unwrap_or_default();
        self.permit(who, &channel, Use::Receive)?;
        Ok(Receipts { id, channel, next: page.next(|mark| &mark.user), receipts: page.items })
    }

    pub(crate) async fn answer_set_status(&self, who: &Identity, request: &SetStatus) -> Answer<SetStatus> {
        self.store.save_status_choice(&who.user, request.status).await.map_err(unavailable)?;
        self.users.choose_status((self.now_ms(), self.wall_ms()), &who.user, request.status);
        Ok(Done { id: request.id, chat: None })
    }

    pub(crate) async fn answer_get_status(&self, request: &GetStatus) -> Answer<GetStatus> {
        let GetStatus { id, users } = request;
        if users.len() > MAX_USERS {
            let words = format!("Too many users: {MAX_USERS} at most, {} given.", users.len());
            return Err(Refusal::new(ErrorCode::InvalidFrame, words));
        }
        if let Some(Err(wrong)) = users.iter().map(|user| check_user(user)).find(Result::is_err) {
            return Err(Refusal::new(ErrorCode::InvalidFrame, format!("Invalid user id: {wrong}.")));
        }
        let statuses = self.statuses(users).await.map_err(unavailable)?;
        Ok(Statuses { id: *id, statuses })
    }
}
