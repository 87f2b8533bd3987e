//! Messages from the frames of a client, whatever the pieces in which their bytes arrive: fragments and control frames between
//! them (RFC 6455, section 5.4), masks (5.3), control frames (5.5) and data frames (5.6). The headers of frames (5.2) are parsed
//! by tungstenite. There is a buffer only while a message is incomplete. No extensions are negotiated (9.1).

use std::io::Cursor;

use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{CloseCode, Control, Data, OpCode},
};

/// The longest header of a frame from a client: two bytes, a length of eight, and the mask.
const MAX_HEADER: usize = 14;

/// The longest payload of a control frame.
const MAX_CONTROL: usize = 125;

/// A message of a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    Text(String),
    /// Not supported, whatever it contains.
    Binary,
    Ping(Vec<u8>),
    Pong,
    /// With its code, if it names one.
    Close(Option<u16>),
}

/// The client does not follow the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Invalid {
    /// A message is larger than permitted.
    TooLarge,
    /// Anything else.
    Protocol,
}

/// The state between two pieces.
#[derive(Debug)]
pub(super) struct Decoder {
    /// The largest message, in bytes.
    most: usize,
    /// A header that has not arrived entirely.
    header: [u8; MAX_HEADER],
    /// The bytes of it that have arrived.
    header_bytes: usize,
    /// The frame whose payload is arriving.
    frame: Option<Frame>,
    /// The kind of the message that is incomplete.
    kind: Option<Kind>,
    /// The payload of that message so far.
    message: Vec<u8>,
    /// The payload of a control frame, which may come between the frames of a message.
    control: Vec<u8>,
    /// The bytes of all headers since these were counted.
    framing: usize,
    /// What was wrong: nothing that follows can be understood.
    invalid: Option<Invalid>,
}

#[derive(Debug)]
struct Frame {
    last: bool,
    opcode: OpCode,
    /// The mask of the next byte, and of those that follow.
    mask: [u8; 4],
    /// The bytes that have not arrived.
    left: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
}

impl Decoder {
    /// For messages of up to `most` bytes.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            header: [0; MAX_HEADER],
            header_bytes: 0,
            frame: None,
            kind: None,
            message: Vec::new(),
            control: Vec::new(),
            framing: 0,
            invalid: None,
        }
    }

    /// Takes bytes from the input until a message is complete. `None`: it has taken all, and there is none.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Message>, Invalid> {
        if let Some(invalid) = self.invalid {
            return Err(invalid);
        }
        self.decode(input).inspect_err(|invalid| self.invalid = Some(*invalid))
    }

    /// The bytes of all headers since the last call.
    pub(super) fn take_framing(&mut self) -> usize {
        std::mem::take(&mut self.framing)
    }

    fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Message>, Invalid> {
        loop {
            let mut frame = match self.frame.take() {
                Some(frame) => frame,
                None => match self.header(input)? {
                    Some(frame) => frame,
                    None => return Ok(None),
                },
            };
            let (piece, rest) = input.split_at(frame.left.min(input.len()));
            *input = rest;
            let payload = match frame.opcode {
                OpCode::Control(_) => &mut self.control,
                OpCode::Data(_) => &mut self.message,
            };
            frame.unmask(piece, payload);
            if frame.left > 0 {
                self.frame = Some(frame);
                return Ok(None);
            }
            if let Some(message) = self.complete(&frame)? {
                return Ok(Some(message));
            }
        }
    }

    /// Reads the header of a frame. `None`: it has not arrived entirely.
    fn header(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, Invalid> {
        let before = self.header_bytes;
        let taken = input.len().min(MAX_HEADER - before);
        self.header[before..before + taken].copy_from_slice(&input[..taken]);
        let mut header = Cursor::new(&self.header[..before + taken]);
        let parsed = FrameHeader::parse(&mut header).map_err(|_| Invalid::Protocol)?;
        let parsed_bytes = header.position() as usize;
        let Some((header, bytes)) = parsed else {
            self.header_bytes += taken;
            *input = &input[taken..];
            return Ok(None);
        };
        self.header_bytes = 0;
        self.framing += parsed_bytes;
        *input = &input[parsed_bytes - before..];
        let FrameHeader { is_final: last, rsv1, rsv2, rsv3, opcode, mask } = header;
        let Some(mask) = mask.filter(|_| !rsv1 && !rsv2 && !rsv3) else { return Err(Invalid::Protocol) };
        let left = usize::try_from(bytes).map_err(|_| Invalid::TooLarge)?;
        let kind = match opcode {
            OpCode::Control(_) if last && left <= MAX_CONTROL => self.kind,
            OpCode::Data(Data::Continue) if self.kind.is_some() => self.kind,
            OpCode::Data(Data::Text) if self.kind.is_none() => Some(Kind::Text),
            OpCode::Data(Data::Binary) if self.kind.is_none() => Some(Kind::Binary),
            _ => return Err(Invalid::Protocol),
        };
        if matches!(opcode, OpCode::Data(_)) && left > self.most.saturating_sub(self.message.len()) {
            return Err(Invalid::TooLarge);
        }
        self.kind = kind;
        Ok(Some(Frame { last, opcode, mask, left }))
    }

    /// A frame is complete, and perhaps a message with it.
    fn complete(&mut self, frame: &Frame) -> Result<Option<Message>, Invalid> {
        let control = match frame.opcode {
            OpCode::Data(_) if !frame.last => return Ok(None),
            OpCode::Data(_) => {
                let payload = std::mem::take(&mut self.message);
                return match self.kind.take() {
                    Some(Kind::Text) => {
                        let text = String::from_utf8(payload).map_err(|_| Invalid::Protocol)?;
                        Ok(Some(Message::Text(text)))
                    }
                    Some(Kind::Binary) => Ok(Some(Message::Binary)),
                    None => Err(Invalid::Protocol),
                };
            }
            OpCode::Control(control) => control,
        };
        let payload = std::mem::take(&mut self.control);
        match control {
            Control::Ping => Ok(Some(Message::Ping(payload))),
            Control::Pong => Ok(Some(Message::Pong)),
            Control::Close => Ok(Some(Message::Close(close_code(&payload)?))),
            Control::Reserved(_) => Err(Invalid::Protocol),
        }
    }
}

/// The code of a close frame (RFC 6455, section 5.5.1), which is followed by a reason. One that must not be sent (7.4) is a
/// protocol error, and is answered as such.
fn close_code(payload: &[u8]) -> Result<Option<u16>, Invalid> {
    match payload {
        [] => Ok(None),
        [high, low, reason @ ..] if std::str::from_utf8(reason).is_ok() => {
            let code = CloseCode::from(u16::from_be_bytes([*high, *low]));
            Ok(Some(if code.is_allowed() { code } else { CloseCode::Protocol }.into()))
        }
        _ => Err(Invalid::Protocol),
    }
}

impl Frame {
    /// Adds a piece of the payload, without its mask.
    fn unmask(&mut self, piece: &[u8], payload: &mut Vec<u8>) {
        let begin = payload.len();
        payload.extend_from_slice(piece);
        let mut words = payload[begin..].chunks_exact_mut(4);
        let mask = u32::from_ne_bytes(self.mask);
        for word in &mut words {
            let masked = u32::from_ne_bytes([word[0], word[1], word[2], word[3]]);
            word.copy_from_slice(&(masked ^ mask).to_ne_bytes());
        }
        for (byte, mask) in words.into_remainder().iter_mut().zip(self.mask) {
            *byte ^= mask;
        }
        self.mask.rotate_left(piece.len() % 4);
        self.left -= piece.len();
    }
}

#[cfg(test)]
mod tests;
