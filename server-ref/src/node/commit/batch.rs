//! What goes into one turn of the commit loop: the sends that wait, and behind them changes of chats, one of each chat. However many
//! users change chats, a sender waits for two transactions at most.
//!
//! Whatever concerns a chat keeps its order: what was submitted after a change of the chat is held for a later turn.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use everwire_protocol::{Uuid, channels::chat_of};
use tokio::sync::oneshot;

use super::sender::Commit;
use crate::{
    connection::mailbox::MailboxSender,
    model::{chat::ChatRecord, identity::Refusal, log::NewEntry},
    node::chat_changes::ChatCommand,
};

/// Maximum entries in one transaction. Beyond some hundreds, larger groups gain little and make all their senders wait.
const GROUP: usize = 512;

/// Maximum changes of chats in one transaction. Each is of more rows than an entry.
const CHANGES: usize = 32;

/// Maximum commits that are held for a later turn. Beyond it the others wait behind them: so many that few users cannot have them
/// held.
const HELD: usize = 16 * 1024;

/// The answer to a change of a chat.
pub(super) type ChangeReply = oneshot::Sender<Result<Option<ChatRecord>, Refusal>>;

/// The content of one turn.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) entries: Vec<NewEntry>,
    /// Each connection, with the number of its entries.
    pub(super) groups: Vec<(MailboxSender, usize)>,
    pub(super) sessions: Vec<(Uuid, Arc<str>)>,
    pub(super) changes: Vec<(ChatCommand, ChangeReply)>,
    /// What comes after all of it, on its own.
    pub(super) last: Option<Commit>,
    /// The chats that are changed in this turn or in a later one.
    chats: BTreeSet<Arc<str>>,
    held: VecDeque<Commit>,
}

impl Batch {
    /// Takes what `next` returns, until the batch is full or there is nothing more.
    pub(super) fn fill(&mut self, mut next: impl FnMut() -> Option<Commit>) {
        while !self.is_full()
            && let Some(commit) = next()
        {
            match commit {
                Commit::Append { entries, reply } if !self.concerns_changed(&entries) => {
                    self.groups.push((reply, entries.len()));
                    self.entries.extend(entries);
                }
                Commit::BindSession { session, user } => self.sessions.push((session, user)),
                Commit::ChangeChat { command, reply } => {
                    let is_first = self.chats.insert(command.chat().clone());
                    if is_first && self.changes.len() < CHANGES {
                        self.changes.push((command, reply));
                    } else {
                        self.held.push_back(Commit::ChangeChat { command, reply });
                    }
                }
                Commit::Append { .. } => self.held.push_back(commit),
                Commit::ChangeAccess { .. }
                | Commit::DeleteChat { .. }
                | Commit::EraseUser { .. }
                | Commit::Cleanup { .. } => self.last = Some(commit),
            }
        }
    }

    /// What was held, in order.
    pub(super) fn take_held(&mut self) -> VecDeque<Commit> {
        std::mem::take(&mut self.held)
    }

    fn is_full(&self) -> bool {
        self.last.is_some()
            || self.entries.len() >= GROUP
            || self.sessions.len() >= GROUP
            || self.held.len() >= HELD
    }

    fn concerns_changed(&self, entries: &[NewEntry]) -> bool {
        let is_changed =
            |entry: &NewEntry| chat_of(&entry.channel).is_some_and(|chat| self.chats.contains(chat));
        !self.chats.is_empty() && entries.iter().any(is_changed)
    }
}

#[cfg(test)]
mod tests {
    use everwire_protocol::Payload;

    use super::*;
    use crate::{
        chats::{Actor, Command},
        connection::mailbox::mailbox,
        model::log::SendPermission,
    };

    fn change(chat: &str) -> Commit {
        let command = ChatCommand { actor: Actor::BackEnd, chat: chat.into(), command: Command::Leave };
        Commit::ChangeChat { command, reply: oneshot::channel().0 }
    }

    fn append(channel: &str) -> Commit {
        let entry = NewEntry {
            id: Uuid::from_u128(1),
            channel: channel.parse().unwrap(),
            user: "a".into(),
            name: None,
            event: None,
            data: Payload::from_value(&1).unwrap(),
            action: None,
            target: None,
            permission: SendPermission::AsMember,
        };
        Commit::Append { entries: vec![entry], reply: mailbox(1).0 }
    }

    fn filled(commits: Vec<Commit>) -> (Batch, VecDeque<Commit>) {
        let mut waiting: VecDeque<_> = commits.into();
        let mut batch = Batch::default();
        batch.fill(|| waiting.pop_front());
        (batch, waiting)
    }

    fn names(batch: &Batch) -> (Vec<&str>, Vec<&str>) {
        let changes = batch.changes.iter().map(|(command, _)| &**command.chat());
        (batch.entries.iter().map(|entry| entry.channel.as_str()).collect(), changes.collect())
    }

    #[test]
    fn changes_of_many_chats_go_together_and_nobody_waits_behind_them() {
        let (mut batch, waiting) = filled(vec![
            append("private-chat.1"),
            change("1"),
            change("2"),
            append("news"),
            append("private-chat.2"),
            change("1"),
            append("private-chat.3"),
            change("3"),
        ]);
        let entries = vec!["private-chat.1", "news", "private-chat.3"];
        assert_eq!(names(&batch), (entries, vec!["1", "2", "3"]));
        let (again, _) = filled(batch.take_held().into());
        assert_eq!(names(&again), (vec!["private-chat.2"], vec!["1"]));
        assert!(waiting.is_empty());
    }

    #[test]
    fn what_was_submitted_after_a_held_change_is_held_behind_it() {
        let (mut batch, _) = filled(vec![change("1"), change("1"), append("private-chat.1"), change("1")]);
        assert_eq!((batch.entries.len(), batch.changes.len()), (0, 1));
        let (mut batch, _) = filled(batch.take_held().into());
        assert_eq!((batch.entries.len(), batch.changes.len()), (0, 1));
        let (mut batch, _) = filled(batch.take_held().into());
        assert_eq!((batch.entries.len(), batch.changes.len(), batch.held.len()), (1, 1, 0));
        assert!(batch.take_held().is_empty());
    }

    #[test]
    fn a_turn_is_bounded_and_ends_before_what_stands_alone() {
        let chats: Vec<String> = (0..=CHANGES).map(|n| n.to_string()).collect();
        let (batch, _) = filled(chats.iter().map(|chat| change(chat)).collect());
        assert_eq!((batch.changes.len(), batch.held.len()), (CHANGES, 1));
        let (batch, waiting) = filled((0..2 * HELD).map(|_| change("1")).collect());
        assert_eq!((batch.changes.len(), batch.held.len(), waiting.len()), (1, HELD, HELD - 1));
        let (batch, waiting) = filled((0..=GROUP).map(|_| append("news")).collect());
        assert_eq!((batch.entries.len(), waiting.len()), (GROUP, 1));
        let alone = Commit::DeleteChat { chat: "1".into(), reply: oneshot::channel().0 };
        let (batch, waiting) = filled(vec![change("1"), alone, append("news")]);
        assert!(matches!(batch.last, Some(Commit::DeleteChat { .. })));
        assert_eq!((batch.changes.len(), waiting.len()), (1, 1));
    }
}
