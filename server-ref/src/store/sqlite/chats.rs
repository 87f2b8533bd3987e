//! Chats in the database: the tables of chats and members, and the summaries of their logs.

use std::{collections::HashMap, sync::Arc};

use everwire_protocol::{CHAT_EVENT, Channel, ChatKind, Message, Role, Uuid, channels::MESSAGES_PREFIX};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, sqlite::SqliteRow};

use super::{Append, ROWS, SqliteStore, emptying, log_of, message_of, signed, unavailable, unsigned};
use crate::{
    model::{
        chat::{ChatRecord, Participant, Room},
        log::{NewEntry, Outcome},
    },
    store::{
        Answer,
        chats::{ChatStore, ChatWrite, Tail, UNREAD},
    },
};

/// The entries that lists of chats count and show.
pub(super) const PLAIN: &str = "(event IS NULL OR event = 'notification') AND (action IS NULL OR action = 'reply') AND deleted_by IS NULL";

impl ChatStore for SqliteStore {
    fn chats(&self) -> Answer<'_, Vec<ChatRecord>> {
        Box::pin(async move { self.read_chats(None).await.map_err(unavailable) })
    }

    fn chat<'a>(&'a self, id: &'a str) -> Answer<'a, Option<ChatRecord>> {
        Box::pin(async move { Ok(self.read_chats(Some(id)).await.map_err(unavailable)?.pop()) })
    }

    fn change_chats<'a>(&'a self, at: u64, changes: &'a [ChatWrite<'a>]) -> Answer<'a, Vec<Vec<Outcome>>> {
        Box::pin(async move {
            let entries: Vec<NewEntry> = changes.iter().flat_map(|change| change.entries).cloned().collect();
            let append = Append::new(self, at, &entries);
            let (outcomes, heads) = self
                .write(async |writer| {
                    for change in changes {
                        write_chat(writer, change.before, change.after).await?;
                    }
                    append.run(writer).await
                })
                .await?;
            self.remember(heads);
            let mut outcomes = outcomes.into_iter();
            let of_each = |change: &ChatWrite<'_>| outcomes.by_ref().take(change.entries.len()).collect();
            Ok(changes.iter().map(of_each).collect())
        })
    }

    fn delete_chat<'a>(&'a self, chat: &'a Room) -> Answer<'a, ()> {
        Box::pin(async move {
            let log = chat.log();
            self.write(async |writer| {
                for delete in ["DELETE FROM chats WHERE id = ?", "DELETE FROM chat_members WHERE chat = ?"] {
                    sqlx::query(delete).bind(&*chat.id).execute(&mut *writer).await?;
                }
                match &log {
                    Some(log) => emptying::begin(writer, log).await,
                    None => Ok(()),
                }
            })
            .await?;
            if let Some(known) = log.and_then(|log| self.known.write().remove(&log)) {
                tracing::debug!(head = known.log.head, "log emptied");
            }
            Ok(())
        })
    }

    fn offset_of<'a>(&'a self, channel: &'a Channel, id: Uuid) -> Answer<'a, Option<u64>> {
        Box::pin(async move {
            let row = sqlx::query(
                "SELECT offset FROM channels CROSS JOIN messages INDEXED BY messages_id
                 ON channel = channels.id AND messages.id = ? AND offset > trimmed WHERE channels.name = ?",
            )
            .bind(id.as_bytes().as_slice())
            .bind(channel.as_str())
            .fetch_optional(&self.readers)
            .await;
            row.and_then(|row| row.map(|row| unsigned(&row, "offset")).transpose()).map_err(unavailable)
        })
    }

    fn tails<'a>(&'a self, user: &'a str, asked: &'a [(Channel, u64)]) -> Answer<'a, Vec<Tail>> {
        Box::pin(async move { self.read_tails(user, asked).await.map_err(unavailable) })
    }
}

