//! Every statement of the store is looked up in the plans of SQLite: none of them walks through a table that grows, and none
//! searches a log by its channel alone. The statements are those that the store really executes.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use everwire_protocol::{Action, ChatKind, Role, StatusChoice, UserReceipt};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use super::*;
use crate::{
    model::{
        ban::{AccessChange, Ban, Revocation, Revoked},
        chat::{Participant, Room},
        log::SendPermission,
        people::{HistoryRange, PresenceRecord, UserRecord},
    },
    store::{
        SENDS_KEPT_MS,
        bans::BanStore as _,
        chats::ChatStore as _,
        chats::ChatWrite,
        erasure::{ErasureStore as _, Place},
        people::UserStore as _,
    },
};

/// What may be walked through, and why.
const MAY_SCAN: [(&str, &str); 14] = [
    ("asked", "the rows that a statement brings with it"),
    ("new", "the rows that a statement brings with it"),
    ("CONSTANT ROW", "no table"),
    ("runs", "bounded, and read once when the database is opened"),
    ("upkeep", "one row"),
    ("erasures", "users who are being erased now"),
    ("emptied", "logs that are being emptied now"),
    ("bans", "read once, when the server starts"),
    ("revocations", "read once, when the server starts"),
    ("chats", "read once, when the server starts"),
    ("chat_members", "read once, when the server starts"),
    ("people USING INDEX people_online", "read once, when the server starts"),
    ("attendance", "users who are present now; on a reading connection"),
    ("channels USING INDEX channels_unswept", "logs with ids to be removed, in steps"),
];

/// Statements that look at a log by its channel alone, and why they end soon.
const MAY_SEARCH_A_LOG: [(&str, &str); 2] = [
    ("ORDER BY offset DESC", "the last plain message is near the end"),
    ("FROM channel_runs", "a log has few runs"),
];

#[derive(Clone, Default)]
struct Statements(Arc<Mutex<BTreeSet<String>>>);

impl Subscriber for Statements {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut texts = Texts::default();
        event.record(&mut texts);
        let Texts { summary, statement } = texts;
        self.0.lock().unwrap().insert(if statement.is_empty() { summary } else { statement });
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Texts {
    summary: String,
    statement: String,
}

impl Visit for Texts {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => self.summary = value.trim().into(),
            "db.statement" => self.statement = value.trim().into(),
            _ => {}
        }
    }
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

