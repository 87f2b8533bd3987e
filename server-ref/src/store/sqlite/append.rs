//! Appends to logs in one transaction: recognises copies, refuses forbidden actions on other messages, and removes entries
//! beyond the retention.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::atomic::Ordering,
};

use everwire_protocol::{Action, Channel, Uuid};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::{ChannelHead, ROWS, SqliteStore, TRIM, action_text, log_of, rewriting, runs, signed, unsigned};
use crate::{
    model::{
        identity::Refusal,
        log::{LogPosition, NewEntry, Outcome},
    },
    store::{
        actions::{self, Target},
        erasure::{hash_of, hash_of_channel},
    },
};

/// The state of one append within its transaction.
pub(super) struct Append<'a> {
    store: &'a SqliteStore,
    at: u64,
    entries: &'a [NewEntry],
    channels: HashMap<Channel, ChannelHead>,
}

type SendKey<'a> = (&'a str, Uuid);

/// What of the entries was in the database before.
struct Before<'a> {
    /// Those that were stored before, with channel, offset and time; also those of users who were erased since.
    sent: HashMap<SendKey<'a>, (i64, u64, u64)>,
    /// The indices of those whose ids the log of their channel already has, from whomever: an id names one entry of a log, otherwise
    /// an edit of a user's own message would apply to somebody else's. Copies are among them.
    taken: HashSet<usize>,
}

/// Up to this many rows, a statement is prepared once and kept; with more rows there are too many different statements.
const KEPT: usize = 4;

impl<'a> Append<'a> {
    pub(super) fn new(store: &'a SqliteStore, at: u64, entries: &'a [NewEntry]) -> Self {
        Self { store, at, entries, channels: HashMap::new() }
    }

    pub(super) async fn run(
        mut self,
        writer: &mut SqliteConnection,
    ) -> Result<(Vec<Outcome>, HashMap<Channel, ChannelHead>), sqlx::Error> {
        let Before { mut sent, taken } = self.look_up(writer).await?;
        let mut taken_now: HashMap<(i64, Uuid), &str> = HashMap::new();
        let (mut outcomes, mut new, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        let (store, entries, at) = (self.store, self.entries, self.at);
        for (place, entry) in entries.iter().enumerate() {
            let copy = sent.get(&(&*entry.user, entry.id)).copied();
            if let Some(refusal) = entry.permission.refusal().filter(|_| copy.is_none()) {
                outcomes.push(Outcome::Refused(refusal));
                continue;
            }
            let channel = self.channel(writer, &entry.channel).await?;
            let just_taken = taken_now.get(&(channel.id, entry.id)).is_some_and(|user| **user != *entry.user);
            if copy.is_none() && (just_taken || taken.contains(&place)) {
                outcomes.push(Outcome::IdReused);
                continue;
            }
            if copy.is_none()
                && let (Some(action), Some(target)) = (entry.action, entry.target)
                && let Err(refusal) = check_target(writer, channel.id, entry, (action, target), &new).await?
            {
                outcomes.push(Outcome::Refused(refusal));
                continue;
            }
            let outcome = match copy {
                Some((id, offset, at)) if id == channel.id => {
                    Outcome::Copy(LogPosition { epoch: channel.log.epoch.clone(), offset, at })
                }
                Some(_) => Outcome::IdReused,
                None => {
                    channel.log.head += 1;
                    let (id, offset) = (channel.id, channel.log.head);
                    if !std::mem::replace(&mut channel.has_run, true) {
                        runs::begins(writer, id, offset, &store.run).await?;
                    }
                    sent.insert((&entry.user, entry.id), (id, offset, at));
                    taken_now.insert((id, entry.id), &entry.user);
                    new.push((entry, id, offset));
                    if matches!(entry.action, Some(Action::Edit | Action::Delete)) {
                        changes.push((outcomes.len(), entry, id, offset));
                    }
                    let place = LogPosition { epoch: channel.log.epoch.clone(), offset, at };
                    Outcome::Stored(place)
                }
            };
            outcomes.push(outcome);
        }
        for chunk in new.chunks(ROWS) {
            self.insert(writer, chunk).await?;
        }
        for (index, entry, channel, offset) in changes {
            let keep = self.store.edit_retention_ms > 0;
            let offsets = rewriting::apply(writer, (channel, offset), entry, at, keep).await?;
            if let Some(Outcome::Stored(place)) = outcomes.get(index).cloned() {
                outcomes[index] = Outcome::Rewrote(place, offsets);
            }
        }
        if !new.is_empty() {
            self.finish(writer).await?;
        }
        Ok((outcomes, self.channels))
    }

    /// Which of the entries the database has already. The two questions of a chunk are asked at once: the database has a thread of
    /// its own, and to wake it takes longer than to answer for one entry.
    async fn look_up(&self, writer: &mut SqliteConnection) -> Result<Before<'a>, sqlx::Error> {
        let (mut sent, mut taken) = (HashMap::new(), HashSet::new());
        let any_hashes = self.store.has_hashes.load(Ordering::Relaxed);
        for (index, chunk) in self.entries.chunks(ROWS).enumerate() {
            let mut select = QueryBuilder::<Sqlite>::new("WITH asked (place, user, id) AS (");
            let hashed = |entry: &'a NewEntry| Cow::Owned(hash_of(&entry.user, entry.id));
            let asked = chunk.iter().enumerate().flat_map(|(place, entry)| {
                let hash = any_hashes.then(|| (place, hashed(entry), entry.id));
                std::iter::once((place, Cow::Borrowed(&*entry.user), entry.id)).chain(hash)
            });
            select.push_values(asked, |mut row, (place, user, id)| {
                row.push_bind(signed(place as u64)).push_bind(user).push_bind(id.as_bytes().to_vec());
            });
            select.push(
                ") SELECT place, channel, offset, at FROM asked CROSS JOIN sends
                 ON sends.user = asked.user AND sends.id = asked.id; ",
            );
            // The index is named because SQLite would search the whole log.
            select.push("WITH asked (place, id, channel) AS (");
            select.push_values(chunk.iter().enumerate(), |mut row, (place, entry)| {
                row.push_bind(signed(place as u64)).push_bind(entry.id.as_bytes().as_slice());
                row.push_bind(entry.channel.as_str());
            });
            select.push(
                ") SELECT place, NULL, NULL, NULL FROM asked CROSS JOIN channels ON channels.name = asked.channel
                 CROSS JOIN messages INDEXED BY messages_id ON messages.channel = channels.id
                 AND messages.id = asked.id",
            );
            for row in select.build().persistent(chunk.len() <= KEPT).fetch_all(&mut *writer).await? {
                let place = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(usize::MAX);
                let Some(entry) = chunk.get(place) else { continue };
                if let Some(channel) = row.try_get::<Option<i64>, _>(1)? {
                    let stored = (channel, unsigned(&row, 2)?, unsigned(&row, 3)?);
                    sent.insert((&*entry.user, entry.id), stored);
                } else {
                    taken.insert(index * ROWS + place);
                }
            }
        }
        Ok(Before { sent, taken })
    }

