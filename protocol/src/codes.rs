//! Error codes and close codes: one list each, with a sentence for a person and what a client does about it.

use serde::{Deserialize, Serialize};

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $retry:ident, $after:ident, $sentence:literal;)*) => {
        /// Why something was refused. Travels in `error` frames, and is the `code` of every error that a client
        /// library raises.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum ErrorCode { $($(#[$doc])* #[doc = ""] #[doc = $sentence] $variant,)* }

        impl ErrorCode {
            /// Every code, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// What happened and what to do, for a person.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence),* }
            }

            /// Whether the same request can succeed later without being changed.
            pub const fn retry(self) -> bool {
                match self { $(Self::$variant => stringify!($retry).len() == "retry".len()),* }
            }

            /// Whether the client stops for good after it, because trying again cannot help.
            pub const fn terminal(self) -> bool {
                match self { $(Self::$variant => stringify!($after).len() == "stop".len()),* }
            }
        }
    };
}

// The words behind a code: `retry` or `no_retry` (can the same request succeed later), `stop` or `go_on` (does the
// client end its connection for good).
error_codes! {
    /// The token is missing, malformed or not signed by whom the server trusts.
    Unauthorized = "unauthorized", no_retry, stop,
        "The server does not accept this token. Sign in again.";
    /// The token has expired, or is not valid yet: another one, or the same one later, will do.
    TokenExpired = "token_expired", no_retry, go_on,
        "The token is not valid at this time. The client asks for a new one.";
    /// The user may not use this server at all.
    Banned = "banned", no_retry, stop,
        "This user has been banned from the server.";
    /// The session id is already in use by another user.
    SessionMismatch = "session_mismatch", no_retry, stop,
        "This session belongs to another user. Start a new client when the user changes.";
    /// The server speaks no version that the client speaks.
    UnsupportedVersion = "unsupported_version", no_retry, stop,
        "The server does not speak this version of the protocol. Update the client or the server.";
    /// The channel needs a grant that the user does not have.
    Forbidden = "forbidden", no_retry, go_on,
        "You have no permission for this channel. Ask for a grant.";
    /// The text is not a channel name.
    InvalidChannel = "invalid_channel", no_retry, go_on,
        "This is not a valid channel name.";
    /// The batch is not a JSON array of objects, or nests too deep.
    InvalidBatch = "invalid_batch", no_retry, go_on,
        "The batch is not a JSON array of frames.";
    /// A frame of a known type lacks a field or has one of the wrong type.
    InvalidFrame = "invalid_frame", no_retry, go_on,
        "The frame is malformed.";
    /// A frame of a type that the receiver does not know. It was ignored; this only says so.
    UnknownType = "unknown_type", no_retry, go_on,
        "The frame has a type that this server does not know; it was ignored.";
    /// A frame came before `hello`, or a second `hello` came.
    Unexpected = "unexpected", no_retry, go_on,
        "This frame cannot come here: every connection begins with exactly one hello.";
    /// A batch or a payload is larger than the limit.
    TooLarge = "too_large", no_retry, go_on,
        "This is larger than the server accepts.";
    /// More subscriptions than a session may have.
    TooManySubscriptions = "too_many_subscriptions", no_retry, go_on,
        "This session has as many subscriptions as it may have. Unsubscribe from a channel first.";
    /// More of something than a user may do in a time. The error says when to go on.
    RateLimited = "rate_limited", retry, go_on,
        "Too much in too short a time. It will be sent again by itself.";
    /// The server could not store or read just now.
    Unavailable = "unavailable", retry, go_on,
        "The server cannot store or read messages right now. It will be tried again by itself.";
    /// An earlier send of this session was put off: this one has to wait behind it, so that order is kept.
    Deferred = "deferred", retry, go_on,
        "An earlier message has to be stored first. This one follows by itself.";
    /// The id was used before for something else.
    IdReused = "id_reused", no_retry, go_on,
        "This message id was used before, for another channel. Give every message its own id.";
    /// The client reads too slowly; what was waiting for it was dropped, and it resumes from its position.
    SlowConsumer = "slow_consumer", retry, go_on,
        "This client reads more slowly than messages arrive. It reconnects and continues where it was.";
    /// The chat, message, user or connection does not exist, or the user may not know that it does.
    NotFound = "not_found", no_retry, go_on,
        "There is nothing of this name here, or you may not see it.";
    /// A question was not answered in time: raised by the client itself.
    Timeout = "timeout", retry, go_on,
        "The server did not answer in time. Try again when the connection is back.";
    /// The outbox is full: raised by the client itself, at once.
    QueueFull = "queue_full", retry, go_on,
        "Too many messages are waiting to be sent. Wait until the connection is back, then try again.";
    /// The client was closed by the application: raised by the client itself.
    Closed = "closed", no_retry, go_on,
        "The connection was closed by the application.";
    /// The subscription was ended while something waited for it: raised by the client itself.
    Unsubscribed = "unsubscribed", no_retry, go_on,
        "The channel was unsubscribed before this was done.";
    /// The value is not JSON: raised by the client itself.
    InvalidPayload = "invalid_payload", no_retry, go_on,
        "The value cannot be written as JSON.";
    /// An option of the client is wrong: raised by the client itself.
    InvalidOption = "invalid_option", no_retry, go_on,
        "An option has a value that it cannot have.";
    /// The token callback failed: raised by the client itself, which tries again.
    TokenFailed = "token_failed", retry, go_on,
        "The application's token callback failed. It is called again before the next try.";
    /// The WebAssembly part could not be loaded: raised by the client itself.
    LoadFailed = "load_failed", retry, go_on,
        "The WebAssembly part of Everwire could not be loaded. Check the network and the Content-Security-Policy.";
    /// The other side does not keep to the protocol: raised by the client about a server.
    ProtocolViolation = "protocol_violation", retry, go_on,
        "The server sent something that the protocol does not allow.";
    /// Something went wrong inside; the log of whoever says it knows more.
    Internal = "internal", retry, go_on,
        "Something went wrong inside. Please report it.";
}

