//! What clients receive: the core reads each batch as every driver in Rust does, and a listener runs while the rest of its
//! batch is still unread.

use everwire_client_core::{
    Application, Confirmation, Connection, Gap, Handle, Source, Stretch, receive, typist,
};
use everwire_protocol::{
    Ack, ChatChanged, ChatGone, ClientFrame, Code, Error, ErrorCode, GapReason, MemberJoined, MemberLeft,
    Message, ServerFrame, Signalled, Subscribed, UserTyping, Uuid,
    batch::{self, FrameError, Unreadable},
};

use super::{
    World,
    client::{shortened, user_of},
    say,
};
use crate::{
    mutants::Mutant,
    violation::{Rule, violated},
    watch::Place,
};

impl World {
    pub(super) fn receives(&mut self, client: usize, source: Source, text: &str) {
        say!(self, format!("c{client}"), "< {}", shortened(text));
        let now = self.clients[client].clocks(self.now);
        let mut frames = match self.frames_of(text) {
            Ok(frames) => frames,
            Err(error) => {
                return self.broken(violated(Rule::Protocol, format!("a node sent {text:?}: {error}")));
            }
        };
        if let Some(Err(error)) = frames.iter().find(|frame| frame.is_err()) {
            let what = format!("a node sent {text:?}: {}", error.error);
            return self.broken(violated(Rule::Protocol, what));
        }
        for frame in &mut frames {
            self.spoil_entry(frame);
        }
        receive(&mut Page { world: self, client }, now, source, frames);
        self.carry_out(client);
    }

    /// With a planted bug, what arrives is not what the core gets to see.
    fn spoiled(&mut self, client: usize, frame: ServerFrame) -> Option<ServerFrame> {
        match frame {
            ServerFrame::Message(message) => self.spoiled_message(client, message).map(Into::into),
            ServerFrame::Subscribed(mut frame) => {
                let ignored = self.has(Mutant::EpochIgnored);
                let epochs = &mut self.clients[client].first_epochs;
                let first = epochs.entry(frame.channel.clone()).or_insert_with(|| frame.epoch.clone());
                if ignored {
                    frame.epoch.clone_from(first);
                    frame.gap = frame.gap.filter(|gap| gap.reason != GapReason::Epoch);
                }
                if self.mutant == Some(Mutant::MarksUnheard) {
                    frame.own_mark = None;
                }
                Some(frame.into())
            }
            ServerFrame::Error(frame) if self.mutant == Some(Mutant::NamedTakenForRefused) => {
                let id = frame.id.or(frame.ids.first().copied());
                Some(Error { id, ..frame }.into())
            }
            // The planted bug: a driver that does not ask the core whether a request still waits.
            frame if frame.answered_id().is_some() && self.has(Mutant::AnswersUnasked) => {
                self.answered(client, &frame);
                None
            }
            ServerFrame::MemberLeft(_) if self.mutant == Some(Mutant::LeaveForgotten) => None,
            ServerFrame::Receipt(_) if self.mutant == Some(Mutant::MarksUnheard) => None,
            frame => Some(frame),
        }
    }

    fn spoiled_message(&mut self, client: usize, message: Message) -> Option<Message> {
        let c = &mut self.clients[client];
        let Some(handle) = c.channels.get(&message.channel).copied() else {
            if self.has(Mutant::DeliveredAfterUnsubscribe) {
                let what = format!("c{client} is given {} of {}", message.offset, message.channel);
                self.broken(violated(Rule::AfterUnsubscribe, what));
            }
            return Some(message);
        };
        if self.mutant == Some(Mutant::PositionAfterListener) && c.rng.chance(20) {
            // The listener runs first, and fails: the position never moves.
            let next = c.watches.get(&handle).and_then(|watch| watch.place).map(|place| place.offset + 1);
            if next == Some(message.offset) {
                self.delivered(client, handle, &message);
            }
            return None;
        }
        Some(message)
    }

