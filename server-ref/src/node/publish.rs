//! Publishes what was stored: first the acks to the senders, then the entries to the channels' subscribers, in the order of the
//! log; and an `activity` to members who do not have the chat open. When everything of a transaction is in the queues of the
//! connections, each is flushed once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use everwire_protocol::{
    Channel,
    channels::{chat_of_messages, presence_channel, user_channel},
};
use tokio::sync::{mpsc, oneshot};

use super::{
    chat_changes::{Stored, StoredChange},
    chat_views::ChatUpdate,
    stats::Counters,
};
use crate::{
    audience::Audience,
    chats::ChatRegistry,
    connection::{Input, direct::Flushes, mailbox::MailboxSender},
    environment::Environment,
    hub::Hub,
    model::{
        chat::{ChatRecord, Room},
        identity::Refusal,
        log::{Entry, NewEntry, Outcome, Rewrite},
    },
};

/// One connection's entries of a transaction, and their outcomes.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) reply: MailboxSender,
    /// The new entries.
    pub(super) entries: Vec<Arc<Entry>>,
    /// What they have made of earlier entries, by their index.
    pub(super) rewrites: BTreeMap<usize, Rewrite>,
    /// `None`: nothing was stored.
    pub(super) outcomes: Option<Vec<Outcome>>,
    /// Whether the sender was already answered, which is a planted bug.
    pub(super) answered: bool,
}

/// Something to be published.
#[derive(Debug)]
pub(super) enum Committed {
    Appended(Vec<Group>),
    ChatChanged {
        stored: Result<Stored, Refusal>,
        reply: oneshot::Sender<Result<Option<ChatRecord>, Refusal>>,
    },
    /// A change of a chat that was reported as failed but happened, and who is gone by it.
    ChatFound(ChatRecord, Vec<Arc<str>>),
    /// A chat that was deleted.
    ChatDeleted {
        room: Arc<Room>,
        reply: oneshot::Sender<()>,
    },
    /// A step of an erasure.
    Erased {
        at: u64,
        blanked: BTreeMap<Channel, Vec<u64>>,
        /// Logs whose cached entries have to be read again.
        unnamed: BTreeSet<Channel>,
        reports: Vec<Arc<Entry>>,
    },
    /// The same, reported as failed: the cached entries may not be those of the store.
    Doubtful,
    /// Entries of a transaction that was reported as failed but happened.
    Found(Vec<Arc<Entry>>),
}

/// Delivers outcomes to senders and entries to subscribers.
#[derive(Debug)]
pub(super) struct Publisher {
    pub(super) environment: Arc<dyn Environment>,
    pub(super) counters: Arc<Counters>,
    pub(super) hub: Arc<Hub>,
    pub(super) chats: Arc<ChatRegistry>,
    pub(super) audience: Arc<Audience>,
    pub(super) updates: mpsc::UnboundedSender<ChatUpdate>,
}

impl Publisher {
    /// Publishes in the order of the commits, until there are no more.
    pub(super) async fn run(self, mut committed: mpsc::Receiver<Committed>) {
        while let Some(committed) = committed.recv().await {
            let mut flushes = Flushes::default();
            match committed {
                Committed::Appended(groups) => self.publish_groups(groups, &mut flushes),
                Committed::ChatChanged { stored, reply } => {
                    let chat = stored.map(|stored| self.publish_change(stored, &mut flushes));
                    // An error means that the receiver of the answer was dropped. The change is published anyway.
                    let _ = reply.send(chat);
                }
                Committed::ChatFound(chat, gone) => {
                    let change = Some(StoredChange { entries: Vec::new(), gone });
                    self.publish_change(Stored { chat: Some(chat), change }, &mut flushes);
                }
                Committed::ChatDeleted { room, reply } => {
                    self.publish_deletion(&room);
                    // An error means that nobody waits for it.
                    let _ = reply.send(());
                }
                Committed::Erased { at, blanked, unnamed, reports } => {
                    self.publish_erasure(at, blanked, &unnamed, &reports, &mut flushes);
                }
                Committed::Doubtful => self.hub.forget_all_recent(),
                Committed::Found(entries) => {
                    for entry in entries.iter().filter(|entry| !self.hub.has_published(entry)) {
                        // It may have changed earlier entries.
                        self.hub.forget_recent(&entry.channel);
                        self.publish(std::slice::from_ref(entry), &mut flushes);
                        self.tell_changed(entry);
                    }
                }
            }
            self.flush(flushes);
        }
    }

