//! Marks, users and ranges of logs in the database.

use everwire_protocol::{Channel, StatusChoice, UserReceipt, limits::MAX_PAGE_BYTES};
use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, QueryBuilder, Row, Sqlite, sqlite::SqliteRow};

use super::{
    ROWS, SqliteStore, chats::PLAIN, empty, log_of, message_of, presence, signed, unavailable, unsigned,
};
use crate::{
    model::people::{HistoryRange, PresenceRecord, StoredHistory, UserRecord},
    store::{Answer, chats::UNREAD, people::UserStore},
};

impl UserStore for SqliteStore {
    fn marks<'a>(&'a self, channel: &'a Channel, user: Option<&'a str>) -> Answer<'a, Vec<UserReceipt>> {
        Box::pin(async move { self.read_marks(channel, user).await.map_err(unavailable) })
    }

    fn raise_marks<'a>(&'a self, marks: &'a [(Channel, UserReceipt)]) -> Answer<'a, ()> {
        Box::pin(self.write(async move |writer| {
            for (channel, mark) in marks {
                sqlx::query(
                    "INSERT INTO marks (channel, user, delivered, read)
                     SELECT id, ?, ?, ? FROM channels WHERE name = ?
                     ON CONFLICT DO UPDATE SET
                         delivered = max(delivered, excluded.delivered), read = max(read, excluded.read)",
                )
                .bind(&mark.user)
                .bind(signed(mark.delivered))
                .bind(signed(mark.read))
                .bind(channel.as_str())
                .execute(&mut *writer)
                .await?;
            }
            Ok(())
        }))
    }

    fn unread<'a>(&'a self, channel: &'a Channel, user: &'a str, after: u64) -> Answer<'a, u32> {
        Box::pin(async move {
            let count = AssertSqlSafe(format!(
                "SELECT count(*) FROM (
                     SELECT 1 FROM channels CROSS JOIN messages ON channel = channels.id AND offset > max(?, trimmed)
                     WHERE channels.name = ? AND {PLAIN} AND user <> ? LIMIT {UNREAD})"
            ));
            sqlx::query_scalar(count)
                .bind(signed(after))
                .bind(channel.as_str())
                .bind(user)
                .fetch_one(&self.readers)
                .await
                .map_err(unavailable)
        })
    }

    fn history<'a>(
        &'a self,
        channel: &'a Channel,
        part: HistoryRange,
        most: u32,
    ) -> Answer<'a, StoredHistory> {
        Box::pin(async move { self.read_history(channel, part, most).await.map_err(unavailable) })
    }

    fn users<'a>(&'a self, users: &'a [String]) -> Answer<'a, Vec<UserRecord>> {
        Box::pin(async move {
            let mut people = Vec::new();
            for chunk in users.chunks(ROWS) {
                let mut select = QueryBuilder::<Sqlite>::new(
                    "SELECT user, name, choice, seen_at, online FROM people WHERE user IN (",
                );
                let mut list = select.separated(", ");
                for user in chunk {
                    list.push_bind(user);
                }
                select.push(")");
                let rows = select.build().persistent(false).fetch_all(&self.readers).await;
                let found = rows.and_then(|rows| rows.iter().map(person_of).collect::<Result<Vec<_>, _>>());
                people.extend(found.map_err(unavailable)?);
            }
            Ok(people)
        })
    }

    fn online_users(&self) -> Answer<'_, Vec<UserRecord>> {
        Box::pin(async move {
            let rows = sqlx::query("SELECT user, name, choice, seen_at, online FROM people WHERE online")
                .fetch_all(&self.readers)
                .await;
            rows.and_then(|rows| rows.iter().map(person_of).collect()).map_err(unavailable)
        })
    }

    fn save_users<'a>(&'a self, people: &'a [UserRecord]) -> Answer<'a, ()> {
        Box::pin(self.write_lightly(async move |writer| {
            for chunk in people.chunks(ROWS) {
                let mut insert =
                    QueryBuilder::<Sqlite>::new("INSERT INTO people (user, name, seen_at, online) ");
                insert.push_values(chunk, |mut row, person| {
                    row.push_bind(&person.user).push_bind(person.name.as_deref());
                    row.push_bind(person.seen_at.map(signed)).push_bind(person.online);
                });
                insert.push(
                    " ON CONFLICT DO UPDATE SET name = excluded.name, online = excluded.online,
                      seen_at = max(ifnull(seen_at, 0), ifnull(excluded.seen_at, 0))",
                );
                insert.build().persistent(false).execute(&mut *writer).await?;
            }
            Ok(())
        }))
    }

    fn save_status_choice<'a>(&'a self, user: &'a str, choice: StatusChoice) -> Answer<'a, ()> {
        Box::pin(self.write(async move |writer| {
            sqlx::query(
                "INSERT INTO people (user, choice, online) VALUES (?, ?, FALSE)
                 ON CONFLICT DO UPDATE SET choice = excluded.choice",
            )
            .bind(user)
            .bind(choice_text(choice))
            .execute(writer)
            .await
            .map(drop)
        }))
    }

    fn presence(&self) -> Answer<'_, Vec<PresenceRecord>> {
        Box::pin(async move { self.read_attendance().await.map_err(unavailable) })
    }

    fn save_presence<'a>(&'a self, changes: &'a [PresenceRecord]) -> Answer<'a, ()> {
        Box::pin(self.write_lightly(async move |writer| presence::change(writer, changes).await))
    }

    fn replace_presence<'a>(&'a self, all: &'a [PresenceRecord]) -> Answer<'a, ()> {
        Box::pin(self.write_lightly(async move |writer| {
            sqlx::query("DELETE FROM attendance").execute(&mut *writer).await?;
            presence::change(writer, all).await
        }))
    }
}

