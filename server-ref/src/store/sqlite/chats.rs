//! Chats in the database: the tables of chats and members, and the summaries of their logs.

use std::{collections::HashMap, sync::Arc};

use everwire_protocol::{CHAT_EVENT, Channel, ChatKind, Message, Role, Uuid, channels::MESSAGES_PREFIX};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, sqlite::SqliteRow};

use super::{Append, ROWS, SqliteStore, log_of, message_of, signed, unavailable, unsigned};
use crate::{
    model::{
        chat::{ChatRecord, Participant, Room},
        log::{NewEntry, Outcome},
    },
    store::{
        Answer,
        chats::{ChatStore, Tail, UNREAD},
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

    fn change_chat<'a>(
        &'a self,
        at: u64,
        before: Option<&'a Room>,
        after: &'a Room,
        entries: &'a [NewEntry],
    ) -> Answer<'a, Vec<Outcome>> {
        Box::pin(async move {
            let append = Append::new(self, at, entries);
            let (outcomes, changed) = self
                .write(async |writer| {
                    write_chat(writer, before, after).await?;
                    append.run(writer).await
                })
                .await?;
            self.remember(changed);
            Ok(outcomes)
        })
    }

    fn offset_of<'a>(&'a self, channel: &'a Channel, id: Uuid) -> Answer<'a, Option<u64>> {
        Box::pin(async move {
            let row = sqlx::query(
                "SELECT offset FROM messages INDEXED BY messages_id WHERE channel = (SELECT id FROM channels WHERE name = ?) AND id = ?",
            )
            .bind(channel.as_str())
            .bind(id.as_bytes().as_slice())
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
            "SELECT chat, user, name, role, becomes, since FROM chat_members {of_chat} ORDER BY chat, place"
        );
        let members =
            only.iter().fold(sqlx::query(sqlx::AssertSqlSafe(members)), |query, id| query.bind(*id));
        let rows = members.fetch_all(&self.readers).await?;
        for row in rows {
            participants.entry(row.try_get("chat")?).or_default().push(participant_of(&row)?);
        }
        let chats = format!(
            "SELECT chats.id, kind, title, open, created_at, (
                 SELECT at FROM messages WHERE channel = channels.id AND ({PLAIN} OR event = '{CHAT_EVENT}')
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
                         SELECT offset FROM messages WHERE channel = channels.id AND {PLAIN}
                         ORDER BY offset DESC LIMIT 1
                     ) AS last, (
                         SELECT count(*) FROM (
                             SELECT 1 FROM messages WHERE channel = channels.id AND offset > read AND {PLAIN} AND user <> "
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
    let known = |user: &str| before.and_then(|before| before.participant(user));
    for gone in before.iter().flat_map(|before| &before.participants) {
        if !after.participant(&gone.user).is_some_and(|now| is_same_stay(gone, now)) {
            sqlx::query("DELETE FROM chat_members WHERE chat = ? AND user = ?")
                .bind(&*after.id)
                .bind(&*gone.user)
                .execute(&mut *writer)
                .await?;
        }
    }
    for now in after.participants.iter().filter(|now| known(&now.user) != Some(now)) {
        // A new member, or one who accepted an invitation, is the last.
        sqlx::query(
            "INSERT INTO chat_members (chat, user, name, role, becomes, since, place)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, (SELECT ifnull(max(place), 0) + 1 FROM chat_members WHERE chat = ?1))
             ON CONFLICT DO UPDATE SET name = excluded.name, role = excluded.role, becomes = excluded.becomes",
        )
        .bind(&*after.id)
        .bind(&*now.user)
        .bind(now.name.as_deref())
        .bind(role_text(now.role))
        .bind(role_text(now.becomes))
        .bind(signed(now.since))
        .execute(&mut *writer)
        .await?;
    }
    Ok(())
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
