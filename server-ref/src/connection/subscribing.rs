//! Subscriptions and recovery: how one begins, what is sent for it, and how it ends.

use std::{collections::btree_map, sync::Arc};

use everwire_protocol::{
    Channel, ChannelKind, ErrorCode, ServerFrame, Subscribe, Subscribed, Unsubscribed, batch,
    channels::owner_of,
};

use super::{
    Connection, Opened, Opening, Output, Phase, Queued, Transport,
    queue::PAGE,
    subscription::{Noted, Stage, StartPosition, Subscription},
};
use crate::model::{
    broadcast::{Broadcast, PresenceChange},
    identity::{Identity, Refusal},
    log::{Entry, Page},
};

/// Nothing ephemeral is added if more than this fraction (one n-th) of the queue's limits is used.
const BUSY: usize = 4;

impl Connection {
    pub(super) fn subscribe(&mut self, now_ms: u64, frame: &Subscribe, identity: &Identity) {
        let channel = frame.channel.clone();
        let Some(from) = StartPosition::of(frame) else {
            let words = "Invalid position: epoch and offset must be given together.";
            self.refuse_subscription(channel, Refusal::new(ErrorCode::InvalidFrame, words));
            return self.count_bad(now_ms);
        };
        // Queued frames continue a subscription that the client has ended.
        self.queue.forget(&channel);
        if !self.access.may_subscribe(identity, &channel) {
            return self.refuse_subscription(channel, Refusal::of(ErrorCode::Forbidden));
        }
        let full = self.subscriptions.len() >= self.settings.limits.subscriptions as usize;
        if full && !self.subscriptions.contains_key(&channel) {
            return self.refuse_subscription(channel, Refusal::of(ErrorCode::TooManySubscriptions));
        }
        self.refused.remove(&channel);
        self.ended.remove(&channel);
        self.open(channel, from, identity);
    }

    /// Starts or restarts a subscription.
    fn open(&mut self, channel: Channel, from: StartPosition, identity: &Identity) {
        self.next_key += 1;
        self.catching_up.retain(|other| *other != channel);
        self.subscriptions.insert(channel.clone(), Subscription::new(self.next_key, from));
        let opening = Box::new(Opening { channel, who: identity.clone() });
        self.outputs.push_back(Output::Open { key: self.next_key, opening });
    }

    /// Restarts a subscription at its position: its log was replaced, or trimmed faster than it could be read.
    fn reopen(&mut self, channel: &Channel) {
        let Phase::Open(identity) = &self.phase else { return };
        let identity = identity.clone();
        if let Some(subscription) = self.subscriptions.get(channel) {
            let from =
                StartPosition::Position { epoch: subscription.epoch.clone(), offset: subscription.offset };
            self.open(channel.clone(), from, &identity);
        }
    }

    pub(super) fn opened(&mut self, key: u64, channel: &Channel, found: Result<Opened, Refusal>) {
        let btree_map::Entry::Occupied(mut slot) = self.subscriptions.entry(channel.clone()) else { return };
        if slot.get().key != key || slot.get().stage != Stage::Opening {
            return;
        }
        let Opened { log, members, receipts, chats } = match found {
            Ok(opened) => opened,
            Err(refusal) => {
                slot.remove();
                let at_once = !refusal.code.retry();
                self.outputs.push_back(Output::Leave { channel: channel.clone(), at_once });
                return self.refuse_subscription(channel.clone(), refusal);
            }
        };
        let subscription = slot.get_mut();
        let user = if let Phase::Open(identity) = &self.phase { &*identity.user } else { "" };
        let own = receipts.iter().flatten().find(|mark| mark.user == user).map(|mark| mark.delivered);
        // Messages from before the user's first connection count as undelivered too.
        let own = own.or_else(|| owner_of(channel).map(|_| 0));
        let (offset, gap) = subscription.from.resolve(&log, self.settings.replay_limit, own);
        subscription.epoch = log.epoch.clone();
        subscription.offset = offset;
        let behind = subscription.is_behind(log.head);
        subscription.stage = if behind { Stage::CatchingUp } else { Stage::Live };
        let (members, version) = members.unzip();
        subscription.presence_version = version.unwrap_or(0);
        let subscribed = Subscribed {
            channel: channel.clone(),
            epoch: log.epoch.as_ref().into(),
            offset,
            head: log.head,
            gap,
            members: members.filter(|_| channel.kind() == ChannelKind::Presence),
            receipts,
            chats,
        };
        let text = batch::encode_frame(&ServerFrame::Subscribed(subscribed)).into();
        self.queue.push(Queued::Subscribed(channel.clone(), subscription.from.clone(), text));
        let version = subscription.presence_version;
        for noted in subscription.noted_frames.drain(..) {
            match noted {
                Noted::Presence(change) if change.version <= version => {}
                Noted::Presence(change) => self.queue.push(Queued::Frame(change.text.clone())),
                Noted::Broadcast(note) => self.queue.push(Queued::Broadcast(note)),
            }
        }
        if behind {
            self.catching_up.push_back(channel.clone());
        }
    }

    /// Answers a `subscribe` that is refused: temporarily, or for good.
    pub(super) fn refuse_subscription(&mut self, channel: Channel, refusal: Refusal) {
        if !refusal.code.retry() {
            self.refused.insert(channel.clone());
        }
        self.end_subscription(channel, refusal);
    }

