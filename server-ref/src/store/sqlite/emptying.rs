//! Empties logs: those of deleted chats, and the own channels of erased users. A log that is being emptied has no entries from one
//! moment on, and its offsets go on if it is used again; the rows are removed later, in steps.

use everwire_protocol::Channel;
use sqlx::{Row, SqliteConnection, SqlitePool};

use super::{runs, signed, unsigned};

/// Maximum logs that one step removes rows of.
const LOGS: i64 = 16;

/// A log with rows to be removed.
#[derive(Debug)]
pub(super) struct Emptied {
    channel: i64,
    up_to: u64,
    /// Entries up to here are removed by this step.
    to: u64,
    marks: Vec<String>,
}

/// Begins to empty a log, if there is one: nothing of it is served from now on.
pub(super) async fn begin(writer: &mut SqliteConnection, channel: &Channel) -> Result<(), sqlx::Error> {
    let row = sqlx::query("UPDATE channels SET trimmed = head WHERE name = ? RETURNING id, head")
        .bind(channel.as_str())
        .fetch_optional(&mut *writer)
        .await?;
    let Some(row) = row else { return Ok(()) };
    let (id, head): (i64, i64) = (row.try_get("id")?, row.try_get("head")?);
    sqlx::query("INSERT OR REPLACE INTO emptied (channel, up_to) VALUES (?, ?)")
        .bind(id)
        .bind(head)
        .execute(writer)
        .await
        .map(drop)
}

/// What one step removes, at most so many rows of each kind, found on a reading connection; and whether there is more.
pub(super) async fn find(readers: &SqlitePool, most: u64) -> Result<(Vec<Emptied>, bool), sqlx::Error> {
    let rows = sqlx::query("SELECT channel, up_to FROM emptied ORDER BY channel LIMIT ?")
        .bind(LOGS)
        .fetch_all(readers)
        .await?;
    let (mut emptied, mut rest) = (Vec::new(), most);
    for row in &rows {
        let (channel, up_to) = (row.try_get("channel")?, unsigned(row, "up_to")?);
        let offsets: Vec<i64> = sqlx::query_scalar(
            "SELECT offset FROM messages WHERE channel = ? AND offset <= ? ORDER BY offset LIMIT ?",
        )
        .bind(channel)
        .bind(signed(up_to))
        .bind(signed(rest))
        .fetch_all(readers)
        .await?;
        rest -= offsets.len() as u64;
        let to =
            if rest == 0 { offsets.last().and_then(|last| u64::try_from(*last).ok()) } else { Some(up_to) };
        let marks: Vec<String> = sqlx::query_scalar("SELECT user FROM marks WHERE channel = ? LIMIT ?")
            .bind(channel)
            .bind(signed(rest))
            .fetch_all(readers)
            .await?;
        rest -= marks.len() as u64;
        emptied.push(Emptied { channel, up_to, to: to.unwrap_or(up_to), marks });
        if rest == 0 {
            return Ok((emptied, true));
        }
    }
    let more = rows.len() == LOGS as usize;
    Ok((emptied, more))
}

/// Removes it. Returns the number of messages, and whether a log is empty now.
pub(super) async fn remove(
    writer: &mut SqliteConnection,
    emptied: &[Emptied],
) -> Result<(u64, bool), sqlx::Error> {
    let (mut removed, mut finished) = (0, false);
    for Emptied { channel, up_to, to, marks } in emptied {
        for (index, rows) in ["messages", "replaced"].into_iter().enumerate() {
            let sql = format!("DELETE FROM {rows} WHERE channel = ? AND offset <= ?");
            let done = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(channel)
                .bind(signed(*to))
                .execute(&mut *writer)
                .await?;
            removed += if index == 0 { done.rows_affected() } else { 0 };
        }
        for user in marks {
            sqlx::query("DELETE FROM marks WHERE channel = ? AND user = ?")
                .bind(channel)
                .bind(user)
                .execute(&mut *writer)
                .await?;
        }
        let done = sqlx::query(
            "DELETE FROM emptied WHERE channel = ?1 AND up_to = ?2 AND ?2 = ?3
             AND NOT EXISTS (SELECT 1 FROM marks WHERE channel = ?1)",
        )
        .bind(channel)
        .bind(signed(*up_to))
        .bind(signed(*to))
        .execute(&mut *writer)
        .await?;
        if done.rows_affected() > 0 {
            finished = true;
            runs::trimmed(writer, *channel, *up_to).await?;
        }
    }
    Ok((removed, finished))
}
