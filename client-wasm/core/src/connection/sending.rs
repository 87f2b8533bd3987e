//! What the application sends: messages by way of the outbox, requests and ephemeral frames, typing and receipts.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use everwire_protocol::{ErrorCode, Typing, Uuid};

use super::{Connection, Event, Now, Transport};
use crate::{
    Handle, SendStatus,
    outgoing::{BatchLimits, BatchSize, outbox::Restored, requests::EPHEMERAL_MS},
};

/// What a `send` has around its payload at most, in bytes. What is larger than both is refused at once; within that, by
/// the server, which counts the payload alone.
const ENVELOPE_BYTES: usize = 512;

impl Connection {
    /// Puts a message into the outbox: `text` is the frame `send` with this id for this channel. What becomes of it is
    /// reported by [`Event::Sending`]. `restored`: it was written before the page was loaded, and goes before all that
    /// was written since and has not been sent yet.
    pub fn queue(
        &mut self,
        now: Now,
        id: Uuid,
        channel: &str,
        text: String,
        restored: Option<Restored>,
    ) -> Result<(), ErrorCode> {
        self.tick(now);
        if self.lifecycle.is_closed() {
            return Err(ErrorCode::Closed);
        }
        if text.len() > self.max_payload + ENVELOPE_BYTES {
            return Err(ErrorCode::TooLarge);
        }
        if self.outbox.contains(id) {
            return Err(ErrorCode::IdReused);
        }
        self.outbox.push(self.clock.now(), id, text, restored)?;
        self.sending(id, SendStatus::Queued);
        self.stop_typing(channel);
        self.flush();
        Ok(())
    }

    /// Withdraws a message. False if it is on its way, and may be stored, or is not in the outbox.
    pub fn cancel(&mut self, now: Now, id: Uuid) -> bool {
        self.tick(now);
        let cancelled = self.outbox.cancel(id);
        if cancelled {
            self.failed(id, ErrorCode::Cancelled, ErrorCode::Cancelled.message().to_owned());
        }
        cancelled
    }

    /// Sends a request that the driver has written: `text` is the frame with this id. It is sent again on every connection
    /// until it is answered, refused, or `timeout` ms are over, which is reported by [`Event::Sending`].
    pub fn request(&mut self, now: Now, id: Uuid, text: String, timeout: u64) -> Result<(), ErrorCode> {
        self.check_frame(now, &text)?;
        let until = self.now() + timeout;
        self.requests.request(id, text, until)?;
        self.flush();
        Ok(())
    }

    /// Sends an ephemeral frame that the driver has written (promise 6). False if it is dropped, because there is no
    /// connection.
    pub fn send_ephemeral(&mut self, now: Now, text: String) -> Result<bool, ErrorCode> {
        self.check_frame(now, &text)?;
        let connected = self.transports.active().is_some();
        if connected {
            let until = self.now() + EPHEMERAL_MS;
            self.requests.ephemeral(text, until)?;
            self.flush();
        }
        Ok(connected)
    }

    /// Sends a frame that the driver has written on this and every later connection, in place of the one before.
    pub fn send_always(&mut self, now: Now, text: String) -> Result<(), ErrorCode> {
        self.check_frame(now, &text)?;
        self.requests.always(text)?;
        self.flush();
        Ok(())
    }

    fn check_frame(&mut self, now: Now, text: &str) -> Result<(), ErrorCode> {
        self.tick(now);
        if self.lifecycle.is_closed() {
            return Err(ErrorCode::Closed);
        }
        // The brackets of a batch.
        if text.len() + 2 > self.batch_limits.bytes {
            return Err(ErrorCode::TooLarge);
        }
        Ok(())
    }

    /// A key was pressed for this channel, or (`false`) what was written is gone. While there is no connection nothing
    /// is sent, then or later.
    pub fn typing(&mut self, now: Now, handle: Handle, key: bool) {
        self.tick(now);
        let (now, connected) = (self.now(), self.transports.active().is_some());
        let Some(subscription) = self.subscriptions.get(handle) else { return };
        let typing = subscription.typing();
        let changed = if key { connected && typing.key_pressed(now) } else { typing.stop() };
        if changed {
            let channel = subscription.channel().clone();
            self.announce(Typing { channel, typing: key });
        }
        self.flush();
    }

    /// The application has received or read the channel up to these offsets; 0 changes nothing.
    pub fn mark(&mut self, now: Now, handle: Handle, delivered: u64, read: u64) {
        self.tick(now);
        if let Some(subscription) = self.subscriptions.get(handle) {
            subscription.marks().raise(delivered, read);
            self.collect_receipts();
        }
    }

