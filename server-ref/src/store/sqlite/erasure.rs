//! Erases users, in steps. What is to be removed is found on a reading connection; the writer only changes rows that it names.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, atomic::Ordering},
};

use everwire_protocol::{
    CHAT_EVENT, Channel, ChatChange, Uuid,
    channels::{is_user_channel, user_channel},
};
use sqlx::{Row, SqliteConnection};

use super::{Append, SqliteStore, bans, emptying, signed, unavailable, unsigned};
use crate::{
    model::{
        ban::{AccessChange, Revocation},
        log::{Entry, NewEntry},
    },
    store::{
        Answer,
        erasure::{Erased, ErasureStore, Place, hash_of, hash_of_channel},
    },
};

/// Messages that one step blanks. Senders wait for a step: with five million messages in the database 200 take 80 ms.
const MESSAGES: i64 = 50;

/// Entries about members that one step looks at, and rows of other kinds that it removes.
const ROWS: i64 = 500;

type Report<'a> = &'a (dyn Fn(&Channel, &[u64]) -> Option<NewEntry> + Send + Sync);

/// A message of the user.
struct Sent {
    id: Uuid,
    channel: i64,
    offset: u64,
}

impl ErasureStore for SqliteStore {
    fn erasures(&self) -> Answer<'_, Vec<Arc<str>>> {
        Box::pin(async move {
            let users: Result<Vec<String>, _> =
                sqlx::query_scalar("SELECT user FROM erasures").fetch_all(&self.readers).await;
            Ok(users.map_err(unavailable)?.into_iter().map(Into::into).collect())
        })
    }

    fn begin_erasure<'a>(&'a self, user: &'a str, tokens: &'a Revocation) -> Answer<'a, ()> {
        Box::pin(self.write(async move |writer| {
            bans::write(writer, &AccessChange::Revoke(tokens.clone())).await?;
            sqlx::query("INSERT OR IGNORE INTO erasures (user, at) VALUES (?, ?)")
                .bind(user)
                .bind(signed(tokens.at))
                .execute(writer)
                .await
                .map(drop)
        }))
    }

    fn erase_some<'a>(
        &'a self,
        at: u64,
        user: &'a str,
        from: Place,
        report: Report<'a>,
    ) -> Answer<'a, Erased> {
        Box::pin(async move {
            let sent = self.sent_by(user).await.map_err(unavailable)?;
            if !sent.is_empty() {
                // From now on copies are looked for by their hashes, too.
                self.has_hashes.store(true, Ordering::Relaxed);
                return self
                    .blank(at, report, async |writer, blanked| {
                        blank_sent(writer, at, user, &sent, self.edit_retention_ms > 0, blanked).await
                    })
                    .await
                    .map(|erased| Erased { next: Some(from), ..erased });
            }
            let (about, next) = self.about(user, from).await.map_err(unavailable)?;
            if !about.is_empty() {
                return self
                    .blank(at, report, async |writer, blanked| {
                        for (channel, offset) in &about {
                            blank(writer, at, (*channel, *offset), self.edit_retention_ms > 0).await?;
                            blanked.entry(*channel).or_default().push(*offset);
                        }
                        Ok(BTreeSet::new())
                    })
                    .await
                    .map(|erased| Erased { next: next.or(Some(from)), ..erased });
            }
            if next.is_some() {
                return Ok(Erased { next, ..Erased::default() });
            }
            let removed = self.remove_rows(user).await?;
            Ok(Erased { next: removed.then_some(from), ..Erased::default() })
        })
    }

    fn end_erasure<'a>(&'a self, user: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            self.write(async |writer| {
                sqlx::query("DELETE FROM erasures WHERE user = ?").bind(user).execute(writer).await.map(drop)
            })
            .await?;
            self.checkpoints.purge();
            Ok(())
        })
    }
}

impl SqliteStore {
    /// The names under which a log may be stored: its own, and a hash if it belonged to a user who was erased.
    pub(super) fn names(&self, channel: &Channel) -> [String; 2] {
        let name = channel.as_str().to_owned();
        let erased = self.has_hashes.load(Ordering::Relaxed) && is_user_channel(channel);
        let other = if erased { hash_of_channel(channel) } else { name.clone() };
        [name, other]
    }