    /// Some entries are stored in a form that no client can read.
    fn spoil_entry(&self, frame: &mut Result<ServerFrame, Unreadable>) {
        let Ok(ServerFrame::Message(message)) = frame else { return };
        let number = message.id.as_u128() as u64;
        if !self.spoils.is_some_and(|every| number.is_multiple_of(every)) {
            return;
        }
        let error = FrameError::NotAFrame { index: 0, reason: "it is spoiled".into() };
        let entry = Some((message.channel.clone(), message.offset));
        let stays = self.mutant == Some(Mutant::UnreadableStays);
        *frame = Err(Unreadable { error, entry: entry.filter(|_| !stays) });
    }

    fn delivered(&mut self, client: usize, handle: Handle, message: &Message) {
        self.stats.delivered += 1;
        let result = match self.clients[client].watches.get_mut(&handle) {
            Some(watch) => watch.delivered(&self.ledger, message),
            None => violated(Rule::AfterUnsubscribe, format!("c{client} is given {}", message.offset)),
        };
        self.broken(result);
    }

    fn confirmed(
        &mut self,
        client: usize,
        handle: Handle,
        frame: &Subscribed,
        Confirmation { offset, gap }: Confirmation,
    ) {
        if let Some(gap) = gap {
            self.gap(client, handle, gap);
        }
        let (head, recovered) = (frame.head, gap.is_none());
        say!(
            self,
            format!("c{client}"),
            "subscription {} at {offset}, head {head}, recovered {recovered}",
            handle.0
        );
        let run = self.clients[client].core.run().to_owned();
        let Some(watch) = self.clients[client].watches.get_mut(&handle) else {
            let what = format!("c{client}: subscription {} is in place after its end", handle.0);
            return self.broken(violated(Rule::AfterUnsubscribe, what));
        };
        let told = (&*run, offset, head);
        let before = watch.place;
        let result = watch.subscribed(&self.ledger, told, recovered, self.settings.replay_limit);
        let now = watch.place;
        self.broken(result);
        if let (Some(before), Some(now)) = (before, now)
            && before.log != now.log
            && gap.is_none_or(|gap| gap.reason != GapReason::Epoch)
        {
            self.continued(client, handle, before, now.log);
        }
    }

    /// The log goes on as that of a copy: what was read up to here was read in both.
    fn continued(&mut self, client: usize, handle: Handle, before: Place, log: usize) {
        let user = user_of(client);
        let read = self.reads.get(&(before.log, user.clone())).map_or(0, |read| (*read).min(before.offset));
        self.has_read((log, user), read);
        let c = &mut self.clients[client];
        c.talk.continued(handle, before.log, log);
        if let Some(watch) = c.watches.get_mut(&handle) {
            watch.continued(before.log, log);
        }
    }

    fn gap(&mut self, client: usize, handle: Handle, Gap { from, to, reason }: Gap) {
        say!(self, format!("c{client}"), "subscription {}: gap {from} to {to}, {reason:?}", handle.0);
        if self.has(Mutant::GapNotDeclared) {
            return;
        }
        self.stats.gaps += 1;
        let result = match self.clients[client].watches.get_mut(&handle) {
            Some(watch) => watch.gap(from, to, reason),
            None => violated(Rule::AfterUnsubscribe, format!("c{client}: a gap after the end")),
        };
        self.broken(result);
    }