impl SqliteStore {
    async fn read_marks(
        &self,
        channel: &Channel,
        user: Option<&str>,
    ) -> Result<Vec<UserReceipt>, sqlx::Error> {
        let condition = if user.is_some() { "user = ?" } else { "? IS NULL" };
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT user, delivered, read FROM marks
             WHERE channel = (SELECT id FROM channels WHERE name = ?) AND {condition}"
        )))
        .bind(channel.as_str())
        .bind(user)
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                let (delivered, read) = (unsigned(row, "delivered")?, unsigned(row, "read")?);
                Ok(UserReceipt { user: row.try_get("user")?, delivered, read })
            })
            .collect()
    }

    async fn read_history(
        &self,
        channel: &Channel,
        part: HistoryRange,
        most: u32,
    ) -> Result<StoredHistory, sqlx::Error> {
        let (condition, order, at) = match part {
            HistoryRange::Latest => ("offset > max(?, trimmed)", "DESC", 0),
            HistoryRange::Before(offset) => ("offset < ? AND offset > trimmed", "DESC", offset),
            HistoryRange::After(offset) => ("offset > max(?, trimmed)", "ASC", offset),
        };
        // One more than requested, to detect whether there are more.
        let select = AssertSqlSafe(format!(
            "SELECT epoch, head, trimmed, offset, messages.id, user, messages.name, at, event, data, action, target,
                    deleted_by, deleted_at
             FROM channels LEFT JOIN messages ON channel = channels.id AND {condition}
             WHERE channels.name = ? ORDER BY offset {order} LIMIT ?"
        ));
        let mut rows =
            sqlx::query(select).bind(signed(at)).bind(channel.as_str()).bind(most + 1).fetch(&self.readers);
        let mut found = StoredHistory { log: empty(&self.epoch), messages: Vec::new(), more: false };
        let mut bytes = 0;
        while let Some(row) = rows.try_next().await? {
            found.log = log_of(&row)?;
            let Some(message) = message_of(channel, &row)? else { break };
            // No more is read than can be in a page; what is in it is decided by the exact size.
            let full = found.messages.len() >= most as usize || bytes > MAX_PAGE_BYTES;
            bytes += message.data.text().len();
            if full && !found.messages.is_empty() {
                found.more = true;
                break;
            }
            found.messages.push(message);
        }
        if order == "DESC" {
            found.messages.reverse();
        }
        Ok(found)
    }
}

fn person_of(row: &SqliteRow) -> Result<UserRecord, sqlx::Error> {
    let seen_at: Option<i64> = row.try_get("seen_at")?;
    Ok(UserRecord {
        user: row.try_get("user")?,
        name: row.try_get("name")?,
        choice: row.try_get::<Option<&str>, _>("choice")?.map_or(StatusChoice::Auto, choice_of),
        seen_at: seen_at.and_then(|at| u64::try_from(at).ok()),
        online: row.try_get("online")?,
    })
}

const CHOICES: [StatusChoice; 4] =
    [StatusChoice::Auto, StatusChoice::Online, StatusChoice::Away, StatusChoice::Offline];

const fn choice_text(choice: StatusChoice) -> &'static str {
    match choice {
        StatusChoice::Auto => "auto",
        StatusChoice::Online => "online",
        StatusChoice::Away => "away",
        StatusChoice::Offline => "offline",
    }
}

fn choice_of(text: &str) -> StatusChoice {
    CHOICES.into_iter().find(|choice| choice_text(*choice) == text).unwrap_or(StatusChoice::Auto)
}
