//! Answers requests: one match over all of them.

use std::sync::Arc;

use everwire_protocol::{
    ClientFrame, Done, ErrorCode, GetStatus, History, HistoryPage, ServerFrame, SetStatus, Statuses,
    limits::{MAX_HISTORY, MAX_USERS},
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

/// Answers a request.
///
/// # Errors
/// The refusal, with a message.
pub(super) async fn answer(node: &Arc<Node>, asked: PendingRequest) -> Result<ServerFrame, Refusal> {
    let PendingRequest { request, who, .. } = asked;
    match request {
        ClientFrame::History(request) => history(node, &request, &who).await,
        ClientFrame::SetStatus(request) => set_status(node, &request, &who).await,
        ClientFrame::GetStatus(request) => get_status(node, &request).await,
        request => node.answer_about_chats(&who, request).await,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` calls")]
pub(super) fn unavailable(error: crate::Error) -> Refusal {
    tracing::error!(%error, "request failed");
    Refusal::of(ErrorCode::Unavailable)
}

async fn history(node: &Node, request: &History, who: &Identity) -> Result<ServerFrame, Refusal> {
    let History { id, channel, before, after, limit } = request;
    let part = match (before, after) {
        (Some(offset), _) => HistoryRange::Before(*offset),
        (None, Some(offset)) => HistoryRange::After(*offset),
        (None, None) => HistoryRange::Latest,
    };
    let limit = limit.unwrap_or(USUAL_PAGE).clamp(1, MAX_HISTORY);
    node.permit(who, channel, Use::Receive)?;
    let StoredHistory { log, messages, more } =
        node.store.history(channel, part, limit).await.map_err(unavailable)?;
    // A user who was removed meanwhile does not get what was stored since.
    node.permit(who, channel, Use::Receive)?;
    let (channel, epoch) = (channel.clone(), log.epoch.as_ref().into());
    Ok(HistoryPage { id: *id, channel, epoch, messages, more }.into())
}

async fn set_status(node: &Node, request: &SetStatus, who: &Identity) -> Result<ServerFrame, Refusal> {
    node.store.save_status_choice(&who.user, request.status).await.map_err(unavailable)?;
    node.users.choose_status(node.now_ms(), &who.user, request.status);
    Ok(Done { id: request.id, chat: None }.into())
}

async fn get_status(node: &Node, request: &GetStatus) -> Result<ServerFrame, Refusal> {
    let GetStatus { id, users } = request;
    if users.len() > MAX_USERS {
        let words = format!("Too many users: {MAX_USERS} at most, {} given.", users.len());
        return Err(Refusal::new(ErrorCode::InvalidFrame, words));
    }
    let statuses = node.statuses(users).await.map_err(unavailable)?;
    Ok(Statuses { id: *id, statuses }.into())
}
