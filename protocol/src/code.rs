//! A code in a frame of a server. The list of codes is open: a newer server may have others, and an extension its own. They are
//! kept as they came, and what they mean for a client is in `retry` and `retry_after_ms`.

use alloc::string::String;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ErrorCode;

/// The code of an `error` or `unsubscribed` frame.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Code {
    /// One of the list.
    Listed(ErrorCode),
    /// One that this version does not know.
    Other(String),
}

impl Code {
    /// The code on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Listed(code) => code.as_str(),
            Self::Other(text) => text,
        }
    }

    /// The code, if it is one of the list.
    pub const fn listed(&self) -> Option<ErrorCode> {
        match self {
            Self::Listed(code) => Some(*code),
            Self::Other(_) => None,
        }
    }

    /// Whether the client stops for good. Codes that are not in the list never mean that.
    pub const fn terminal(&self) -> bool {
        matches!(self, Self::Listed(code) if code.terminal())
    }
}

impl From<ErrorCode> for Code {
    fn from(code: ErrorCode) -> Self {
        Self::Listed(code)
    }
}

impl From<String> for Code {
    fn from(text: String) -> Self {
        ErrorCode::named(&text).map_or(Self::Other(text), Self::Listed)
    }
}

impl PartialEq<ErrorCode> for Code {
    fn eq(&self, code: &ErrorCode) -> bool {
        self.listed() == Some(*code)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_the_list_is_recognised_and_any_other_kept() {
        for code in ErrorCode::ALL {
            assert_eq!(Code::from(code.as_str().to_owned()), Code::Listed(*code));
        }
        let other = Code::from("acme.weather".to_owned());
        assert_eq!((other.as_str(), other.listed(), other.terminal()), ("acme.weather", None, false));
        assert!(other != ErrorCode::Internal && Code::from(ErrorCode::Banned).terminal());
    }
}
