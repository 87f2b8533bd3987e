//! The two sides of a WebSocket's socket. The reading side belongs to the connection's task; the writing side is used by whoever
//! has the connection's lock, and holds what the socket has not taken. A server sends no fragments and no masks (RFC 6455,
//! sections 5.1 and 5.4).

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};
use tungstenite::protocol::frame::coding::{Control, OpCode};

use super::decoder::{Decoder, Invalid, Message};
use crate::connection::{BatchEncoder, push_header, shared::BatchWriter};

/// The most that is read at once, in bytes.
const CHUNK: usize = 4 * 1024;

/// The most pieces that are written at once.
const PIECES: usize = 16;

/// Both sides of a socket. `unread`: what was read with the request. Messages have up to `most` bytes.
pub(super) fn split(stream: TcpStream, unread: Bytes, most: usize) -> (Reader, Writer) {
    let (reading, writing) = stream.into_split();
    let reader = Reader { half: reading, left: 0, decoder: Decoder::new(most), unread };
    (reader, Writer { half: writing, waiting: VecDeque::new(), pong: None, closed: false, failed: false })
}

/// The reading side.
#[derive(Debug)]
pub(super) struct Reader {
    half: OwnedReadHalf,
    /// How many more bytes are read; the rest waits in the network.
    left: usize,
    decoder: Decoder,
    /// What was read and not decoded.
    unread: Bytes,
}

impl Reader {
    /// From now on only so many bytes are read.
    pub(super) fn limit(&mut self, bytes: usize) {
        self.left = bytes;
    }

    /// Whether nothing more is read.
    pub(super) fn is_used_up(&self) -> bool {
        self.left == 0
    }

    /// The bytes of the headers of all frames since the last call.
    pub(super) fn take_framing(&mut self) -> usize {
        self.decoder.take_framing()
    }

    /// The next message; `None` at the end.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Message, Invalid>>> {
        loop {
            if !self.unread.is_empty() {
                let mut input = &self.unread[..];
                let decoded = self.decoder.next(&mut input).transpose();
                let taken = self.unread.len() - input.len();
                self.unread.advance(taken);
                if self.unread.is_empty() {
                    self.unread = Bytes::new();
                }
                if decoded.is_some() {
                    return Poll::Ready(decoded);
                }
            }
            let mut chunk = [0; CHUNK];
            let bytes = ready!(self.poll_chunk(context, &mut chunk));
            let mut input = &chunk[..bytes];
            if input.is_empty() {
                return Poll::Ready(None);
            }
            let decoded = self.decoder.next(&mut input).transpose();
            self.unread = Bytes::copy_from_slice(input);
            if decoded.is_some() {
                return Poll::Ready(decoded);
            }
        }
    }

    /// Reads and drops everything until the end: what cannot be understood.
    pub(super) fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut chunk = [0; CHUNK];
        while ready!(self.poll_chunk(context, &mut chunk)) > 0 {}
        Poll::Ready(())
    }

    /// Reads what there is, as far as it may be read. Returns the number of bytes; none at the end.
    fn poll_chunk(&mut self, context: &mut Context<'_>, chunk: &mut [u8; CHUNK]) -> Poll<usize> {
        if self.is_used_up() {
            return Poll::Pending;
        }
        let mut chunk = ReadBuf::new(&mut chunk[..self.left.min(CHUNK)]);
        let read = ready!(Pin::new(&mut self.half).poll_read(context, &mut chunk));
        let bytes = if read.is_ok() { chunk.filled().len() } else { 0 };
        self.left -= bytes;
        Poll::Ready(bytes)
    }
}

/// The writing side.
#[derive(Debug)]
pub(super) struct Writer {
    half: OwnedWriteHalf,
    /// What the socket has not taken, in order.
    waiting: VecDeque<Bytes>,
    /// The answer to the last ping, until the socket has taken what waits.
    pong: Option<Bytes>,
    /// Whether a close frame was the last one.
    closed: bool,
    /// Whether the socket takes nothing more.
    failed: bool,
}

impl Writer {
    /// Writes a control frame. While something waits, only the last ping is answered (RFC 6455, section 5.5.3): a client that does
    /// not read could have any number of pongs wait. Nothing is written behind a close frame (5.5.1).
    pub(super) fn write_control(&mut self, control: Control, payload: &[u8]) {
        if self.closed {
            return;
        }
        let frame = control_frame(control, payload);
        if control == Control::Pong && self.waits() {
            self.pong = Some(frame);
        } else {
            self.write_bytes(frame);
        }
        if control == Control::Close {
            (self.closed, self.pong) = (true, None);
        }
    }

    /// Whether something waits to be written, or the socket has failed.
    pub(super) fn waits(&self) -> bool {
        self.failed || !self.waiting.is_empty()
    }

    /// Writes what waits. Ready when nothing does.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.failed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        loop {
            while !self.waiting.is_empty() {
                let mut slices = [IoSlice::new(&[]); PIECES];
                let pieces = self.waiting.len().min(PIECES);
                for (slice, bytes) in slices.iter_mut().zip(&self.waiting) {
                    *slice = IoSlice::new(bytes);
                }
                let half = Pin::new(&mut self.half);
                let written = ready!(half.poll_write_vectored(context, &slices[..pieces]))?;
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                self.written(written);
            }
            let Some(pong) = self.pong.take() else { break };
            self.waiting.push_back(pong);
        }
        // An idle connection has no buffer.
        self.waiting = VecDeque::new();
        Poll::Ready(Ok(()))
    }

    fn written(&mut self, mut bytes: usize) {
        while let Some(first) = self.waiting.front_mut() {
            if first.len() > bytes {
                return first.advance(bytes);
            }
            bytes -= first.len();
            self.waiting.pop_front();
        }
    }

    /// Writes bytes behind those that wait. Returns whether nothing waits.
    fn write_bytes(&mut self, mut bytes: Bytes) -> bool {
        if self.failed {
            return false;
        }
        if self.waiting.is_empty() {
            match self.half.try_write(&bytes) {
                Ok(written) => bytes.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => {
                    self.failed = true;
                    return false;
                }
            }
            if bytes.is_empty() {
                return true;
            }
        }
        self.waiting.push_back(bytes);
        false
    }
}

fn control_frame(control: Control, payload: &[u8]) -> Bytes {
    let mut frame = Vec::new();
    push_header(&mut frame, OpCode::Control(control), payload.len());
    frame.extend_from_slice(payload);
    frame.into()
}

impl BatchWriter for Writer {
    fn write(&mut self, frames: Vec<Arc<str>>, encoder: &mut BatchEncoder) -> bool {
        !self.closed && self.write_bytes(encoder.message(frames))
    }
}

#[cfg(test)]
mod tests;