    /// With a planted bug, what is sent is not what the core wanted.
    pub(super) fn maybe_spoiled(&mut self, client: usize, link: usize, text: String) -> String {
        let (stale, again, reversed, unsaid) = (
            self.has(Mutant::StaleOutgoing),
            self.has(Mutant::NotResubscribed),
            self.has(Mutant::ResendReversed),
            self.has(Mutant::RunUnsaid),
        );
        if !(stale || again || reversed || unsaid) {
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
        for frame in frames.iter_mut().filter(|_| unsaid) {
            match frame {
                ClientFrame::Subscribe(frame) => frame.run = None,
                ClientFrame::Mark(frame) => frame.run = None,
                _ => {}
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

/// A client while it reads a batch.
struct Page<'a> {
    world: &'a mut World,
    client: usize,
}

impl Page<'_> {
    /// The code of a frame. The server of this version says none that is not in the list.
    fn listed(&mut self, code: &Code) -> Option<ErrorCode> {
        if code.listed().is_none() {
            self.world.broken(violated(Rule::Protocol, format!("a node said the code {code:?}")));
        }
        code.listed()
    }
}

impl Application for Page<'_> {
    fn reading(&mut self) -> (&mut Connection, &mut Stretch) {
        let client = &mut self.world.clients[self.client];
        (&mut client.core, &mut client.stretch)
    }

    fn arrived(&mut self, frame: ServerFrame) -> Option<ServerFrame> {
        if let ServerFrame::Welcome(_) = frame {
            self.world.clients[self.client].welcomed += 1;
        }
        self.world.spoiled(self.client, frame)
    }

    fn finished(&mut self) {
        self.world.drain(self.client);
    }

    fn unreadable(&mut self, handle: Handle, offset: u64, _: String) {
        let result = match self.world.clients[self.client].watches.get_mut(&handle) {
            Some(watch) => watch.skipped(offset),
            None => violated(Rule::AfterUnsubscribe, format!("c{} is given {offset}", self.client)),
        };
        self.world.broken(result);
    }

    fn message(&mut self, handle: Handle, message: Message) {
        self.world.delivered(self.client, handle, &message);
        self.world.listener(self.client, handle);
    }

    fn subscribed(&mut self, handle: Handle, frame: Subscribed, confirmation: Confirmation) {
        let members = frame.members.iter().flatten().map(|member| (member.user.clone(), 0));
        self.world.clients[self.client].members.insert(handle, members.collect());
        self.world.own_chats(self.client, &frame);
        self.world.confirmed(self.client, handle, &frame, confirmation);
    }

    fn ended(&mut self, handle: Handle, code: Code, message: String) {
        let Some(code) = self.listed(&code) else { return };
        let client = self.client;
        let restricted =
            self.world.rights.as_ref().is_some_and(|rights| rights.was_restricted(&user_of(client)));
        say!(self.world, format!("c{client}"), "subscription {} is over: {code:?} {message}", handle.0);
        if restricted && matches!(code, ErrorCode::Forbidden | ErrorCode::Banned) {
            return self.world.loses_subscription(client, handle);
        }
        if self.world.may_be_put_out(client, handle, code) {
            return self.world.loses_subscription(client, handle);
        }
        let what = format!("c{client}: subscription {} was ended: {code:?} {message}", handle.0);
        self.world.broken(violated(Rule::Ended, what));
    }

    fn stored(&mut self, ack: Ack) {
        self.world.stored(self.client, ack.id, ack.offset);
    }

    fn failed(&mut self, id: Uuid, code: Code, _: String, _: Option<u32>) {
        if let Some(code) = self.listed(&code) {
            self.world.failed(self.client, id, code);
        }
    }

    fn error(&mut self, code: Code, message: String, _: Option<u32>) {
        if let Some(code) = self.listed(&code) {
            self.world.reports(self.client, code, &message);
        }
    }

    fn answered(&mut self, answer: ServerFrame) {
        self.world.answered(self.client, &answer);
    }

    fn chat_changed(&mut self, _: Handle, frame: ChatChanged) {
        let chats = &mut self.world.clients[self.client].own_chats;
        chats.insert(frame.chat.id, frame.chat.role);
    }

    fn chat_gone(&mut self, _: Handle, frame: ChatGone) {
        self.world.clients[self.client].own_chats.remove(&frame.chat);
    }

    fn user_typing(&mut self, handle: Handle, frame: UserTyping) {
        self.world.hears_typing(self.client, (handle, typist(&frame.user)), frame.typing);
    }

    fn signalled(&mut self, handle: Option<Handle>, frame: Signalled) {
        self.world.hears_signal(self.client, handle, &frame);
    }

    fn member_joined(&mut self, handle: Handle, frame: MemberJoined) {
        let members = self.world.clients[self.client].members.entry(handle).or_default();
        members.insert(frame.member.user, 0);
    }

    fn member_left(&mut self, handle: Handle, frame: MemberLeft) {
        self.world.clients[self.client].members.entry(handle).or_default().remove(&frame.user);
    }
}
