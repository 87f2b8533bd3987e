//! What is logged about a refused request. The code that refuses it attaches this to the response.

use everwire_protocol::ErrorCode;

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The code that the client is told.
    pub code: ErrorCode,
    /// What it is told in words.
    pub reason: String,
}
