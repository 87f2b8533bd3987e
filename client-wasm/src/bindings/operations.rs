//! The operations of the core for JavaScript. An argument declared with `Option` is optional in TypeScript.

use alloc::string::String;

use everwire_client_core::Handle;
use everwire_protocol::{ErrorCode, GapReason, Uuid};

#[cfg(target_arch = "wasm32")]
use super::declare::place;
#[cfg(target_arch = "wasm32")]
use super::registers::Registers;
use super::{
    declare::{ArgumentDeclaration, Declaration, arguments, operations},
    registers::{Argument, NotAUuid},
};

arguments! {
    /// The options of a connection. An invalid URL results in a server that cannot be reached.
    CoreOptions<'a> {
        /// Absolute http(s) URL of the server, without a trailing slash.
        url: &'a str,
        /// The id of the client across reconnects.
        session: Result<Uuid, NotAUuid>,
        guest_user: Option<&'a str>,
        guest_name: Option<&'a str>,
        /// Whether `Host.fetchToken` may be called: 0, no; 1, and it brings the same token each time; 2, and it brings others.
        tokens: u32,
        websocket: bool,
        polling: bool,
        debug: bool,
        /// Whether the page is hidden.
        hidden: bool,
        /// Whether the browser believes that it is online.
        online: bool,
    }
}

operations! {
    /// Starts connecting. Called once.
    start(Start {});
    /// Closes for good: says goodbye, then releases sockets, timers and listeners.
    close(Close {});
    /// Subscribes to a channel. Throws `{ code }`.
    subscribe(Subscribe<'a> {
        channel: &'a str,
        /// How many of the latest entries to replay.
        recent: Option<u32>,
        /// The position to resume from: `epoch` and `offset`, or neither; and the run of the server's store in which it
        /// moved, if known.
        epoch: Option<&'a str>,
        offset: Option<u64>,
        run: Option<&'a str>,
        /// Start after the last entry delivered to the user on any device.
        undelivered: bool,
    }) -> "Handle";
    /// Ends a subscription.
    unsubscribe(Unsubscribe { handle: Handle, });
    /// Queues a `send` frame. `Host.sending` reports its status. Throws `{ code }`.
    send(Send<'a> {
        id: Result<Uuid, NotAUuid>,
        channel: &'a str,
        /// The frame as JSON text.
        frame: String,
        /// Whether it was written on an earlier page, and is sent before newer messages.
        restored: bool,
        /// How long ago it was sent first on an earlier page; absent if it never left.
        left_ago_ms: Option<u64>,
    });
    /// Withdraws a message. Returns whether it had not been sent, or is to be sent again.
    cancel(Cancel { id: Result<Uuid, NotAUuid>, }) -> "boolean";
    /// Sends a frame as a request, which is repeated after a reconnect until it is answered, refused or times out;
    /// `Host.sending` reports the latter two. Throws `{ code }`.
    request(Request {
        id: Result<Uuid, NotAUuid>,
        /// The frame as JSON text.
        frame: String,
        timeout_ms: u32,
    });
    /// Sends a frame if there is a connection, and returns whether. Throws `{ code }`.
    send_ephemeral(SendEphemeral {
        /// The frame as JSON text.
        frame: String,
    }) -> "boolean";
    /// Sends a frame now and after every `welcome`, replacing the previous one. Throws `{ code }`.
    send_sticky(SendSticky {
        /// The frame as JSON text.
        frame: String,
    });
    /// A key was pressed in a channel, or (`false`) its draft was discarded.
    typing(Typing { handle: Handle, key: bool, });
    /// How far the user has received and read a channel.
    mark(Mark { handle: Handle, delivered: Option<u64>, read: Option<u64>, });
    /// A slot that `Host.pollSlot` asked for is free.
    poll_slot(PollSlot {});
    /// The token that `Host.fetchToken` requested.
    token(Token { token: String, });
    /// The application could not obtain a token.
    token_failed(TokenFailed { message: String, });
    /// The last frames (redacted) and state changes, one a line.
    report(Report {}) -> "string";

    /// The frame `welcome`.
    welcome(Welcome<'a> {
        connection: Result<Uuid, NotAUuid>,
        run: &'a str,
        user: &'a str,
        ping_interval_ms: u32,
        hold_ms: u32,
        token_expires_in_ms: Option<u64>,
        payload_bytes: u32,
        batch_bytes: u32,
        batch_frames: u32,
    });
    /// The frame `subscribed`. If it concerns the active subscription, the answer is where that continues; and, if entries
    /// can no longer be recovered, the first of them and the reason.
    subscribed_frame(SubscribedFrame<'a> {
        handle: Handle,
        epoch: &'a str,
        offset: u64,
        head: u64,
        /// The start of missing entries, and the reason. They end where the following entries begin.
        gap_from: Option<u64>,
        gap: Option<GapReason>,
    }) -> "readonly [offset: number, from: number | undefined, reason: GapReason | undefined] | undefined";
    /// The frame `unsubscribed`. `ended`: the subscription has ended, and its handle is not used again; `error`: it is retried
    /// later.
    unsubscribed_frame(UnsubscribedFrame<'a> {
        /// Absent if the channel no longer has a subscription.
        handle: Option<Handle>,
        channel: &'a str,
        code: Option<ErrorCode>,
        retry_after_ms: Option<u64>,
    }) -> "\"ended\" | \"error\" | undefined";
    /// The frame `ack`. Returns whether the message was waiting for it.
    ack(Ack { id: Result<Uuid, NotAUuid>, }) -> "true | undefined";
    /// The frame `error`. `failed`: the send or request has failed for good; `error`: the core handles it, and it is
    /// reported to the application.
    refused(Refused<'a> {
        code: ErrorCode,
        message: &'a str,
        retry: bool,
        id: Option<Uuid>,
        retry_after_ms: Option<u64>,
    }) -> "\"failed\" | \"error\" | undefined";
    /// The frame `token_accepted`.
    token_accepted(TokenAccepted { expires_in_ms: Option<u64>, });
    /// The frame `polled`.
    polled(Polled { seq: u64, connection: Option<Uuid>, });
    /// The frame `ping`.
    ping(Ping { nonce: Option<u32>, });
    /// The frame `goaway`.
    goaway(Goaway<'a> { delay_ms: u32, spread_ms: u32, reason: &'a str, });
    /// A frame that answers a request. Returns whether the request was waiting for it.
    answered(Answered { id: Result<Uuid, NotAUuid>, }) -> "true | undefined";
    /// Whether state and ephemeral frames of a subscription count now.
    live(Live { handle: Handle, }) -> "true | undefined";
    /// Another user is typing, or (`false`) no longer.
    user_typing(UserTyping {
        handle: Handle,
        /// The caller's number for the user.
        typist: u32,
        typing: bool,
    });
    /// The user's own marks as the server has them.
    own_receipt(OwnReceipt { handle: Handle, delivered: u64, read: u64, });
    /// The server has violated the protocol.
    violation(Violation<'a> { message: &'a str, });
}
