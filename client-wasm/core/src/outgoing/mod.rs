//! What is sent: messages, requests and other frames that wait for a connection, typing and receipts; and how frames are
//! put together to batches.

use alloc::string::String;

pub(crate) mod outbox;
pub(crate) mod receipts;
pub(crate) mod requests;
pub(crate) mod typing;

/// What fits into one batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchLimits {
    pub(crate) bytes: usize,
    pub(crate) frames: usize,
}

/// The size of a batch while frames are added to it.
#[derive(Debug)]
pub(crate) struct BatchSize {
    limits: BatchLimits,
    bytes: usize,
    frames: usize,
}

impl BatchSize {
    pub(crate) fn new(limits: BatchLimits) -> Self {
        // The brackets, less the comma that the first frame does not need.
        Self { limits, bytes: 1, frames: 0 }
    }

    /// Adds a frame if it fits. The first one always does: the server refuses it alone if it is too large.
    pub(crate) fn add(&mut self, frame: &str) -> bool {
        let bytes = self.bytes + frame.len() + 1;
        let fits = self.frames == 0 || (bytes <= self.limits.bytes && self.frames < self.limits.frames);
        if fits {
            self.bytes = bytes;
            self.frames += 1;
        }
        fits
    }
}

/// The frames that fit into one batch, and the rest.
pub(crate) fn split(frames: &[String], limits: BatchLimits) -> (&[String], &[String]) {
    let mut size = BatchSize::new(limits);
    let fit = frames.iter().take_while(|frame| size.add(frame)).count();
    frames.split_at_checked(fit).unwrap_or((frames, &[]))
}

/// Writes these frames as one batch.
#[allow(clippy::single_char_add_str, reason = "as in everwire_protocol::json")]
pub(crate) fn join(frames: &[String]) -> String {
    let mut batch = String::from("[");
    for frame in frames {
        if batch.len() > 1 {
            batch.push_str(",");
        }
        batch.push_str(frame);
    }
    batch.push_str("]");
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_within_its_limits_to_the_byte() {
        let frames = ["1234".to_owned(), "12".to_owned()];
        let limits = BatchLimits { bytes: join(&frames).len(), frames: 2 };
        let fit = |limits| split(&frames, limits).0.len();
        assert_eq!(fit(limits), 2);
        assert_eq!(fit(BatchLimits { bytes: limits.bytes - 1, ..limits }), 1);
        assert_eq!(fit(BatchLimits { frames: 1, ..limits }), 1);
        assert_eq!(fit(BatchLimits { bytes: 0, frames: 0 }), 1, "a frame that fits nowhere is sent alone");
    }
}
