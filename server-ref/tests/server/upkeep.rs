//! Upkeep beside senders: with much that is kept and much to remove, nobody who sends waits noticeably longer than without it.
//! `cargo xtask test --long` sets `EVERWIRE_TEST_ROWS` to five million.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use everwire_protocol::Payload;
use everwire_server::{
    model::log::{NewEntry, SendPermission},
    store::{Removed, SENDS_KEPT_MS, Store as _, sqlite::SqliteStore},
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::kit::new_id;

/// How many channels there are.
const CHANNELS: u64 = 500;

/// How many sends are timed in one round.
const SENDS: usize = 40;

/// How many rounds with upkeep, and without.
const ROUNDS: usize = 4;

/// The time of everything that is stored before the test, in ms since 1970.
const OLD: u64 = 1;

fn rows() -> u64 {
    std::env::var("EVERWIRE_TEST_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(500_000)
}

/// Fills a database: each log has `each` entries, and nothing was removed yet.
async fn fill(path: &Path, each: u64) {
    drop(SqliteStore::open(path, each).await.unwrap());
    let options = SqliteConnectOptions::new().filename(path).pragma("synchronous", "OFF");
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    let fill = format!(
        "BEGIN;
         INSERT INTO channels (id, name, epoch, head, trimmed)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {CHANNELS})
             SELECT i, 'c' || i, 'e', {each}, 0 FROM n;
         INSERT INTO messages (channel, offset, id, user, at, data)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {each})
             SELECT channels.id, i, randomblob(16), 'u' || ((i * 7919) % 1000), {OLD}, '{{\"text\":\"hello\"}}'
             FROM channels, n ORDER BY channels.id, i;
         INSERT INTO sends (user, id, channel, offset, at)
             SELECT user, id, channel, offset, at FROM messages ORDER BY user, id;
         COMMIT;"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(fill)).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
}

/// The longest of some sends. With `upkeep`, each waits for a step of it, as in the commit loop.
async fn longest_send(store: &SqliteStore, upkeep: bool, removed: &mut Removed) -> Duration {
    let mut longest = Duration::ZERO;
    for _ in 0..SENDS {
        let entry = NewEntry {
            id: new_id(),
            channel: "c1".parse().unwrap(),
            user: "u1".into(),
            name: None,
            event: None,
            data: Payload::from_value("hello").unwrap(),
            action: None,
            target: None,
            permission: SendPermission::Granted,
        };
        let started = Instant::now();
        if upkeep {
            *removed += store.cleanup(OLD + SENDS_KEPT_MS + 1).await.unwrap();
        }
        store.append(OLD + 1, &[entry]).await.unwrap();
        longest = longest.max(started.elapsed());
    }
    longest
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_27_upkeep_lengthens_no_send_noticeably_whatever_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("everwire.db");
    let each = rows() / CHANNELS;
    fill(&path, each).await;
    let opened = Instant::now();
    // Half of everything is to be removed.
    let store = SqliteStore::open(&path, each / 2).await.unwrap();
    let start = opened.elapsed();
    let (mut removed, mut unused) = (Removed::default(), Removed::default());
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        without.push(longest_send(&store, false, &mut unused).await);
        with.push(longest_send(&store, true, &mut removed).await);
    }
    println!(
        "{} rows: opened in {start:?}; longest sends without upkeep {without:?}, with it {with:?}",
        rows()
    );
    assert!(removed.messages > 1000 && removed.sends > 1000, "there was something to do: {removed:?}");
    assert_eq!(unused, Removed::default());
    // Other programs use the disk too: the best round of each kind shows what the server does.
    let (with, without) = (with.into_iter().min().unwrap(), without.into_iter().min().unwrap());
    assert!(with <= without + Duration::from_millis(100), "{with:?} with upkeep, {without:?} without");
    assert!(start < Duration::from_secs(5), "a start does not read what is kept: {start:?}");
}

#[tokio::test]
async fn upkeep_removes_everything_that_is_due_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("everwire.db");
    let (each, keep) = (200, 50);
    fill(&path, each).await;
    let store = SqliteStore::open(&path, keep).await.unwrap();
    let clean = async |now| {
        let mut all = Removed { more: true, ..Removed::default() };
        while all.more {
            all += store.cleanup(now).await.unwrap();
        }
        (all.messages, all.sends)
    };
    let gone = CHANNELS * (each - keep);
    assert_eq!(clean(OLD + SENDS_KEPT_MS).await, (gone, 0), "ids outlive their messages");
    assert_eq!(clean(OLD + SENDS_KEPT_MS + 1).await, (0, gone), "and are not kept for ever");
    assert_eq!(
        clean(u64::MAX / 4).await,
        (0, 0),
        "the id of a message that is still there is never forgotten"
    );
    let log = store.log(&"c7".parse().unwrap()).await.unwrap();
    assert_eq!((log.head, log.trimmed), (each, each - keep));
}