    /// Sends what may be sent now.
    pub(super) fn flush(&mut self) {
        match self.transports.active() {
            Some(Transport::WebSocket) => loop {
                let frames = self.take_frames(self.batch_limits);
                if frames.is_empty() {
                    break;
                }
                self.send_websocket(&frames);
            },
            Some(Transport::Polling) => self.flush_by_post(),
            None => {}
        }
    }

    /// The frames of the next batch: requests and the like, then messages.
    pub(super) fn take_frames(&mut self, limits: BatchLimits) -> Vec<String> {
        // What waited too long, behind a POST or in a page that did not run, is not sent any more.
        self.expire_requests(self.now(), ErrorCode::Timeout, const { ErrorCode::Timeout.message() });
        let mut frames = Vec::new();
        // A request beside the only message in flight would be as suspect as that.
        if !(self.outbox.is_searching() && self.transports.is_active(Transport::WebSocket)) {
            frames = self.requests.take(limits);
        }
        let mut size = BatchSize::new(limits);
        for frame in &frames {
            size.add(frame);
        }
        while let Some(id) = self.outbox.take_too_old(self.now()) {
            self.failed(id, ErrorCode::TooOld, const { ErrorCode::TooOld.message() }.to_owned());
        }
        for id in self.outbox.take(self.now(), size, &mut frames) {
            self.sending(id, SendStatus::Sent);
        }
        frames
    }

    /// What was in flight has to be sent again.
    pub(super) fn recall(&mut self) {
        self.recall_messages();
        self.requests.recall();
        self.subscriptions.recall_receipts();
        self.receipts.stop();
        self.collect_receipts();
    }

    /// Something was refused on the WebSocket in use, and nobody said what. If it may have been a message, it is found by sending
    /// those in flight one by one on the next connection, and fails alone (promise 22). Returns whether it may have been one.
    pub(super) fn blame(&mut self, code: ErrorCode, reason: &str) -> bool {
        let in_flight = self.outbox.in_flight() > 0 && self.transports.is_active(Transport::WebSocket);
        if in_flight && let Some(id) = self.outbox.blame() {
            self.outbox.remove(id);
            self.failed(id, code, reason.to_owned());
        }
        in_flight
    }

    pub(super) fn recall_messages(&mut self) {
        while let Some(id) = self.outbox.recall() {
            self.sending(id, SendStatus::Queued);
        }
    }

    pub(super) fn sending(&mut self, id: Uuid, status: SendStatus) {
        self.event(Event::Sending { id, status, error: None });
    }

    pub(super) fn failed(&mut self, id: Uuid, code: ErrorCode, message: String) {
        self.event(Event::Sending { id, status: SendStatus::Failed, error: Some((code, message)) });
    }

    /// Gives up the requests that time out by `now`.
    pub(super) fn expire_requests(&mut self, now: u64, code: ErrorCode, message: &str) {
        while let Some(id) = self.requests.take_expired(now) {
            if !id.is_nil() {
                self.failed(id, code, message.to_owned());
            }
        }
    }

    /// A frame of the core's own that is of no use after a while.
    fn announce(&mut self, frame: Typing) {
        if self.transports.active().is_some() {
            let until = self.now() + EPHEMERAL_MS;
            // Where so much is waiting, it would not be sent in time.
            let _ = self.requests.ephemeral(Self::encode(frame), until);
        }
    }

    /// What was being written has been sent, or the user has paused.
    pub(super) fn stop_typing(&mut self, channel: &str) {
        if let Some(subscription) = self.subscriptions.by_name(channel)
            && subscription.typing().stop()
        {
            let channel = subscription.channel().clone();
            self.announce(Typing { channel, typing: false });
        }
    }

    /// Collects receipts for a while, if there are any to be sent.
    pub(super) fn collect_receipts(&mut self) {
        if self.receipts.due_at().is_none() && self.subscriptions.has_receipts() {
            let now = self.now();
            self.receipts.collect(now);
        }
    }

    pub(super) fn take_receipts(&mut self) -> Vec<String> {
        self.receipts.stop();
        let mut frames = Vec::new();
        for receipt in self.subscriptions.take_receipts() {
            frames.push(Self::encode(receipt));
        }
        frames
    }

    pub(super) fn send_receipts(&mut self) {
        if self.transports.active().is_some() {
            for frame in self.take_receipts() {
                // It counts as sent, so it may not be dropped.
                self.requests.while_connected(frame);
            }
            self.flush();
        }
    }
}
