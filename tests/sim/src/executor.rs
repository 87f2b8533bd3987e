//! A deterministic executor for one server node: its tasks, its timers and its ids, under virtual time. It is the
//! [`Environment`] that the real node runs on. A node that crashes is dropped with its executor.
//!
//! Of the tasks that are ready, the next one to run is drawn, so that other seeds see other orders.

use std::{
    collections::BTreeMap,
    fmt,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use everwire_protocol::Uuid;
use everwire_server::environment::{Environment, Planted, Task};

use crate::rng::Rng;

/// How many tasks run at one moment before it counts as a loop.
const RUNS: usize = 1_000_000;

/// Virtual time in ms since 1970, which all nodes of a run share.
#[derive(Debug, Clone)]
pub struct Clock(Arc<AtomicU64>);

impl Clock {
    /// A clock with this time.
    pub fn new(now_ms: u64) -> Self {
        Self(Arc::new(AtomicU64::new(now_ms)))
    }

    /// Advances it.
    pub fn set(&self, now_ms: u64) {
        self.0.store(now_ms, Ordering::Relaxed);
    }

    /// Its time.
    pub fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The environment of a node's tasks. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SimEnvironment {
    clock: Clock,
    state: Arc<Mutex<State>>,
    planted: Option<Planted>,
}

struct State {
    /// The upper bits of ids created in this life of the node.
    ids: u128,
    next_id: u128,
    spawned: Vec<Task>,
    timers: BTreeMap<(u64, u64), Waker>,
    next_timer: u64,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("timers", &self.timers.len()).finish_non_exhaustive()
    }
}

impl SimEnvironment {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Environment for SimEnvironment {
    fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    fn wall_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    fn new_id(&self) -> Uuid {
        let mut state = self.state();
        state.next_id += 1;
        Uuid::from_u128(state.ids | state.next_id)
    }

    fn spawn(&self, task: Task) {
        self.state().spawned.push(task);
    }

    fn sleep_until(&self, at_ms: u64) -> Task {
        Box::pin(Sleep { environment: self.clone(), at_ms, timer: None })
    }

    fn planted(&self) -> Option<Planted> {
        self.planted
    }
}

/// Waits until a point in time.
struct Sleep {
    environment: SimEnvironment,
    at_ms: u64,
    timer: Option<(u64, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let (at_ms, mut timer) = (self.at_ms, self.timer);
        {
            let mut state = self.environment.state();
            if self.environment.now_ms() >= at_ms {
                if let Some(timer) = timer.take() {
                    state.timers.remove(&timer);
                }
            } else {
                let timer = *timer.get_or_insert_with(|| {
                    state.next_timer += 1;
                    (at_ms, state.next_timer)
                });
                state.timers.insert(timer, context.waker().clone());
            }
        }
        self.timer = timer;
        if timer.is_some() { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            self.environment.state().timers.remove(&timer);
        }
    }
}

/// Tasks that are ready.
type Ready = Arc<Mutex<Vec<u64>>>;

struct TaskWaker {
    task: u64,
    ready: Ready,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if !ready.contains(&self.task) {
            ready.push(self.task);
        }
    }
}

struct Running {
    task: Task,
    waker: Waker,
}

/// Runs the tasks of one life of a node.
pub struct Executor {
    environment: SimEnvironment,
    tasks: BTreeMap<u64, Running>,
    next_task: u64,
    ready: Ready,
    rng: Rng,
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").field("tasks", &self.tasks.len()).finish_non_exhaustive()
    }
}

impl Executor {
    /// Without tasks. `ids`: the prefix of ids in this life.
    pub fn new(clock: Clock, ids: u128, planted: Option<Planted>, rng: Rng) -> Self {
        let (spawned, timers) = (Vec::new(), BTreeMap::new());
        let state = State { ids, next_id: 0, spawned, timers, next_timer: 0 };
        Self {
            environment: SimEnvironment { clock, state: Arc::new(Mutex::new(state)), planted },
            tasks: BTreeMap::new(),
            next_task: 0,
            ready: Ready::default(),
            rng,
        }
    }

