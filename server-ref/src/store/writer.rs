//! The one task that writes. Whatever waits when a transaction is done goes into the next one, so the cost of reaching
//! the disk is shared by all who send at that time, and nobody waits for a timer.
//!
//! A second task hands out what was stored: first the ack to the sender, then the entry to the channel's receivers, in
//! the order of the log, while the next transaction is already under way.

use std::{sync::Arc, time::Duration};

use everwire_protocol::Uuid;
use tokio::sync::mpsc;

use super::{Entry, NewEntry, Outcome, Store};
use crate::{
    clock::wall_ms,
    hub::{Hub, inbox::Inbox},
    session::Input,
};

/// Most entries in one transaction. Past some hundreds, larger groups gain little and make everybody in them wait.
const GROUP: usize = 512;

/// Groups of sends that wait for the writer. Each connection has one at most, so this is no bound on connections that
/// send at the same time, but on memory.
const WAITING: usize = 16 * 1024;

/// Groups that wait to be handed out. If receivers cannot keep up, the writer waits.
const TO_HAND_OUT: usize = 16;

/// How often what is no longer needed is removed.
const TIDY_EVERY: Duration = Duration::from_hours(1);

#[derive(Debug)]
enum Job {
    Append { entries: Vec<NewEntry>, inbox: Inbox },
    Bind { session: Uuid, user: Arc<str> },
}

/// Where things to be written are handed in.
#[derive(Debug, Clone)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the tasks. They end when the last `Writer` is dropped, after everything handed in was written.
    pub fn start(store: Arc<dyn Store>, hub: Arc<Hub>) -> Self {
        let (jobs, waiting) = mpsc::channel(WAITING);
        let (stored, to_hand_out) = mpsc::channel(TO_HAND_OUT);
        tokio::spawn(write(store, waiting, stored));
        tokio::spawn(hand_out(hub, to_hand_out));
        Self { jobs }
    }

    /// Stores a group. The answer arrives in the inbox as [`Input::Appended`].
    pub fn append(&self, entries: Vec<NewEntry>, inbox: Inbox) {
        if let Err(full) = self.jobs.try_send(Job::Append { entries, inbox })
            && let Job::Append { inbox, .. } = full.into_inner()
        {
            inbox.input(Input::Appended(None));
        }
    }

    /// Remembers whose a session is. There is no answer: if it cannot be stored, it is bound for as long as it stays
    /// connected.
    pub fn bind(&self, session: Uuid, user: Arc<str>) {
        if self.jobs.try_send(Job::Bind { session, user }).is_err() {
            tracing::warn!("a session is not remembered: too much waits to be written");
        }
    }
}

type Stored = Vec<(Inbox, Vec<Arc<Entry>>, Option<Vec<Outcome>>)>;

async fn write(store: Arc<dyn Store>, mut jobs: mpsc::Receiver<Job>, stored: mpsc::Sender<Stored>) {
    let mut tidy = tokio::time::interval(TIDY_EVERY);
    let mut last_at = 0;
    loop {
        let first = tokio::select! {
            job = jobs.recv() => match job {
                Some(job) => job,
                None => return,
            },
            _ = tidy.tick() => {
                if let Err(error) = store.tidy(wall_ms()).await {
                    tracing::warn!(%error, "what is no longer needed could not be removed");
                }
                continue;
            }
        };
        let (mut entries, mut groups, mut sessions) = (Vec::new(), Vec::new(), Vec::new());
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Append { entries: group, inbox } => {
                    groups.push((inbox, group.len()));
                    entries.extend(group);
                }
                Job::Bind { session, user } => sessions.push((session, user)),
            }
            next = if entries.len() < GROUP && sessions.len() < GROUP { jobs.try_recv().ok() } else { None };
        }
        // The clock may be set back; the times in a log are not.
        last_at = wall_ms().max(last_at);
        if !entries.is_empty() {
            let outcomes = append(&*store, last_at, &entries, &groups).await;
            if stored.send(sort_out(entries, groups, outcomes)).await.is_err() {
                return;
            }
        }
        if !sessions.is_empty()
            && let Err(error) = store.bind(last_at, &sessions).await
        {
            tracing::warn!(%error, "sessions are not remembered");
        }
    }
}

/// Stores everything in one transaction. If that fails and several connections are in it, each is tried alone: what
/// one of them sends must not be able to keep the others from being stored.
async fn append(
    store: &dyn Store,
    at: u64,
    entries: &[NewEntry],
    groups: &[(Inbox, usize)],
) -> Vec<Option<Vec<Outcome>>> {
    match store.append(at, entries).await {
        Ok(outcomes) => {
            let mut outcomes = outcomes.into_iter();
            return groups.iter().map(|(_, n)| Some(outcomes.by_ref().take(*n).collect())).collect();
        }
        Err(error) => {
            tracing::error!(%error, entries = entries.len(), connections = groups.len(), "nothing was stored");
        }
    }
    if groups.len() == 1 {
        return vec![None];
    }
    let (mut rest, mut each) = (entries, Vec::with_capacity(groups.len()));
    let mut failed = false;
    for (_, n) in groups {
        let (group, after) = rest.split_at(*n);
        rest = after;
        // One more failure says that it is the store: do not try it a thousand times.
        let outcomes = if failed { None } else { store.append(at, group).await.ok() };
        failed |= outcomes.is_none() && !each.iter().any(Option::is_some);
        each.push(outcomes);
    }
    each
}

/// Encodes what is new, once for all who will receive it.
fn sort_out(
    entries: Vec<NewEntry>,
    groups: Vec<(Inbox, usize)>,
    outcomes: Vec<Option<Vec<Outcome>>>,
) -> Stored {
    let mut entries = entries.into_iter();
    let groups = groups.into_iter().zip(outcomes);
    groups
        .map(|((inbox, n), outcomes)| {
            let group: Vec<_> = entries.by_ref().take(n).collect();
            let new = group.iter().zip(outcomes.iter().flatten());
            let new = new.filter_map(|(entry, outcome)| match outcome {
                Outcome::Stored(place) => Some(Entry::of(entry, place)),
                Outcome::Copy(_) | Outcome::IdReused => None,
            });
            (inbox, new.collect(), outcomes)
        })
        .collect()
}

async fn hand_out(hub: Arc<Hub>, mut stored: mpsc::Receiver<Stored>) {
    while let Some(groups) = stored.recv().await {
        for (inbox, entries, outcomes) in groups {
            inbox.input(Input::Appended(outcomes));
            for entry in &entries {
                hub.publish(entry);
            }
        }
    }
}
