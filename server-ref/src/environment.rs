//! The environment of a node: time, random ids, tasks and sleep. It is one parameter, so that a simulation can run the same
//! node under virtual time, and the same seed gives the same run.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use everwire_protocol::Uuid;

/// A task.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The environment that a node runs in.
pub trait Environment: fmt::Debug + Send + Sync + 'static {
    /// Monotonic time, in ms: never goes back and never jumps. For timers. Where it begins means nothing.
    fn now_ms(&self) -> u64;

    /// The wall clock, in ms since 1970. For tokens, and for times that people read. May be set forward or back at any
    /// time, so it is never kept, and nothing is ordered by it.
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
    /// Entries that are delivered directly overtake what waits in a mailbox.
    MailOvertaken,
    /// A successful commit is reported as failed, and nothing of it is published.
    CommitReportedFailed,
    /// A ban or a revocation does not reach open connections.
    BanNotTold,
    /// The bans that are stored are not read at the start.
    BansNotLoaded,
    /// What a banned user sends is stored.
    BannedStillWrites,
    /// Whoever is removed from a chat keeps the subscriptions.
    RemovalNotTold,
    /// The channels of chats are open to everybody.
    MembersNotChecked,
    /// A change of a chat that is reported as failed is never looked for.
    ChatsInDoubtForgotten,
    /// A deletion of a chat that is reported as failed is never looked for.
    DeletionsInDoubtForgotten,
    /// An erasure ends before anything was removed.
    ErasureEndsAtOnce,
    /// Some answers to requests are lost.
    AnswersLost,
    /// A chat that is created again begins anew.
    ChatsMadeAgain,
    /// Anybody may remove members of a chat.
    AnybodyRemoves,
    /// The entries in memory stay what they were before an edit or a deletion.
    CacheNotBlanked,
    /// A signal is delivered to its sender as well.
    SignalsEchoed,
    /// A signal for one connection is delivered to all subscribers.
    SignalsToAll,
    /// Signals are passed on whoever sends them.
    SignalsUnchecked,
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
#[derive(Debug, Clone)]
pub struct TokioEnvironment {
    started: Instant,
    wall: WallClock,
}

impl TokioEnvironment {
    /// Its monotonic time starts at 0, far from any wall clock.
    pub fn start(wall: WallClock) -> Self {
        Self { started: Instant::now(), wall }
    }
}

/// A wall clock: the system's, unless a test has its own.
#[derive(Clone)]
pub struct WallClock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl WallClock {
    /// A clock that returns ms since 1970.
    pub fn new(read: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// The time now, in ms since 1970.
    pub fn read(&self) -> u64 {
        (self.0)()
    }
}

impl Default for WallClock {
    fn default() -> Self {
        Self::new(wall_ms)
    }
}

impl fmt::Debug for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WallClock").field(&self.read()).finish()
    }
}

impl Environment for TokioEnvironment {
    fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    fn wall_ms(&self) -> u64 {
        self.wall.read()
    }

    fn new_id(&self) -> Uuid {
        Uuid::new_v4()
    }

    fn spawn(&self, task: Task) {
        tokio::spawn(task);
    }

    fn sleep_until(&self, at_ms: u64) -> Task {
        let at = self.started + Duration::from_millis(at_ms);
        Box::pin(tokio::time::sleep_until(at.into()))
    }
}