    /// The environment of its tasks.
    pub const fn environment(&self) -> &SimEnvironment {
        &self.environment
    }

    /// Runs the ready tasks. Returns whether any ran; an error means that they do not come to rest.
    pub fn run(&mut self) -> Result<bool, Endless> {
        {
            let now_ms = self.environment.now_ms();
            let mut state = self.environment.state();
            while let Some(timer) = state.timers.first_entry().filter(|timer| timer.key().0 <= now_ms) {
                timer.remove().wake();
            }
        }
        let mut runs = 0;
        loop {
            self.take_spawned();
            let Some(id) = self.draw() else { return Ok(runs > 0) };
            runs += 1;
            if runs > RUNS {
                return Err(Endless);
            }
            let Some(running) = self.tasks.get_mut(&id) else { continue };
            let mut context = Context::from_waker(&running.waker);
            if running.task.as_mut().poll(&mut context).is_ready() {
                self.tasks.remove(&id);
            }
        }
    }

    /// When the next timer is due.
    pub fn next_timer(&self) -> Option<u64> {
        self.environment.state().timers.first_key_value().map(|((at_ms, _), _)| *at_ms)
    }

    fn take_spawned(&mut self) {
        let spawned = std::mem::take(&mut self.environment.state().spawned);
        for task in spawned {
            self.next_task += 1;
            let id = self.next_task;
            let waker = Waker::from(Arc::new(TaskWaker { task: id, ready: self.ready.clone() }));
            waker.wake_by_ref();
            self.tasks.insert(id, Running { task, waker });
        }
    }

    fn draw(&mut self) -> Option<u64> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.is_empty() {
            return None;
        }
        let place = self.rng.below(ready.len());
        Some(ready.remove(place))
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        // Ending tasks may spawn others, which are dropped too without running.
        self.tasks.clear();
        let spawned = std::mem::take(&mut self.environment.state().spawned);
        drop(spawned);
    }
}

/// Tasks wake each other endlessly.
#[derive(Debug)]
pub struct Endless;

#[cfg(test)]
mod tests {
    use super::*;

    fn executor(seed: u64) -> (Clock, Executor) {
        let clock = Clock::new(1_000);
        (clock.clone(), Executor::new(clock, 0, None, Rng::new(seed)))
    }

    #[test]
    fn tasks_sleep_until_their_time_and_run_in_an_order_that_the_seed_decides() {
        let order = |seed| {
            let (clock, mut executor) = executor(seed);
            let ran = Arc::new(Mutex::new(Vec::new()));
            for n in 0..8 {
                let (environment, ran) = (executor.environment().clone(), ran.clone());
                executor.environment().spawn(Box::pin(async move {
                    environment.sleep_until(1_010).await;
                    ran.lock().unwrap().push((n, environment.now_ms()));
                }));
            }
            let mut at = |now_ms| {
                clock.set(now_ms);
                executor.run().unwrap();
                executor.next_timer()
            };
            assert_eq!((at(1_000), at(1_009)), (Some(1_010), Some(1_010)));
            assert!(ran.lock().unwrap().is_empty());
            assert_eq!(at(1_010), None);
            assert!(executor.tasks.is_empty());
            let ran = ran.lock().unwrap().clone();
            assert!(ran.iter().all(|(_, at)| *at == 1_010));
            ran.iter().map(|(n, _)| *n).collect::<Vec<_>>()
        };
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
    }

    #[test]
    fn a_sleep_that_is_given_up_leaves_no_timer() {
        let (clock, mut executor) = executor(1);
        let environment = executor.environment().clone();
        executor.environment().spawn(Box::pin(async move {
            tokio::select! {
                biased;
                () = environment.sleep_until(5_000) => {}
                () = environment.sleep_until(1_001) => {}
            }
        }));
        executor.run().unwrap();
        clock.set(1_001);
        executor.run().unwrap();
        assert_eq!(executor.next_timer(), None);
    }
}
