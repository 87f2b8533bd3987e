//! Receipts (promise 15): how far channels were received and read, as high-water marks that are collected for a second
//! and said again after a reconnect until the server is known to have them.

use alloc::vec::Vec;

use everwire_protocol::{CoreFrame, Mark, limits::RECEIPT_BATCH_MS};

use super::{Connection, Handle, Now, asking::WHILE_CONNECTED_MS};

/// The marks of one subscription. They only rise, unless the log is replaced.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Marks {
    /// The server keeps marks for this channel: what is delivered is marked as such.
    pub(super) kept: bool,
    /// What is to be said: delivered, read.
    pub(super) wanted: [u64; 2],
    /// What this connection was told.
    said: [u64; 2],
    /// What the server is known to have.
    known: [u64; 2],
}

impl Marks {
    /// What the server has comes with its answer to `subscribe`: it may have lost, in a crash, what it had told before.
    pub(super) fn forget(&mut self) {
        self.said = [0; 2];
        self.known = [0; 2];
    }

    fn is_behind(&self) -> bool {
        self.wanted > self.said || self.wanted[1] > self.said[1]
    }
}

impl Connection {
    /// The application has received or read the channel up to these offsets; 0 says nothing.
    pub fn mark(&mut self, now: Now, handle: Handle, delivered: u64, read: u64) {
        self.tick(now);
        if let Some(subscription) = self.subscriptions.get(handle) {
            let wanted = &mut subscription.marks.wanted;
            *wanted = [wanted[0].max(delivered), wanted[1].max(read)];
            self.receipts_wait();
        }
    }

    /// The server has these marks of the user, so it keeps marks for this channel.
    pub fn marked(&mut self, handle: Handle, delivered: u64, read: u64) {
        if let Some(subscription) = self.subscriptions.get(handle) {
            let marks = &mut subscription.marks;
            // The server never has more than the log: an application may mark what it has not got.
            marks.known = [marks.known[0].max(delivered), marks.known[1].max(read)];
            for i in [0, 1] {
                marks.wanted[i] = marks.wanted[i].max(marks.known[i]);
                marks.said[i] = marks.said[i].max(marks.known[i]);
            }
            if !core::mem::replace(&mut marks.kept, true)
                && let Some(position) = &subscription.position
            {
                // Entries may have come before it was known that anybody counts them.
                subscription.marks.wanted[0] = subscription.marks.wanted[0].max(position.offset);
            }
            self.receipts_wait();
        }
    }

    /// Collects what is to be said for a while, if there is anything.
    pub(super) fn receipts_wait(&mut self) {
        if self.receipts_at.is_none() && self.subscriptions.iter().any(|s| s.marks.is_behind()) {
            self.receipts_at = Some(self.now() + u64::from(RECEIPT_BATCH_MS));
        }
    }

    /// The connection is gone: what it was told may not have arrived.
    pub(super) fn recall_receipts(&mut self) {
        for subscription in self.subscriptions.iter_mut() {
            subscription.marks.said = subscription.marks.known;
        }
        self.receipts_at = None;
        self.receipts_wait();
    }

    /// Takes what is to be said now. With the epoch, because the log may be another since, which the client does not know yet.
    pub(super) fn take_receipts(&mut self) -> Vec<CoreFrame> {
        self.receipts_at = None;
        let behind = self.subscriptions.iter_mut().filter(|s| s.marks.is_behind());
        let frames = behind.map(|s| {
            s.marks.said = s.marks.wanted;
            let [delivered, read] = s.marks.wanted;
            let epoch = s.position.as_ref().map(|p| p.epoch.clone()).unwrap_or_default();
            Mark { channel: s.channel.clone(), epoch, delivered, read }.into()
        });
        frames.collect()
    }

    pub(super) fn say_receipts(&mut self) {
        if self.active.is_some() {
            for frame in self.take_receipts() {
                // It counts as said, so it may not be dropped.
                self.say(&frame, WHILE_CONNECTED_MS);
            }
            self.flush();
        }
    }

    pub(super) fn receipt_timers(&mut self, now: u64) {
        if self.receipts_at.is_some_and(|at| at <= now) {
            self.say_receipts();
        }
    }
}
