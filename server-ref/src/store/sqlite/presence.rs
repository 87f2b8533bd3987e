//! The members of presence channels in the database.

use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::{ROWS, SqliteStore};
use crate::model::people::PresenceRecord;

/// A user who is not online is in no channel: joining users are stored as online first.
const STALE: &str = "NOT EXISTS (SELECT 1 FROM people WHERE people.user = attendance.user AND online)";

/// Maximum number of rows that one step removes.
const STEP: usize = 256;

/// Writes changes.
pub(super) async fn change(
    writer: &mut SqliteConnection,
    changes: &[PresenceRecord],
) -> Result<(), sqlx::Error> {
    let here: Vec<_> = changes.iter().filter(|change| change.here).collect();
    for chunk in here.chunks(ROWS) {
        let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO attendance (channel, user, name) ");
        insert.push_values(chunk, |mut row, change| {
            row.push_bind(change.channel.as_str()).push_bind(&change.user).push_bind(change.name.as_deref());
        });
        insert.push(" ON CONFLICT DO UPDATE SET name = excluded.name");
        insert.build().persistent(false).execute(&mut *writer).await?;
    }
    for change in changes.iter().filter(|change| !change.here) {
        sqlx::query("DELETE FROM attendance WHERE channel = ? AND user = ?")
            .bind(change.channel.as_str())
            .bind(&change.user)
            .execute(&mut *writer)
            .await?;
    }
    Ok(())
}

/// Removes rows that [`SqliteStore::stale_attendance`] has found, if they are still stale.
pub(super) async fn remove(
    writer: &mut SqliteConnection,
    stale: &[(String, String)],
) -> Result<(), sqlx::Error> {
    for (channel, user) in stale {
        let delete = format!("DELETE FROM attendance WHERE channel = ? AND user = ? AND {STALE}");
        sqlx::query(sqlx::AssertSqlSafe(delete)).bind(channel).bind(user).execute(&mut *writer).await?;
    }
    Ok(())
}

impl SqliteStore {
    pub(super) async fn read_attendance(&self) -> Result<Vec<PresenceRecord>, sqlx::Error> {
        let rows = sqlx::query("SELECT channel, user, name FROM attendance").fetch_all(&self.readers).await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            if let Ok(channel) = row.try_get::<&str, _>("channel")?.parse() {
                let (user, name) = (row.try_get("user")?, row.try_get("name")?);
                all.push(PresenceRecord { channel, user, name, here: true });
            }
        }
        Ok(all)
    }

    /// Rows of users who are not online, left behind by an error, and whether there may be more.
    pub(super) async fn stale_attendance(&self) -> Result<(Vec<(String, String)>, bool), sqlx::Error> {
        let select = format!("SELECT channel, user FROM attendance WHERE {STALE} LIMIT {STEP}");
        // On a reading connection, because it scans all rows.
        let rows = sqlx::query_as(sqlx::AssertSqlSafe(select)).fetch_all(&self.readers).await?;
        let more = rows.len() == STEP;
        Ok((rows, more))
    }
}