    /// Flushes connections: a few here, and more in tasks of their own, so that the next acks need not wait for them.
    fn flush(&self, flushes: Flushes) {
        let mut pieces = flushes.pieces().peekable();
        while let Some(piece) = pieces.next() {
            let (environment, counters) = (self.environment.clone(), self.counters.clone());
            let flush = move || counters.count_out(piece.flush(environment.now_ms()));
            if pieces.peek().is_some() {
                self.environment.spawn(Box::pin(async move { flush() }));
            } else {
                flush();
            }
        }
    }

    fn publish_groups(&self, mut groups: Vec<Group>, flushes: &mut Flushes) {
        for group in groups.iter_mut().filter(|group| !group.answered) {
            group.reply.input(Input::Appended(group.outcomes.take()));
        }
        // Successive entries of one channel, to be published together.
        let mut together: Vec<Arc<Entry>> = Vec::new();
        for group in groups {
            for (index, entry) in group.entries.into_iter().enumerate() {
                let rewrite = group.rewrites.get(&index);
                if rewrite.is_some() || together.last().is_some_and(|last| last.channel != entry.channel) {
                    self.publish(&std::mem::take(&mut together), flushes);
                }
                together.push(entry);
                if let Some((rewrite, entry)) = rewrite.zip(together.last()) {
                    // First, so that nobody who learns of the change reads the old text here.
                    self.hub.rewrite(&entry.channel, rewrite);
                    self.publish(&together, flushes);
                    self.tell_changed(entry);
                    together.clear();
                }
            }
        }
        self.publish(&together, flushes);
    }

    /// The last message and the unread count of a chat may have changed by an edit or a deletion.
    fn tell_changed(&self, entry: &Entry) {
        if let Some(chat) = chat_of_messages(&entry.channel) {
            // An error means that the node was dropped.
            let _ = self.updates.send(ChatUpdate { chat: chat.into(), gone: Vec::new() });
        }
    }

    /// Publishes entries of one channel.
    fn publish(&self, entries: &[Arc<Entry>], flushes: &mut Flushes) {
        self.hub.publish(self.environment.now_ms(), entries, flushes);
        for entry in entries {
            self.tell_members(entry);
        }
    }

    /// Delivers the activity of a chat to members who do not have it open. The cost depends on how many of them are online.
    fn tell_members(&self, entry: &Entry) {
        if !entry.plain {
            return;
        }
        let Some(chat) = chat_of_messages(&entry.channel) else { return };
        self.chats.touch(chat, entry.at);
        let members = self.audience.members(chat);
        if members.is_empty() {
            return;
        }
        let Some(text) = activity(&entry.text) else { return };
        let channels = members.iter().filter_map(|user| user_channel(user));
        self.hub.tell_all(channels, &text, &entry.channel);
    }

    /// Ends all subscriptions of a chat that was deleted, and tells its participants.
    fn publish_deletion(&self, room: &Room) {
        let gone: Vec<Arc<str>> =
            room.participants.iter().map(|participant| participant.user.clone()).collect();
        self.audience.change(&Room { participants: Vec::new(), ..room.clone() }, &gone);
        for channel in [room.log(), presence_channel(&room.id)].into_iter().flatten() {
            self.hub.forget_recent(&channel);
            self.hub.delete_chat(&channel);
        }
        // An error means that the node was dropped.
        let _ = self.updates.send(ChatUpdate { chat: room.id.clone(), gone });
    }

