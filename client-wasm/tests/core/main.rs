//! The core under a virtual clock, against a server that is played by the tests. Named by the promises that they keep.

mod bench;
mod connecting;
mod delivery;
mod fallback;
mod polling;
mod robustness;
mod tokens;
mod waking;
