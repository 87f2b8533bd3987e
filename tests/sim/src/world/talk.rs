//! Typing and marks: the applications' side, the nodes' side, and the checks.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    task::{Context, Poll, Waker},
};

use everwire_client_core::{Handle, Now};
use everwire_protocol::{
    Channel, ChannelKind, ClientFrame, UserReceipt, batch,
    limits::{TYPING_EXPIRY_MS, TYPING_REPEAT_MS},
};

use super::{World, client::user_of, say};
use crate::{
    mutants::Mutant,
    violation::{Rule, Violation, violated},
};

/// What an application has typed and marked, and received of others.
#[derive(Debug, Default)]
pub(super) struct Talk {
    /// When the last key was pressed, by the client's clock.
    keys: BTreeMap<Channel, u64>,
    /// When typing was last announced since the client was connected, by the client's two clocks and in virtual time: one of the
    /// clocks stops in sleep, and the other one can be set.
    announced: BTreeMap<Channel, [u64; 3]>,
    /// The typists, by the number of the user.
    typists: BTreeSet<(Handle, u32)>,
    /// The position up to which it was read.
    read: BTreeMap<Handle, (usize, u64)>,
}

impl Talk {
    /// A new connection: the announcements on the last one no longer count.
    pub(super) fn reconnected(&mut self) {
        self.announced.clear();
    }

    /// A log goes on as that of a copy.
    pub(super) fn continued(&mut self, handle: Handle, before: usize, now: usize) {
        if let Some((log, _)) = self.read.get_mut(&handle).filter(|(log, _)| *log == before) {
            *log = now;
        }
    }

    pub(super) fn left(&mut self, handle: Handle) {
        self.typists.retain(|(of, _)| *of != handle);
        self.read.remove(&handle);
    }

    pub(super) fn quiet(&mut self, handle: Handle, typist: u32) {
        self.typists.remove(&(handle, typist));
    }
}

fn is_kept(channel: &Channel) -> bool {
    channel.kind() != ChannelKind::Public
}

// The applications

impl World {
    /// The application types, or marks messages as read.
    pub(super) fn talk(&mut self, client: usize) {
        if !self.case.talk {
            return;
        }
        let clocks = self.clients[client].clocks(self.now);
        let (c, own) = (&mut self.clients[client], &self.channels);
        let channels: Vec<_> = c.channels.iter().filter(|(channel, _)| own.contains(channel)).collect();
        let place = c.talk_rng.below(channels.len().max(1));
        let Some((channel, handle)) = channels.get(place).map(|(c, h)| ((*c).clone(), **h)) else {
            return;
        };
        match c.talk_rng.between(0, 9) {
            0..=3 => {
                c.talk.keys.insert(channel.clone(), clocks.mono);
                c.core.typing(clocks, handle, true);
                say!(self, format!("c{client}"), "types in {channel}");
            }
            4 => {
                c.core.typing(clocks, handle, false);
                say!(self, format!("c{client}"), "has nothing to say in {channel} after all");
            }
            5..=8 => {
                let Some(at) = c.watches.get(&handle).and_then(|watch| watch.place) else { return };
                let offset =
                    if c.talk_rng.chance(200) { c.talk_rng.between(0, at.offset) } else { at.offset };
                let read = c.talk.read.entry(handle).or_insert((at.log, 0));
                *read = if read.0 == at.log { (at.log, read.1.max(offset)) } else { (at.log, offset) };
                c.core.mark(clocks, handle, 0, offset);
                say!(self, format!("c{client}"), "has read {channel} up to {offset}");
                self.has_read((at.log, user_of(client)), offset);
            }
            _ => {}
        }
    }

    /// A user has read a log up to an offset. A page that does not know yet that a copy was restored means the log before that,
    /// and has read as much of the copy.
    pub(super) fn has_read(&mut self, (log, user): (usize, String), offset: u64) {
        let mut read = vec![(log, offset)];
        while let Some((log, offset)) = read.pop() {
            let all = self.reads.entry((log, user.clone())).or_default();
            *all = offset.max(*all);
            let copies = self.copies.iter().filter(|(original, ..)| *original == log);
            read.extend(copies.map(|(_, copy, head)| (*copy, offset.min(*head))));
        }
    }

