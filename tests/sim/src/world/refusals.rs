//! Messages that something refuses for good: proxies, what ends WebSockets because of a message, and nodes that refuse a batch as a
//! whole. Nobody removes them: what they refuse has to fail, and nothing else.

use everwire_protocol::{ClientFrame, Error, ErrorCode, Limits, ServerFrame, SortedFrame, Uuid, batch};
use everwire_server::connection::{Batch, decode};

use super::{World, links::WORD, node::Conn};
use crate::violation::{Rule, violated};

/// What a `send` has around its text, in bytes, at most.
const ENVELOPE: usize = 1_000;

impl World {
    /// Whether a message may fail with this code because of what it contains or how long it is.
    pub(super) fn may_be_blocked(&self, client: usize, code: ErrorCode, id: Uuid) -> bool {
        let c = &self.clients[client];
        let Some(bytes) = c.long.get(&id) else { return false };
        let has_word = *bytes == usize::MAX;
        match code {
            ErrorCode::Blocked => c.path.proxy.is_some(),
            ErrorCode::TooLarge => {
                let cut =
                    |most: Option<usize>| most.map_or(has_word, |most| bytes.saturating_add(ENVELOPE) > most);
                (has_word && c.path.refuses_batches) || c.path.cutter.is_some_and(|cutter| cut(cutter.longer))
            }
            _ => false,
        }
    }

    /// A batch as a node reads it. One that it refuses as a whole has too many frames for it, whatever their number.
    pub(super) fn decoded(&self, client: usize, text: &str) -> Batch {
        let limits = &self.settings.limits;
        if self.clients[client].path.refuses_batches && text.contains(WORD) {
            return decode(text, &Limits { batch_frames: 0, ..limits.clone() });
        }
        decode(text, limits)
    }

    /// The refusal of a batch names exactly the sends and requests in it.
    pub(super) fn check_refusal(&mut self, conn: &mut Conn, text: &str) {
        if conn.refused.is_empty() {
            return;
        }
        let bounds = batch::Bounds { bytes: usize::MAX, frames: usize::MAX, ..batch::Bounds::default() };
        let frames = batch::decode::<ServerFrame>(text, &bounds).unwrap_or_default();
        for frame in frames.into_iter().flatten() {
            let ServerFrame::Error(Error { code, id: None, ids, .. }) = frame else { continue };
            if code.listed() != Some(ErrorCode::TooLarge) {
                continue;
            }
            let named = conn.refused.pop_front().unwrap_or_default();
            if ids != named {
                let what = format!("a node refuses a batch with {named:?}, and names {ids:?}");
                self.broken(violated(Rule::Protocol, what));
            }
        }
    }
}

/// The sends and requests in a batch.
pub(super) fn named_in(text: &str) -> Vec<Uuid> {
    let frames = batch::decode::<ClientFrame>(text, &batch::Bounds::default()).unwrap_or_default();
    let named = frames.into_iter().flatten().filter_map(|frame| match frame {
        ClientFrame::Send(send) => Some(send.id),
        frame => match SortedFrame::from(frame) {
            SortedFrame::Request(request) => Some(request.id()),
            SortedFrame::Connection(_) => None,
        },
    });
    named.collect()
}