    async fn sent_by(&self, user: &str) -> Result<Vec<Sent>, sqlx::Error> {
        let rows = sqlx::query("SELECT id, channel, offset FROM sends WHERE user = ? ORDER BY id LIMIT ?")
            .bind(user)
            .bind(MESSAGES)
            .fetch_all(&self.readers)
            .await?;
        let sent = rows.iter().map(|row| {
            let id =
                Uuid::from_slice(row.try_get("id")?).map_err(|error| sqlx::Error::Decode(error.into()))?;
            Ok(Sent { id, channel: row.try_get("channel")?, offset: unsigned(row, "offset")? })
        });
        sent.collect()
    }

    /// Entries about the membership of a user, made by others, and where to look next.
    async fn about(&self, user: &str, from: Place) -> Result<(Vec<(i64, u64)>, Option<Place>), sqlx::Error> {
        let rows = sqlx::query(
            "SELECT channel, offset, data FROM messages INDEXED BY messages_members
             WHERE event = 'everwire.chat' AND (channel, offset) > (?, ?) ORDER BY channel, offset LIMIT ?",
        )
        .bind(from.channel)
        .bind(signed(from.offset))
        .bind(ROWS)
        .fetch_all(&self.readers)
        .await?;
        let (mut about, mut next) = (Vec::new(), None);
        for row in &rows {
            let (channel, offset) = (row.try_get("channel")?, unsigned(row, "offset")?);
            next = Some(Place { channel, offset });
            let change: Option<ChatChange> = serde_json::from_str(row.try_get("data")?).ok();
            if change.is_some_and(|change| change.user.as_deref() == Some(user)) {
                about.push((channel, offset));
            }
        }
        Ok((about, next))
    }

    /// Blanks entries, and stores the reports of that.
    async fn blank(
        &self,
        at: u64,
        report: Report<'_>,
        work: impl AsyncFnOnce(
            &mut SqliteConnection,
            &mut BTreeMap<i64, Vec<u64>>,
        ) -> Result<BTreeSet<i64>, sqlx::Error>,
    ) -> Result<Erased, crate::Error> {
        let (erased, changed) = self
            .write(async |writer| {
                let mut blanked = BTreeMap::new();
                let unnamed = work(writer, &mut blanked).await?;
                let mut names = HashMap::new();
                for channel in blanked.keys().chain(&unnamed) {
                    let name: Option<String> = sqlx::query_scalar("SELECT name FROM channels WHERE id = ?")
                        .bind(channel)
                        .fetch_optional(&mut *writer)
                        .await?;
                    // A hashed name is that of a log which is being emptied.
                    if let Some(Ok(name)) = name.map(|name| name.parse::<Channel>()) {
                        names.insert(*channel, name);
                    }
                }
                let name_of = |channel: &i64| names.get(channel).cloned();
                let mut erased = Erased {
                    blanked: blanked
                        .into_iter()
                        .filter_map(|(channel, mut offsets)| {
                            offsets.sort_unstable();
                            Some((name_of(&channel)?, offsets))
                        })
                        .collect(),
                    unnamed: unnamed.iter().filter_map(name_of).collect(),
                    ..Erased::default()
                };
                let reports: Vec<NewEntry> =
                    erased.blanked.iter().filter_map(|(channel, offsets)| report(channel, offsets)).collect();
                let (outcomes, changed) = Append::new(self, at, &reports).run(writer).await?;
                let stored = reports.iter().zip(&outcomes);
                erased.reports =
                    stored.filter_map(|(entry, outcome)| Some(Entry::of(entry, outcome.stored()?))).collect();
                Ok((erased, changed))
            })
            .await?;
        self.remember(changed);
        Ok(erased)
    }