    /// A channel's row: from this append, from the cache, from the database, or new.
    async fn channel(
        &mut self,
        writer: &mut SqliteConnection,
        name: &Channel,
    ) -> Result<&mut ChannelHead, sqlx::Error> {
        if !self.channels.contains_key(name) {
            let known = if let Some(known) = self.store.known(name) {
                known
            } else {
                if self.store.has_hashes.load(Ordering::Relaxed) {
                    // The own channel of a user who was erased.
                    sqlx::query("UPDATE OR IGNORE channels SET name = ? WHERE name = ?")
                        .bind(name.as_str())
                        .bind(hash_of_channel(name))
                        .execute(&mut *writer)
                        .await?;
                }
                let row = sqlx::query(
                    "INSERT INTO channels (name, epoch, head, trimmed) VALUES (?, ?, 0, 0)
                     ON CONFLICT DO UPDATE SET name = name RETURNING epoch, head, trimmed, id,
                         EXISTS (SELECT 1 FROM channel_runs WHERE channel = id AND run = ?) AS has_run",
                )
                .bind(name.as_str())
                .bind(&*self.store.epoch)
                .bind(self.store.run.number)
                .fetch_one(writer)
                .await?;
                ChannelHead { id: row.try_get("id")?, log: log_of(&row)?, has_run: row.try_get("has_run")? }
            };
            self.channels.insert(name.clone(), known);
        }
        self.channels.get_mut(name).ok_or(sqlx::Error::RowNotFound)
    }

    async fn insert(
        &self,
        writer: &mut SqliteConnection,
        new: &[(&NewEntry, i64, u64)],
    ) -> Result<(), sqlx::Error> {
        let mut messages = QueryBuilder::<Sqlite>::new(
            "INSERT INTO messages (channel, offset, id, user, name, at, event, data, action, target) ",
        );
        messages.push_values(new, |mut row, (entry, channel, offset)| {
            row.push_bind(channel).push_bind(signed(*offset)).push_bind(entry.id.as_bytes().as_slice());
            row.push_bind(&*entry.user).push_bind(entry.name.as_deref()).push_bind(signed(self.at));
            row.push_bind(entry.event.as_deref()).push_bind(entry.data.text());
            row.push_bind(entry.action.map(action_text))
                .push_bind(entry.target.map(|id| id.as_bytes().to_vec()));
        });
        messages.push("; INSERT INTO sends (user, id, channel, offset, at) ");
        messages.push_values(new, |mut row, (entry, channel, offset)| {
            row.push_bind(&*entry.user).push_bind(entry.id.as_bytes().as_slice());
            row.push_bind(channel).push_bind(signed(*offset)).push_bind(signed(self.at));
        });
        messages.build().persistent(new.len() <= KEPT).execute(writer).await?;
        Ok(())
    }

