//! Planted bugs of the commit loop, which a simulation has to find: results that are reported too early.

use std::{collections::BTreeMap, sync::Arc};

use super::{Closed, CommitLoop};
use crate::{
    connection::{Input, mailbox::MailboxSender},
    environment::planted,
    model::log::{LogPosition, NewEntry, Outcome},
    node::publish::{Committed, new_entries},
};

impl CommitLoop {
    /// Publishes or acknowledges entries that are not stored yet. Returns whether the senders were answered.
    pub(super) async fn hurry(
        &self,
        at: u64,
        entries: &[NewEntry],
        groups: &[(MailboxSender, usize)],
    ) -> Result<bool, Closed> {
        if planted!(self.environment, PublishBeforeCommit) {
            let outcomes = self.predict(at, entries).await;
            self.publish(Committed::Found(new_entries(entries.iter(), &outcomes))).await?;
        }
        if planted!(self.environment, AckBeforeCommit) {
            let outcomes = self.predict(at, entries).await;
            if outcomes.len() == entries.len() {
                let mut outcomes = outcomes.into_iter();
                for (reply, n) in groups {
                    reply.input(Input::Appended(Some(outcomes.by_ref().take(*n).collect())));
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The offsets that entries will have if the transaction succeeds. Empty if the store does not answer.
    async fn predict(&self, at: u64, entries: &[NewEntry]) -> Vec<Outcome> {
        let mut heads: BTreeMap<_, (Arc<str>, u64)> = BTreeMap::new();
        let mut outcomes = Vec::new();
        for entry in entries {
            if !heads.contains_key(&entry.channel) {
                let Ok(log) = self.store.log(&entry.channel).await else { return Vec::new() };
                heads.insert(entry.channel.clone(), (log.epoch, log.head));
            }
            if let Some((epoch, head)) = heads.get_mut(&entry.channel) {
                *head += 1;
                let (epoch, offset) = (epoch.clone(), *head);
                outcomes.push(Outcome::Stored(LogPosition { epoch, offset, at }));
            }
        }
        outcomes
    }
}
