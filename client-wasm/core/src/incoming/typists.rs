//! Who else is typing (promise 15). An indicator that is never withdrawn expires here.

use alloc::vec::Vec;

use everwire_protocol::limits::TYPING_EXPIRY_MS;

use super::super::Handle;

/// Somebody else is typing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Typist {
    pub(crate) handle: Handle,
    /// The driver's number for the user.
    pub(crate) number: u32,
    until: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Typists(Vec<Typist>);

impl Typists {
    /// Somebody has announced to be typing, or (`false`) has withdrawn it.
    pub(crate) fn heard(&mut self, now: u64, handle: Handle, number: u32, typing: bool) {
        self.0.retain(|typist| typist.handle != handle || typist.number != number);
        if typing {
            self.0.push(Typist { handle, number, until: now + u64::from(TYPING_EXPIRY_MS) });
        }
    }

    /// The subscription is gone.
    pub(crate) fn forget(&mut self, handle: Handle) {
        self.0.retain(|typist| typist.handle != handle);
    }

    pub(crate) fn next_expiry(&self) -> Option<u64> {
        self.0.iter().map(|typist| typist.until).min()
    }

    /// Takes out one who has not been heard of for too long.
    pub(crate) fn take_expired(&mut self, now: u64) -> Option<Typist> {
        let index = self.0.iter().position(|typist| typist.until <= now)?;
        Some(self.0.swap_remove(index))
    }
}
