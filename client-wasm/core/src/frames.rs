//! What the core needs of the server's frames, and what the application hears because of one. Payloads stay with the
//! driver.

use everwire_protocol::{ErrorCode, GapReason, Uuid};

use super::Handle;

/// A frame from the server. The driver finds the subscription of its channel.
#[derive(Debug, Clone)]
pub enum ReceivedFrame<'a> {
    /// `welcome`
    Welcome(WelcomeFrame<'a>),
    /// `subscribed`
    Subscribed(SubscribedFrame<'a>),
    /// `unsubscribed`
    Unsubscribed(UnsubscribedFrame<'a>),
    /// `message`
    Message {
        /// The subscription.
        handle: Handle,
        /// The offset of the entry.
        offset: u64,
    },
    /// `ack`
    Ack {
        /// The message.
        id: Uuid,
    },
    /// `error`
    Error(ErrorFrame<'a>),
    /// Any frame that answers a request.
    Answer {
        /// The request.
        id: Uuid,
    },
    /// `token_accepted`
    TokenAccepted {
        /// How long the token is valid, in ms.
        expires_in: Option<u64>,
    },
    /// `polled`
    Polled {
        /// Names the response.
        seq: u64,
        /// The connection whose response it is, if the server says so.
        connection: Option<Uuid>,
    },
    /// `ping`
    Ping {
        /// To be returned.
        nonce: Option<u32>,
    },
    /// `pong`
    Pong,
    /// `goaway`
    Goaway {
        /// When to leave, in ms from now.
        delay: u32,
        /// The time over which clients come back, in ms.
        spread: u32,
        /// Why.
        reason: &'a str,
    },
    /// `user_typing`
    UserTyping {
        /// The subscription.
        handle: Handle,
        /// The driver's number for the user.
        typist: u32,
        /// False if it is withdrawn.
        typing: bool,
    },
    /// `receipt` of this user, or the one in `subscribed`: the server keeps receipts for this channel.
    OwnReceipt {
        /// The subscription.
        handle: Handle,
        /// Everything up to this offset was received.
        delivered: u64,
        /// Everything up to this offset was read.
        read: u64,
    },
    /// Any other frame with state or something ephemeral.
    State {
        /// The subscription; none if it is about what is the user's own.
        handle: Option<Handle>,
    },
    /// Something that violates the protocol.
    Violation {
        /// What is wrong.
        message: &'a str,
    },
}

/// The parts of `welcome` that the core needs; times in ms, sizes in bytes.
#[derive(Debug, Clone)]
pub struct WelcomeFrame<'a> {
    /// Names the connection.
    pub connection: Uuid,
    /// The run of the server's store.
    pub run: &'a str,
    /// Who the server takes the client for.
    pub user: &'a str,
    /// The longest silence to expect.
    pub ping_interval: u32,
    /// How long polls are held.
    pub hold: u32,
    /// How long the token is valid.
    pub token_expires_in: Option<u64>,
    /// Largest payload.
    pub payload_bytes: u32,
    /// Largest batch.
    pub batch_bytes: u32,
    /// Most frames of a batch.
    pub batch_frames: u32,
    /// Most subscriptions.
    pub subscriptions: u32,
}

/// The parts of `subscribed` that the core needs.
#[derive(Debug, Clone)]
pub struct SubscribedFrame<'a> {
    /// The subscription.
    pub handle: Handle,
    /// The log.
    pub epoch: &'a str,
    /// Entries follow from `offset + 1`.
    pub offset: u64,
    /// The end of the log.
    pub head: u64,
    /// What is missing, if anything.
    pub gap: Option<GapStart>,
}

/// The parts of a gap that the core needs: it ends where the entries begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GapStart {
    /// The first offset that is missing.
    pub from: u64,
    /// Why.
    pub reason: GapReason,
}

/// The parts of `unsubscribed` that the core needs.
#[derive(Debug, Clone)]
pub struct UnsubscribedFrame<'a> {
    /// The subscription, if there still is one.
    pub handle: Option<Handle>,
    /// The channel.
    pub channel: &'a str,
    /// Why the server refused or ended it; none if the client asked for it.
    pub code: Option<ErrorCode>,
    /// When to ask again, in ms from now; none if it is refused for good.
    pub retry_after: Option<u64>,
}

/// The parts of `error` that the core needs.
#[derive(Debug, Clone)]
pub struct ErrorFrame<'a> {
    /// Why.
    pub code: ErrorCode,
    /// The same for a person.
    pub message: &'a str,
    /// Whether trying again can help.
    pub retry: bool,
    /// The message or request that is refused.
    pub id: Option<Uuid>,
    /// When to try again, in ms from now.
    pub retry_after: Option<u64>,
}

/// What the application hears because of a frame. What happens besides is reported as an event, and comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing: the frame is a duplicate, no longer counts, or is for the core alone.
    Nothing,
    /// The frame.
    Deliver,
    /// The subscription is in place, for the first time or again.
    Subscribed(Confirmation),
    /// The subscription is over, for the reason in the frame. Its handle is not used again.
    Ended,
    /// The message is stored, as the frame says.
    Stored,
    /// The message or request has failed for good, for the reason in the frame.
    Failed,
    /// The frame reports an error that the core deals with.
    Error,
}

/// How a subscription continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmation {
    /// Entries follow from `offset + 1`, in the log that the frame names. What came by another transport may be ahead of
    /// the frame.
    pub offset: u64,
    /// What was missed for good, if anything.
    pub gap: Option<Gap>,
}

/// Entries that were missed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The first one.
    pub from: u64,
    /// The last one.
    pub to: u64,
    /// Why.
    pub reason: GapReason,
}
