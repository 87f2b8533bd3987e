//! Receipts (promise 15): how far channels were received and read, as high-water marks. They are collected for a second,
//! and repeated after a reconnect until the server is known to have them.

use everwire_protocol::limits::RECEIPT_BATCH_MS;

/// The marks of one subscription: delivered and read. They only rise, unless the log is replaced.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Marks {
    /// The server keeps marks for this channel: what is delivered is marked as such.
    kept: bool,
    /// What the server is to know of this client. What others have marked for the user is not part of it: with a restored database
    /// the server may have lost that, and then it is not true of the log that goes on.
    wanted: [u64; 2],
    /// What was sent on this connection.
    sent: [u64; 2],
    /// What the server is known to have.
    known: [u64; 2],
}

impl Marks {
    /// An entry was delivered. Hot.
    pub(crate) fn delivered(&mut self, offset: u64) {
        if self.kept {
            self.wanted[0] = offset;
        }
    }

    /// The application wants these marks; 0 changes nothing.
    pub(crate) fn raise(&mut self, delivered: u64, read: u64) {
        self.wanted = max(self.wanted, [delivered, read]);
    }

    /// The server has these marks. `position`: what has been delivered, which counts from now on.
    pub(crate) fn confirmed(&mut self, delivered: u64, read: u64, position: Option<u64>) {
        // The server never has more than the log: an application may mark what it has not received.
        self.known = max(self.known, [delivered, read]);
        self.sent = max(self.sent, self.known);
        if !core::mem::replace(&mut self.kept, true)
            && let Some(position) = position
        {
            // Entries may have arrived before it was known that anybody counts them.
            self.raise(position, 0);
        }
    }

    /// What the server has comes with its answer to `subscribe`: in a crash it may have lost what it had announced.
    pub(crate) fn forget_confirmed(&mut self) {
        self.sent = [0; 2];
        self.known = [0; 2];
    }

    /// The connection is gone: what was sent on it may not have arrived.
    pub(crate) fn recall(&mut self) {
        self.sent = self.known;
    }

    pub(crate) fn is_behind(&self) -> bool {
        self.wanted > self.sent || self.wanted[1] > self.sent[1]
    }

    /// Takes the marks that are to be sent, if there are any: delivered and read.
    pub(crate) fn take(&mut self) -> Option<[u64; 2]> {
        self.is_behind().then(|| {
            self.sent = max(self.wanted, self.sent);
            self.sent
        })
    }
}

fn max(a: [u64; 2], b: [u64; 2]) -> [u64; 2] {
    [a[0].max(b[0]), a[1].max(b[1])]
}

/// When the marks that were collected are sent.
#[derive(Debug, Default)]
pub(crate) struct Receipts(Option<u64>);

impl Receipts {
    pub(crate) fn due_at(&self) -> Option<u64> {
        self.0
    }

    pub(crate) fn collect(&mut self, now: u64) {
        self.0.get_or_insert(now + u64::from(RECEIPT_BATCH_MS));
    }

    pub(crate) fn stop(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promise_15_what_another_client_has_marked_is_not_repeated_to_a_restored_server() {
        let mut marks = Marks::default();
        marks.confirmed(50, 41, Some(23));
        marks.recall();
        // The database is an earlier copy: it has less.
        marks.forget_confirmed();
        marks.confirmed(25, 23, Some(23));
        marks.delivered(26);
        assert_eq!(marks.take(), Some([26, 23]));
        assert_eq!(marks.take(), None);
    }

    #[test]
    fn promise_15_what_this_client_has_marked_is_repeated_and_no_mark_goes_back() {
        let mut marks = Marks::default();
        marks.confirmed(10, 10, Some(5));
        marks.raise(0, 12);
        assert_eq!(marks.take(), Some([10, 12]), "delivered further by another client");
        marks.forget_confirmed();
        marks.confirmed(10, 10, Some(10));
        assert_eq!(marks.take(), Some([10, 12]));
    }
}
