//! What edits and deletions make of earlier entries: the target and all edits of it have the new data, or none, so that the
//! old text is served to nobody. It is gone from the file too, unless the operator keeps it for a while.

use everwire_protocol::Action;
use sqlx::SqliteConnection;

use super::{signed, unsigned};
use crate::model::log::NewEntry;

/// The entries that an edit or a deletion replaces: its target, and the earlier edits of the target. Each with its index, which
/// is named because SQLite would search the whole log.
const REPLACED: [(&str, &str); 2] = [
    ("messages_id", "channel = ? AND offset < ? AND id = ? AND (action IS NULL OR action = 'reply')"),
    ("messages_edits", "channel = ? AND offset < ? AND target = ? AND action = 'edit'"),
];

/// Applies an edit or a deletion at an offset of a channel. Returns the offsets of the entries that it has changed.
pub(super) async fn apply(
    writer: &mut SqliteConnection,
    (channel, offset): (i64, u64),
    entry: &NewEntry,
    at: u64,
    keep: bool,
) -> Result<Vec<u64>, sqlx::Error> {
    let target = entry.target.map(|id| id.as_bytes().to_vec());
    let deletes = entry.action == Some(Action::Delete);
    let mut offsets = Vec::new();
    for (index, replaced) in REPLACED {
        if keep {
            let sql = format!(
                "INSERT INTO replaced (channel, offset, at, data)
                 SELECT channel, offset, {at}, data FROM messages INDEXED BY {index} WHERE {replaced}"
            );
            let query = sqlx::query(sqlx::AssertSqlSafe(sql));
            query.bind(channel).bind(signed(offset)).bind(&target).execute(&mut *writer).await?;
        }
        let sql = format!(
            "UPDATE messages INDEXED BY {index} SET data = ?, deleted_by = ?, deleted_at = ? WHERE {replaced}
             RETURNING offset"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(entry.data.text())
            .bind(deletes.then_some(&*entry.user))
            .bind(deletes.then(|| signed(at)))
            .bind(channel)
            .bind(signed(offset))
            .bind(&target)
            .fetch_all(&mut *writer)
            .await?;
        for row in &rows {
            offsets.push(unsigned(row, "offset")?);
        }
    }
    offsets.sort_unstable();
    Ok(offsets)
}

/// Removes at most `most` of what was replaced up to this time. Returns whether there may be more.
pub(super) async fn remove_replaced(
    writer: &mut SqliteConnection,
    up_to: u64,
    most: u64,
) -> Result<bool, sqlx::Error> {
    let done =
        sqlx::query("DELETE FROM replaced WHERE id IN (SELECT id FROM replaced WHERE at <= ? LIMIT ?)")
            .bind(signed(up_to))
            .bind(signed(most))
            .execute(writer)
            .await?;
    Ok(done.rows_affected() == most)
}
