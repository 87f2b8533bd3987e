//! Statistics for operators: current numbers, and totals since the start. Counted as it happens, never read from the store.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Node;
use crate::{environment::Environment, logs, sessions::Connections};

/// How often statistics are logged, in ms.
const LOG_EVERY_MS: u64 = 30_000;

/// The counters.
#[derive(Debug, Default)]
pub struct Counters {
    frames_in: AtomicU64,
    frames_out: AtomicU64,
}

impl Counters {
    /// Counts frames from a client.
    pub(crate) fn count_in(&self, frames: usize) {
        self.frames_in.fetch_add(frames as u64, Ordering::Relaxed);
    }

    /// Counts frames passed to a transport.
    pub(crate) fn count_out(&self, frames: usize) {
        self.frames_out.fetch_add(frames as u64, Ordering::Relaxed);
    }
}

/// Statistics of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stats {
    /// The server's version.
    pub version: String,
    /// How long it has been running, in ms.
    pub uptime_ms: u64,
    /// Connected users.
    pub users: usize,
    /// Connected sessions: tabs and apps.
    pub sessions: usize,
    /// Connections by transport.
    pub connections: Connections,
    /// Channels with subscribers.
    pub channels: usize,
    /// All chats.
    pub chats: usize,
    /// Held polls.
    pub held_polls: u64,
    /// Frames from clients since the start.
    pub frames_in: u64,
    /// Frames to clients since the start.
    pub frames_out: u64,
    /// Messages stored since the start.
    pub messages_stored: u64,
    /// Lines of the log dropped since the start, because nobody read them in time.
    #[serde(default)]
    pub log_lines_dropped: u64,
}

impl Node {
    /// The current statistics.
    pub fn stats(&self) -> Stats {
        let (users, connections) = self.sessions.counts();
        Stats {
            version: env!("CARGO_PKG_VERSION").into(),
            uptime_ms: self.now_ms() - self.started_at,
            users,
            sessions: connections.websocket + connections.polling,
            connections,
            channels: self.hub.channels(),
            chats: self.chats.len(),
            held_polls: self.held_polls(),
            frames_in: self.counters.frames_in.load(Ordering::Relaxed),
            frames_out: self.counters.frames_out.load(Ordering::Relaxed),
            messages_stored: self.hub.published(),
            log_lines_dropped: logs::dropped(),
        }
    }
}

/// Logs statistics periodically, for as long as the node lives.
pub(super) async fn keep_logging(environment: Arc<dyn Environment>, node: Weak<Node>) {
    loop {
        environment.sleep_until(environment.now_ms() + LOG_EVERY_MS).await;
        let Some(node) = node.upgrade() else { return };
        log(&node.stats());
    }
}

fn log(stats: &Stats) {
    let Stats {
        users, sessions, connections, channels, chats, frames_in, frames_out, messages_stored, ..
    } = stats;
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