macro_rules! close_codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $after:ident, $sentence:literal;)*) => {
        /// Why a WebSocket was closed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum CloseCode { $($(#[$doc])* #[doc = ""] #[doc = $sentence] $variant = $number,)* }

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

            /// What happened, for a person. Also the close reason on the wire (123 bytes at most).
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence),* }
            }

            /// Whether the client stops for good after it. All others, and all unknown numbers, lead to a reconnect.
            pub const fn terminal(self) -> bool {
                match self { $(Self::$variant => stringify!($after).len() == "stop".len()),* }
            }
        }
    };
}

close_codes! {
    /// The client has nothing more to say.
    Normal = 1000, retry, "The client closed the connection.";
    /// The server restarts; a `goaway` came before it.
    GoingAway = 1001, retry, "The server is restarting.";
    /// Binary messages are not part of the protocol.
    Unsupported = 1003, retry, "Only text messages are accepted.";
    /// See the error code `unauthorized`.
    Unauthorized = 4001, stop, "The token is not accepted.";
    /// See the error code `banned`.
    Banned = 4003, stop, "The user is banned.";
    /// See the error code `unsupported_version`.
    UnsupportedVersion = 4004, stop, "The protocol version is not supported.";
    /// See the error code `session_mismatch`.
    SessionMismatch = 4005, stop, "The session belongs to another user.";
    /// The token ran out while connected, and no new one came; or see the error code `token_expired`.
    TokenExpired = 4006, retry, "The token has expired.";
    /// `hello` did not come in time.
    HelloTimeout = 4007, retry, "No hello came in time.";
    /// Nothing came from the client for too long, pings included.
    HeartbeatTimeout = 4008, retry, "Nothing was heard for too long.";
    /// The same session opened another connection, which replaces this one.
    Replaced = 4009, retry, "Another connection of the same session took over.";
    /// Too much that is not the protocol.
    ProtocolViolation = 4010, retry, "The protocol was violated.";
    /// A message larger than the limit.
    TooLarge = 4011, retry, "The message is too large.";
    /// See the error code `slow_consumer`.
    SlowConsumer = 4012, retry, "The client reads too slowly.";
    /// The client gave up on this connection: silence, or a better transport.
    Abandoned = 4013, retry, "The client gave up on this connection.";
    /// An operator or a back end disconnected the user; it may come back.
    Disconnected = 4014, retry, "The user was disconnected by the server.";
    /// Something went wrong in the server.
    Internal = 4015, retry, "Something went wrong inside the server.";
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
            assert!(code.sentence().len() <= 123);
        }
        assert_eq!(CloseCode::from_u16(1006), None);
    }
}
