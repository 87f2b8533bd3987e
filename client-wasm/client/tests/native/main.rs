//! The client on tokio and a real server: in this process, or as a process of its own that is killed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod channels;
mod ends;
mod kills;
mod kit;
mod people;
mod tokens;
