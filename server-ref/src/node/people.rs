//! What is remembered of users: who was online when, what they say about their status, and in which channels they are
//! present.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use everwire_protocol::{Status, UserStatus};
use tokio::sync::mpsc;

use super::Node;
use crate::{
    Error,
    hub::noted::{Due, Notes},
    model::people::{Attendance, Person},
};

/// How often the time is written at which users were last online, so that a crash loses no more than this of it.
const WRITE_EVERY: Duration = Duration::from_secs(30);

/// Most rows that are written at once.
const AT_ONCE: usize = 1024;

/// Writes who has come and gone, as long as the node lives. One task for all of it: an older state never comes after a
/// newer one.
pub(super) async fn remember(
    node: Weak<Node>,
    mut changed: mpsc::UnboundedReceiver<Person>,
    notes: Arc<Notes>,
) {
    let mut every = tokio::time::interval(WRITE_EVERY);
    every.tick().await;
    let mut people = Vec::new();
    loop {
        let mut all = false;
        let some = tokio::select! {
            some = changed.recv_many(&mut people, AT_ONCE) => some > 0,
            () = notes.some() => true,
            _ = every.tick() => {
                all = true;
                true
            }
        };
        let Some(node) = node.upgrade().filter(|_| some) else { return };
        if all {
            people = node.users.remember(node.clock.now_ms());
        }
        // Taken before the users and written after them: who is in a channel is known to be online, or the clean-up would
        // remove it.
        let (_writing, due) = notes.take().await;
        loop {
            while people.len() < AT_ONCE
                && let Ok(person) = changed.try_recv()
            {
                people.push(person);
            }
            if people.is_empty() {
                break;
            }
            node.write_people(&mut people).await;
        }
        node.write_attendance(due).await;
    }
}

impl Node {
    async fn write_people(&self, people: &mut Vec<Person>) {
        // The last of each is how it is now.
        people.reverse();
        let mut seen = std::collections::HashSet::new();
        people.retain(|person| seen.insert(person.user.clone()));
        if let Err(error) = self.directory.remember(people).await {
            tracing::warn!(%error, "who is online is not remembered");
        }
        people.clear();
    }

    /// Writes who has come to presence channels and gone. What cannot be written now is written with what comes next.
    pub(super) async fn write_attendance(&self, due: Due) {
        let written = match &due {
            Due::Changes(changes) => self.write_changes(changes).await,
            Due::All => self.directory.attend_all(&self.hub.attendance()).await,
        };
        if let Err(error) = written {
            tracing::warn!(%error, "who is present is not remembered yet");
            self.notes.put_back(due);
        }
    }

    async fn write_changes(&self, changes: &[Attendance]) -> Result<(), Error> {
        for chunk in changes.chunks(AT_ONCE) {
            self.directory.attend(chunk).await?;
        }
        Ok(())
    }

    /// How users can be reached, in the order in which they are asked for. Who was never here is offline.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn statuses(&self, users: &[String]) -> Result<Vec<UserStatus>, Error> {
        let here: Vec<_> = users.iter().map(|user| self.users.status(user)).collect();
        let away: Vec<String> = users
            .iter()
            .zip(&here)
            .filter(|(_, here)| here.is_none())
            .map(|(user, _)| user.clone())
            .collect();
        let stored = if away.is_empty() { Vec::new() } else { self.directory.people(&away).await? };
        let statuses = users.iter().zip(here).map(|(user, here)| {
            here.unwrap_or_else(|| UserStatus {
                user: user.clone(),
                status: Status::Offline,
                last_seen: stored
                    .iter()
                    .find(|person| person.user == *user)
                    .and_then(|person| person.seen_at),
            })
        });
        Ok(statuses.collect())
    }
}
