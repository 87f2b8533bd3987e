//! What leaves a node, and what is stored: nothing without permission, whatever it rests on.

use std::fmt;

use everwire_protocol::{Channel, ServerFrame, Uuid, channels};

use super::{World, chats::shown, client::user_of, node::Conn};
use crate::{
    ledger::{name, sender},
    play::Play,
    violation::{Rule, violated},
};

/// Something that leaves a node or is stored.
#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    /// The entry with this offset.
    Entry(u64),
    /// A signal that reached a node in this step of the run.
    Signal(u64),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(offset) => write!(f, "{offset}"),
            Self::Signal(step) => write!(f, "a signal of step {step}"),
        }
    }
}

/// The end of a permission: what came before may still leave.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct End {
    /// The last offset that was stored before.
    pub(super) head: u64,
    /// The step of the run.
    pub(super) step: u64,
}

impl End {
    pub(super) fn is_before(self, what: What) -> bool {
        match what {
            What::Entry(offset) => offset > self.head,
            What::Signal(step) => step > self.step,
        }
    }
}

impl World {
    /// A text is about to leave a node.
    pub(super) fn check_leaving(&mut self, conn: &mut Conn, text: &str) {
        let plays = [Play::Chats, Play::Edits, Play::Signals].iter().any(|play| self.case.plays.has(*play));
        if self.rights.is_none() && !plays {
            return;
        }
        let frames: Vec<_> = self.frames_of(text).unwrap_or_default().into_iter().flatten().collect();
        for frame in &frames {
            self.answer_leaves(frame);
        }
        let result = self.check_texts(conn, &frames);
        self.broken(result);
        let result = self.check_signals(conn, &frames);
        self.broken(result);
        let shown: Vec<_> = frames.iter().flat_map(shown).collect();
        let entries = frames.into_iter().flat_map(|frame| match frame {
            ServerFrame::Message(message) => vec![(message.channel, message.offset)],
            ServerFrame::Activity(activity) => vec![(activity.message.channel, activity.message.offset)],
            ServerFrame::Subscribed(frame) => vec![(frame.channel, frame.head)],
            ServerFrame::HistoryPage(page) => {
                page.messages.into_iter().map(|message| (message.channel, message.offset)).collect()
            }
            _ => Vec::new(),
        });
        let entries: Vec<_> = entries.chain(shown).collect();
        for (channel, offset) in &entries {
            let user = conn.effects.user().unwrap_or_default();
            let result = self.chats.may_leave(user, channel, What::Entry(*offset));
            self.broken(result);
        }
        let Some(rights) = &self.rights else { return };
        let now = self.server_ms();
        let mut why =
            entries.iter().filter_map(|(channel, at)| rights.forbids(conn, channel, What::Entry(*at), now));
        if let Some(what) = why.next() {
            self.broken(violated(Rule::Permission, what));
        }
    }

    /// An entry was stored, perhaps in a chat.
    pub(super) fn check_stored_in_chat(&mut self, channel: &Channel, id: Uuid) {
        if let Some(chat) = channels::chat_of_messages(channel).filter(|_| id.get_version_num() == 7) {
            let result = self.chats.may_be_stored(chat, &user_of(sender(id).0), &name(id));
            self.broken(result);
        }
    }
}
