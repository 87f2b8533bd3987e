//! From a batch to calls of the core, frame by frame, as the package does in a browser: a listener runs while the rest of
//! its batch is still unread.

use everwire_client_core::{GapStart, Refusal, Source, SubscribedFrame, Verdict, WelcomeFrame};
use everwire_protocol::{ClientFrame, Message, ServerFrame, Subscribed, batch};

use super::{
    World,
    client::{shortened, user_of},
    say,
};
use crate::{
    plant::Plant,
    violation::{Rule, violated},
};

impl World {
    pub(super) fn unpack(&mut self, client: usize, source: Source, text: &str) {
        say!(self, format!("c{client}"), "< {}", shortened(text));
        let bounds = batch::Bounds { bytes: usize::MAX, frames: usize::MAX, ..batch::Bounds::default() };
        let now = self.clients[client].clocks(self.now);
        let frames = match batch::decode::<ServerFrame>(text, &bounds) {
            Ok(frames) => frames,
            Err(error) => {
                return self.broken(violated(Rule::Protocol, format!("a node sent {text:?}: {error}")));
            }
        };
        self.clients[client].core.begin_batch(now, source);
        for frame in frames {
            match frame {
                Ok(frame) => self.take(client, frame),
                Err(error) => {
                    return self.broken(violated(Rule::Protocol, format!("a node sent {text:?}: {error}")));
                }
            }
            self.drain(client);
        }
        self.clients[client].core.end_batch();
        self.carry_out(client);
    }

    fn take(&mut self, client: usize, frame: ServerFrame) {
        let channel = match &frame {
            ServerFrame::Subscribed(f) => Some(f.channel.clone()),
            ServerFrame::MemberJoined(f) => Some(f.channel.clone()),
            ServerFrame::MemberLeft(f) => Some(f.channel.clone()),
            ServerFrame::Unsubscribed(f) => Some(f.channel.clone()),
            ServerFrame::Error(f) => f.channel.clone(),
            ServerFrame::UserTyping(f) => Some(f.channel.clone()),
            ServerFrame::Receipt(f) => Some(f.channel.clone()),
            _ => None,
        };
        let handle = channel.as_ref().and_then(|channel| self.clients[client].channels.get(channel).copied());
        let c = &mut self.clients[client];
        match frame {
            ServerFrame::Message(message) => self.entry(client, &message),
            ServerFrame::Subscribed(frame) => {
                if let Some(handle) = handle {
                    self.subscribed(client, handle, &frame);
                }
            }
            ServerFrame::MemberJoined(frame) => {
                if let Some(handle) = handle.filter(|handle| c.core.live(*handle)) {
                    c.members.entry(handle).or_default().insert(frame.member.user, 0);
                }
            }
            ServerFrame::MemberLeft(frame) => {
                if let Some(handle) = handle.filter(|handle| c.core.live(*handle))
                    && self.plant != Some(Plant::LeaveForgotten)
                {
                    c.members.entry(handle).or_default().remove(&frame.user);
                }
            }
            ServerFrame::Welcome(w) => {
                c.welcomed += 1;
                c.core.welcome(WelcomeFrame {
                    connection: w.connection,
                    user: w.user,
                    ping_interval: w.ping_interval_ms,
                    hold: w.hold_ms,
                    token_expires_in: w.token_expires_in_ms,
                    payload_bytes: w.limits.payload_bytes,
                    batch_bytes: w.limits.batch_bytes,
                });
            }
            ServerFrame::Unsubscribed(u) => {
                let message = u.message.unwrap_or_default();
                c.core.unsubscribed(handle, u.channel.as_str(), u.code, &message);
            }
            ServerFrame::Ack(ack) => c.core.acked(ack.id, ack.offset, ack.at),
            ServerFrame::Error(e) => c.core.refused(&Refusal {
                code: e.code,
                message: &e.message,
                retry: e.retry,
                id: e.id,
                handle,
                about_channel: e.channel.is_some(),
                retry_after: e.retry_after_ms.map(u64::from),
            }),
            ServerFrame::UserTyping(typed) => {
                if let Some(handle) = handle.filter(|handle| c.core.live(*handle)) {
                    self.hears_typing(client, handle, &typed);
                }
            }
            ServerFrame::Receipt(mark) => {
                if let Some(handle) = handle.filter(|handle| c.core.live(*handle))
                    && mark.user == user_of(client)
                    && self.plant != Some(Plant::MarksUnheard)
                {
                    c.core.marked(handle, mark.delivered, mark.read);
                }
            }
            ServerFrame::Polled(p) => c.core.polled(p.seq),
            ServerFrame::Ping(p) => c.core.pinged(p.nonce),
            ServerFrame::Goaway(g) => c.core.told_to_leave(g.delay_ms, g.spread_ms, &g.reason),
            // That a `pong` was heard was noted with the batch. No application here asks for what brings the others.
            _ => {}
        }
    }

