//! From the outbox to the transport, and what the application hears of it.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use everwire_protocol::{ErrorCode, Uuid};

use super::{Connection, Event, Output, SendStatus, Transport};

impl Connection {
    /// Puts on its way what may go.
    pub(super) fn flush(&mut self) {
        match self.active {
            Some(Transport::WebSocket) => loop {
                let texts = self.take_texts(self.max_batch);
                if texts.is_empty() {
                    break;
                }
                self.send_all(&[], &texts);
            },
            Some(Transport::Polling) => self.flush_by_post(),
            None => {}
        }
    }

    /// The frames of the next batch: what is said besides sends, and then these.
    pub(super) fn take_texts(&mut self, max_bytes: usize) -> Vec<String> {
        // What had to wait for too long, behind a post or in a page that did not run, does not go out any more.
        self.give_up_asking(self.now(), ErrorCode::Timeout, const { ErrorCode::Timeout.sentence() });
        let mut texts = self.asking.take(max_bytes);
        for id in self.outbox.take(self.now(), max_bytes, &mut texts) {
            self.sending(id, SendStatus::Sent);
        }
        texts
    }

    /// What was under way has to go out again.
    pub(super) fn recall(&mut self) {
        self.recall_sends();
        self.asking.recall();
        self.recall_receipts();
    }

    fn recall_sends(&mut self) {
        for id in self.outbox.recall() {
            self.sending(id, SendStatus::Queued);
        }
    }

    pub(super) fn sending(&mut self, id: Uuid, status: SendStatus) {
        self.outputs.push_back(Output::Event(Event::Sending { id, status, stored: None, error: None }));
    }

    pub(super) fn failed(&mut self, id: Uuid, code: ErrorCode, message: String) {
        self.outputs.push_back(Output::Event(Event::Sending {
            id,
            status: SendStatus::Failed,
            stored: None,
            error: Some((code, message)),
        }));
    }

    /// `ack`: it is on the server's disk.
    pub(super) fn stored(&mut self, id: Uuid, offset: u64, at: u64) {
        if !self.outbox.remove(id) {
            return;
        }
        self.outputs.push_back(Output::Event(Event::Sending {
            id,
            status: SendStatus::Stored,
            stored: Some((offset, at)),
            error: None,
        }));
        self.flush();
    }

    /// The server refused a send: for good, or only for now.
    pub(super) fn send_refused(
        &mut self,
        id: Uuid,
        code: ErrorCode,
        message: &str,
        retry: bool,
        retry_after: Option<u64>,
    ) {
        if self.question_refused(id, code, message) {
            return;
        }
        if !retry {
            if self.outbox.remove(id) {
                self.failed(id, code, message.to_owned());
                self.flush();
            }
            return;
        }
        if !self.outbox.contains(id) {
            return;
        }
        // Whatever was sent behind it is deferred by the server; all of it goes out again, in order.
        self.recall_sends();
        let wait = retry_after.unwrap_or(1_000);
        let until = self.now() + wait;
        self.outbox.hold_until = Some(self.outbox.hold_until.unwrap_or(0).max(until));
        if code != ErrorCode::Deferred {
            self.error(code, message.to_owned());
        }
    }
}
