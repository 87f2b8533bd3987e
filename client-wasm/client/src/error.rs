//! What can go wrong, as types.

use std::time::Duration;

use everwire_protocol::{Code, ErrorCode, InvalidChannel, names::InvalidName};

/// Why an operation failed, or why a subscription or the client has ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client is closed: by the application, or by an error that no later attempt can overcome.
    #[error("the client is closed: {reason}")]
    Closed {
        /// The error that closed it; none if the application did.
        code: Option<ErrorCode>,
        /// The same for people.
        reason: String,
    },
    /// Refused by the server, or by the client because the server would.
    #[error("{message} ({})", code.as_str())]
    Refused {
        /// The code, as `docs/protocol.md` lists it.
        code: Code,
        /// What happened, for people.
        message: String,
        /// The earliest time for another attempt, if there can be one.
        retry_after: Option<Duration>,
    },
    /// 1000 messages or 1 MiB wait to be stored already.
    #[error("too many messages wait to be stored")]
    QueueFull,
    /// No answer came in time. The request may have been carried out.
    #[error("no answer came in time")]
    Timeout,
    /// The application withdrew the message before it was sent.
    #[error("the message was withdrawn")]
    Cancelled,
    /// Not the name of a channel.
    #[error(transparent)]
    InvalidChannel(#[from] InvalidChannel),
    /// Not the name of an event, user or chat.
    #[error("invalid name: it {0}")]
    InvalidName(#[from] InvalidName),
    /// An option that cannot be used.
    #[error("invalid option: {0}")]
    InvalidOption(String),
    /// The data cannot be written as JSON.
    #[error("the data cannot be written as JSON: {0}")]
    Serialize(String),
    /// The data that was received does not fit the type.
    #[error("the data does not fit the type: {0}")]
    Deserialize(String),
    /// `Client::connect` was called outside of a tokio runtime.
    #[error("there is no tokio runtime here: call Client::connect in a task, or within Runtime::enter")]
    NoRuntime,
}

impl Error {
    /// The code of the protocol, if there is one.
    pub fn code(&self) -> Option<&str> {
        Some(match self {
            Self::Refused { code, .. } => code.as_str(),
            Self::Closed { code, .. } => code.unwrap_or(ErrorCode::Closed).as_str(),
            Self::QueueFull => ErrorCode::QueueFull.as_str(),
            Self::Timeout => ErrorCode::Timeout.as_str(),
            Self::Cancelled => ErrorCode::Cancelled.as_str(),
            Self::InvalidChannel(_) => ErrorCode::InvalidChannel.as_str(),
            Self::InvalidOption(_) | Self::InvalidName(_) => ErrorCode::InvalidOption.as_str(),
            Self::Serialize(_) => ErrorCode::InvalidPayload.as_str(),
            Self::Deserialize(_) | Self::NoRuntime => return None,
        })
    }

    /// Whether the same operation can succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused { code, retry_after, .. } => {
                retry_after.is_some() || code.listed().is_some_and(ErrorCode::retry)
            }
            Self::QueueFull | Self::Timeout => true,
            _ => false,
        }
    }

    pub(crate) fn refused(code: Code, message: String, retry_after_ms: Option<u32>) -> Self {
        match code.listed() {
            Some(ErrorCode::QueueFull) => Self::QueueFull,
            Some(ErrorCode::Timeout) => Self::Timeout,
            Some(ErrorCode::Cancelled) => Self::Cancelled,
            Some(ErrorCode::Closed) => Self::Closed { code: None, reason: message },
            _ => {
                let retry_after = retry_after_ms.map(|ms| Duration::from_millis(ms.into()));
                Self::Refused { code, message, retry_after }
            }
        }
    }

    pub(crate) fn closed() -> Self {
        ErrorCode::Closed.into()
    }
}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Self {
        Self::refused(code.into(), code.message().to_owned(), None)
    }
}