    /// Tells the client that there is no subscription, and why. If it was running, it ends.
    fn end_subscription(&mut self, channel: Channel, refusal: Refusal) {
        self.drop_subscription(&channel);
        self.ended.insert(channel.clone());
        let unsubscribed = Unsubscribed {
            channel: channel.clone(),
            code: Some(refusal.code),
            message: Some(refusal.message),
            retry_after_ms: refusal.code.retry().then_some(self.settings.retry_after_ms),
        };
        let text = batch::encode_frame(&ServerFrame::Unsubscribed(unsubscribed)).into();
        self.queue.push(Queued::Ended(channel, text));
    }

    pub(super) fn read_next_page(&mut self) {
        let Phase::Open(identity) = &self.phase else { return };
        let who = identity.clone();
        while !self.reading && self.read_again_at.is_none() && self.queue.is_low() {
            let Some(channel) = self.catching_up.pop_front() else { return };
            if let Some(subscription) = self.subscriptions.get(&channel) {
                self.reading = true;
                let (key, after) = (subscription.key, subscription.offset);
                let who = who.clone();
                self.outputs.push_back(Output::Read { key, channel, who, after, bounds: PAGE });
            }
        }
    }

    pub(super) fn page(&mut self, now_ms: u64, key: u64, channel: &Channel, page: Option<Page>) {
        self.reading = false;
        let Some(subscription) = self.subscriptions.get_mut(channel) else { return };
        if subscription.key != key || subscription.stage != Stage::CatchingUp {
            return;
        }
        let Some(Page { log, entries }) = page else {
            self.catching_up.push_front(channel.clone());
            self.read_again_at = Some(now_ms + u64::from(self.settings.retry_after_ms));
            return;
        };
        let hole = entries.first().map_or(log.trimmed, |first| first.offset - 1) > subscription.offset;
        if log.epoch != subscription.epoch || hole {
            return self.reopen(channel);
        }
        for entry in entries {
            subscription.offset = entry.offset;
            self.queue.push(Queued::Entry(entry));
        }
        if subscription.is_behind(log.head) {
            self.catching_up.push_back(channel.clone());
        } else {
            subscription.stage = Stage::Live;
            subscription.noted = None;
        }
    }

    pub(super) fn entry(&mut self, entry: Arc<Entry>) {
        let Some(subscription) = self.subscriptions.get_mut(&entry.channel) else { return };
        if subscription.stage != Stage::Live {
            subscription.note(entry);
        } else if entry.epoch != subscription.epoch {
            let channel = entry.channel.clone();
            self.reopen(&channel);
        } else if entry.offset == subscription.offset + 1 {
            subscription.offset = entry.offset;
            self.queue.push(Queued::Entry(entry));
        } else if entry.offset > subscription.offset {
            // Entries in between were missed: the store has them.
            subscription.stage = Stage::CatchingUp;
            self.catching_up.push_back(entry.channel.clone());
            subscription.note(entry);
        }
    }

    pub(super) fn unsubscribe(&mut self, channel: Channel) {
        if self.transport == Transport::Post {
            let (session, channel) = (self.session, Some(channel.clone()));
            self.outputs.push_back(Output::ForwardToSession { session, channel });
        }
        self.drop_subscription(&channel);
        self.push(Unsubscribed { channel, code: None, message: None, retry_after_ms: None });
    }

    /// Ends a subscription at the client's request. Nothing of it is sent from now on.
    pub(super) fn drop_subscription(&mut self, channel: &Channel) {
        if self.subscriptions.remove(channel).is_some() {
            self.catching_up.retain(|other| other != channel);
            self.queue.forget(channel);
            self.outputs.push_back(Output::Leave { channel: channel.clone(), at_once: true });
        }
    }

    // Presence

    pub(super) fn presence(&mut self, change: Arc<PresenceChange>) {
        let Some(subscription) = self.subscriptions.get_mut(&change.channel) else { return };
        if subscription.stage == Stage::Opening {
            subscription.noted_frames.push(Noted::Presence(change));
        } else if change.version > subscription.presence_version {
            self.queue.push(Queued::Frame(change.text.clone()));
        }
    }

    /// A frame for the current subscribers of a channel.
    pub(super) fn note(&mut self, note: Arc<Broadcast>) {
        let Some(subscription) = self.subscriptions.get_mut(&note.channel) else { return };
        let opening = subscription.stage == Stage::Opening;
        if !note.ephemeral && opening {
            subscription.noted_frames.push(Noted::Broadcast(note));
        } else if !note.ephemeral || (!opening && !self.is_busy()) {
            self.queue.push(Queued::Broadcast(note));
        }
    }

    /// Whether the queue is so long that droppable frames are dropped.
    fn is_busy(&self) -> bool {
        let (frames, bytes) = (self.settings.queue_frames, self.settings.queue_bytes);
        self.queue.is_above(frames / BUSY, bytes / BUSY)
    }

    /// The user is no longer a member of the channel's chat. A token that grants the channel still counts.
    pub(super) fn revoke(&mut self, channel: Channel) {
        let Phase::Open(identity) = &self.phase else { return };
        if self.access.chat(identity, &channel).is_none() || !self.subscriptions.contains_key(&channel) {
            return;
        }
        self.end_subscription(
            channel,
            Refusal::new(ErrorCode::Forbidden, "No longer a member of this chat."),
        );
    }
}