    /// Removes some of what is kept of a user besides messages. Returns whether there was something.
    async fn remove_rows(&self, user: &str) -> Result<bool, crate::Error> {
        let own = user_channel(user);
        let found: i64 = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM marks WHERE user = ?1) OR EXISTS (SELECT 1 FROM sessions WHERE user = ?1)
             OR EXISTS (SELECT 1 FROM attendance WHERE user = ?1) OR EXISTS (SELECT 1 FROM people WHERE user = ?1)
             OR EXISTS (SELECT 1 FROM chat_members WHERE invited_by = ?1)
             OR EXISTS (SELECT 1 FROM channels WHERE name = ?2)",
        )
        .bind(user)
        .bind(own.as_ref().map(Channel::as_str))
        .fetch_one(&self.readers)
        .await
        .map_err(unavailable)?;
        if found == 0 {
            return Ok(false);
        }
        // Before it happens: it may be reported as failed.
        self.has_hashes.store(true, Ordering::Relaxed);
        self.write(async |writer| {
            for remove in [
                "DELETE FROM marks WHERE user = ?1 AND channel IN (SELECT channel FROM marks WHERE user = ?1 LIMIT ?2)",
                "DELETE FROM sessions WHERE session IN (SELECT session FROM sessions WHERE user = ?1 LIMIT ?2)",
                "DELETE FROM attendance WHERE user = ?1
                 AND channel IN (SELECT channel FROM attendance WHERE user = ?1 LIMIT ?2)",
                "DELETE FROM people WHERE user = ?1 AND ?2 > 0",
                "UPDATE chat_members SET invited_by = NULL WHERE (chat, user) IN
                 (SELECT chat, user FROM chat_members WHERE invited_by = ?1 LIMIT ?2)",
            ] {
                sqlx::query(remove).bind(user).bind(ROWS).execute(&mut *writer).await?;
            }
            if let Some(own) = &own {
                emptying::begin(writer, own).await?;
                sqlx::query("UPDATE channels SET name = ? WHERE name = ?")
                    .bind(hash_of_channel(own))
                    .bind(own.as_str())
                    .execute(writer)
                    .await?;
            }
            Ok(())
        })
        .await?;
        if let Some(own) = own {
            self.known.write().remove(&own);
        }
        Ok(true)
    }
}

/// Blanks messages of the user and puts hashes in place of the user. Returns the logs in which the user had deleted messages.
async fn blank_sent(
    writer: &mut SqliteConnection,
    at: u64,
    user: &str,
    sent: &[Sent],
    keep: bool,
    blanked: &mut BTreeMap<i64, Vec<u64>>,
) -> Result<BTreeSet<i64>, sqlx::Error> {
    let mut unnamed = BTreeSet::new();
    for Sent { id, channel, offset } in sent {
        if let Some(deleted) = blank(writer, at, (*channel, *offset), keep).await? {
            blanked.entry(*channel).or_default().push(*offset);
            if let Some(target) = deleted {
                unnamed.insert(*channel);
                for (index, target_of) in
                    [("messages_id", "id = ?"), ("messages_edits", "target = ? AND action = 'edit'")]
                {
                    let sql = format!(
                        "UPDATE messages INDEXED BY {index} SET deleted_by = '' WHERE channel = ? AND {target_of} AND deleted_by = ?"
                    );
                    sqlx::query(sqlx::AssertSqlSafe(sql))
                        .bind(channel)
                        .bind(&target)
                        .bind(user)
                        .execute(&mut *writer)
                        .await?;
                }
            }
        }
        sqlx::query("UPDATE sends SET user = ? WHERE user = ? AND id = ?")
            .bind(hash_of(user, *id))
            .bind(user)
            .bind(id.as_bytes().as_slice())
            .execute(&mut *writer)
            .await?;
    }
    Ok(unnamed)
}

/// Blanks an entry as a deletion by the server does, without its author. `None`: it is not in the log any more. Otherwise the target
/// of a deletion.
async fn blank(
    writer: &mut SqliteConnection,
    at: u64,
    (channel, offset): (i64, u64),
    keep: bool,
) -> Result<Option<Option<Vec<u8>>>, sqlx::Error> {
    if keep {
        sqlx::query(
            "INSERT INTO replaced (channel, offset, at, data)
             SELECT channel, offset, ?, data FROM messages WHERE channel = ? AND offset = ?",
        )
        .bind(signed(at))
        .bind(channel)
        .bind(signed(offset))
        .execute(&mut *writer)
        .await?;
    }
    let row = sqlx::query(
        "UPDATE messages SET user = '', name = NULL, data = 'null',
             deleted_by = CASE action WHEN 'delete' THEN NULL ELSE '' END,
             deleted_at = CASE action WHEN 'delete' THEN NULL ELSE ifnull(deleted_at, ?) END
         WHERE channel = ? AND offset = ? RETURNING action, target",
    )
    .bind(signed(at))
    .bind(channel)
    .bind(signed(offset))
    .fetch_optional(writer)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let deletes = row.try_get::<Option<&str>, _>("action")? == Some("delete");
    Ok(Some(if deletes { row.try_get("target")? } else { None }))
}

/// The event of entries about members, as the index has it.
const _: () = assert!(matches!(CHAT_EVENT.as_bytes(), b"everwire.chat"));
