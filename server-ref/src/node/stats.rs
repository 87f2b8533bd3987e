//! Numbers for operators: what a server is doing now, and what it has done since it started. Counted while it happens;
//! never looked up in the store.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Node;
use crate::sessions::Connections;

/// How often the numbers are logged.
const LOG_EVERY: Duration = Duration::from_secs(30);

/// What is counted while it happens.
#[derive(Debug, Default)]
pub struct Counters {
    frames_in: AtomicU64,
    frames_out: AtomicU64,
}

impl Counters {
    /// Frames came from a client.
    pub(crate) fn came(&self, frames: usize) {
        self.frames_in.fetch_add(frames as u64, Ordering::Relaxed);
    }

    /// Frames were given to a transport.
    pub(crate) fn went(&self, frames: usize) {
        self.frames_out.fetch_add(frames as u64, Ordering::Relaxed);
    }
}

/// What a server is doing, and has done since it started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stats {
    /// The server's version.
    pub version: String,
    /// How long it has been running, in ms.
    pub uptime_ms: u64,
    /// Users who are connected.
    pub users: usize,
    /// Sessions that are connected: tabs and apps.
    pub sessions: usize,
    /// Connections, by what carries them.
    pub connections: Connections,
    /// Channels that somebody is subscribed to.
    pub channels: usize,
    /// Chats, with or without anybody connected.
    pub chats: usize,
    /// Polls that wait for their answer now.
    pub held_polls: u64,
    /// Frames that came from clients since the start.
    pub frames_in: u64,
    /// Frames that went to clients since the start.
    pub frames_out: u64,
    /// Messages that were stored since the start.
    pub messages_stored: u64,
}

impl Node {
    /// The numbers as of now.
    pub fn stats(&self) -> Stats {
        let (users, connections) = self.sessions.census();
        Stats {
            version: env!("CARGO_PKG_VERSION").into(),
            uptime_ms: self.clock.age_ms(),
            users,
            sessions: connections.websocket + connections.polling,
            connections,
            channels: self.hub.channels(),
            chats: self.book.len(),
            held_polls: self.held_polls(),
            frames_in: self.counters.frames_in.load(Ordering::Relaxed),
            frames_out: self.counters.frames_out.load(Ordering::Relaxed),
            messages_stored: self.hub.published(),
        }
    }
}

/// Logs the numbers from time to time, for as long as the node lives.
pub(crate) async fn keep_logging(node: std::sync::Weak<Node>) {
    let mut tick = tokio::time::interval(LOG_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // The first tick comes at once, when there is nothing to tell.
    tick.tick().await;
    loop {
        tick.tick().await;
        let Some(node) = node.upgrade() else { return };
        log(&node);
    }
}

fn log(node: &Arc<Node>) {
    let Stats {
        users, sessions, connections, channels, chats, frames_in, frames_out, messages_stored, ..
    } = node.stats();
    let Connections { websocket, polling } = connections;
    tracing::info!(
        users,
        sessions,
        websocket,
        polling,
        channels,
        chats,
        frames_in,
        frames_out,
        messages_stored,
        "statistics"
    );
}
