//! The server with real sockets, on free ports, each test with a server and a database of its own. One program,
//! because linking it costs more than running it.
#![allow(unreachable_pub, reason = "a test program has no outside")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api;
mod backup;
mod bans;
mod bounds;
mod chat_store;
mod chats;
mod clocks;
mod contract;
mod erasure;
mod features;
mod health;
mod history;
mod ids;
mod kit;
mod limits;
mod logs;
mod membership;
mod operator;
mod people;
mod permission;
mod pieces;
mod polling;
mod presence;
mod program;
mod receipts;
mod rewriting;
mod runs;
mod strict;
mod unsigned;
mod upkeep;
mod websocket;
