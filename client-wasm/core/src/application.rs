//! The entry to the core for drivers in Rust: whole batches, and an application that hears what they bring. In the
//! browser the same is done in JavaScript, where parsing is cheaper (pkg-js/src/core/dispatch.ts).

mod stretch;

use alloc::string::{String, ToString};

use everwire_protocol::{
    Ack, Activity, Channel, ChatChanged, ChatGone, Code, ErrorCode, MemberJoined, MemberLeft, Message,
    OwnMark, Polled, Receipt, ServerFrame, Signalled, StatusChanged, Subscribed, UserTyping, Uuid, VERSION,
    batch::{FrameError, Unreadable},
};

use super::{
    Confirmation, Connection, ErrorFrame, GapStart, Handle, Now, Outcome, ReceivedFrame, Source,
    SubscribedFrame, UnsubscribedFrame, WelcomeFrame,
};
pub use stretch::Stretch;

/// What hears of incoming frames. It owns the connection, so that each method can use it.
pub trait Application {
    /// The connection that receives, and the entries that are being delivered. Whoever uses the former without
    /// [`Application::connection`] settles the latter first.
    fn reading(&mut self) -> (&mut Connection, &mut Stretch);

    /// The connection, after it has heard of every entry that was delivered.
    fn connection(&mut self) -> &mut Connection {
        let (connection, stretch) = self.reading();
        stretch.settle(connection);
        connection
    }

    /// A frame has arrived, before the core has it. A test may change it, or drop it.
    fn arrived(&mut self, frame: ServerFrame) -> Option<ServerFrame> {
        Some(frame)
    }

    /// A frame has been dealt with: the time to carry out what the core wants.
    fn finished(&mut self) {}

    /// A durable message.
    fn message(&mut self, handle: Handle, message: Message);

    /// A durable message cannot be read. The position has moved past it.
    fn unreadable(&mut self, handle: Handle, offset: u64, reason: String);

    /// A subscription is in place.
    fn subscribed(&mut self, handle: Handle, frame: Subscribed, confirmation: Confirmation);

    /// A subscription is over.
    fn ended(&mut self, handle: Handle, code: Code, message: String);

    /// A message is stored.
    fn stored(&mut self, ack: Ack);

    /// A message or request has failed for good.
    fn failed(&mut self, id: Uuid, code: Code, message: String, retry_after_ms: Option<u32>);

    /// An error that the core deals with.
    fn error(&mut self, code: Code, message: String, retry_after_ms: Option<u32>);

    /// A request is answered, with `done`, `history_page`, `chats` or `statuses`.
    fn answered(&mut self, answer: ServerFrame) {
        drop(answer);
    }

    /// Somebody is typing, or no longer is. What is never withdrawn expires with [`super::Event::TypingExpired`].
    fn user_typing(&mut self, handle: Handle, frame: UserTyping) {
        drop((handle, frame));
    }

    /// How far somebody has received and read a channel.
    fn receipt(&mut self, handle: Handle, frame: Receipt) {
        drop((handle, frame));
    }

    /// Somebody has come.
    fn member_joined(&mut self, handle: Handle, frame: MemberJoined) {
        drop((handle, frame));
    }

    /// Somebody has gone.
    fn member_left(&mut self, handle: Handle, frame: MemberLeft) {
        drop((handle, frame));
    }

    /// An ephemeral event, in a channel or for this user alone.
    fn signalled(&mut self, handle: Option<Handle>, frame: Signalled) {
        drop((handle, frame));
    }

    /// Somebody's status has changed.
    fn status_changed(&mut self, handle: Handle, frame: StatusChanged) {
        drop((handle, frame));
    }

    /// A message in a chat of the user's.
    fn activity(&mut self, frame: Activity) {
        drop(frame);
    }

    /// A chat of the user's has changed.
    fn chat_changed(&mut self, handle: Handle, frame: ChatChanged) {
        drop((handle, frame));
    }

    /// A chat is no longer the user's.
    fn chat_gone(&mut self, handle: Handle, frame: ChatGone) {
        drop((handle, frame));
    }
}

/// Reads a batch. Frames of unknown types are skipped; anything else that cannot be read violates the protocol, but for messages
/// whose position is known.
pub fn receive(
    application: &mut impl Application,
    now: Now,
    source: Source,
    frames: impl IntoIterator<Item = Result<ServerFrame, Unreadable>>,
) {
    application.connection().begin_batch(now, source);
    for frame in frames {
        match frame {
            Ok(frame) => {
                if let Some(frame) = application.arrived(frame) {
                    receive_one(application, frame);
                }
            }
            Err(Unreadable { error: FrameError::UnknownType { .. }, .. }) => {}
            Err(Unreadable {
                error:
                    error @ (FrameError::NotAFrame { .. }
                    | FrameError::Malformed { .. }
                    | FrameError::Misshapen { .. }
                    | FrameError::Flawed { .. }),
                entry,
            }) => unreadable(application, entry, error.to_string()),
        }
        application.finished();
    }
    application.connection().end_batch();
}

