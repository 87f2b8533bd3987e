//! The server's clocks. Sessions get a time that never goes back; logs get the time of day.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The time of day in ms since 1970.
pub fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// A clock that starts at the time of day and never goes back or jumps.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started_at: u64,
    started: Instant,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Self {
        Self { started_at: wall_ms(), started: Instant::now() }
    }

    /// ms since 1970.
    pub fn now_ms(&self) -> u64 {
        self.started_at + self.started.elapsed().as_millis() as u64
    }

    /// How long it has been running, in ms.
    pub fn age_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    /// When it will be `ms`.
    pub fn instant(&self, ms: u64) -> Instant {
        self.started + Duration::from_millis(ms.saturating_sub(self.started_at))
    }
}
