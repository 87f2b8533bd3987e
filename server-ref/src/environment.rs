//! The environment of a node: time, random ids, tasks and sleep. It is one parameter, so that a simulation can run the same
//! node under virtual time, and the same seed gives the same run.

use std::{
    fmt,
    pin::Pin,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use everwire_protocol::Uuid;

/// A task.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The environment that a node runs in.
pub trait Environment: fmt::Debug + Send + Sync + 'static {
    /// Monotonic time, in ms since 1970: never goes back and never jumps.
    fn now_ms(&self) -> u64;

    /// The wall clock, in ms since 1970. May be set back.
    fn wall_ms(&self) -> u64;

    /// A new random id.
    fn new_id(&self) -> Uuid;

    /// Spawns a task.
    fn spawn(&self, task: Task);

    /// Returns when [`Self::now_ms`] has reached `at_ms`.
    fn sleep_until(&self, at_ms: u64) -> Task;

    /// A planted bug, so that a test can show that it is found.
    #[cfg(feature = "planted")]
    fn planted(&self) -> Option<Planted> {
        None
    }
}

/// Bugs in the order of effects, for tests of the simulation.
#[cfg(feature = "planted")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// A connection is subscribed after the state of the log was read: an entry stored in between is lost.
    SubscribeAfterRead,
    /// Permission is not checked again after a channel was read.
    SecondPermitLeftOut,
    /// Entries are published before they are stored.
    PublishBeforeCommit,
    /// Sends are acknowledged before they are stored.
    AckBeforeCommit,
    /// A message that does not fit into a mailbox is dropped, and the connection continues.
    MailboxLoses,
    /// A successful commit is reported as failed, and nothing of it is published.
    CommitReportedFailed,
}

/// Whether a bug is planted: `false` in every build without the feature `planted`.
macro_rules! planted {
    ($environment:expr, $bug:ident) => {{
        #[cfg(feature = "planted")]
        let planted = $environment.planted() == Some($crate::environment::Planted::$bug);
        #[cfg(not(feature = "planted"))]
        let planted = false;
        planted
    }};
}
pub(crate) use planted;

/// The wall clock, in ms since 1970.
pub fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// The real environment: system clocks, system random numbers, and tokio's tasks and timers.
#[derive(Debug, Clone, Copy)]
pub struct TokioEnvironment {
    started_at: u64,
    started: Instant,
}

impl TokioEnvironment {
    /// Its monotonic time starts at the current wall clock.
    pub fn start() -> Self {
        Self { started_at: wall_ms(), started: Instant::now() }
    }
}

impl Environment for TokioEnvironment {
    fn now_ms(&self) -> u64 {
        self.started_at + self.started.elapsed().as_millis() as u64
    }

    fn wall_ms(&self) -> u64 {
        wall_ms()
    }

    fn new_id(&self) -> Uuid {
        Uuid::new_v4()
    }

    fn spawn(&self, task: Task) {
        tokio::spawn(task);
    }

    fn sleep_until(&self, at_ms: u64) -> Task {
        let at = self.started + Duration::from_millis(at_ms.saturating_sub(self.started_at));
        Box::pin(tokio::time::sleep_until(at.into()))
    }
}
