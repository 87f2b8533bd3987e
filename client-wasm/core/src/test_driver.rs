//! Whole batches for drivers that are not a browser: the simulation, tests and load generators. A browser's driver
//! unpacks frames in JavaScript instead, where parsing is cheaper.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use everwire_protocol::{
    Action, Channel, Chats, ClientFrame, Done, ErrorCode, HistoryPage, Message, Payload, Send, ServerFrame,
    Statuses, Uuid, batch, limits,
};

use super::{Connection, GapStart, Handle, Now, Refusal, Source, SubscribedFrame, Verdict, WelcomeFrame};

/// A message to be sent.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Names it.
    pub id: Uuid,
    /// The application's name for what it is; none for a plain message.
    pub event: Option<String>,
    /// The application's own JSON.
    pub data: Payload,
    /// What it does to which other message.
    pub about: Option<(Action, Uuid)>,
    /// It was written before the page was loaded.
    pub restored: bool,
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
        self.send_draft(now, channel, Draft { id, event, data, about: None, restored: false })
    }

    /// Puts any message into the outbox, after the checks that a browser makes where the frame is written.
    pub fn send_draft(&mut self, now: Now, channel: &str, draft: Draft) -> Result<(), ErrorCode> {
        let Draft { id, event, data, about, restored } = draft;
        let name = Channel::new(channel).map_err(|_| ErrorCode::InvalidChannel)?;
        if event.as_ref().is_some_and(|e| e.is_empty() || e.len() > limits::MAX_EVENT_BYTES) {
            return Err(ErrorCode::InvalidOption);
        }
        let (action, target) = about.unzip();
        let frame: ClientFrame = Send { id, channel: name, event, data, action, target }.into();
        self.queue(now, id, channel, batch::encode_frame(&frame), restored)
    }

    /// Reads a batch. Returns the entries to deliver, in order, each with its subscription. Frames of unknown types
    /// are skipped; anything else that cannot be read is a violation by the server.
    pub fn handle_batch(&mut self, now: Now, source: Source, text: &str) -> Vec<(Handle, Message)> {
        let bounds = batch::Bounds { bytes: usize::MAX, frames: usize::MAX, ..batch::Bounds::default() };
        let frames = match batch::decode::<ServerFrame>(text, &bounds) {
            Ok(frames) => frames,
            Err(error) => {
                self.handle(now, super::Input::Violation { source, message: error.to_string() });
                return Vec::new();
            }
        };
        let mut entries = Vec::new();
        self.begin_batch(now, source);
        for frame in frames {
            match frame {
                Ok(frame) => entries.extend(self.handle_frame(frame)),
                Err(batch::FrameError::UnknownType { .. }) => {}
                Err(error) => self.on_violation(source, &error.to_string()),
            }
        }
        self.end_batch();
        entries
    }

    fn handle_frame(&mut self, frame: ServerFrame) -> Option<(Handle, Message)> {
        let handle_of = |core: &Self, channel| core.subscription(channel);
        match frame {
            ServerFrame::Message(message) => {
                let handle = handle_of(self, &message.channel)?;
                return (self.accept(handle, message.offset) == Verdict::Deliver)
                    .then_some((handle, message));
            }
            ServerFrame::Welcome(w) => self.welcome(WelcomeFrame {
                connection: w.connection,
                user: w.user,
                ping_interval: w.ping_interval_ms,
                hold: w.hold_ms,
                token_expires_in: w.token_expires_in_ms,
                payload_bytes: w.limits.payload_bytes,
                batch_bytes: w.limits.batch_bytes,
            }),
            ServerFrame::Subscribed(s) => {
                let handle = handle_of(self, &s.channel)?;
                let gap = s.gap.map(|g| GapStart { from: g.from, reason: g.reason });
                let counts = self.subscribed(
                    handle,
                    &SubscribedFrame { epoch: &s.epoch, offset: s.offset, head: s.head, gap },
                );
                if counts
                    && let Some(mark) = s.receipts.iter().flatten().find(|mark| mark.user == self.user())
                {
                    self.marked(handle, mark.delivered, mark.read);
                }
            }
            ServerFrame::Unsubscribed(u) => {
                let handle = handle_of(self, &u.channel);
                self.unsubscribed(handle, u.channel.as_str(), u.code, &u.message.unwrap_or_default());
            }
            ServerFrame::Ack(ack) => self.acked(ack.id, ack.offset, ack.at),
            ServerFrame::Error(e) => {
                let handle = e.channel.as_ref().and_then(|c| handle_of(self, c));
                self.refused(&Refusal {
                    code: e.code,
                    message: &e.message,
                    retry: e.retry,
                    id: e.id,
                    handle,
                    about_channel: e.channel.is_some(),
                    retry_after: e.retry_after_ms.map(u64::from),
                });
            }
            ServerFrame::Polled(p) => self.polled(p.seq),
            ServerFrame::Ping(p) => self.pinged(p.nonce),
            ServerFrame::Goaway(g) => self.told_to_leave(g.delay_ms, g.spread_ms, &g.reason),
            ServerFrame::UserTyping(t) => {
                let handle = handle_of(self, &t.channel).filter(|handle| self.live(*handle))?;
                self.heard_typing(handle, typist(&t.user), t.typing);
            }
            ServerFrame::Receipt(r) => {
                let handle = handle_of(self, &r.channel).filter(|handle| self.live(*handle))?;
                if r.user == self.user() {
                    self.marked(handle, r.delivered, r.read);
                }
            }
            ServerFrame::Done(Done { id, .. })
            | ServerFrame::HistoryPage(HistoryPage { id, .. })
            | ServerFrame::Chats(Chats { id, .. })
            | ServerFrame::Statuses(Statuses { id, .. }) => {
                self.answered(id);
            }
            // A sign of life, which was taken as such with the batch, or nothing that the core needs.
            ServerFrame::Pong(_)
            | ServerFrame::MemberJoined(_)
            | ServerFrame::MemberLeft(_)
            | ServerFrame::Signalled(_)
            | ServerFrame::StatusChanged(_)
            | ServerFrame::Activity(_)
            | ServerFrame::ChatChanged(_)
            | ServerFrame::ChatGone(_) => {}
        }
        None
    }
}

/// A number for a user that no other is likely to have: what [`super::Event::Quiet`] tells is looked up under it.
pub fn typist(user: &str) -> u32 {
    user.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
