//! What is known about the database without waiting for it.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::file_lock::FileLock;
use crate::store::StoreHealth;

/// A write that takes longer counts as failed until it ends.
const SLOW: Duration = Duration::from_secs(10);

/// The outcomes of writes.
#[derive(Debug, Default)]
pub(super) struct Writes(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    succeeded_at: Option<Instant>,
    failure: Option<String>,
    /// When the current write began.
    began_at: Option<Instant>,
}

impl Writes {
    pub(super) fn began(&self) {
        self.0.lock().began_at = Some(Instant::now());
    }

    pub(super) fn ended(&self, failure: Option<String>) {
        let mut state = self.0.lock();
        state.began_at = None;
        if failure.is_none() {
            state.succeeded_at = Some(Instant::now());
        }
        state.failure = failure;
    }

    pub(super) fn health(&self, lock: &FileLock, path: &Path) -> StoreHealth {
        let state = self.0.lock();
        let slow = state.began_at.is_some_and(|began| began.elapsed() > SLOW);
        let failure = if !lock.is_in_place() {
            Some(
                "the database file was moved or replaced while the server is using it; restart the server"
                    .into(),
            )
        } else if slow {
            Some("a write has not ended for 10 seconds".into())
        } else {
            state.failure.clone()
        };
        let last_commit_ms = state.succeeded_at.map(|at| at.elapsed().as_millis() as u64);
        drop(state);
        StoreHealth { failure, last_commit_ms, free_bytes: free_bytes(path) }
    }
}

/// What an ordinary user can still write where the database is.
#[cfg(unix)]
fn free_bytes(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}
