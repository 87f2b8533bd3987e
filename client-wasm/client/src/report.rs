//! What a platform tells the loop that drives the session.
#![cfg_attr(target_arch = "wasm32", expect(unreachable_pub, reason = "public with the native driver"))]

use everwire_client_core::{Input, Source};

use crate::session::Kept;

/// What a platform reports.
#[derive(Debug)]
#[non_exhaustive]
pub enum Report {
    /// Something has happened.
    Input(Input),
    /// A batch has arrived, as JSON.
    Batch(Source, String),
    /// Messages that an earlier page has kept.
    #[doc(hidden)]
    Restored(Vec<KeptSend>),
}

/// A message that an earlier page has kept.
#[doc(hidden)]
#[derive(Debug)]
pub struct KeptSend(pub(crate) Kept);
