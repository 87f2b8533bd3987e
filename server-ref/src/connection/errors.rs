//! Error frames, and what they are about.

use everwire_protocol::{Channel, Error, ErrorCode, Uuid};

/// An error frame with the code's own sentence.
pub(super) fn error(code: ErrorCode) -> Error {
    Error {
        code: code.into(),
        message: code.message().into(),
        retry: code.retry(),
        id: None,
        ids: Vec::new(),
        re: None,
        channel: None,
        retry_after_ms: None,
        versions: None,
    }
}

/// An error frame that says what exactly is wrong.
pub(super) fn error_saying(code: ErrorCode, message: impl Into<String>) -> Error {
    Error { message: message.into(), ..error(code) }
}

pub(super) fn about(channel: Channel, error: Error) -> Error {
    Error { channel: Some(channel), ..error }
}

/// Says which type of frame is refused.
pub(super) fn re(kind: &str, error: Error) -> Error {
    Error { re: Some(kind.into()), ..error }
}

pub(super) fn about_send(id: Uuid, channel: Channel, error: Error) -> Error {
    Error { id: Some(id), channel: Some(channel), ..re("send", error) }
}