impl SqliteStore {
    /// All chats, or the one with this id.
    async fn read_chats(&self, only: Option<&str>) -> Result<Vec<ChatRecord>, sqlx::Error> {
        let mut participants: HashMap<String, Vec<Participant>> = HashMap::new();
        let (of_chat, of_id) = only.map_or(("", ""), |_| ("WHERE chat = ?", "WHERE chats.id = ?"));
        let members = format!(
            "SELECT chat, user, name, role, becomes, since, invited_by FROM chat_members {of_chat} ORDER BY chat, place"
        );
        let members =
            only.iter().fold(sqlx::query(sqlx::AssertSqlSafe(members)), |query, id| query.bind(*id));
        let rows = members.fetch_all(&self.readers).await?;
        for row in rows {
            participants.entry(row.try_get("chat")?).or_default().push(participant_of(&row)?);
        }
        let chats = format!(
            "SELECT chats.id, kind, title, open, created_at, (
                 SELECT at FROM messages WHERE channel = channels.id AND offset > trimmed
                 AND ({PLAIN} OR event = '{CHAT_EVENT}')
                 ORDER BY offset DESC LIMIT 1
             ) AS at
             FROM chats LEFT JOIN channels ON channels.name = '{MESSAGES_PREFIX}' || chats.id {of_id}"
        );
        let chats = only.iter().fold(sqlx::query(sqlx::AssertSqlSafe(chats)), |query, id| query.bind(*id));
        let rows = chats.fetch_all(&self.readers).await?;
        rows.iter()
            .map(|row| {
                let (id, created_at): (String, _) = (row.try_get("id")?, unsigned(row, "created_at")?);
                let at: Option<i64> = row.try_get("at")?;
                let at = at.map_or(created_at, |at| u64::try_from(at).unwrap_or(0));
                let room = Room {
                    participants: participants.remove(&id).unwrap_or_default(),
                    id: id.into(),
                    kind: if row.try_get::<&str, _>("kind")? == "direct" {
                        ChatKind::Direct
                    } else {
                        ChatKind::Group
                    },
                    title: row.try_get("title")?,
                    open: row.try_get("open")?,
                    created_at,
                };
                Ok(ChatRecord { room: Arc::new(room), at })
            })
            .collect()
    }

    async fn read_tails(&self, user: &str, asked: &[(Channel, u64)]) -> Result<Vec<Tail>, sqlx::Error> {
        let mut tails: Vec<Tail> = asked.iter().map(|_| Tail::default()).collect();
        for (chunk, tails) in asked.chunks(ROWS).zip(tails.chunks_mut(ROWS)) {
            let mut select = QueryBuilder::<Sqlite>::new("WITH asked (nth, name, read) AS (");
            select.push_values(chunk.iter().enumerate(), |mut row, (nth, (channel, read))| {
                row.push_bind(signed(nth as u64)).push_bind(channel.as_str()).push_bind(signed(*read));
            });
            select.push(format!(
                "), found AS (
                     SELECT nth, channels.id AS log, epoch, head, trimmed, (
                         SELECT offset FROM messages WHERE channel = channels.id AND offset > trimmed AND {PLAIN}
                         ORDER BY offset DESC LIMIT 1
                     ) AS last, (
                         SELECT count(*) FROM (
                             SELECT 1 FROM messages WHERE channel = channels.id AND offset > max(read, trimmed)
                             AND {PLAIN} AND user <> "
            ));
            select.push_bind(user);
            select.push(format!(
                " LIMIT {UNREAD})
                     ) AS unread
                     FROM asked CROSS JOIN channels ON channels.name = asked.name
                 )
                 SELECT nth, epoch, head, trimmed, unread, offset, id, user, name, at, event, data, action, target,
                     deleted_by, deleted_at
                 FROM found LEFT JOIN messages ON channel = log AND offset = last"
            ));
            for row in select.build().persistent(false).fetch_all(&self.readers).await? {
                let nth = usize::try_from(row.try_get::<i64, _>("nth")?).unwrap_or(usize::MAX);
                let (Some((channel, _)), Some(tail)) = (chunk.get(nth), tails.get_mut(nth)) else { continue };
                let last: Option<Message> = message_of(channel, &row)?;
                *tail = Tail { head: log_of(&row)?.head, unread: row.try_get("unread")?, last };
            }
        }
        Ok(tails)
    }
}

async fn write_chat(
    writer: &mut SqliteConnection,
    before: Option<&Room>,
    after: &Room,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO chats (id, kind, title, open, created_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET title = excluded.title, open = excluded.open",
    )
    .bind(&*after.id)
    .bind(if after.kind == ChatKind::Direct { "direct" } else { "group" })
    .bind(after.title.as_deref())
    .bind(after.open)
    .bind(signed(after.created_at))
    .execute(&mut *writer)
    .await?;
    let (known, members) = (before.map(by_user).unwrap_or_default(), by_user(after));
    for gone in before.iter().flat_map(|before| &before.participants) {
        if !members.get(&*gone.user).is_some_and(|now| is_same_stay(gone, now)) {
            sqlx::query("DELETE FROM chat_members WHERE chat = ? AND user = ?")
                .bind(&*after.id)
                .bind(&*gone.user)
                .execute(&mut *writer)
                .await?;
        }
    }
    for now in after.participants.iter().filter(|now| known.get(&*now.user) != Some(now)) {
        // A new member, or one who accepted an invitation, is the last.
        sqlx::query(
            "INSERT INTO chat_members (chat, user, name, role, becomes, since, invited_by, place)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, (SELECT ifnull(max(place), 0) + 1 FROM chat_members WHERE chat = ?1))
             ON CONFLICT DO UPDATE SET name = excluded.name, role = excluded.role, becomes = excluded.becomes,
                 invited_by = excluded.invited_by",
        )
        .bind(&*after.id)
        .bind(&*now.user)
        .bind(now.name.as_deref())
        .bind(role_text(now.role))
        .bind(role_text(now.becomes))
        .bind(signed(now.since))
        .bind(now.invited_by.as_deref())
        .execute(&mut *writer)
        .await?;
    }
    Ok(())
}

/// The participants of a chat, of whom there may be a thousand.
fn by_user(room: &Room) -> HashMap<&str, &Participant> {
    room.participants.iter().map(|participant| (&*participant.user, participant)).collect()
}

/// Whether a participant has kept the position in the order of members.
fn is_same_stay(before: &Participant, now: &Participant) -> bool {
    before.since == now.since && before.is_member() == now.is_member()
}

fn participant_of(row: &SqliteRow) -> Result<Participant, sqlx::Error> {
    Ok(Participant {
        user: row.try_get::<&str, _>("user")?.into(),
        name: row.try_get::<Option<&str>, _>("name")?.map(Into::into),
        role: role_of(row.try_get("role")?),
        becomes: role_of(row.try_get("becomes")?),
        since: unsigned(row, "since")?,
        invited_by: row.try_get::<Option<&str>, _>("invited_by")?.map(Into::into),
    })
}

const fn role_text(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Member => "member",
        Role::ReadOnly => "read_only",
        Role::Invited => "invited",
    }
}

/// An unknown role grants nothing.
fn role_of(text: &str) -> Role {
    let roles = [Role::Owner, Role::Member, Role::ReadOnly];
    roles.into_iter().find(|role| role_text(*role) == text).unwrap_or(Role::Invited)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_written_as_they_are_read() {
        for role in [Role::Owner, Role::Member, Role::ReadOnly, Role::Invited] {
            assert_eq!(role_of(role_text(role)), role);
        }
    }
}
