//! For tests: messages from their parts, and batches from their text. What an application would hear is collected.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use everwire_protocol::{
    Ack, Action, Activity, Channel, ClientFrame, Code, ErrorCode, Message, Payload, Send, ServerFrame,
    Signalled, Subscribed, UserTyping, Uuid, batch, limits,
};

use super::{Application, Confirmation, Connection, Handle, Input, Now, Restored, Source, Stretch, receive};

/// A message to be sent.
#[derive(Debug, Clone)]
pub struct OutgoingMessage {
    /// Names it.
    pub id: Uuid,
    /// The application's name for what it is; none for a plain message.
    pub event: Option<String>,
    /// The application's own JSON.
    pub data: Payload,
    /// What it does to which other message.
    pub about: Option<(Action, Uuid)>,
    /// It was written before the page was loaded.
    pub restored: Option<Restored>,
}

impl Connection {
    /// Puts a plain message or event into the outbox.
    pub fn send(
        &mut self,
        now: Now,
        id: Uuid,
        channel: &str,
        event: Option<String>,
        data: Payload,
    ) -> Result<(), ErrorCode> {
        self.send_message(now, channel, OutgoingMessage { id, event, data, about: None, restored: None })
    }

    /// Puts any message into the outbox, after the checks that a browser makes where the frame is written.
    pub fn send_message(
        &mut self,
        now: Now,
        channel: &str,
        message: OutgoingMessage,
    ) -> Result<(), ErrorCode> {
        let OutgoingMessage { id, event, data, about, restored } = message;
        let name = Channel::new(channel).map_err(|_| ErrorCode::InvalidChannel)?;
        if event.as_ref().is_some_and(|e| e.is_empty() || e.len() > limits::MAX_EVENT_BYTES) {
            return Err(ErrorCode::InvalidOption);
        }
        let (action, target) = about.unzip();
        let frame: ClientFrame = Send { id, channel: name, event, data, action, target }.into();
        self.queue(now, id, channel, batch::encode_frame(&frame), restored)
    }

    /// Reads a batch from its text. Returns what the application hears, in order.
    pub fn receive_text(&mut self, now: Now, source: Source, text: &str) -> Vec<Heard> {
        let bounds = batch::Bounds { bytes: usize::MAX, frames: usize::MAX, ..batch::Bounds::default() };
        let frames = match batch::decode_received::<ServerFrame>(text, &bounds) {
            Ok(frames) => frames,
            Err(error) => {
                self.handle(now, Input::Violation { source, message: error.to_string() });
                return Vec::new();
            }
        };
        let mut listener = Listener { connection: self, stretch: Stretch::default(), heard: Vec::new() };
        receive(&mut listener, now, source, frames);
        listener.heard
    }
}

/// What an application hears because of a frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// A message.
    Message(Handle, Message),
    /// A message with this offset that cannot be read.
    Unreadable(Handle, u64),
    /// A subscription is in place.
    Subscribed(Handle, Confirmation),
    /// A subscription is over.
    Ended(Handle, Code),
    /// A message is stored.
    Stored(Ack),
    /// A message or request has failed for good; with the time after which to try again, in ms.
    Failed(Uuid, Code, Option<u32>),
    /// An error that the core deals with.
    Error(Code),
    /// A request is answered.
    Answered,
    /// Somebody is typing, or (`false`) no longer is.
    UserTyping(Handle, bool),
    /// Something ephemeral, in a channel or for this user alone.
    Signalled(Option<Handle>),
    /// A message in a chat of the user's.
    Activity,
}

struct Listener<'a> {
    connection: &'a mut Connection,
    stretch: Stretch,
    heard: Vec<Heard>,
}

impl Application for Listener<'_> {
    fn reading(&mut self) -> (&mut Connection, &mut Stretch) {
        (self.connection, &mut self.stretch)
    }

    fn message(&mut self, handle: Handle, message: Message) {
        self.heard.push(Heard::Message(handle, message));
    }

    fn unreadable(&mut self, handle: Handle, offset: u64, _: String) {
        self.heard.push(Heard::Unreadable(handle, offset));
    }

    fn subscribed(&mut self, handle: Handle, _: Subscribed, confirmation: Confirmation) {
        self.heard.push(Heard::Subscribed(handle, confirmation));
    }

    fn ended(&mut self, handle: Handle, code: Code, _: String) {
        self.heard.push(Heard::Ended(handle, code));
    }

    fn stored(&mut self, ack: Ack) {
        self.heard.push(Heard::Stored(ack));
    }

    fn failed(&mut self, id: Uuid, code: Code, _: String, retry_after_ms: Option<u32>) {
        self.heard.push(Heard::Failed(id, code, retry_after_ms));
    }

    fn error(&mut self, code: Code, _: String, _: Option<u32>) {
        self.heard.push(Heard::Error(code));
    }

    fn answered(&mut self, _: ServerFrame) {
        self.heard.push(Heard::Answered);
    }

    fn user_typing(&mut self, handle: Handle, frame: UserTyping) {
        self.heard.push(Heard::UserTyping(handle, frame.typing));
    }

    fn signalled(&mut self, handle: Option<Handle>, _: Signalled) {
        self.heard.push(Heard::Signalled(handle));
    }

    fn activity(&mut self, _: Activity) {
        self.heard.push(Heard::Activity);
    }
}