/// A number for a user that no other is likely to have: [`super::Event::TypingExpired`] names users by it.
pub fn typist(user: &str) -> u32 {
    user.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[expect(clippy::too_many_lines, reason = "one arm for each frame: a new one does not compile without")]
fn receive_one(app: &mut impl Application, frame: ServerFrame) {
    match frame {
        ServerFrame::Message(message) => {
            let (connection, stretch) = app.reading();
            if let Some(handle) = connection.subscription(&message.channel)
                && stretch.accept(connection, handle, message.offset)
            {
                app.message(handle, message);
            }
        }
        ServerFrame::Welcome(frame) if frame.version != VERSION => {
            let message = "a version that was not offered";
            app.connection().receive_frame(ReceivedFrame::Violation { message });
        }
        ServerFrame::Welcome(frame) => {
            app.connection().receive_frame(ReceivedFrame::Welcome(WelcomeFrame {
                connection: frame.connection,
                run: &frame.run,
                user: &frame.user,
                ping_interval: frame.ping_interval_ms,
                hold: frame.hold_ms,
                token_expires_in: frame.token_expires_in_ms,
                payload_bytes: frame.limits.payload_bytes,
                batch_bytes: frame.limits.batch_bytes,
                batch_frames: frame.limits.batch_frames,
                subscriptions: frame.limits.subscriptions,
            }));
        }
        ServerFrame::Subscribed(frame) => subscribed(app, frame),
        ServerFrame::Unsubscribed(frame) => {
            let handle = find(app, &frame.channel);
            let outcome = app.connection().receive_frame(ReceivedFrame::Unsubscribed(UnsubscribedFrame {
                handle,
                channel: frame.channel.as_str(),
                code: frame.code.as_ref().map(known),
                retry_after: frame.retry_after_ms.map(u64::from),
            }));
            let (code, message) =
                (frame.code.unwrap_or(ErrorCode::Internal.into()), frame.message.unwrap_or_default());
            if let (Outcome::Ended, Some(handle)) = (outcome, handle) {
                app.ended(handle, code, message);
            } else if outcome == Outcome::Error {
                app.error(code, message, frame.retry_after_ms);
            }
        }
        ServerFrame::Ack(ack) => {
            if app.connection().receive_frame(ReceivedFrame::Ack { id: ack.id }) == Outcome::Stored {
                app.stored(ack);
            }
        }
        ServerFrame::Error(frame) => {
            let outcome = app.connection().receive_frame(ReceivedFrame::Error(ErrorFrame {
                code: known(&frame.code),
                message: &frame.message,
                retry: frame.retry,
                id: frame.id,
                retry_after: frame.retry_after_ms.map(u64::from),
            }));
            if let (Outcome::Failed, Some(id)) = (outcome, frame.id) {
                app.failed(id, frame.code, frame.message, frame.retry_after_ms);
            } else if outcome == Outcome::Error {
                app.error(frame.code, frame.message, frame.retry_after_ms);
            }
        }
        ServerFrame::TokenAccepted(frame) => {
            let expires_in = frame.expires_in_ms;
            app.connection().receive_frame(ReceivedFrame::TokenAccepted { expires_in });
        }
        ServerFrame::Polled(frame) => {
            let Polled { seq, connection } = frame;
            app.connection().receive_frame(ReceivedFrame::Polled { seq, connection });
        }
        ServerFrame::Ping(frame) => {
            app.connection().receive_frame(ReceivedFrame::Ping { nonce: frame.nonce });
        }
        ServerFrame::Pong(_) => {
            app.connection().receive_frame(ReceivedFrame::Pong);
        }
        ServerFrame::Goaway(frame) => {
            app.connection().receive_frame(ReceivedFrame::Goaway {
                delay: frame.delay_ms,
                spread: frame.spread_ms,
                reason: &frame.reason,
            });
        }
        ServerFrame::UserTyping(frame) => {
            if let Some(handle) = find(app, &frame.channel) {
                let typing =
                    ReceivedFrame::UserTyping { handle, typist: typist(&frame.user), typing: frame.typing };
                if app.connection().receive_frame(typing) == Outcome::Deliver {
                    app.user_typing(handle, frame);
                }
            }
        }
        ServerFrame::Receipt(frame) => {
            if let Some(handle) = live(app, &frame.channel) {
                if frame.user == app.connection().user() {
                    own_receipt(app, handle, frame.delivered, frame.read);
                }
                app.receipt(handle, frame);
            }
        }
        ServerFrame::Done(frame) => answered(app, frame.id, frame.into()),
        ServerFrame::HistoryPage(frame) => answered(app, frame.id, frame.into()),
        ServerFrame::Chats(frame) => answered(app, frame.id, frame.into()),
        ServerFrame::ChatMembers(frame) => answered(app, frame.id, frame.into()),
        ServerFrame::Members(frame) => answered(app, frame.id, frame.into()),
        ServerFrame::Receipts(frame) => answered(app, frame.id, frame.into()),
        ServerFrame::Statuses(frame) => answered(app, frame.id, frame.into()),
        ServerFrame::MemberJoined(frame) => {
            if let Some(handle) = live(app, &frame.channel) {
                app.member_joined(handle, frame);
            }
        }
        ServerFrame::MemberLeft(frame) => {
            if let Some(handle) = live(app, &frame.channel) {
                app.member_left(handle, frame);
            }
        }
        ServerFrame::Signalled(frame) => match &frame.channel {
            Some(channel) => {
                if let Some(handle) = live(app, channel) {
                    app.signalled(Some(handle), frame);
                }
            }
            None => {
                if app.connection().receive_frame(ReceivedFrame::State { handle: None }) == Outcome::Deliver {
                    app.signalled(None, frame);
                }
            }
        },
        ServerFrame::StatusChanged(frame) => {
            if let Some(handle) = live(app, &frame.channel) {
                app.status_changed(handle, frame);
            }
        }
        ServerFrame::Activity(frame) => {
            if app.connection().receive_frame(ReceivedFrame::State { handle: None }) == Outcome::Deliver {
                app.activity(frame);
            }
        }
        ServerFrame::ChatChanged(frame) => {
            if let Some(handle) = live(app, &frame.channel) {
                app.chat_changed(handle, frame);
            }
        }
        ServerFrame::ChatGone(frame) => {
            if let Some(handle) = live(app, &frame.channel) {
                app.chat_gone(handle, frame);
            }
        }
    }
}

/// The core reads `retry`, and needs no more of an unknown code than that it is not terminal.
fn known(code: &Code) -> ErrorCode {
    code.listed().unwrap_or(ErrorCode::Internal)
}

fn unreadable(app: &mut impl Application, entry: Option<(Channel, u64)>, reason: String) {
    let Some((channel, offset)) = entry else {
        app.connection().receive_frame(ReceivedFrame::Violation { message: &reason });
        return;
    };
    let (connection, stretch) = app.reading();
    if let Some(handle) = connection.subscription(&channel)
        && stretch.accept(connection, handle, offset)
    {
        app.unreadable(handle, offset, reason);
    }
}

fn answered(app: &mut impl Application, id: Uuid, frame: ServerFrame) {
    if app.connection().receive_frame(ReceivedFrame::Answer { id }) == Outcome::Deliver {
        app.answered(frame);
    }
}

fn subscribed(app: &mut impl Application, frame: Subscribed) {
    let Some(handle) = find(app, &frame.channel) else { return };
    let outcome = app.connection().receive_frame(ReceivedFrame::Subscribed(SubscribedFrame {
        handle,
        epoch: &frame.epoch,
        offset: frame.offset,
        head: frame.head,
        gap: frame.gap.as_ref().map(|gap| GapStart { from: gap.from, reason: gap.reason }),
    }));
    let Outcome::Subscribed(confirmation) = outcome else { return };
    if let Some(OwnMark { delivered, read }) = frame.own_mark {
        // What arrives is marked as delivered from now on.
        own_receipt(app, handle, delivered, read);
    }
    app.subscribed(handle, frame, confirmation);
}

fn own_receipt(app: &mut impl Application, handle: Handle, delivered: u64, read: u64) {
    app.connection().receive_frame(ReceivedFrame::OwnReceipt { handle, delivered, read });
}

fn find(app: &mut impl Application, channel: &Channel) -> Option<Handle> {
    app.connection().subscription(channel)
}

/// The subscription of this channel, if state frames for it count now.
fn live(app: &mut impl Application, channel: &Channel) -> Option<Handle> {
    let handle = find(app, channel)?;
    let outcome = app.connection().receive_frame(ReceivedFrame::State { handle: Some(handle) });
    (outcome == Outcome::Deliver).then_some(handle)
}
