//! What a node asks of the machine that it runs on: the time, random ids, tasks and sleep. It all comes through one
//! parameter, so that a simulation can run the same node under virtual time, and the same seed gives the same run.

use std::{
    fmt,
    pin::Pin,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use everwire_protocol::Uuid;

/// Something that runs until it is done.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The machine that a node runs on.
pub trait Environment: fmt::Debug + Send + Sync + 'static {
    /// The time that connections are given, in ms since 1970: never goes back and never jumps.
    fn now_ms(&self) -> u64;

    /// The time of day, in ms since 1970. May be set back.
    fn wall_ms(&self) -> u64;

    /// A new random id.
    fn new_id(&self) -> Uuid;

    /// Runs a task beside all others.
    fn spawn(&self, task: Task);

    /// Returns when [`Self::now_ms`] has reached `at_ms`.
    fn sleep_until(&self, at_ms: u64) -> Task;

    /// The bug that the node is to have, so that a test can show that it would be found.
    #[cfg(feature = "planted")]
    fn planted(&self) -> Option<Planted> {
        None
    }
}

/// Bugs in the order of effects, for tests of the simulation.
#[cfg(feature = "planted")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// A connection is subscribed after the state of the log was read: an entry stored in between reaches nobody.
    SubscribeAfterRead,
    /// Whether a user may receive a channel is not checked again after it was read.
    SecondPermitLeftOut,
    /// Entries are published before they are stored.
    PublishBeforeCommit,
    /// Sends are acknowledged before they are stored.
    AckBeforeCommit,
    /// What does not fit into a mailbox is dropped, and the connection goes on.
    MailboxLoses,
    /// A commit that happened is reported as failed, and nothing is published of it.
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

/// The time of day in ms since 1970.
pub fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// A real machine: its clocks, the system's random numbers, and the tasks and timers of tokio.
#[derive(Debug, Clone, Copy)]
pub struct TokioEnvironment {
    started_at: u64,
    started: Instant,
}

impl TokioEnvironment {
    /// Its time starts at the time of day now.
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
