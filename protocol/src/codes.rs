//! Error codes and close codes: one list each, with the default message and what a client does about the code.

use serde::{Deserialize, Serialize};

macro_rules! error_codes {
    ($(
        $(#[$doc:meta])*
        $variant:ident = $text:literal, retry: $retry:literal, terminal: $terminal:literal, $message:literal;
    )*) => {
        /// Why an operation was refused. Sent in `error` and `unsubscribed` frames, and the `code` of every error that
        /// a client library raises.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum ErrorCode { $($(#[$doc])* #[doc = ""] #[doc = $message] $variant,)* }

        impl ErrorCode {
            /// Every code, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code on the wire. Not inlined: a browser would download every copy.
            #[inline(never)]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The code that is this text on the wire.
            pub fn named(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == text)
            }

            /// The default message: what happened and what to do, for people.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message),* }
            }

            /// Whether the same request, unchanged, can succeed later.
            pub const fn retry(self) -> bool {
                match self { $(Self::$variant => $retry),* }
            }

            /// Whether the client stops for good, because reconnecting cannot help.
            pub const fn terminal(self) -> bool {
                match self { $(Self::$variant => $terminal),* }
            }
        }
    };
}

error_codes! {
    /// The token is missing, malformed or signed by an untrusted issuer.
    Unauthorized = "unauthorized", retry: false, terminal: true,
        "Invalid token. Sign in again.";
    /// The token has expired or is not valid yet: another one, or the same one later, will do.
    TokenExpired = "token_expired", retry: false, terminal: false,
        "Token expired or not valid yet; the client requests a new one.";
    /// The user is not allowed to use this server at all.
    Banned = "banned", retry: false, terminal: true,
        "User banned from this server.";
    /// The session id is already in use by another user.
    SessionMismatch = "session_mismatch", retry: false, terminal: true,
        "Session belongs to another user. Create a new client when the user changes.";
    /// The server does not speak the protocol version of the client.
    UnsupportedVersion = "unsupported_version", retry: false, terminal: true,
        "Protocol version not supported. Update the client or the server.";
    /// The user lacks the permission or grant that the operation needs.
    Forbidden = "forbidden", retry: false, terminal: false,
        "Permission denied.";
    /// The text is not a valid channel name.
    InvalidChannel = "invalid_channel", retry: false, terminal: false,
        "Invalid channel name.";
    /// The batch is not a JSON array of objects, or nests too deeply.
    InvalidBatch = "invalid_batch", retry: false, terminal: false,
        "Invalid batch: expected a JSON array of frames.";
    /// A frame of a known type lacks a field or has a field of the wrong type.
    InvalidFrame = "invalid_frame", retry: false, terminal: false,
        "Invalid frame.";
    /// The receiver does not know the type of the frame. The frame was ignored; the error only says so.
    UnknownType = "unknown_type", retry: false, terminal: false,
        "Unknown frame type; the frame was ignored.";
    /// The server knows what the frame is for, and does not offer it.
    UnsupportedFeature = "unsupported_feature", retry: false, terminal: false,
        "Not offered by this server. Its welcome lists the features that it has.";
    /// A frame that is not allowed at this point: one before `hello`, or a second `hello`.
    Unexpected = "unexpected", retry: false, terminal: false,
        "Unexpected frame.";
    /// A batch or a payload exceeds the size limit.
    TooLarge = "too_large", retry: false, terminal: false,
        "Size limit exceeded.";
    /// The session has reached its limit of subscriptions.
    TooManySubscriptions = "too_many_subscriptions", retry: false, terminal: false,
        "Subscription limit reached. Unsubscribe from a channel first.";
    /// The rate limit was exceeded. The error says when to retry.
    RateLimited = "rate_limited", retry: true, terminal: false,
        "Rate limit exceeded; retried automatically.";
    /// The server cannot read from or write to its storage at the moment.
    Unavailable = "unavailable", retry: true, terminal: false,
        "Storage temporarily unavailable; retried automatically.";
    /// An earlier send of the session was refused temporarily; this one waits behind it so that order is kept.
    Deferred = "deferred", retry: true, terminal: false,
        "Waiting for an earlier message; sent automatically.";
    /// The id was used before for something else.
    IdReused = "id_reused", retry: false, terminal: false,
        "Id already used for something else. Use a new id for every message.";
    /// The client reads too slowly; waiting frames were dropped, and it resumes from its position.
    SlowConsumer = "slow_consumer", retry: true, terminal: false,
        "Client reads too slowly; it reconnects and resumes.";
    /// The chat, message, user or connection does not exist, or the user has no access to it.
    NotFound = "not_found", retry: false, terminal: false,
        "Not found, or no access.";
    /// A request was not answered in time. Raised by the client.
    Timeout = "timeout", retry: true, terminal: false,
        "Request timed out. Try again when the connection is back.";
    /// The outbox is full. Raised by the client, synchronously.
    QueueFull = "queue_full", retry: true, terminal: false,
        "Outbox full. Wait until the connection is back, then try again.";
    /// Something between the client and the server refuses this message or request, and lets others through. Raised by the
    /// client.
    Blocked = "blocked", retry: false, terminal: false,
        "Refused by a proxy or firewall between client and server.";
    /// The message may have been stored long ago, and the server no longer recognises a copy of it. Raised by the client.
    TooOld = "too_old", retry: false, terminal: false,
        "Not sent again: it may have been stored already. Check, then send it as a new message.";
    /// The application withdrew the message before it was sent. Raised by the client.
    Cancelled = "cancelled", retry: false, terminal: false,
        "Withdrawn by the application.";
    /// The application closed the client. Raised by the client.
    Closed = "closed", retry: false, terminal: false,
        "Connection closed by the application.";
    /// The subscription ended while an operation was waiting for it. Raised by the client.
    Unsubscribed = "unsubscribed", retry: false, terminal: false,
        "Channel unsubscribed before the operation completed.";
    /// The value cannot be serialized as JSON, or does not have the shape that its event requires.
    InvalidPayload = "invalid_payload", retry: false, terminal: false,
        "Invalid payload.";
    /// An option of the client has an invalid value. Raised by the client.
    InvalidOption = "invalid_option", retry: false, terminal: false,
        "Invalid option value.";
    /// The token callback of the application failed. Raised by the client, which retries.
    TokenFailed = "token_failed", retry: true, terminal: false,
        "Token callback failed; called again before the next attempt.";
    /// The WebAssembly module could not be loaded. Raised by the client.
    LoadFailed = "load_failed", retry: true, terminal: false,
        "Failed to load the WebAssembly module. Check the network and the Content-Security-Policy.";
    /// The server violated the protocol. Raised by the client.
    ProtocolViolation = "protocol_violation", retry: true, terminal: false,
        "Protocol violation by the server.";
    /// An internal error; the log of the side that reports it has the details.
    Internal = "internal", retry: true, terminal: false,
        "Internal error. Please report it.";
}

