//! Deleting single messages, for back ends.

use axum::extract::State;
use everwire_protocol::{Action, Channel, ErrorCode, Payload, ids::parse_uuid};

use super::{
    Answered, Api, Problem,
    body::PathParams,
    extractors::BackEnd,
    publish::{Published, store},
};
use crate::model::{
    log::{NewEntry, SendPermission},
    people::HistoryRange,
};

/// Delete a message of a channel, whoever has sent it. Its text and that of its edits is gone, and its place in the log says that
/// it was deleted.
#[utoipa::path(
    delete, path = "/channels/{channel}/messages/{message}", operation_id = "deleteMessage", tag = "back end",
    security(("api_key" = [])),
    params(("channel" = String, Path, description = "The channel; that of a chat is `private-chat.{id}`"),
           ("message" = String, Path, description = "The message's id, or its offset")),
    responses((status = 200, body = Published), (status = "default", body = Problem)),
)]
pub(super) async fn delete(
    _: BackEnd,
    State(api): State<Api>,
    PathParams((channel, message)): PathParams<(String, String)>,
) -> Answered<Published> {
    let channel = Channel::new(&channel).map_err(|error| {
        Problem::new(ErrorCode::InvalidChannel, format!("Invalid channel {channel:?}: {error}."))
    })?;
    let no_message = || Problem::new(ErrorCode::NotFound, "Message not found.");
    let target = match (message.parse::<u64>(), parse_uuid(&message)) {
        (Ok(offset), _) => {
            let after = HistoryRange::After(offset.saturating_sub(1));
            let found = api.node.store.history(&channel, after, 1).await?.messages.pop();
            found.filter(|found| found.offset == offset).ok_or_else(no_message)?.id
        }
        (_, Some(id)) => id,
        _ => return Err(no_message()),
    };
    let entry = NewEntry {
        id: api.node.environment.new_id(),
        channel,
        user: "".into(),
        name: None,
        event: None,
        data: Payload::from_value(&()).map_err(|_| Problem::of(ErrorCode::Internal))?,
        action: Some(Action::Delete),
        target: Some(target),
        permission: SendPermission::Server,
    };
    store(&api, entry).await.map(axum::Json)
}
