//! Upkeep: removes what is no longer needed, in small steps, because nothing else can be stored during one.
//!
//! No step depends on how much is kept. What is to be removed is found on a reading connection, by its place in a log; the
//! writer only deletes it. A pass over the logs is resumed where the last step has ended.

use everwire_protocol::Channel;
use sqlx::{Row, SqliteConnection};

use super::{
    ROWS, SqliteStore, bans, emptying, log_of, presence, rewriting, runs, signed, unavailable, unsigned,
};
use crate::{
    Error,
    model::log::Log,
    store::{Removed, SENDS_KEPT_MS, SESSION_KEPT_MS},
};

/// Maximum logs that one step looks at.
const LOGS: i64 = 64;

/// Maximum rows of each kind that one step removes. Ids of sends are spread over all pages of their table: each may cost a page
/// that is read and written.
pub(super) const STEP: u64 = 200;

/// How far the passes have come: the last row of `channels` that was handled.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Passes {
    sends: i64,
    /// `None`: no log exceeds the retention, because appends keep to it.
    surplus: Option<i64>,
}

/// Ids of sends to be forgotten: those after `from`, up to `to`.
struct Expired {
    channel: i64,
    from: u64,
    to: u64,
}

/// A log to be trimmed.
struct Surplus {
    channel: i64,
    name: Option<Channel>,
    log: Log,
    to: u64,
}

impl Passes {
    /// After the database was opened. Only a retention that was lowered leaves logs that exceed it.
    pub(super) async fn begin(writer: &mut SqliteConnection, retention: u64) -> Result<Self, sqlx::Error> {
        let before: i64 = sqlx::query_scalar("SELECT retention FROM upkeep").fetch_one(&mut *writer).await?;
        let lowered = signed(retention) < before;
        if !lowered {
            finish(writer, retention).await?;
        }
        Ok(Self { sends: 0, surplus: lowered.then_some(0) })
    }
}

impl SqliteStore {
    pub(super) async fn remove_old(&self, now: u64) -> Result<Removed, Error> {
        let replaced_until = now.saturating_sub(self.edit_retention_ms);
        let mut passes = *self.passes.lock();
        let found = self.find_old(now, &mut passes).await.map_err(unavailable)?;
        let Found { stale, sessions, sends, surplus, emptied, lapsed, finished, more } = found;
        let nothing = stale.is_empty()
            && sessions.is_empty()
            && sends.is_empty()
            && surplus.is_empty()
            && emptied.is_empty();
        let mut removed = Removed { more, ..Removed::default() };
        if !nothing || lapsed || finished {
            let purge;
            (removed, purge) = self
                .write(async |writer| {
                    let sends = forget(writer, &sends).await?;
                    let messages = trim(writer, &surplus).await?;
                    let (of_emptied, is_empty) = emptying::remove(writer, &emptied).await?;
                    let messages = messages + of_emptied;
                    let sessions = unbind(writer, &sessions).await?;
                    presence::remove(writer, &stale).await?;
                    let mut more = more;
                    if lapsed {
                        more |= bans::remove_expired(writer, now, STEP).await?;
                        more |= rewriting::remove_replaced(writer, replaced_until, STEP).await?;
                    }
                    if finished {
                        finish(writer, self.retention).await?;
                    }
                    Ok((Removed { sessions, sends, messages, more }, is_empty || lapsed))
                })
                .await?;
            if purge {
                self.checkpoints.purge();
            }
        }
        *self.passes.lock() = passes;
        let mut known = self.known.write();
        for Surplus { name, to, .. } in surplus {
            if let Some(head) = name.and_then(|name| known.get_mut(&name)) {
                head.log.trimmed = to;
            }
        }
        Ok(removed)
    }

