//! Permissions for actions on entries of a log, such as edits and deletions: one rule for every store.

use everwire_protocol::{Action, ErrorCode, SERVER_EVENTS};

use crate::model::{
    identity::Refusal,
    log::{NewEntry, SendPermission},
};

/// An entry that others may refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Who has sent it.
    pub user: String,
    /// Its event.
    pub event: Option<String>,
    /// Whether it was blanked, by a deletion or because its author was erased.
    pub deleted: bool,
}

/// Checks the action of an entry on another one; `None`: the log does not have that one.
///
/// # Errors
/// [`ErrorCode::NotFound`] or [`ErrorCode::Forbidden`], with a message.
pub fn check(entry: &NewEntry, action: Action, target: Option<&Target>) -> Result<(), Refusal> {
    let not_found = |words: &str| Err(Refusal::new(ErrorCode::NotFound, words));
    let forbidden = |words: &str| Err(Refusal::new(ErrorCode::Forbidden, words));
    let Some(Target { user, event, deleted }) = target else {
        return not_found("The target message is not in the channel's log.");
    };
    if action == Action::Reply {
        return Ok(());
    }
    if event.as_ref().is_some_and(|event| event.starts_with(SERVER_EVENTS)) {
        return forbidden("Messages by the server can neither be edited nor deleted.");
    }
    let may = **user == *entry.user
        || (action == Action::Delete
            && matches!(entry.permission, SendPermission::Owner | SendPermission::Server));
    if !may && !deleted {
        return forbidden(if action == Action::Delete {
            "Only the sender of a message and the owners of the chat may delete it."
        } else {
            "Only the sender of a message may edit it."
        });
    }
    if *deleted {
        return not_found("This message has been deleted.");
    }
    Ok(())
}
