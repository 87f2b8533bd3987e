//! The Everwire client.
pub mod core;
