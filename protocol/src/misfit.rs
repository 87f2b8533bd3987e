//! Why a frame is refused though each of its fields is of the right type.

use alloc::string::String;

use crate::ErrorCode;

/// Why a frame is refused though each of its fields is of the right type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The error code for the answer.
    pub code: ErrorCode,
    /// What is wrong, as the end of a sentence.
    pub words: String,
}
