//! What the log says of a request that was refused. Whoever refuses it adds this to the response.

use everwire_protocol::ErrorCode;

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The code that the client is told.
    pub code: ErrorCode,
    /// What it is told in words.
    pub reason: String,
}
