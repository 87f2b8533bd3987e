//! The store as one life of a node sees it: answers take time, fail, or report a commit as failed that happened.

use std::{fmt, sync::Arc};

use everwire_protocol::{Channel, Uuid};
use everwire_server::{
    Error,
    environment::Environment as _,
    model::log::{Log, NewEntry, Outcome, Page, PageBounds},
    store::{Answer, Removed, Store},
};

use super::{Data, Done, SharedStore};
use crate::{executor::SimEnvironment, mutants::Mutant, world::EPOCH};

/// The maximum duration of a read without faults, in ms.
const READ_MS: u64 = 3;
/// The maximum delay of an answer, in ms.
const BACK_MS: u64 = 2;

/// The store of one node.
pub(in crate::world) struct NodeStore {
    pub(super) shared: SharedStore,
    pub(super) node: usize,
    pub(super) run: Arc<str>,
    pub(super) environment: SimEnvironment,
}

impl fmt::Debug for NodeStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeStore({})", self.node)
    }
}

fn unavailable<T>() -> Result<T, Error> {
    Err(Error::Unavailable("the simulated store fails".into()))
}

impl NodeStore {
    pub(super) fn now(&self) -> u64 {
        self.environment.now_ms() - EPOCH
    }

    async fn sleep(&self, ms: u64) {
        // Instant answers are like cached data of a database.
        if ms > 0 {
            self.environment.sleep_until(self.environment.now_ms() + ms).await;
        }
    }

    /// Works after a delay, and answers after another one. A node that crashes in between never learns the outcome.
    fn answer<'a, T: Send + 'a>(
        &'a self,
        usual: u64,
        work: impl FnOnce(&mut Data) -> Result<T, Error> + Send + 'a,
    ) -> Answer<'a, T> {
        let (there, back) = {
            let mut data = self.shared.data();
            let slow = data.slow(self.now());
            (data.rng.between(0, usual) + slow, data.rng.between(0, BACK_MS))
        };
        Box::pin(async move {
            self.sleep(there).await;
            let answer = work(&mut self.shared.data());
            self.sleep(back).await;
            answer
        })
    }

    pub(in crate::world) fn read<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&mut Data) -> T + Send + 'a,
    ) -> Answer<'a, T> {
        self.answer(
            READ_MS,
            move |data| {
                if data.fails_until > self.now() { unavailable() } else { Ok(work(data)) }
            },
        )
    }

    /// A transaction without entries.
    pub(super) fn change<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&mut Data) -> T + Send + 'a,
    ) -> Answer<'a, T> {
        self.answer(READ_MS, move |data| {
            let (now, node) = (self.now(), self.node);
            if data.fails_until > now {
                return unavailable();
            }
            let result = work(data);
            if data.doubt_until > now {
                data.done.push(Done::Failed { node, entries: 0, happened: true });
                return unavailable();
            }
            Ok(result)
        })
    }

    /// A transaction with entries; `more` writes the rest.
    pub(super) fn transact<'a>(
        &'a self,
        at: u64,
        entries: &'a [NewEntry],
        more: impl FnOnce(&mut Data) + Send + 'a,
    ) -> Answer<'a, Vec<Outcome>> {
        let usual = 2 * self.shared.data().commit_ms;
        self.answer(usual, move |data| {
            let (now, node, n) = (self.now(), self.node, entries.len());
            if data.fails_until > now {
                data.done.push(Done::Failed { node, entries: n, happened: false });
                return unavailable();
            }
            let outcomes = data.commit(node, at, entries);
            more(data);
            if data.doubt_until > now {
                data.done.push(Done::Failed { node, entries: n, happened: true });
                return unavailable();
            }
            Ok(outcomes)
        })
    }

    /// Reads at the start of a node are instant.
    pub(in crate::world) fn at_once<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&mut Data) -> T,
    ) -> Answer<'a, T> {
        let answer = work(&mut self.shared.data());
        Box::pin(std::future::ready(Ok(answer)))
    }
}

impl Store for NodeStore {
    fn append<'a>(&'a self, at: u64, entries: &'a [NewEntry]) -> Answer<'a, Vec<Outcome>> {
        self.transact(at, entries, |_| {})
    }

    fn log<'a>(&'a self, channel: &'a Channel) -> Answer<'a, Log> {
        self.read(move |data| data.log(channel))
    }

    fn run(&self) -> Arc<str> {
        self.run.clone()
    }

    fn has_seen<'a>(&'a self, channel: &'a Channel, offset: u64, run: &'a str) -> Answer<'a, bool> {
        self.read(move |data| data.has(Mutant::RunIgnored) || data.logs.has_seen(channel, offset, run))
    }

    fn page<'a>(&'a self, channel: &'a Channel, after: u64, bounds: PageBounds) -> Answer<'a, Page> {
        self.read(move |data| {
            let mut page = data.page(channel, after, bounds);
            if data.has(Mutant::ReplayOffByOne) && page.entries.len() > 1 {
                page.entries.pop();
                page.log.head = page.entries.last().map_or(0, |entry| entry.offset);
            }
            page
        })
    }

    fn bound_user(&self, session: Uuid) -> Answer<'_, Option<String>> {
        self.read(move |data| data.logs.bound_user(session).map(str::to_owned))
    }

    fn bind_sessions<'a>(&'a self, _at: u64, sessions: &'a [(Uuid, Arc<str>)]) -> Answer<'a, ()> {
        self.read(move |data| {
            for (session, user) in sessions {
                data.logs.bind(*session, user.clone());
            }
        })
    }

    fn cleanup(&self, _now: u64) -> Answer<'_, Removed> {
        self.read(|_| Removed::default())
    }

    fn probe(&self) -> Answer<'_, ()> {
        self.read(|_| ())
    }
}