    fn subscribed(&mut self, client: usize, handle: everwire_client_core::Handle, frame: &Subscribed) {
        let ignored = self.planted(Plant::EpochIgnored);
        let c = &mut self.clients[client];
        let first =
            c.first_epochs.entry(frame.channel.clone()).or_insert_with(|| frame.epoch.clone()).clone();
        let epoch = if ignored { first.as_str() } else { frame.epoch.as_str() };
        let gap = frame.gap.as_ref().map(|gap| GapStart { from: gap.from, reason: gap.reason });
        let told = SubscribedFrame { epoch, offset: frame.offset, head: frame.head, gap };
        if c.core.subscribed(handle, &told) {
            let members = frame.members.iter().flatten().map(|member| (member.user.clone(), 0));
            c.members.insert(handle, members.collect());
            if let Some(marks) = frame.receipts.as_ref().filter(|_| self.plant != Some(Plant::MarksUnheard)) {
                let mine = marks.iter().find(|mark| mark.user == user_of(client));
                c.core.marked(
                    handle,
                    mine.map_or(0, |mark| mark.delivered),
                    mine.map_or(0, |mark| mark.read),
                );
            }
        }
    }

    fn entry(&mut self, client: usize, message: &Message) {
        let c = &mut self.clients[client];
        let Some(handle) = c.channels.get(&message.channel).copied() else {
            if self.planted(Plant::DeliveredAfterUnsubscribe) {
                let what = format!("c{client} is given {} of {}", message.offset, message.channel);
                self.broken(violated(Rule::AfterUnsubscribe, what));
            }
            return;
        };
        if self.plant == Some(Plant::PositionAfterListener) && c.core.live(handle) && c.dice.chance(20) {
            // The listener runs first, and fails: the position never moves.
            let next = c.watches.get(&handle).and_then(|watch| watch.place).map(|place| place.offset + 1);
            if next == Some(message.offset) {
                self.delivered(client, handle, message);
            }
            return;
        }
        if c.core.accept(handle, message.offset) == Verdict::Deliver {
            self.delivered(client, handle, message);
            self.listener(client);
        }
    }

    fn delivered(&mut self, client: usize, handle: everwire_client_core::Handle, message: &Message) {
        self.stats.delivered += 1;
        let result = match self.clients[client].watches.get_mut(&handle) {
            Some(watch) => watch.delivered(&self.ledger, message),
            None => violated(Rule::AfterUnsubscribe, format!("c{client} is given {}", message.offset)),
        };
        self.broken(result);
    }

    /// With a planted bug, what is sent is not what the core wanted.
    pub(super) fn maybe_spoiled(&mut self, client: usize, link: usize, text: String) -> String {
        let (stale, again, reversed) = (
            self.planted(Plant::StaleOutgoing),
            self.planted(Plant::NotResubscribed),
            self.planted(Plant::ResendReversed),
        );
        if !(stale || again || reversed) {
            return text;
        }
        let frames = batch::decode::<ClientFrame>(&text, &batch::Bounds::default()).unwrap_or_default();
        let mut frames: Vec<_> = frames.into_iter().flatten().collect();
        let first = matches!(frames.first(), Some(ClientFrame::Hello(_)));
        let dead = self.links[link].dead || self.links[link].cut;
        let c = &mut self.clients[client];
        if stale && dead && !first {
            c.stale.push(text);
            return "[]".into();
        }
        if stale && first {
            for old in std::mem::take(&mut c.stale) {
                let old = batch::decode::<ClientFrame>(&old, &batch::Bounds::default()).unwrap_or_default();
                frames.extend(old.into_iter().flatten());
            }
        }
        if again && first && c.welcomed > 0 {
            frames.retain(|frame| !matches!(frame, ClientFrame::Subscribe(_)));
        }
        if reversed {
            let known = &mut c.sent_before;
            let all = frames.iter().all(|frame| match frame {
                ClientFrame::Send(send) => known.contains(&send.id),
                _ => false,
            });
            known.extend(frames.iter().filter_map(|frame| match frame {
                ClientFrame::Send(send) => Some(send.id),
                _ => None,
            }));
            if all {
                frames.reverse();
            }
        }
        batch::encode(&frames)
    }
}
