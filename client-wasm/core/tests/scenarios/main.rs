//! The core under a virtual clock, against a server that is played by the tests. Named by the promises that they keep.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accepted_tokens;
mod answers;
mod batches;
mod bounds;
mod connecting;
mod delivery;
mod ends;
mod fallback;
mod harness;
mod idling;
mod poll_timing;
mod polling;
mod posts;
mod receipts;
mod refusals;
mod refused_tokens;
mod report;
mod robustness;
mod sharing;
mod stretches;
mod tokens;
mod trust;
mod typing;
mod unnamed;
mod waking;