    pub(super) fn hears_typing(&mut self, client: usize, (handle, typist): (Handle, u32), typing: bool) {
        self.stats.typing += 1;
        let talk = &mut self.clients[client].talk;
        if typing {
            talk.typists.insert((handle, typist));
        } else if self.mutant != Some(Mutant::TypingForever) {
            talk.quiet(handle, typist);
        }
    }

    /// Typing is announced only after a keystroke, and not more often than specified. A POST may have to wait for the preceding
    /// one, as everything has to while a client looks for a message that is refused, and is then sooner followed by the next.
    pub(super) fn check_typing(&mut self, client: usize, text: &str, at_once: bool) {
        if !text.contains("\"typing\"") {
            return;
        }
        let Now { mono: now, wall } = self.clients[client].clocks(self.now);
        let clocks = [now, wall, self.now];
        let frames = batch::decode::<ClientFrame>(text, &batch::Bounds::default()).unwrap_or_default();
        for frame in frames.into_iter().flatten() {
            let ClientFrame::Typing(frame) = frame else { continue };
            let talk = &mut self.clients[client].talk;
            if !frame.typing {
                talk.announced.remove(&frame.channel);
                continue;
            }
            let key = talk.keys.get(&frame.channel).copied();
            let before = talk.announced.insert(frame.channel.clone(), clocks);
            let late = key.is_none_or(|key| now > key + u64::from(TYPING_EXPIRY_MS));
            let repeats = |(now, before): (&u64, u64)| *now < before + u64::from(TYPING_REPEAT_MS);
            let soon = at_once && before.is_some_and(|before| clocks.iter().zip(before).all(repeats));
            if late || soon {
                let what = format!(
                    "c{client} announces at {now} that it types in {}; the last key was at {key:?}, the last announcement at {before:?}",
                    frame.channel
                );
                return self.broken(violated(Rule::Typing, what));
            }
        }
    }
}

// The nodes

impl World {
    /// The marks of a node: stored ones, and those received since it started.
    fn mark_of(&self, node: usize, channel: &Channel, user: &str) -> [u64; 2] {
        let kept = |mark: &UserReceipt| [mark.delivered, mark.read];
        let written = self.store.data().mark(channel, user).map(kept).unwrap_or_default();
        let known = self.nodes[node].node().map(|node| node.mark(channel, user));
        // Instant if the node has it in memory.
        let known = known.and_then(|known| match pin!(known).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(mark)) => mark,
            Poll::Ready(Err(_)) | Poll::Pending => None,
        });
        let told = known.as_ref().map(kept).unwrap_or_default();
        [written[0].max(told[0]), written[1].max(told[1])]
    }
}

// What has to be true in the end

impl World {
    pub(super) fn talk_is_over(&self) -> Result<(), Violation> {
        for (client, c) in self.clients.iter().enumerate().filter(|(_, c)| !c.closed && self.case.talk) {
            if let Some((handle, number)) = c.talk.typists.first() {
                let what =
                    format!("c{client} believes that u{number} still types in subscription {}", handle.0);
                return violated(Rule::Typing, what);
            }
            let Some(node) = self.node_of(client) else { continue };
            for (handle, watch) in &c.watches {
                let kept = is_kept(&watch.channel) && self.channels.contains(&watch.channel);
                let Some(place) = watch.place.filter(|_| kept) else { continue };
                let user = user_of(client);
                let [delivered, read] = self.mark_of(node, &watch.channel, &user);
                let own = c.talk.read.get(handle).filter(|(log, _)| *log == place.log);
                let least = own.map_or(0, |(_, offset)| *offset);
                let most = self.reads.get(&(place.log, user)).copied().unwrap_or(0);
                let got = watch.last.filter(|last| last.log == place.log).map_or(0, |last| last.offset);
                let erased = self.rights.as_ref().is_some_and(|rights| rights.was_erased(&user_of(client)));
                let (got, least) = if erased { (0, 0) } else { (got, least) };
                if !(got..=place.offset).contains(&delivered) || !(least..=most).contains(&read) {
                    let what = format!(
                        "c{client} was given {got} of {}, stands at {}, and has read {least}, its user {most}; node {node} knows of {delivered} and {read}",
                        watch.channel, place.offset
                    );
                    return violated(Rule::Marks, what);
                }
            }
        }
        Ok(())
    }
}
