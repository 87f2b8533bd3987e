//! The runs of a database. Each start begins one, and each log knows where the entries of a run begin. That tells a planned
//! restart from a restored copy: both continue the log, but a client of the original has seen entries that the copy stored
//! anew in a later run, or knows a run that the copy does not.

use std::sync::Arc;

use everwire_protocol::Uuid;
use sqlx::{Row, SqliteConnection, SqlitePool};

use super::{signed, transaction};

/// How many runs are remembered. A client that returns after more of them gets a gap.
const KEPT: i64 = 10_000;

/// The current run.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) number: i64,
    pub(super) tag: Arc<str>,
}

/// Begins a run, on disk before anything else is written. Also returns the tag of the first one, which identifies the database.
pub(super) async fn begin(writer: &mut SqliteConnection) -> Result<(Run, Arc<str>), sqlx::Error> {
    transaction(writer, async |writer| {
        let tag = Uuid::new_v4().simple().to_string();
        let row = sqlx::query(
            "INSERT INTO runs (run, tag)
             SELECT n, n || '-' || ? FROM (SELECT ifnull(max(run), 0) + 1 AS n FROM runs)
             RETURNING run, tag",
        )
        .bind(&tag[..16])
        .fetch_one(&mut *writer)
        .await?;
        let (number, tag): (i64, String) = (row.try_get("run")?, row.try_get("tag")?);
        sqlx::query("DELETE FROM runs WHERE run > 1 AND run <= ?")
            .bind(number - KEPT)
            .execute(&mut *writer)
            .await?;
        let first: String =
            sqlx::query_scalar("SELECT tag FROM runs ORDER BY run LIMIT 1").fetch_one(writer).await?;
        Ok((Run { number, tag: tag.into() }, first.into()))
    })
    .await
}

/// Whether what a client has seen up to an offset is in this log: the run is one of this database, and no later one has stored
/// anything up to there.
pub(super) async fn has_seen(
    readers: &SqlitePool,
    [name, other]: &[String; 2],
    offset: u64,
    run: &str,
) -> Result<bool, sqlx::Error> {
    let row = sqlx::query(
        "SELECT NOT EXISTS (
             SELECT 1 FROM channels JOIN channel_runs ON channel = channels.id
             WHERE name IN (?, ?) AND first <= ? AND channel_runs.run > runs.run)
         FROM runs WHERE tag = ?",
    )
    .bind(name)
    .bind(other)
    .bind(signed(offset))
    .bind(run)
    .fetch_optional(readers)
    .await?;
    row.map_or(Ok(false), |row| row.try_get(0))
}

/// Remembers that the entries of a run begin here.
pub(super) async fn begins(
    writer: &mut SqliteConnection,
    channel: i64,
    first: u64,
    run: &Run,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO channel_runs (channel, first, run) VALUES (?, ?, ?)")
        .bind(channel)
        .bind(signed(first))
        .bind(run.number)
        .execute(writer)
        .await
        .map(drop)
}

/// Forgets the runs whose entries have all been removed: of those that begin within what was trimmed, the last is enough.
pub(super) async fn trimmed(
    writer: &mut SqliteConnection,
    channel: i64,
    up_to: u64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM channel_runs WHERE channel = ?1
         AND first < (SELECT max(first) FROM channel_runs WHERE channel = ?1 AND first <= ?2)",
    )
    .bind(channel)
    .bind(signed(up_to))
    .execute(writer)
    .await
    .map(drop)
}
