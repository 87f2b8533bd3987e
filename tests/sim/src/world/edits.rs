//! Edits and deletions of messages: the applications' part, and the rules. What was replaced or deleted is given to nobody who asks
//! after that was acknowledged, in messages, pages or lists, and only those who may have replaced it.

use everwire_protocol::{
    Action, Channel, ErrorCode, Message, ServerFrame, Uuid,
    channels::{chat_of, chat_of_messages},
};

use super::{
    World,
    client::{Sent, user_of},
    node::Conn,
};
use crate::{
    fault::Kind,
    ledger::{name, sender},
    play::Play,
    violation::{Rule, Violation, violated},
};

/// Targets are among this many latest messages.
const LATEST: usize = 20;

impl World {
    /// The application edits, deletes, or answers a message.
    pub(super) fn play_edits(&mut self, client: usize) {
        if !self.case.plays.has(Play::Edits) || self.clients[client].closed {
            return;
        }
        let clients = self.clients.len();
        let rng = &mut self.clients[client].play_rng;
        if !rng.chance(400) {
            return;
        }
        // Mostly one's own.
        let (other, chance) = (rng.below(clients), rng.between(0, 9));
        let (nth, what) = (rng.below(LATEST), rng.between(0, 9));
        let author = if chance == 0 { other } else { client };
        let stored = self.clients[author].sends.iter().rev().filter(|(_, sent)| **sent == Sent::Stored);
        let Some((target, _)) = stored.take(LATEST).nth(nth) else { return };
        let (target, channel) = (*target, self.sent_to(author, *target));
        let action = match what {
            0..=5 => Action::Edit,
            6..=8 => Action::Delete,
            _ => Action::Reply,
        };
        self.send_about(client, &channel, Some((action, target)));
    }

    /// An edit or a deletion was stored.
    pub(super) fn check_rewrite(
        &mut self,
        channel: &Channel,
        (id, offset): (Uuid, u64),
        action: Action,
        target: Uuid,
    ) -> Result<(), Violation> {
        let deletes = match action {
            Action::Edit => false,
            Action::Delete => true,
            Action::Reply => return Ok(()),
        };
        let is_by_back_end = id.get_version_num() != 7;
        let by = if is_by_back_end { "the back end".to_owned() } else { user_of(sender(id).0) };
        let what =
            format!("{} of {} by {by}", if deletes { "the deletion" } else { "the edit" }, name(target));
        let Some((log, place)) =
            self.ledger.place(target).filter(|(log, _)| self.ledger.logs[*log].channel == *channel)
        else {
            return violated(Rule::Texts, format!("{what} was stored in {channel}, where it is not"));
        };
        let truth = &mut self.ledger.logs[log];
        if truth.texts.is_deleted(place) || truth.texts.is_action(target) {
            return violated(Rule::Texts, format!("{what} was stored, which cannot be"));
        }
        let owns = chat_of_messages(channel).is_some_and(|chat| self.chats.may_own(chat, &by));
        if user_of(sender(target).0) != by && !(deletes && (owns || is_by_back_end)) {
            return violated(Rule::Texts, format!("{what} was stored, who may not"));
        }
        truth.texts.rewritten((id, offset), deletes, (target, place));
        Ok(())
    }

    /// Whether an edit or a deletion may be refused.
    pub(super) fn may_not_rewrite(
        &self,
        client: usize,
        channel: &Channel,
        code: ErrorCode,
        id: Uuid,
    ) -> bool {
        let Some((action, target)) = self.clients[client].abouts.get(&id) else { return false };
        let place = self.ledger.place(*target).filter(|(log, _)| self.ledger.logs[*log].channel == *channel);
        let own = user_of(sender(*target).0) == user_of(client);
        match code {
            ErrorCode::NotFound => place.is_none_or(|(log, place)| {
                let truth = &self.ledger.logs[log];
                let gone = truth.trimmed >= place || truth.texts.is_deleted(place);
                gone || truth.texts.is_action(*target)
                    || self.ledger.was_lost(*target)
                    || self.ledger.may_be_erased(*target)
            }),
            // Whoever has been an owner may delete.
            ErrorCode::Forbidden => *action != Action::Reply && (!own || chat_of(channel).is_some()),
            _ => false,
        }
    }

    /// A text is about to leave a node.
    pub(super) fn check_texts(&mut self, conn: &Conn, frames: &[ServerFrame]) -> Result<(), Violation> {
        if !self.case.plays.has(Play::Edits) && !self.case.kinds.has(Kind::Erasure) {
            return Ok(());
        }
        for frame in frames {
            match frame {
                ServerFrame::Ack(ack) => {
                    let now = self.now;
                    if let Some((log, _)) = self.ledger.place(ack.id) {
                        self.ledger.logs[log].texts.told(ack.id, now);
                    }
                }
                ServerFrame::Message(message) => self.check_text(message, conn.since)?,
                ServerFrame::Activity(activity) => self.check_text(&activity.message, conn.since)?,
                ServerFrame::HistoryPage(page) => {
                    let asked = self.clients.iter().find_map(|c| c.asks.pending.get(&page.id));
                    let since = asked.map_or(conn.since, |asked| asked.at);
                    for message in &page.messages {
                        self.check_text(message, since)?;
                    }
                }
                ServerFrame::ChatChanged(frame) => {
                    frame.chat.last.iter().try_for_each(|last| self.check_text(last, conn.since))?;
                }
                ServerFrame::Subscribed(frame) => {
                    let last = frame.chats.iter().flatten().filter_map(|chat| chat.last.as_ref());
                    last.into_iter().try_for_each(|last| self.check_text(last, conn.since))?;
                }
                ServerFrame::Chats(frame) => {
                    let last = frame.chats.iter().filter_map(|chat| chat.last.as_ref());
                    last.into_iter().try_for_each(|last| self.check_text(last, conn.since))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whatever is stored in the end may be given to everybody who may read it.
    pub(super) fn check_kept_texts(&mut self) -> Result<(), Violation> {
        let channels: Vec<_> = self.ledger.channels().cloned().collect();
        for channel in channels {
            let entries = self.store.data().all(&channel);
            for message in entries.iter().filter_map(|entry| entry.message()) {
                self.check_text(&message, u64::MAX)?;
            }
        }
        Ok(())
    }

    fn check_text(&self, message: &Message, since: u64) -> Result<(), Violation> {
        let Some(log) = self.ledger.current(&message.channel) else { return Ok(()) };
        let erasing = self.ledger.may_be_erased(message.id);
        match self.ledger.logs[log].texts.wrong(message, since, erasing) {
            Some(what) => violated(Rule::Texts, format!("{}: {what}", message.channel)),
            None => Ok(()),
        }
    }
}