    fn publish_erasure(
        &self,
        at: u64,
        blanked: BTreeMap<Channel, Vec<u64>>,
        unnamed: &BTreeSet<Channel>,
        reports: &[Arc<Entry>],
        flushes: &mut Flushes,
    ) {
        // First, so that nobody who learns of the erasure reads the old text here.
        for channel in unnamed {
            self.hub.forget_recent(channel);
        }
        for (channel, offsets) in blanked {
            match Rewrite::by_erasure(at, offsets) {
                Some(rewrite) => self.hub.rewrite(&channel, &rewrite),
                None => self.hub.forget_recent(&channel),
            }
        }
        for report in reports {
            self.publish(std::slice::from_ref(report), flushes);
            self.tell_changed(report);
        }
    }

    /// Publishes a change of a chat: removed users receive nothing more, not even this. Runs after everything stored before
    /// was published, and before anything stored later is.
    fn publish_change(&self, stored: Stored, flushes: &mut Flushes) -> Option<ChatRecord> {
        let chat = stored.chat?;
        let Some(StoredChange { entries, gone }) = stored.change else { return Some(chat) };
        self.audience.change(&chat.room, &gone);
        for user in &gone {
            for channel in [chat.room.log(), presence_channel(&chat.room.id)].into_iter().flatten() {
                self.hub.remove_user(&channel, user);
            }
        }
        let now_ms = self.environment.now_ms();
        for entry in &entries {
            self.hub.publish(now_ms, std::slice::from_ref(entry), flushes);
        }
        // An error means that the node was dropped.
        let _ = self.updates.send(ChatUpdate { chat: chat.room.id.clone(), gone });
        Some(chat)
    }
}

/// Encodes new entries, once for all receivers.
pub(super) fn new_entries<'a>(
    entries: impl Iterator<Item = &'a NewEntry>,
    outcomes: &[Outcome],
) -> Vec<Arc<Entry>> {
    entries.zip(outcomes).filter_map(|(entry, outcome)| Some(Entry::of(entry, outcome.stored()?))).collect()
}

/// What new entries have made of earlier ones, by the index of the new entry.
pub(super) fn rewrites<'a>(
    entries: impl Iterator<Item = &'a NewEntry>,
    outcomes: &[Outcome],
) -> BTreeMap<usize, Rewrite> {
    let stored = entries.zip(outcomes).filter(|(_, outcome)| outcome.stored().is_some());
    let rewrites = stored.enumerate().filter_map(|(index, (entry, outcome))| match outcome {
        Outcome::Rewrote(position, offsets) => {
            Some((index, Rewrite::by(entry, position.at, offsets.clone())))
        }
        Outcome::Stored(_) | Outcome::Copy(_) | Outcome::IdReused | Outcome::Refused(_) => None,
    });
    rewrites.collect()
}