    async fn find_old(&self, now: u64, passes: &mut Passes) -> Result<Found, sqlx::Error> {
        let (stale, more_stale) = self.stale_attendance().await?;
        let sessions: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT session FROM sessions WHERE seen_at < ? LIMIT ?")
                .bind(signed(now.saturating_sub(SESSION_KEPT_MS)))
                .bind(signed(ROWS as u64))
                .fetch_all(&self.readers)
                .await?;
        let lapsed = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM bans WHERE until <= ?1) OR EXISTS (SELECT 1 FROM revocations WHERE until <= ?1)
             OR EXISTS (SELECT 1 FROM replaced WHERE at <= ?2)",
        )
        .bind(signed(now))
        .bind(signed(now.saturating_sub(self.edit_retention_ms)))
        .fetch_one(&self.readers)
        .await?;
        let (sends, more_sends) = self.expired_sends(now, passes).await?;
        let trimming = passes.surplus.is_some();
        let surplus = self.surplus(passes).await?;
        let finished = trimming && passes.surplus.is_none();
        let (emptied, more_emptied) = emptying::find(&self.readers, STEP).await?;
        let more =
            more_stale || sessions.len() == ROWS || more_sends || passes.surplus.is_some() || more_emptied;
        Ok(Found { stale, sessions, sends, surplus, emptied, lapsed, finished, more })
    }

    /// Sends whose messages are no longer in their log, and that are old. While the message is in the log its id is known: a
    /// tab that wakes after weeks may resend it.
    async fn expired_sends(
        &self,
        now: u64,
        passes: &mut Passes,
    ) -> Result<(Vec<Expired>, bool), sqlx::Error> {
        let rows = sqlx::query(
            "SELECT id, trimmed, swept FROM channels WHERE swept < trimmed AND id > ? ORDER BY id LIMIT ?",
        )
        .bind(passes.sends)
        .bind(LOGS)
        .fetch_all(&self.readers)
        .await?;
        let (mut expired, mut rest) = (Vec::new(), STEP);
        for row in &rows {
            let (channel, from) = (row.try_get("id")?, unsigned(row, "swept")?);
            let trimmed = unsigned(row, "trimmed")?;
            let to = self.expired_until(now, channel, (from, trimmed), rest).await?;
            if to > from {
                rest = rest.saturating_sub(to - from);
                expired.push(Expired { channel, from, to });
            }
            if rest == 0 {
                // This log may have more.
                return Ok((expired, true));
            }
            passes.sends = channel;
        }
        let more = rows.len() == LOGS as usize;
        if !more {
            passes.sends = 0;
        }
        Ok((expired, more))
    }

    /// Up to which offset the sends of a log have expired. Their places tell their order, not their times: a clock may have been
    /// wrong. So a time in the future says nothing, and what lies before an expired send is older.
    async fn expired_until(
        &self,
        now: u64,
        channel: i64,
        (from, trimmed): (u64, u64),
        most: u64,
    ) -> Result<u64, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT offset, at FROM sends WHERE channel = ? AND offset > ? AND offset <= ? ORDER BY offset LIMIT ?",
        )
        .bind(channel)
        .bind(signed(from))
        .bind(signed(trimmed))
        .bind(signed(most))
        .fetch_all(&self.readers)
        .await?;
        let old = now.saturating_sub(SENDS_KEPT_MS);
        let mut to = from;
        for row in &rows {
            match (unsigned(row, "offset")?, unsigned(row, "at")?) {
                (offset, at) if at < old => to = offset,
                (_, at) if at <= now => return Ok(to),
                _ => {}
            }
        }
        // There may be none left, up to where the log begins.
        Ok(if rows.is_empty() { trimmed } else { to })
    }

    /// Logs that exceed the retention, after it was lowered: appends trim only their own channels.
    async fn surplus(&self, passes: &mut Passes) -> Result<Vec<Surplus>, sqlx::Error> {
        let Some(after) = passes.surplus else { return Ok(Vec::new()) };
        let rows = sqlx::query(
            "SELECT id, name, epoch, head, trimmed FROM channels WHERE id > ? ORDER BY id LIMIT ?",
        )
        .bind(after)
        .bind(LOGS)
        .fetch_all(&self.readers)
        .await?;
        let (mut surplus, mut rest, keep) = (Vec::new(), STEP, self.retention);
        for row in &rows {
            let (channel, log) = (row.try_get("id")?, log_of(row)?);
            let over = (log.head - log.trimmed).saturating_sub(keep);
            if over > keep / 8 {
                let to = log.trimmed + over.min(rest);
                let name = row.try_get::<&str, _>("name")?.parse().ok();
                rest -= over.min(rest);
                surplus.push(Surplus { channel, name, log, to });
                if rest == 0 {
                    return Ok(surplus);
                }
            }
            passes.surplus = Some(channel);
        }
        if rows.len() < LOGS as usize {
            passes.surplus = None;
        }
        Ok(surplus)
    }
}

/// What one step is to remove.
struct Found {
    stale: Vec<(String, String)>,
    sessions: Vec<Vec<u8>>,
    sends: Vec<Expired>,
    surplus: Vec<Surplus>,
    emptied: Vec<emptying::Emptied>,
    /// Whether bans, revocations or the retention of edits are over.
    lapsed: bool,
    /// Whether the retention is kept everywhere now.
    finished: bool,
    more: bool,
}

async fn forget(writer: &mut SqliteConnection, sends: &[Expired]) -> Result<u64, sqlx::Error> {
    let mut removed = 0;
    for Expired { channel, from, to } in sends {
        let done = sqlx::query("DELETE FROM sends WHERE channel = ? AND offset > ? AND offset <= ?")
            .bind(channel)
            .bind(signed(*from))
            .bind(signed(*to))
            .execute(&mut *writer)
            .await?;
        removed += done.rows_affected();
        sqlx::query("UPDATE channels SET swept = ? WHERE id = ?")
            .bind(signed(*to))
            .bind(channel)
            .execute(&mut *writer)
            .await?;
    }
    Ok(removed)
}

async fn trim(writer: &mut SqliteConnection, surplus: &[Surplus]) -> Result<u64, sqlx::Error> {
    let mut removed = 0;
    for Surplus { channel, log, to, .. } in surplus {
        let done = sqlx::query("DELETE FROM messages WHERE channel = ? AND offset > ? AND offset <= ?")
            .bind(channel)
            .bind(signed(log.trimmed))
            .bind(signed(*to))
            .execute(&mut *writer)
            .await?;
        removed += done.rows_affected();
        sqlx::query("UPDATE channels SET trimmed = ? WHERE id = ?")
            .bind(signed(*to))
            .bind(channel)
            .execute(&mut *writer)
            .await?;
        runs::trimmed(writer, *channel, *to).await?;
    }
    Ok(removed)
}

async fn unbind(writer: &mut SqliteConnection, sessions: &[Vec<u8>]) -> Result<u64, sqlx::Error> {
    for session in sessions {
        sqlx::query("DELETE FROM sessions WHERE session = ?").bind(session).execute(&mut *writer).await?;
    }
    Ok(sessions.len() as u64)
}

/// Remembers to which retention all logs are trimmed.
async fn finish(writer: &mut SqliteConnection, retention: u64) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE upkeep SET retention = ?").bind(signed(retention)).execute(writer).await.map(drop)
}
