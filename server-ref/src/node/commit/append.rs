//! Entries in the commit loop: the permission of each is checked in its turn, then all are stored in one transaction, and the
//! outcomes are sorted out for the connections that sent them.

use std::collections::BTreeMap;

use everwire_protocol::{ErrorCode, Role};

use super::{Closed, CommitLoop};
use crate::{
    chats::ChatRegistry,
    connection::mailbox::MailboxSender,
    environment::planted,
    model::{
        identity::{Refusal, not_for},
        log::{NewEntry, Outcome, SendPermission},
    },
    node::publish::{Committed, Group, new_entries, rewrites},
};

impl CommitLoop {
    pub(super) async fn append_all(
        &mut self,
        at: u64,
        entries: Vec<NewEntry>,
        groups: Vec<(MailboxSender, usize)>,
    ) -> Result<Vec<Group>, Closed> {
        let (mut entries, groups) = self.refuse_doubtful(entries, groups).await?;
        // Current: members and bans change in this task only.
        for entry in entries.iter_mut().filter(|entry| entry.permission != SendPermission::Server) {
            let banned = self.bans.check_user(&entry.user, at);
            if let Err(refusal) = banned
                && !planted!(self.environment, BannedStillWrites)
            {
                entry.permission = SendPermission::Refused(refusal);
            } else if entry.permission == SendPermission::AsMember {
                entry.permission = permission(&self.chats, entry);
            }
        }
        #[cfg(feature = "planted")]
        let answered = self.hurry(at, &entries, &groups).await?;
        #[cfg(not(feature = "planted"))]
        let answered = false;
        let mut outcomes = self.append(at, &entries, &groups).await;
        if planted!(self.environment, CommitReportedFailed) {
            outcomes.fill(None);
            self.in_doubt.clear();
        }
        let mut groups = sort_out(entries, groups, outcomes, answered);
        if planted!(self.environment, CacheNotBlanked) {
            for group in &mut groups {
                group.rewrites.clear();
            }
        }
        Ok(groups)
    }

    /// Nothing is stored in a chat that may be deleted: connections that send there try it again.
    async fn refuse_doubtful(
        &self,
        entries: Vec<NewEntry>,
        groups: Vec<(MailboxSender, usize)>,
    ) -> Result<(Vec<NewEntry>, Vec<(MailboxSender, usize)>), Closed> {
        if !entries.iter().any(|entry| self.in_doubt.may_be_deleted(&entry.channel)) {
            return Ok((entries, groups));
        }
        let (mut kept, mut permitted, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        let mut entries = entries.into_iter();
        for (reply, n) in groups {
            let group: Vec<_> = entries.by_ref().take(n).collect();
            if group.iter().any(|entry| self.in_doubt.may_be_deleted(&entry.channel)) {
                let (entries, rewrites) = (Vec::new(), BTreeMap::new());
                refused.push(Group { reply, entries, rewrites, outcomes: None, answered: false });
            } else {
                kept.extend(group);
                permitted.push((reply, n));
            }
        }
        self.publish(Committed::Appended(refused)).await?;
        Ok((kept, permitted))
    }

    /// Stores everything in one transaction. If that fails and several connections are involved, each is tried alone, so that
    /// the sends of one cannot prevent those of others from being stored.
    async fn append(
        &mut self,
        at: u64,
        entries: &[NewEntry],
        groups: &[(MailboxSender, usize)],
    ) -> Vec<Option<Vec<Outcome>>> {
        match self.store.append(at, entries).await {
            Ok(outcomes) => {
                let mut outcomes = outcomes.into_iter();
                return groups.iter().map(|(_, n)| Some(outcomes.by_ref().take(*n).collect())).collect();
            }
            Err(error) => {
                tracing::error!(%error, entries = entries.len(), connections = groups.len(), "commit failed");
                self.in_doubt.add(entries.iter().map(|entry| entry.channel.clone()));
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
            // A second failure means that the store is unavailable: do not try a thousand times.
            let outcomes = if failed { None } else { self.store.append(at, group).await.ok() };
            failed |= outcomes.is_none() && !each.iter().any(Option::is_some);
            each.push(outcomes);
        }
        each
    }
}

/// The current permission of a chat's member.
fn permission(chats: &ChatRegistry, entry: &NewEntry) -> SendPermission {
    match chats.role_in(&entry.channel, &entry.user) {
        Some(Role::Owner | Role::Member) if chats.is_left(&entry.channel) => {
            let words = "The other user has left this chat.";
            SendPermission::Refused(Refusal::new(ErrorCode::Forbidden, words))
        }
        Some(Role::Owner) => SendPermission::Owner,
        Some(Role::Member) => SendPermission::Member,
        role => SendPermission::Refused(not_for(role)),
    }
}

/// The outcomes of the entries of each connection.
fn sort_out(
    entries: Vec<NewEntry>,
    groups: Vec<(MailboxSender, usize)>,
    outcomes: Vec<Option<Vec<Outcome>>>,
    answered: bool,
) -> Vec<Group> {
    let mut entries = entries.into_iter();
    let groups = groups.into_iter().zip(outcomes);
    groups
        .map(|((reply, n), outcomes)| {
            let group: Vec<_> = entries.by_ref().take(n).collect();
            let known = outcomes.as_deref().unwrap_or_default();
            let (entries, rewrites) = (new_entries(group.iter(), known), rewrites(group.iter(), known));
            Group { reply, entries, rewrites, outcomes, answered }
        })
        .collect()
}
