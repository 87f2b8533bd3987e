//! Batches as they are sent: as text, and as a WebSocket message (RFC 6455, section 5.2). A batch that many connections send is
//! encoded once, and they share the bytes.

use std::sync::Arc;

use bytes::Bytes;
use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Data, OpCode},
};

/// The longest header of a message from a server, which has no mask.
const MAX_HEADER: usize = 10;

/// Encodes batches, and keeps the last one for others that send the same.
#[derive(Debug, Default)]
pub struct BatchEncoder {
    frames: Vec<Arc<str>>,
    message: Bytes,
}

impl BatchEncoder {
    /// These frames as one WebSocket message.
    pub fn message(&mut self, frames: Vec<Arc<str>>) -> Bytes {
        let same = self.frames.len() == frames.len()
            && self.frames.iter().zip(&frames).all(|(one, other)| Arc::ptr_eq(one, other));
        if !same || frames.is_empty() {
            self.message = websocket_message(&frames);
            self.frames = frames;
        }
        self.message.clone()
    }
}

/// Encodes frames as one batch.
pub fn batch_text(frames: &[Arc<str>]) -> String {
    let mut text = String::with_capacity(batch_bytes(frames));
    each_part(frames, |part| text.push_str(part));
    text
}

fn websocket_message(frames: &[Arc<str>]) -> Bytes {
    let bytes = batch_bytes(frames);
    let mut message = Vec::with_capacity(MAX_HEADER + bytes);
    push_header(&mut message, OpCode::Data(Data::Text), bytes);
    each_part(frames, |part| message.extend_from_slice(part.as_bytes()));
    message.into()
}

/// Adds the header of an unmasked frame with so many bytes, which is a message in one piece.
pub fn push_header(message: &mut Vec<u8>, opcode: OpCode, bytes: usize) {
    let header = FrameHeader { opcode, ..FrameHeader::default() };
    header.format(bytes as u64, message).expect("a vector takes everything");
}

/// The length of a batch: its frames, a comma between any two, and brackets.
fn batch_bytes(frames: &[Arc<str>]) -> usize {
    let commas = frames.len().saturating_sub(1);
    2 + commas + frames.iter().map(|frame| frame.len()).sum::<usize>()
}

fn each_part<'a>(frames: &'a [Arc<str>], mut push: impl FnMut(&'a str)) {
    push("[");
    for (index, frame) in frames.iter().enumerate() {
        if index > 0 {
            push(",");
        }
        push(frame);
    }
    push("]");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first byte of a text message in one piece.
    const TEXT: u8 = 0x81;

    fn frame(bytes: usize) -> Arc<str> {
        "x".repeat(bytes).into()
    }

    #[test]
    fn a_batch_is_an_array_of_its_frames() {
        assert_eq!(batch_text(&[]), "[]");
        assert_eq!(batch_text(&["{}".into(), "{\"a\":1}".into()]), "[{},{\"a\":1}]");
    }

    #[test]
    fn a_message_has_the_shortest_header_for_its_length() {
        for (bytes, header) in [
            (125, vec![TEXT, 125]),
            (126, vec![TEXT, 126, 0, 126]),
            (65_535, vec![TEXT, 126, 0xff, 0xff]),
            (65_536, vec![TEXT, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let frames = vec![frame(bytes - 2)];
            let text = batch_text(&frames);
            let message = BatchEncoder::default().message(frames);
            assert_eq!(message, [header, text.into_bytes()].concat(), "{bytes}");
        }
    }

    #[test]
    fn the_same_frames_are_encoded_once_and_equal_ones_are_not_taken_for_the_same() {
        let mut encoder = BatchEncoder::default();
        let (one, other) = (frame(3), frame(3));
        let first = encoder.message(vec![one.clone(), other.clone()]);
        assert_eq!(encoder.message(vec![one.clone(), other.clone()]).as_ptr(), first.as_ptr());
        for frames in [vec![one.clone()], vec![other.clone(), one.clone()], vec![one, other, frame(1)]] {
            let message = encoder.message(frames.clone());
            assert_ne!(message.as_ptr(), first.as_ptr());
            assert_eq!(message[2..], *batch_text(&frames).as_bytes());
        }
    }
}
