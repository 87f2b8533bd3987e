//! The one task that writes. Whatever waits when a transaction is done goes into the next one, so the cost of reaching
//! the disk is shared by all who send at that time, and nobody waits for a timer.
//!
//! A second task hands out what was stored: first the ack to the sender, then the entry to the channel's receivers, in
//! the order of the log, while the next transaction is already under way.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use everwire_protocol::{Role, Uuid};
use tokio::sync::mpsc;

use super::{chat_views::tell_of_entry, clock::wall_ms};
use crate::{
    chats::Book,
    connection::{
        Input,
        mailbox::{Inbox, Mail, inbox},
    },
    hub::Hub,
    model::{
        identity::not_for,
        log::{Entry, NewEntry, Outcome, Standing},
    },
    store::Store,
};

/// Most entries in one transaction. Past some hundreds, larger groups gain little and make everybody in them wait.
const GROUP: usize = 512;

/// Groups of sends that wait for the writer. Each connection has one at most, so this is no bound on connections that
/// send at the same time, but on memory.
const WAITING: usize = 16 * 1024;

/// Groups that wait to be handed out. If receivers cannot keep up, the writer waits.
const TO_HAND_OUT: usize = 16;

/// How often what is no longer needed is removed.
const TIDY_EVERY: Duration = Duration::from_mins(5);

enum Job {
    Append { entries: Vec<NewEntry>, inbox: Inbox },
    Bind { session: Uuid, user: Arc<str> },
    Work(Work),
}

/// Something to be written in one order with what is appended, such as a change of a chat's members. It is given the
/// time, in ms since 1970, makes its own transaction, and returns what is to be done when everything that was stored
/// before it has been handed out.
pub type Work = Box<dyn FnOnce(u64) -> Pin<Box<dyn Future<Output = Effects> + Send>> + Send>;

/// What [`Work`] leads to: entries that it stored, and whatever else others are to be told.
pub type Effects = Box<dyn FnOnce(&Hub) + Send>;

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Append { .. } => "Append",
            Self::Bind { .. } => "Bind",
            Self::Work(_) => "Work",
        })
    }
}

/// Where things to be written are handed in.
#[derive(Debug, Clone)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the tasks. They end when the last `Writer` is dropped, after everything handed in was written.
    pub fn start(store: Arc<dyn Store>, book: Arc<Book>, hub: Arc<Hub>) -> Self {
        let (jobs, waiting) = mpsc::channel(WAITING);
        let (stored, to_hand_out) = mpsc::channel(TO_HAND_OUT);
        tokio::spawn(write(store, book.clone(), waiting, stored));
        tokio::spawn(hand_out(hub, book, to_hand_out));
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

    /// Stores one entry, for who has no inbox: a back end. `None`: it could not be stored now.
    pub async fn store(&self, entry: NewEntry) -> Option<Outcome> {
        let (inbox, mut letters) = inbox();
        self.append(vec![entry], inbox);
        let mut mail = Vec::new();
        letters.take(&mut mail, 1).await;
        match mail.pop().map(Mail::into_input) {
            Some(Ok(Input::Appended(outcomes))) => outcomes?.pop(),
            _ => None,
        }
    }

    /// Does something in one order with what is appended. Returns false if too much waits to be written: then it is not
    /// done.
    #[must_use]
    pub fn work(&self, work: Work) -> bool {
        self.jobs.try_send(Job::Work(work)).is_ok()
    }

    /// Remembers whose a session is. There is no answer: if it cannot be stored, it is bound for as long as it stays
    /// connected.
    pub fn bind(&self, session: Uuid, user: Arc<str>) {
        if self.jobs.try_send(Job::Bind { session, user }).is_err() {
            tracing::warn!("a session is not remembered: too much waits to be written");
        }
    }
}

type Group = (Inbox, Vec<Arc<Entry>>, Option<Vec<Outcome>>);

enum Stored {
    Groups(Vec<Group>),
    Effects(Effects),
}

async fn write(
    store: Arc<dyn Store>,
    book: Arc<Book>,
    mut jobs: mpsc::Receiver<Job>,
    stored: mpsc::Sender<Stored>,
) {
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
        let mut work = None;
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Append { entries: group, inbox } => {
                    groups.push((inbox, group.len()));
                    entries.extend(group);
                }
                Job::Bind { session, user } => sessions.push((session, user)),
                // What came before it is stored first, what comes after it later.
                Job::Work(job) => {
                    work = Some(job);
                    break;
                }
            }
            next = if entries.len() < GROUP && sessions.len() < GROUP { jobs.try_recv().ok() } else { None };
        }
        // The clock may be set back; the times in a log are not.
        last_at = wall_ms().max(last_at);
        if !entries.is_empty() {
            // As of now: members change in this task only.
            for entry in entries.iter_mut().filter(|entry| entry.standing == Standing::AsMember) {
                entry.standing = standing(&book, entry);
            }
            let outcomes = append(&*store, last_at, &entries, &groups).await;
            let sorted = sort_out(entries, groups, outcomes);
            if stored.send(Stored::Groups(sorted)).await.is_err() {
                return;
            }
        }
        if let Some(work) = work {
            let effects = work(last_at).await;
            if stored.send(Stored::Effects(effects)).await.is_err() {
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

/// What a chat's member may do now.
fn standing(book: &Book, entry: &NewEntry) -> Standing {
    match book.role_in(&entry.channel, &entry.user) {
        Some(Role::Owner) => Standing::Owner,
        Some(Role::Member) => Standing::Member,
        role => Standing::Refused(not_for(role)),
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
) -> Vec<Group> {
    let mut entries = entries.into_iter();
    let groups = groups.into_iter().zip(outcomes);
    groups
        .map(|((inbox, n), outcomes)| {
            let group: Vec<_> = entries.by_ref().take(n).collect();
            let new = group.iter().zip(outcomes.iter().flatten());
            let new = new.filter_map(|(entry, outcome)| match outcome {
                Outcome::Stored(place) => Some(Entry::of(entry, place)),
                Outcome::Copy(_) | Outcome::IdReused | Outcome::Refused(_) => None,
            });
            (inbox, new.collect(), outcomes)
        })
        .collect()
}

async fn hand_out(hub: Arc<Hub>, book: Arc<Book>, mut stored: mpsc::Receiver<Stored>) {
    while let Some(stored) = stored.recv().await {
        let groups = match stored {
            Stored::Groups(groups) => groups,
            Stored::Effects(effects) => {
                effects(&hub);
                continue;
            }
        };
        for (inbox, entries, outcomes) in groups {
            inbox.input(Input::Appended(outcomes));
            for entry in &entries {
                hub.publish(entry);
                tell_of_entry(&hub, &book, entry);
            }
        }
    }
}