fn entry(n: u128, channel: &str, action: Option<Action>, target: Option<u128>) -> NewEntry {
    NewEntry {
        id: Uuid::from_u128(n),
        channel: channel.parse().unwrap(),
        user: "ann".into(),
        name: None,
        event: (n == 900).then(|| "everwire.chat".into()),
        data: if n == 900 {
            Payload::from_text(r#"{"action":"joined","user":"bob"}"#.into()).unwrap()
        } else {
            Payload::from_value(&n.to_string()).unwrap()
        },
        action,
        target: target.map(Uuid::from_u128),
        permission: SendPermission::Granted,
    }
}

/// Does everything that a store can do.
async fn use_everything(directory: &Path) {
    let path = directory.join("everwire.db");
    let store = SqliteStore::open(&path, 100).await.unwrap().with_edit_retention(1_000);
    let log: Channel = "private-chat.7".parse().unwrap();
    let entries: Vec<_> = (1..150).map(|n| entry(n, log.as_str(), None, None)).collect();
    store.append(1, &entries).await.unwrap();
    let changes = [
        entry(200, log.as_str(), Some(Action::Reply), Some(140)),
        entry(201, log.as_str(), Some(Action::Edit), Some(140)),
        entry(202, log.as_str(), Some(Action::Delete), Some(140)),
    ];
    store.append(1, &changes[..2]).await.unwrap();
    store.append(1, &changes[2..]).await.unwrap();
    store.append(1, &[entry(203, log.as_str(), Some(Action::Edit), Some(140))]).await.unwrap();
    store.append(1, &[entry(900, log.as_str(), None, None)]).await.unwrap();
    let (run, bounds) = (store.run(), PageBounds { entries: 10, bytes: 1_000 });
    store.has_seen(&log, 3, &run).await.unwrap();
    store.page(&log, 120, bounds).await.unwrap();
    store.bind_sessions(1, &[(Uuid::from_u128(5), "ann".into())]).await.unwrap();
    store.bound_user(Uuid::from_u128(5)).await.unwrap();
    store.probe().await.unwrap();
    store.offset_of(&log, Uuid::from_u128(130)).await.unwrap();
    for part in [HistoryRange::Latest, HistoryRange::Before(130), HistoryRange::After(130)] {
        store.history(&log, part, 20).await.unwrap();
    }
    let mark = UserReceipt { user: "ann".into(), delivered: 3, read: 2 };
    store.raise_marks(&[(log.clone(), mark)]).await.unwrap();
    store.marks(&log, None).await.unwrap();
    store.marks(&log, Some("ann")).await.unwrap();
    store.unread(&log, "bob", 3).await.unwrap();
    store.tails("bob", &[(log.clone(), 3)]).await.unwrap();
    let record = UserRecord {
        user: "ann".into(),
        name: None,
        choice: StatusChoice::Auto,
        seen_at: Some(1),
        online: true,
    };
    store.save_users(&[record]).await.unwrap();
    store.save_status_choice("ann", StatusChoice::Away).await.unwrap();
    store.users(&["ann".into()]).await.unwrap();
    store.online_users().await.unwrap();
    let here = |user: &str, here| PresenceRecord {
        channel: "presence-hall".parse().unwrap(),
        user: user.into(),
        name: None,
        here,
    };
    store.save_presence(&[here("ann", true), here("ghost", true)]).await.unwrap();
    store.save_presence(&[here("ann", false)]).await.unwrap();
    store.presence().await.unwrap();
    let participant = |user: &str| Participant {
        user: user.into(),
        name: None,
        role: Role::Member,
        becomes: Role::Member,
        since: 1,
        invited_by: None,
    };
    let room = |users: &[&str]| Room {
        id: "7".into(),
        kind: ChatKind::Group,
        title: None,
        open: false,
        created_at: 1,
        participants: users.iter().map(|user| participant(user)).collect(),
    };
    let (both, one) = (room(&["ann", "bob"]), room(&["ann"]));
    for (before, after) in [(None, &both), (Some(&both), &one)] {
        store.change_chats(1, &[ChatWrite { before, after, entries: &[] }]).await.unwrap();
    }
    store.chats().await.unwrap();
    let ban = Ban { user: "mal".into(), since: 1, until: Some(2), reason: None };
    store.change_access(&AccessChange::Ban(ban)).await.unwrap();
    store.change_access(&AccessChange::Unban("mal".into())).await.unwrap();
    let tokens = Revocation { of: Revoked::User("ann".into()), at: 1, until: 2 };
    store.bans().await.unwrap();
    store.append(1, &[entry(800, "private-user.ann", None, None)]).await.unwrap();
    store.begin_erasure("ann", &tokens).await.unwrap();
    let mut from = Some(Place::default());
    for user in ["ann", "bob"] {
        while let Some(place) = from {
            from = store.erase_some(1, user, place, &|_: &Channel, _: &[u64]| None).await.unwrap().next;
        }
        from = Some(Place::default());
    }
    store.end_erasure("ann").await.unwrap();
    store.erasures().await.unwrap();
    // With hashes in place of the user.
    store
        .append(1, &[entry(1, log.as_str(), None, None), entry(801, "private-user.ann", None, None)])
        .await
        .unwrap();
    store.delete_chat(&room(&["ann"])).await.unwrap();
    while store.cleanup(10 * SENDS_KEPT_MS).await.unwrap().more {}
    store.replace_presence(&[here("ann", true)]).await.unwrap();
    drop(store);
    // Trimmed to a lower retention.
    let store = SqliteStore::open(&path, 10).await.unwrap();
    while store.cleanup(10 * SENDS_KEPT_MS).await.unwrap().more {}
    drop(store);
}

#[tokio::test]
async fn every_look_up_uses_an_index() {
    let statements = Statements::default();
    // Not only for this thread: SQLite has threads of its own. Other tests of this process do not mind.
    tracing::subscriber::set_global_default(statements.clone()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    use_everything(directory.path()).await;
    let texts = statements.0.lock().unwrap().clone();
    let texts: Vec<&str> = texts.iter().flat_map(|text| text.split(';')).map(str::trim).collect();
    let looks = |text: &str| {
        ["SELECT", "UPDATE", "DELETE", "INSERT", "WITH"]
            .iter()
            .any(|word| text.to_uppercase().starts_with(word))
            && !text.contains("_sqlx_migrations")
    };
    let texts: Vec<_> = texts.into_iter().filter(|text| looks(text)).collect();
    for word in ["emptied", "messages_id", "messages_members", "erasures", "attendance", "channel_runs"] {
        assert!(texts.iter().any(|text| text.contains(word)), "{word} is not among the statements");
    }
    assert!(texts.len() > 60, "{}", texts.len());
    let options = SqliteConnectOptions::new().filename(directory.path().join("everwire.db"));
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    let mut bad = Vec::new();
    for text in texts {
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
        let rows =
            sqlx::query(explain).fetch_all(&mut database).await.unwrap_or_else(|e| panic!("{text}: {e}"));
        for row in rows {
            let detail: String = row.try_get("detail").unwrap();
            let scans = detail.strip_prefix("SCAN ").is_some_and(|table| {
                let is_table = !table.starts_with('(')
                    && !table.ends_with("VALUES CLAUSE")
                    && !table.ends_with("CONSTANT ROWS");
                is_table
                    && !MAY_SCAN.iter().any(|(allowed, _)| {
                        table == *allowed
                            || table.strip_prefix(allowed).is_some_and(|rest| rest.starts_with(' '))
                    })
            });
            let by_channel = ["messages", "sends", "marks", "replaced", "channel_runs"].iter().any(|table| {
                detail.starts_with(&format!("SEARCH {table} ")) && detail.ends_with("(channel=?)")
            });
            let of_marks = text.contains("FROM marks");
            let by_channel = by_channel
                && !of_marks
                && !MAY_SEARCH_A_LOG.iter().any(|(allowed, _)| text.contains(allowed));
            if scans || by_channel {
                bad.push(format!("{detail}: {text:.400}"));
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
