//! Cleans up the database in small steps, because nothing else can be stored meanwhile.

use std::collections::HashMap;

use sqlx::{Row, SqliteConnection};

use super::{ChannelHead, SqliteStore, TRIM, bans, log_of, presence, rewriting, signed, unavailable};
use crate::{
    Error,
    store::{Removed, SENDS_KEPT_MS, SESSION_KEPT_MS},
};

/// Maximum number of logs that one step trims.
const LOGS: u32 = 16;

impl SqliteStore {
    pub(super) async fn remove_old(&self, now: u64) -> Result<Removed, Error> {
        let (stale, more_stale) = self.stale_attendance().await.map_err(unavailable)?;
        let (tidied, trimmed) = self
            .write(async |writer| {
                let (sends, sessions) = remove_ids(writer, now).await?;
                let (trimmed, messages) = trim(writer, self.retention).await?;
                presence::remove(writer, &stale).await?;
                bans::remove_expired(writer, now).await?;
                rewriting::remove_replaced(writer, now.saturating_sub(self.edit_retention_ms)).await?;
                let more = more_stale || trimmed.len() == LOGS as usize;
                Ok((Removed { sessions, sends, messages, more }, trimmed))
            })
            .await?;
        self.remember(trimmed);
        Ok(tidied)
    }
}

async fn remove_ids(writer: &mut SqliteConnection, now: u64) -> Result<(u64, u64), sqlx::Error> {
    // Not while the message is in the log: a tab that wakes after weeks may resend a message that was already stored.
    let sends = sqlx::query(
        "DELETE FROM sends WHERE at < ? AND offset <= (SELECT trimmed FROM channels WHERE id = sends.channel)",
    )
    .bind(signed(now.saturating_sub(SENDS_KEPT_MS)))
    .execute(&mut *writer)
    .await?;
    let sessions = sqlx::query("DELETE FROM sessions WHERE seen_at < ?")
        .bind(signed(now.saturating_sub(SESSION_KEPT_MS)))
        .execute(writer)
        .await?;
    Ok((sends.rows_affected(), sessions.rows_affected()))
}

/// Trims logs beyond the retention, for example after it was lowered: appends do this only for their own channels.
async fn trim(
    writer: &mut SqliteConnection,
    keep: u64,
) -> Result<(HashMap<everwire_protocol::Channel, ChannelHead>, u64), sqlx::Error> {
    let surplus =
        sqlx::query("SELECT id, name, epoch, head, trimmed FROM channels WHERE head - trimmed > ? LIMIT ?")
            .bind(signed(keep.saturating_add(keep / 8)))
            .bind(LOGS)
            .fetch_all(&mut *writer)
            .await?;
    let (mut changed, mut messages) = (HashMap::new(), 0);
    for row in surplus {
        let id: i64 = row.try_get("id")?;
        let mut log = log_of(&row)?;
        log.trimmed = (log.head - keep).min(log.trimmed + TRIM);
        let removed = sqlx::query("DELETE FROM messages WHERE channel = ? AND offset <= ?")
            .bind(id)
            .bind(signed(log.trimmed))
            .execute(&mut *writer)
            .await?;
        messages += removed.rows_affected();
        sqlx::query("UPDATE channels SET trimmed = ? WHERE id = ?")
            .bind(signed(log.trimmed))
            .bind(id)
            .execute(&mut *writer)
            .await?;
        if let Ok(channel) = row.try_get::<&str, _>("name")?.parse() {
            changed.insert(channel, ChannelHead { id, log });
        }
    }
    Ok((changed, messages))
}
