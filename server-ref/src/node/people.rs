//! What is remembered of users: who was online when, and what they say about their status.

use std::{sync::Weak, time::Duration};

use everwire_protocol::{Status, UserStatus};
use tokio::sync::mpsc;

use super::Node;
use crate::{Error, store::people::Person};

/// How often the time is written at which users were last online, so that a crash loses no more than this of it.
const WRITE_EVERY: Duration = Duration::from_secs(30);

/// Most users who are written at once.
const AT_ONCE: usize = 1024;

/// Writes who has come and gone, as long as the node lives. One task for all of it: an older state never comes after a
/// newer one.
pub(super) async fn remember(node: Weak<Node>, mut changed: mpsc::UnboundedReceiver<Person>) {
    let mut every = tokio::time::interval(WRITE_EVERY);
    every.tick().await;
    let mut people = Vec::new();
    loop {
        let some = tokio::select! {
            some = changed.recv_many(&mut people, AT_ONCE) => some > 0,
            _ = every.tick() => true,
        };
        let Some(node) = node.upgrade().filter(|_| some) else { return };
        if people.is_empty() {
            people = node.hub.people(node.clock.now_ms());
        }
        // The last of each is how it is now.
        people.reverse();
        let mut seen = std::collections::HashSet::new();
        people.retain(|person| seen.insert(person.user.clone()));
        if people.is_empty() {
            continue;
        }
        if let Err(error) = node.directory.remember(&people).await {
            tracing::warn!(%error, "who is online is not remembered");
        }
        people.clear();
    }
}

impl Node {
    /// How users can be reached, in the order in which they are asked for. Who was never here is offline.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn statuses(&self, users: &[String]) -> Result<Vec<UserStatus>, Error> {
        let here: Vec<_> = users.iter().map(|user| self.hub.status(user)).collect();
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