impl ErrorCode {
    /// Whether only client libraries raise it, so that it never travels.
    pub const fn is_of_clients(self) -> bool {
        matches!(
            self,
            Self::Timeout
                | Self::QueueFull
                | Self::Blocked
                | Self::TooOld
                | Self::Cancelled
                | Self::Closed
                | Self::Unsubscribed
                | Self::InvalidOption
                | Self::TokenFailed
                | Self::LoadFailed
                | Self::ProtocolViolation
        )
    }
}

macro_rules! close_codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, terminal: $terminal:literal, $message:literal;)*) => {
        /// Why a WebSocket was closed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum CloseCode { $($(#[$doc])* #[doc = ""] #[doc = $message] $variant = $number,)* }

        impl CloseCode {
            /// Every code, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code that has this number; `None` for numbers that this protocol does not define.
            pub const fn from_u16(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// The number on the wire.
            pub const fn as_u16(self) -> u16 {
                self as u16
            }

            /// The message for people, and the close reason on the wire (at most 123 bytes).
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message),* }
            }

            /// Whether the client stops for good. After all other codes, known or unknown, it reconnects.
            pub const fn terminal(self) -> bool {
                match self { $(Self::$variant => $terminal),* }
            }
        }
    };
}

close_codes! {
    /// The client closed the connection.
    Normal = 1000, terminal: false, "Closed by the client.";
    /// The server restarts; it sent `goaway` before.
    GoingAway = 1001, terminal: false, "Server restarting.";
    /// Binary messages are not part of the protocol.
    Unsupported = 1003, terminal: false, "Only text messages are supported.";
    /// See the error code `unauthorized`.
    Unauthorized = 4001, terminal: true, "Invalid token.";
    /// See the error code `banned`.
    Banned = 4003, terminal: true, "User banned.";
    /// See the error code `unsupported_version`.
    UnsupportedVersion = 4004, terminal: true, "Protocol version not supported.";
    /// See the error code `session_mismatch`.
    SessionMismatch = 4005, terminal: true, "Session belongs to another user.";
    /// The token expired while connected, and no new one was sent in time; also for the error code `token_expired`.
    TokenExpired = 4006, terminal: false, "Token expired.";
    /// `hello` was not sent in time.
    HelloTimeout = 4007, terminal: false, "Timed out waiting for hello.";
    /// Nothing was received from the client for too long, pings included.
    HeartbeatTimeout = 4008, terminal: false, "Heartbeat timed out.";
    /// The same session opened another connection, which replaces this one.
    Replaced = 4009, terminal: false, "Replaced by a newer connection of the same session.";
    /// Too many invalid batches or frames.
    ProtocolViolation = 4010, terminal: false, "Protocol violation.";
    /// A message larger than the limit.
    TooLarge = 4011, terminal: false, "Message too large.";
    /// See the error code `slow_consumer`.
    SlowConsumer = 4012, terminal: false, "Client reads too slowly.";
    /// The client gave up on this connection: it was silent, or a better transport was found.
    Abandoned = 4013, terminal: false, "Abandoned by the client.";
    /// An operator or a back end disconnected the user, who may reconnect.
    Disconnected = 4014, terminal: false, "Disconnected by the server.";
    /// An internal error of the server.
    Internal = 4015, terminal: false, "Internal server error.";
    /// See the error code `rate_limited`: the client went on above its limits, or its user has too many connections. The
    /// error and the `goaway` before say when to return.
    RateLimited = 4016, terminal: false, "Rate limit exceeded.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_codes_text_is_its_serde_name() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_string(code).unwrap(), format!("{:?}", code.as_str()));
        }
    }

    #[test]
    fn terminal_codes_are_those_that_promise_13_names() {
        let terminal: Vec<_> = ErrorCode::ALL.iter().filter(|c| c.terminal()).map(|c| c.as_str()).collect();
        assert_eq!(terminal, ["unauthorized", "banned", "session_mismatch", "unsupported_version"]);
        assert!(ErrorCode::RateLimited.retry() && !ErrorCode::Forbidden.retry());
    }

    #[test]
    fn close_codes_round_trip_and_their_reasons_fit() {
        for code in CloseCode::ALL {
            assert_eq!(CloseCode::from_u16(code.as_u16()), Some(*code));
            assert!(code.message().len() <= 123);
        }
        assert_eq!(CloseCode::from_u16(1006), None);
    }
}
