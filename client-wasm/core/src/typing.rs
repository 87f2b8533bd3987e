//! Typing (promise 15): announced at the first key, said again while keys come, withdrawn after a pause or with a send;
//! and what others announce, taken back here if they never do.

use everwire_protocol::{
    Typing,
    limits::{TYPING_EXPIRY_MS, TYPING_PAUSE_MS, TYPING_REPEAT_MS},
};

use super::{Connection, Event, Handle, Now, Output, asking::FLEETING_MS};

/// That this user types in a channel, as the others know it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Typed {
    announced_at: u64,
    last_key: u64,
}

/// Somebody else types.
#[derive(Debug, Clone, Copy)]
pub(super) struct Typist {
    pub(super) handle: Handle,
    /// The driver's number for the user.
    number: u32,
    until: u64,
}

impl Connection {
    /// A key was pressed for this channel, or (`false`) what was written is gone. While there is no connection nothing
    /// is said, then or later.
    pub fn typing(&mut self, now: Now, handle: Handle, key: bool) {
        self.tick(now);
        let now = self.now();
        let Some(subscription) = self.subscriptions.get(handle) else { return };
        let channel = subscription.channel.clone();
        if !key {
            if subscription.typed.take().is_some() {
                self.say(&Typing { channel, typing: false }.into(), FLEETING_MS);
            }
        } else if self.active.is_some() {
            let announced_at = subscription.typed.map(|typed| typed.announced_at);
            let recent = announced_at.filter(|at| now < at + u64::from(TYPING_REPEAT_MS));
            subscription.typed = Some(Typed { announced_at: recent.unwrap_or(now), last_key: now });
            if recent.is_none() {
                self.say(&Typing { channel, typing: true }.into(), FLEETING_MS);
            }
        }
        self.flush();
    }

    /// What was being written has been sent.
    pub(super) fn typing_is_over(&mut self, channel: &str) {
        let typed = self.subscriptions.iter_mut().find(|s| s.channel.as_str() == channel);
        if let Some(subscription) = typed
            && subscription.typed.take().is_some()
        {
            let channel = subscription.channel.clone();
            self.say(&Typing { channel, typing: false }.into(), FLEETING_MS);
        }
    }

    /// Somebody else has announced to be typing, or (`false`) has withdrawn it. `number` names the user to the driver.
    pub fn heard_typing(&mut self, handle: Handle, number: u32, typing: bool) {
        let until = self.now() + u64::from(TYPING_EXPIRY_MS);
        self.typists.retain(|t| t.handle != handle || t.number != number);
        if typing {
            self.typists.push(Typist { handle, number, until });
        }
    }

    pub(super) fn next_typing(&self) -> Option<u64> {
        let pauses = self
            .subscriptions
            .iter()
            .filter_map(|s| s.typed)
            .map(|t| t.last_key + u64::from(TYPING_PAUSE_MS));
        self.typists.iter().map(|t| t.until).chain(pauses).min()
    }

    pub(super) fn typing_timers(&mut self, now: u64) {
        let paused = |typed: Typed| typed.last_key + u64::from(TYPING_PAUSE_MS) <= now;
        loop {
            let paused = self.subscriptions.iter().find(|s| s.typed.is_some_and(paused));
            let Some(channel) = paused.map(|s| s.channel.clone()) else { break };
            self.typing_is_over(channel.as_str());
            self.flush();
        }
        while let Some(place) = self.typists.iter().position(|t| t.until <= now) {
            let Typist { handle, number, .. } = self.typists.swap_remove(place);
            self.outputs.push_back(Output::Event(Event::Quiet { handle, typist: number }));
        }
    }
}