    /// Writes the new heads, and removes entries beyond the retention.
    async fn finish(&mut self, writer: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let keep = self.store.retention;
        for known in self.channels.values_mut() {
            let log = &mut known.log;
            // An eighth more may remain, so that not every append has to remove something.
            if log.head - log.trimmed > keep.saturating_add(keep / 8) {
                log.trimmed = (log.head - keep).min(log.trimmed + TRIM);
                sqlx::query("DELETE FROM messages WHERE channel = ? AND offset <= ?")
                    .bind(known.id)
                    .bind(signed(log.trimmed))
                    .execute(&mut *writer)
                    .await?;
                runs::trimmed(writer, known.id, log.trimmed).await?;
            }
        }
        let known: Vec<_> = self.channels.values().collect();
        for chunk in known.chunks(ROWS) {
            let mut update = QueryBuilder::<Sqlite>::new("WITH new (id, head, trimmed) AS (");
            update.push_values(chunk, |mut row, known| {
                row.push_bind(known.id)
                    .push_bind(signed(known.log.head))
                    .push_bind(signed(known.log.trimmed));
            });
            update.push(
                ") UPDATE channels SET head = new.head, trimmed = new.trimmed FROM new WHERE channels.id = new.id",
            );
            update.build().persistent(chunk.len() <= KEPT).execute(&mut *writer).await?;
        }
        Ok(())
    }
}

/// Whether there are hashes in place of erased users.
pub(super) async fn has_hashes(writer: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM sends WHERE user >= char(1) AND user < char(2))
         OR EXISTS (SELECT 1 FROM channels WHERE name >= char(1) AND name < char(2))",
    )
    .fetch_one(writer)
    .await
}

/// Checks the action of an entry on another message. `new` are the entries stored before it in this transaction.
async fn check_target(
    writer: &mut SqliteConnection,
    channel: i64,
    entry: &NewEntry,
    (action, target): (Action, Uuid),
    new: &[(&NewEntry, i64, u64)],
) -> Result<Result<(), Refusal>, sqlx::Error> {
    let mut found = find_target(writer, channel, target, new).await?;
    if let Some(found) = &mut found
        && action != Action::Reply
    {
        found.deleted = found.deleted || is_deleted(writer, channel, target, new).await?;
    }
    Ok(actions::check(entry, action, found.as_ref()))
}

/// A message that can be referred to: not an edit or deletion. There is at most one with this id in a log.
async fn find_target(
    writer: &mut SqliteConnection,
    channel: i64,
    id: Uuid,
    new: &[(&NewEntry, i64, u64)],
) -> Result<Option<Target>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT user, event, deleted_by IS NOT NULL AS deleted FROM messages INDEXED BY messages_id
         WHERE channel = ?1 AND id = ?2 AND (action IS NULL OR action = 'reply')
             AND offset > (SELECT trimmed FROM channels WHERE channels.id = ?1)
         LIMIT 1",
    )
    .bind(channel)
    .bind(id.as_bytes().as_slice())
    .fetch_optional(writer)
    .await?;
    if let Some(row) = rows {
        let (user, event, deleted) = (row.try_get("user")?, row.try_get("event")?, row.try_get("deleted")?);
        return Ok(Some(Target { user, event, deleted }));
    }
    let same = |(entry, of, _): &&(&NewEntry, i64, u64)| {
        *of == channel && entry.id == id && matches!(entry.action, None | Some(Action::Reply))
    };
    let found = new.iter().find(same);
    Ok(found.map(|(entry, ..)| Target {
        user: entry.user.as_ref().into(),
        event: entry.event.clone(),
        deleted: false,
    }))
}

async fn is_deleted(
    writer: &mut SqliteConnection,
    channel: i64,
    target: Uuid,
    new: &[(&NewEntry, i64, u64)],
) -> Result<bool, sqlx::Error> {
    let just_now = new.iter().any(|(entry, of, _)| {
        *of == channel && entry.action == Some(Action::Delete) && entry.target == Some(target)
    });
    if just_now {
        return Ok(true);
    }
    let row =
        sqlx::query(
            "SELECT 1 FROM messages INDEXED BY messages_deleted WHERE channel = ? AND target = ? AND action = 'delete' LIMIT 1",
        )
        .bind(channel)
        .bind(target.as_bytes().as_slice())
        .fetch_optional(writer)
        .await?;
    Ok(row.is_some())
}
