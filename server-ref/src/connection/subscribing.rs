//! Subscriptions and recovery: how one begins, what is sent for it, and how it ends.

use std::sync::Arc;

use everwire_protocol::{
    Channel, ChannelKind, ErrorCode, Feature, OwnMark, ServerFrame, Subscribe, Subscribed, Unsubscribed,
    batch, channels::owner_of,
};

use super::{
    Connection, Opened, Opening, Output, Phase, Queued, Transport,
    queue::PAGE,
    subscription::{Arrival, Begun, EarlyFrame, StartPosition},
    subscriptions::{NextPage, PageRead},
};
use crate::model::{
    broadcast::{Broadcast, PresenceChange},
    identity::{Identity, Refusal},
    log::{Entry, Page},
    paging::MemberPage,
};

/// Nothing ephemeral is added if more than this fraction (one n-th) of the queue's limits is used.
const BUSY: usize = 4;

impl Connection {
    pub(super) fn subscribe(&mut self, now_ms: u64, frame: &Subscribe, identity: &Identity) {
        let channel = frame.channel.clone();
        let Some(from) = StartPosition::of(frame, &self.settings.run) else {
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
        if full && !self.subscriptions.contains(&channel) {
            return self.refuse_subscription(channel, Refusal::of(ErrorCode::TooManySubscriptions));
        }
        self.subscriptions.open(channel, from);
    }

    /// Opens the channels that wait for it, as many as may be under way.
    pub(super) fn open_next(&mut self) {
        let Phase::Open(identity) = &self.phase else { return };
        while let Some((key, channel)) = self.subscriptions.next_opening() {
            let seen = self.subscriptions.seen(&channel);
            let opening = Box::new(Opening { channel, who: identity.clone(), seen });
            self.outputs.push_back(Output::Open { key, opening });
        }
    }

    pub(super) fn opened(&mut self, key: u64, channel: &Channel, found: Result<Opened, Refusal>) {
        if !self.subscriptions.opened(key, channel) {
            return;
        }
        let Opened { log, diverged, members, own_mark, receipts, chats } = match found {
            Ok(opened) => opened,
            Err(mut refusal) => {
                if refusal.code.terminal() {
                    // It is about who the client is and not about this channel: the connection ends with it, unless another token
                    // has come since; then the client asks again.
                    self.check_identity(self.now);
                    if self.has_failed() {
                        return;
                    }
                    refusal = Refusal::of(ErrorCode::Unavailable);
                }
                self.subscriptions.remove(channel);
                let at_once = !refusal.code.retry();
                self.outputs.push_back(Output::Leave { channel: channel.clone(), at_once });
                return self.refuse_subscription(channel.clone(), refusal);
            }
        };
        // Messages from before the user's first connection count as undelivered too.
        let delivered = own_mark.map(|mark| mark.delivered).or_else(|| owner_of(channel).map(|_| 0));
        let version = members.as_ref().map_or(0, |members| members.version);
        let limit = self.settings.replay_limit;
        let Some(Begun { from, offset, gap, early }) =
            self.subscriptions.begin(channel, (&log, diverged), limit, delivered, version)
        else {
            return;
        };
        let listed = channel.kind() == ChannelKind::Presence && self.settings.features.has(Feature::Presence);
        let members = members.filter(|_| listed);
        let subscribed = Subscribed {
            channel: channel.clone(),
            epoch: log.epoch.as_ref().into(),
            offset,
            head: log.head,
            gap,
            members_next: members.as_ref().and_then(MemberPage::next),
            members: members.map(|members| members.listed.items),
            own_mark: receipts.as_ref().map(|_| own_mark.unwrap_or(OwnMark { delivered: 0, read: 0 })),
            receipts_next: receipts.as_ref().and_then(|marks| marks.next(|mark| &mark.user)),
            receipts: receipts.map(|marks| marks.items),
            chats_more: chats.as_ref().filter(|chats| chats.more).map(|_| true),
            chats: chats.map(|chats| chats.items),
        };
        let text = batch::encode_frame(&ServerFrame::Subscribed(subscribed)).into();
        self.queue.push(Queued::Subscribed(channel.clone(), from, text));
        for frame in early {
            self.queue.push(match frame {
                EarlyFrame::Presence(change) => Queued::Frame(change.text.clone()),
                EarlyFrame::Broadcast(broadcast) => Queued::Broadcast(broadcast),
            });
        }
    }

    /// Answers a `subscribe` that is refused: temporarily, or for good.
    pub(super) fn refuse_subscription(&mut self, channel: Channel, refusal: Refusal) {
        if !refusal.code.retry() {
            self.subscriptions.refuse(channel.clone());
        }
        self.end_subscription(channel, refusal);
    }

    /// Tells the client that there is no subscription, and why. If it was running, it ends.
    pub(super) fn end_subscription(&mut self, channel: Channel, refusal: Refusal) {
        let retry_after_ms = refusal.code.retry().then_some(self.settings.retry_after_ms);
        self.end_subscription_for(channel, refusal, retry_after_ms);
    }

    /// The same; with `retry_after_ms`, the client subscribes again after that time.
    pub(super) fn end_subscription_for(
        &mut self,
        channel: Channel,
        refusal: Refusal,
        retry_after_ms: Option<u32>,
    ) {
        self.drop_subscription(&channel);
        self.subscriptions.end(channel.clone());
        let unsubscribed = Unsubscribed {
            channel: channel.clone(),
            code: Some(refusal.code.into()),
            message: Some(refusal.message),
            retry_after_ms,
        };
        let text = batch::encode_frame(&ServerFrame::Unsubscribed(unsubscribed)).into();
        self.queue.push(Queued::Ended(channel, text));
    }

    pub(super) fn read_next_page(&mut self) {
        let Phase::Open(identity) = &self.phase else { return };
        if self.queue.is_low()
            && let Some(NextPage { key, channel, after }) = self.subscriptions.next_page()
        {
            let who = identity.clone();
            self.outputs.push_back(Output::Read { key, channel, who, after, bounds: PAGE });
        }
    }

    pub(super) fn page(&mut self, now_ms: u64, key: u64, channel: &Channel, page: Option<Page>) {
        let retry_at = now_ms + u64::from(self.settings.retry_after_ms);
        match self.subscriptions.page(key, channel, page, retry_at) {
            PageRead::Entries(entries) => {
                for entry in entries {
                    self.queue.push(Queued::Entry(entry));
                }
            }
            PageRead::Lost(from) => self.subscriptions.open(channel.clone(), from),
        }
    }

    pub(super) fn entry(&mut self, entry: Arc<Entry>) {
        match self.subscriptions.arrived(&entry) {
            Arrival::Next => self.queue.push(Queued::Entry(entry)),
            Arrival::AnotherLog => {
                if let Some(from) = self.subscriptions.position(&entry.channel) {
                    self.subscriptions.open(entry.channel.clone(), from);
                }
            }
            Arrival::Hole | Arrival::Nothing => {}
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
        if self.subscriptions.remove(channel) {
            self.queue.forget(channel);
            self.outputs.push_back(Output::Leave { channel: channel.clone(), at_once: true });
        }
    }

    pub(super) fn presence(&mut self, change: Arc<PresenceChange>) {
        if self.settings.features.has(Feature::Presence)
            && let Some(change) = self.subscriptions.presence(change)
        {
            self.queue.push(Queued::Frame(change.text.clone()));
        }
    }

    /// A frame for the current subscribers of a channel.
    pub(super) fn broadcast(&mut self, broadcast: Arc<Broadcast>) {
        if let Some(broadcast) = self.subscriptions.broadcast(broadcast)
            && !(broadcast.ephemeral && self.is_busy())
        {
            self.queue.push(Queued::Broadcast(broadcast));
        }
    }

    /// Whether the queue is so long that droppable frames are dropped.
    fn is_busy(&self) -> bool {
        let (frames, bytes) = (self.settings.queue_frames, self.settings.queue_bytes);
        self.queue.is_above(frames / BUSY, bytes / BUSY)
    }

    /// The channel's chat was deleted, so whatever a token grants is gone too.
    pub(super) fn chat_deleted(&mut self, channel: Channel, key: u64) {
        if self.subscriptions.key(&channel) == Some(key) {
            self.end_subscription(channel, Refusal::new(ErrorCode::NotFound, "This chat was deleted."));
        }
    }

    /// The user is no longer a member of the channel's chat. A token that grants the channel still counts.
    pub(super) fn revoke(&mut self, channel: Channel, key: u64) {
        let Phase::Open(identity) = &self.phase else { return };
        if self.access.chat(identity, &channel).is_none() || self.subscriptions.key(&channel) != Some(key) {
            return;
        }
        self.end_subscription(
            channel,
            Refusal::new(ErrorCode::Forbidden, "No longer a member of this chat."),
        );
    }
}
