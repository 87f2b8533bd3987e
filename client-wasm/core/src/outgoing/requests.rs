//! Frames besides messages that wait to be sent, as text: requests that are repeated after a reconnect until they are
//! answered or time out, ephemeral frames that are dropped if they cannot be sent soon, and the one frame that every
//! connection must be told. One list for all of them, because a browser downloads the code of every list.

use alloc::{string::String, vec::Vec};

use everwire_protocol::{ErrorCode, Uuid};

use super::{BatchLimits, BatchSize};

/// Most frames of the application's that wait to be sent or answered.
const MAX_PENDING: usize = 128;
/// Ephemeral frames are dropped after this long, in ms.
pub(crate) const EPHEMERAL_MS: u64 = 3_000;
/// `until` of what is useful as long as this connection exists: longer than anything that times out.
const WHILE_CONNECTED: u64 = 1 << 62;
/// `until` of what every connection must be told.
const ALWAYS: u64 = u64::MAX;

#[derive(Debug)]
struct Pending {
    /// Names a request; nil if no answer is expected.
    id: Uuid,
    text: String,
    /// When it is given up.
    until: u64,
    /// It was sent on the present connection.
    sent: bool,
}

impl Pending {
    /// Neither repeated on another connection nor kept once it is sent.
    fn is_ephemeral(&self) -> bool {
        self.id.is_nil() && self.until < ALWAYS
    }
}

#[derive(Debug, Default)]
pub(crate) struct Requests(Vec<Pending>);

impl Requests {
    /// A request, to be given up at `until`.
    pub(crate) fn request(&mut self, id: Uuid, text: String, until: u64) -> Result<(), ErrorCode> {
        self.push(id, text, until)
    }

    /// A frame that is of no use after `until`.
    pub(crate) fn ephemeral(&mut self, text: String, until: u64) -> Result<(), ErrorCode> {
        self.push(Uuid::nil(), text, until)
    }

    /// A frame for this and every later connection, in place of the one before.
    pub(crate) fn always(&mut self, text: String) -> Result<(), ErrorCode> {
        self.remove(|pending| pending.until == ALWAYS);
        self.push(Uuid::nil(), text, ALWAYS)
    }

    /// A frame of the core's own that must be sent on this connection, however long that takes. There may be one for
    /// each subscription, so they do not count for the limit.
    pub(crate) fn while_connected(&mut self, text: String) {
        self.0.push(Pending { id: Uuid::nil(), text, until: WHILE_CONNECTED, sent: false });
    }

    fn push(&mut self, id: Uuid, text: String, until: u64) -> Result<(), ErrorCode> {
        if self.0.iter().filter(|pending| pending.until != WHILE_CONNECTED).count() >= MAX_PENDING {
            return Err(ErrorCode::QueueFull);
        }
        self.0.push(Pending { id, text, until, sent: false });
        Ok(())
    }

    /// The connection is gone: requests are to be sent again, ephemeral frames are dropped.
    pub(crate) fn recall(&mut self) {
        self.0.retain_mut(|pending| {
            pending.sent = false;
            !pending.is_ephemeral()
        });
    }

    /// The next frames for one batch, marked as sent. At most half of a batch, so that messages are not held up.
    pub(crate) fn take(&mut self, limits: BatchLimits) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        let mut size = BatchSize::new(BatchLimits { bytes: limits.bytes / 2, frames: limits.frames / 2 });
        let mut full = false;
        self.0.retain_mut(|pending| {
            full = full || (!pending.sent && !size.add(&pending.text));
            if pending.sent || full {
                return true;
            }
            pending.sent = true;
            texts.push(pending.text.clone());
            !pending.is_ephemeral()
        });
        texts
    }

    /// The first request that was sent and has no answer yet.
    pub(crate) fn first_sent(&self) -> Option<Uuid> {
        self.0.iter().find(|pending| pending.sent && !pending.id.is_nil()).map(|pending| pending.id)
    }

    /// When the next frame is given up.
    pub(crate) fn next_timeout(&self) -> Option<u64> {
        self.0.iter().map(|pending| pending.until).min()
    }

    /// The request was answered or refused. False if it is not waited for.
    pub(crate) fn finish(&mut self, id: Uuid) -> bool {
        self.remove(|pending| pending.id == id).is_some()
    }

    /// Takes out one frame that is given up by `now`: its id, nil if it is not a request.
    pub(crate) fn take_expired(&mut self, now: u64) -> Option<Uuid> {
        self.remove(|pending| pending.until <= now)
    }

    fn remove(&mut self, matches: impl Fn(&Pending) -> bool) -> Option<Uuid> {
        let index = self.0.iter().position(matches)?;
        Some(self.0.remove(index).id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: BatchLimits = BatchLimits { bytes: 1_000, frames: 1_000 };

    #[test]
    fn a_batch_is_filled_by_half_in_frames_and_in_bytes_and_in_order() {
        let mut requests = Requests::default();
        for n in 0..6 {
            requests.while_connected(format!("frame {n}"));
        }
        assert_eq!(requests.take(BatchLimits { frames: 4, ..ANY }), ["frame 0", "frame 1"]);
        assert_eq!(requests.take(BatchLimits { bytes: 40, ..ANY }), ["frame 2", "frame 3"]);
        requests.while_connected("x".repeat(1_000));
        requests.while_connected("x".into());
        assert_eq!(requests.take(ANY), ["frame 4", "frame 5"]);
        assert_eq!(requests.take(ANY), ["x".repeat(1_000)]);
        assert_eq!(requests.take(ANY), ["x"]);
    }

    #[test]
    fn receipts_leave_room_for_requests() {
        let mut requests = Requests::default();
        (0..300).for_each(|_| requests.while_connected("receipt".into()));
        for n in 1..=128 {
            requests.request(Uuid::from_u128(n), "request".into(), 1).unwrap();
        }
        assert_eq!(requests.request(Uuid::from_u128(129), "request".into(), 1), Err(ErrorCode::QueueFull));
    }
}
