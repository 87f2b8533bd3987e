//! Writes user data a little later: when users were online, their chosen status, and their presence in channels.

use std::{collections::BTreeSet, sync::Weak};

use everwire_protocol::{Status, UserStatus};
use tokio::sync::mpsc;

use super::Node;
use crate::{
    Error,
    hub::pending_presence::Due,
    model::people::{PresenceRecord, UserRecord},
};

/// How often the times at which users were last online are written, in ms: a crash loses at most this much.
const WRITE_EVERY_MS: u64 = 30_000;

/// Maximum rows per write.
const AT_ONCE: usize = 1024;

/// Writes user data for as long as the node lives. One task for all of it, so that an older state never overwrites a newer
/// one.
pub(super) async fn remember(node: Weak<Node>, mut changed: mpsc::UnboundedReceiver<UserRecord>) {
    let Some((environment, pending)) =
        node.upgrade().map(|node| (node.environment.clone(), node.pending_presence.clone()))
    else {
        return;
    };
    let next = || environment.sleep_until(environment.now_ms() + WRITE_EVERY_MS);
    let mut tick = next();
    let mut users = Vec::new();
    loop {
        let mut all = false;
        let some = tokio::select! {
            biased;
            () = &mut tick => {
                tick = next();
                all = true;
                true
            }
            some = changed.recv_many(&mut users, AT_ONCE) => some > 0,
            () = pending.some() => true,
        };
        let Some(node) = node.upgrade().filter(|_| some) else { return };
        if all {
            users = node.users.remember(environment.wall_ms());
        }
        // Taken before the users and written after them: a user who is present in a channel must be stored as online, or the
        // cleanup would remove the record.
        let (_writing, due) = pending.take().await;
        loop {
            while users.len() < AT_ONCE
                && let Ok(user) = changed.try_recv()
            {
                users.push(user);
            }
            if users.is_empty() {
                break;
            }
            node.write_users(&mut users).await;
        }
        node.write_presence(due).await;
    }
}

impl Node {
    async fn write_users(&self, users: &mut Vec<UserRecord>) {
        // The last record of each user is the current one.
        users.reverse();
        let mut seen = BTreeSet::new();
        users.retain(|record| seen.insert(record.user.clone()));
        if let Err(error) = self.store.save_users(users).await {
            tracing::warn!(%error, "online users not stored");
        }
        users.clear();
    }

    /// Writes presence changes. What cannot be written now is written with the next changes.
    pub(super) async fn write_presence(&self, due: Due) {
        let written = match &due {
            Due::Changes(changes) => self.write_changes(changes).await,
            Due::All => self.store.replace_presence(&self.hub.presence()).await,
        };
        if let Err(error) = written {
            tracing::warn!(%error, "presence not stored yet");
            self.pending_presence.put_back(due);
        }
    }

    async fn write_changes(&self, changes: &[PresenceRecord]) -> Result<(), Error> {
        for chunk in changes.chunks(AT_ONCE) {
            self.store.save_presence(chunk).await?;
        }
        Ok(())
    }

    /// The status of users, in the requested order. Unknown users are offline.
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
        let stored = if away.is_empty() { Vec::new() } else { self.store.users(&away).await? };
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