/// The `activity` frame for a `message` frame, both as JSON text, so that the message is encoded only once.
fn activity(message: &str) -> Option<Arc<str>> {
    let fields = message.strip_prefix(r#"{"type":"message","#)?;
    Some(format!(r#"{{"type":"activity","message":{{{fields}}}"#).into())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use everwire_protocol::{Activity, ChatKind, Member, Message, Payload, Role, ServerFrame, Uuid, batch};

    use super::*;
    use crate::{
        connection::mailbox::{MailboxMessage, mailbox},
        environment::{TokioEnvironment, WallClock},
        model::chat::Participant,
    };

    fn entry(channel: &str) -> Arc<Entry> {
        let text = r#"{"type":"message","data":1}"#.into();
        let channel = channel.parse().unwrap();
        Arc::new(Entry { channel, epoch: "e".into(), offset: 1, at: 1, plain: true, text })
    }

    #[test]
    fn a_message_into_a_large_chat_costs_by_who_listens_and_with_nobody_what_a_public_channel_costs() {
        let participants = (0..1000).map(|n| Participant {
            user: format!("u{n}").into(),
            name: None,
            role: Role::Member,
            becomes: Role::Member,
            since: 0,
            invited_by: None,
        });
        let room = Room {
            id: "7".into(),
            kind: ChatKind::Group,
            title: None,
            open: false,
            created_at: 0,
            participants: participants.collect(),
        };
        let (updates, _updated) = mpsc::unbounded_channel();
        let publisher = Publisher {
            environment: Arc::new(TokioEnvironment::start(WallClock::default())),
            counters: Arc::default(),
            hub: Arc::new(Hub::new(10)),
            chats: Arc::new(ChatRegistry::of([ChatRecord { room: Arc::new(room), at: 0 }])),
            audience: Arc::default(),
            updates,
        };
        let cost = |channel: &str| {
            let before = publisher.hub.lookups.load(Ordering::Relaxed);
            publisher.publish(&[entry(channel)], &mut Flushes::default());
            publisher.hub.lookups.load(Ordering::Relaxed) - before
        };
        let public = cost("news");
        assert_eq!((public, cost("private-chat.7")), (1, 1));
        let (sender, mut mailbox) = mailbox(9);
        let own: Channel = "private-user.u500".parse().unwrap();
        let member = Member { user: "u500".into(), name: None, status: None };
        publisher.hub.subscribe(&own, (Uuid::from_u128(1), 1), &sender, member);
        publisher.audience.open(&"u500".into(), [("7".into(), true)].into_iter());
        // The chat's subscribers, who receive nothing twice, and the listening user.
        assert_eq!(cost("private-chat.7"), public + 2);
        let Some(MailboxMessage::Broadcast(received)) = mailbox.try_take() else {
            panic!("u500 receives it")
        };
        assert_eq!(
            (&received.channel, &*received.text),
            (&own, r#"{"type":"activity","message":{"data":1}}"#)
        );
        assert!(mailbox.try_take().is_none());
    }

    #[test]
    fn all_acks_of_a_transaction_come_first_and_each_channel_keeps_its_order() {
        let (updates, _updated) = mpsc::unbounded_channel();
        let publisher = Publisher {
            environment: Arc::new(TokioEnvironment::start(WallClock::default())),
            counters: Arc::default(),
            hub: Arc::new(Hub::new(10)),
            chats: Arc::default(),
            audience: Arc::default(),
            updates,
        };
        let numbered = |channel: &str, offset| {
            let (text, channel) = (format!("{channel} {offset}").into(), channel.parse().unwrap());
            Arc::new(Entry { channel, epoch: "e".into(), offset, at: 1, plain: true, text })
        };
        let (sender, mut mailbox) = mailbox(20);
        for channel in ["a", "b"] {
            let member = Member { user: "u".into(), name: None, status: None };
            publisher.hub.subscribe(&channel.parse().unwrap(), (Uuid::from_u128(1), 1), &sender, member);
        }
        let groups = [[("a", 1), ("a", 2), ("b", 1)], [("b", 2), ("a", 3), ("b", 3)]].map(|entries| Group {
            reply: sender.clone(),
            entries: entries.map(|(channel, offset)| numbered(channel, offset)).into(),
            // The second of each changes an earlier one.
            rewrites: BTreeMap::from([(1, Rewrite::by_erasure(5, vec![1]).unwrap())]),
            outcomes: Some(Vec::new()),
            answered: false,
        });
        publisher.publish_groups(groups.into(), &mut Flushes::default());
        let received: Vec<_> = std::iter::from_fn(|| mailbox.try_take())
            .map(|message| match message.into_input() {
                Ok(Input::Appended(_)) => "ack".into(),
                Ok(Input::Entry(entry)) => entry.text.to_string(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(received, ["ack", "ack", "a 1", "a 2", "b 1", "b 2", "a 3", "b 3"]);
    }

    #[test]
    fn an_activity_is_the_message_in_another_frame() {
        let message = Message {
            channel: "private-chat.7".parse().unwrap(),
            offset: 3,
            id: Uuid::from_u128(1),
            user: "a".into(),
            name: Some("A}".into()),
            at: 5,
            event: None,
            data: Payload::from_value("{\"}").unwrap(),
            action: None,
            target: None,
            deleted: None,
        };
        let text = batch::encode_frame(&ServerFrame::Message(message.clone()));
        let frame = ServerFrame::Activity(Activity { message });
        assert_eq!(activity(&text).as_deref(), Some(&*batch::encode_frame(&frame)));
    }
}
