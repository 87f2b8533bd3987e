//! The typing indicator of this user (promise 15): announced at the first key, repeated while keys are pressed, withdrawn after
//! a pause or with a send.

use everwire_protocol::limits::{TYPING_PAUSE_MS, TYPING_REPEAT_MS};

/// The state of one subscription, as the others know it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Typing(Option<Announced>);

#[derive(Debug, Clone, Copy)]
struct Announced {
    at: u64,
    last_key: u64,
}

impl Typing {
    /// A key was pressed. Returns whether to announce it.
    pub(crate) fn key_pressed(&mut self, now: u64) -> bool {
        let recent = self.0.map(|typing| typing.at).filter(|at| now < at + u64::from(TYPING_REPEAT_MS));
        self.0 = Some(Announced { at: recent.unwrap_or(now), last_key: now });
        recent.is_none()
    }

    /// Returns whether to withdraw it.
    pub(crate) fn stop(&mut self) -> bool {
        self.0.take().is_some()
    }

    /// When to withdraw it, unless another key is pressed.
    pub(crate) fn pause_at(&self) -> Option<u64> {
        self.0.map(|typing| typing.last_key + u64::from(TYPING_PAUSE_MS))
    }
}
