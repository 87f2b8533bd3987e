//! The SQLite store on a real file: what it keeps, and what it does when it cannot write.

use super::*;
use crate::store::memory::Logs;
use crate::store::{SENDS_KEPT_MS, SESSION_KEPT_MS};
use crate::{
    model::{
        log::SendPermission,
        people::{PresenceRecord, UserRecord},
    },
    store::people::UserStore,
};

fn entry(n: u128, name: &str, user: &str) -> NewEntry {
    NewEntry {
        id: Uuid::from_u128(n),
        channel: name.parse().unwrap(),
        user: user.into(),
        name: Some("Ada".into()),
        event: n.is_multiple_of(2).then(|| "even".into()),
        data: Payload::from_value(&n.to_string()).unwrap(),
        action: None,
        target: None,
        permission: SendPermission::Granted,
    }
}

fn act(n: u128, user: &str, action: Action, target: u128) -> NewEntry {
    let (action, target) = (Some(action), Some(Uuid::from_u128(target)));
    NewEntry { event: None, action, target, ..entry(n, "news", user) }
}

async fn open(directory: &tempfile::TempDir, retention: u64) -> SqliteStore {
    SqliteStore::open(&directory.path().join("everwire.db"), retention).await.unwrap()
}

const BOUNDS: PageBounds = PageBounds { entries: 1000, bytes: 1_000_000 };

/// Makes the store's writing connection do something.
async fn pragma(store: &SqliteStore, text: &'static str) {
    let mut writer = store.writer.lock().await;
    sqlx::raw_sql(text).execute(writer.as_mut().unwrap()).await.unwrap();
}

#[tokio::test]
async fn it_keeps_what_a_store_in_memory_keeps() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory, 1000).await;
    let mut logs = Logs::of_epoch(store.epoch.clone(), 1000);
    let news: Channel = "news".parse().unwrap();
    for group in [
        vec![entry(1, "news", "a"), entry(2, "news", "a"), entry(1, "news", "a"), entry(1, "news", "b")],
        vec![entry(1, "news", "a"), entry(1, "sport", "a"), entry(3, "sport", "a")],
        vec![entry(2, "news", "b"), entry(2, "sport", "b"), entry(2, "sport", "c")],
        (10..600).map(|n| entry(n, "news", "c")).collect(),
        vec![entry(600, "news", "d"), act(700, "c", Action::Edit, 500), act(701, "c", Action::Edit, 500)],
        vec![
            act(702, "c", Action::Delete, 501),
            act(703, "c", Action::Edit, 501),
            act(704, "c", Action::Delete, 501),
            act(705, "a", Action::Edit, 502),
            act(706, "a", Action::Delete, 502),
            act(707, "a", Action::Reply, 502),
            act(708, "c", Action::Reply, 9_999),
            act(709, "c", Action::Edit, 702),
            NewEntry { permission: SendPermission::Owner, ..act(710, "a", Action::Delete, 503) },
            act(711, "c", Action::Delete, 500),
        ],
    ] {
        assert_eq!(store.append(7, &group).await.unwrap(), logs.append(7, &group).0);
    }
    assert_eq!(store.log(&news).await.unwrap(), logs.log(&news));
    for (after, bounds) in
        [(0, BOUNDS), (590, BOUNDS), (99, PageBounds { entries: 3, bytes: 1 }), (9999, BOUNDS)]
    {
        assert_eq!(store.page(&news, after, bounds).await.unwrap(), logs.page(&news, after, bounds));
    }
    drop(store);
    let store = open(&directory, 1000).await;
    assert_eq!(store.log(&news).await.unwrap(), logs.log(&news), "and after it was opened again");
    assert_eq!(store.page(&news, 0, BOUNDS).await.unwrap(), logs.page(&news, 0, BOUNDS));
    let empty: Channel = "empty".parse().unwrap();
    assert_eq!(store.log(&empty).await.unwrap(), logs.log(&empty));
}

#[tokio::test]
async fn a_resend_of_a_trimmed_message_gets_the_same_ack() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory, 5).await;
    let first = store.append(1, &[entry(1, "news", "a")]).await.unwrap();
    for n in 2..30 {
        store.append(2, &[entry(n, "news", "a")]).await.unwrap();
    }
    let news = "news".parse().unwrap();
    assert_eq!(store.log(&news).await.unwrap().trimmed, 24);
    assert_eq!(store.page(&news, 0, BOUNDS).await.unwrap().entries[0].offset, 25);
    let Outcome::Stored(place) = first[0].clone() else { panic!("{first:?}") };
    assert_eq!(store.append(3, &[entry(1, "news", "a")]).await.unwrap(), [Outcome::Copy(place)]);
    store.cleanup(SENDS_KEPT_MS).await.unwrap();
    assert!(matches!(store.append(4, &[entry(1, "news", "a")]).await.unwrap()[0], Outcome::Copy(_)));
    store.cleanup(SENDS_KEPT_MS + 10).await.unwrap();
    assert!(matches!(store.append(5, &[entry(1, "news", "a")]).await.unwrap()[0], Outcome::Stored(_)));
    // One that is still in the log is known for as long as it is.
    assert!(matches!(store.append(6, &[entry(29, "news", "a")]).await.unwrap()[0], Outcome::Copy(_)));
}

#[tokio::test]
async fn a_full_disk_is_unavailable_loses_nothing_and_recovers() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory, 1_000_000).await;
    store.append(1, &[entry(1, "news", "a")]).await.unwrap();
    // SQLite refuses to make the file larger, with the same error as when the disk is full.
    pragma(&store, "PRAGMA max_page_count = 1").await;
    let mut stored = 1;
    let error = loop {
        let group: Vec<_> = (0..100).map(|n| entry(1000 * stored + n, "news", "a")).collect();
        match store.append(2, &group).await {
            Ok(_) => stored += 100,
            Err(error) => break error,
        }
    };
    assert!(matches!(&error, Error::Unavailable(reason) if reason.contains("full")), "{error}");
    let news = "news".parse().unwrap();
    assert_eq!(u128::from(store.log(&news).await.unwrap().head), stored);
    pragma(&store, "PRAGMA max_page_count = 1000000").await;
    let place = store.append(3, &[entry(2, "news", "a")]).await.unwrap();
    assert!(matches!(&place[0], Outcome::Stored(place) if u128::from(place.offset) == stored + 1));
    store.probe().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_write_ahead_log_stays_short_while_messages_are_stored_without_a_pause() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("everwire.db");
    let store = SqliteStore::open_with(&path, 1_000_000, 64).await.unwrap();
    let news = "news".parse().unwrap();
    let (mut stored, mut n) = (0, 0);
    let text = "x".repeat(8_000);
    // If nobody cut it, the log would always have more bytes than what was stored.
    let stays_short = async {
        loop {
            let group: Vec<_> = (0..4)
                .map(|place| NewEntry {
                    data: Payload::from_value(&text).unwrap(),
                    ..entry(4 * n + place + 1, "news", "a")
                })
                .collect();
            store.append(1, &group).await.unwrap();
            // A reader, as there always is one: a checkpoint waits for nobody.
            store.page(&news, u64::try_from(n).unwrap(), BOUNDS).await.unwrap();
            n += 1;
            stored += 4 * text.len() as u64;
            let log = std::fs::metadata(directory.path().join("everwire.db-wal")).unwrap().len();
            if stored > 6_000_000 && stored > 4 * log {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), stays_short).await.expect("the log grows without bound");
}

#[tokio::test]
async fn what_is_over_is_removed_in_small_steps_too() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory, 100).await;
    pragma(
        &store,
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
         INSERT INTO bans (user, since, until) SELECT 'u' || i, 1, CASE WHEN i <= 1100 THEN 2 END FROM n;
         INSERT INTO revocations (token, what, at, until)
             SELECT 0, user, 1, ifnull(until, 1000000000000) FROM bans;
         INSERT INTO replaced (channel, offset, at, data) SELECT 1, 1, ifnull(until, 1000000000000), 'text' FROM bans",
    )
    .await;
    let left = async || {
        let select = "SELECT (SELECT count(*) FROM bans), (SELECT count(*) FROM revocations), (SELECT count(*) FROM replaced)";
        let (bans, revocations, replaced): (i64, i64, i64) =
            sqlx::query_as(select).fetch_one(&store.readers).await.unwrap();
        [bans, revocations, replaced]
    };
    let step = i64::try_from(cleanup::STEP).unwrap();
    for rows in [1200 - step, 1200 - 2 * step] {
        assert!(store.cleanup(3).await.unwrap().more);
        assert_eq!(left().await, [rows; 3]);
    }
    while store.cleanup(3).await.unwrap().more {}
    assert_eq!(left().await, [100; 3], "what is not over stays");
}

#[tokio::test]
async fn a_read_only_database_is_unavailable_still_reads_and_recovers() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory, 1000).await;
    store.append(1, &[entry(1, "news", "a")]).await.unwrap();
    pragma(&store, "PRAGMA query_only = 1").await;
    assert!(matches!(store.append(2, &[entry(2, "news", "a")]).await, Err(Error::Unavailable(_))));
    assert!(store.probe().await.is_err());
    assert_eq!(store.page(&"news".parse().unwrap(), 0, BOUNDS).await.unwrap().entries.len(), 1);
    pragma(&store, "PRAGMA query_only = 0").await;
    assert!(matches!(&store.append(3, &[entry(2, "news", "a")]).await.unwrap()[0],
        Outcome::Stored(place) if place.offset == 2));
}

#[tokio::test]
async fn a_session_stays_bound_to_its_first_user_until_it_is_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory, 1000).await;
    let session = Uuid::from_u128(1);
    store.bind_sessions(1, &[(session, "a".into())]).await.unwrap();
    store.bind_sessions(2, &[(session, "b".into())]).await.unwrap();
    assert_eq!(store.bound_user(session).await.unwrap().as_deref(), Some("a"));
    store.cleanup(SESSION_KEPT_MS + 3).await.unwrap();
    assert_eq!(store.bound_user(session).await.unwrap(), None);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory, 1000).await;
    pragma(
        &store,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (999, 'later', TRUE, x'00', 0)",
    )
    .await;
    drop(store);
    let error = SqliteStore::open(&directory.path().join("everwire.db"), 1000).await.unwrap_err();
    assert!(error.to_string().contains("newer version"), "{error}");
}

fn at(channel: &str, user: &str, here: bool) -> PresenceRecord {
    PresenceRecord { channel: channel.parse().unwrap(), user: user.into(), name: Some("N".into()), here }
}

#[tokio::test]
async fn who_is_present_is_kept_and_whoever_is_not_online_is_cleaned_up() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory, 1000).await;
    let person = |user: String, online| UserRecord {
        user,
        name: None,
        choice: everwire_protocol::StatusChoice::Auto,
        seen_at: None,
        online,
    };
    let users = |online| ["a", "b"].map(|user| person(user.into(), online));
    UserStore::save_users(&store, &users(true)).await.unwrap();
    let (hall, room) = ("presence-hall", "presence-room");
    store.save_presence(&[at(hall, "a", true), at(hall, "b", true), at(room, "a", true)]).await.unwrap();
    store.save_presence(&[at(hall, "a", false), at(hall, "b", true), at(room, "x", false)]).await.unwrap();
    drop(store);
    let store = open(&directory, 1000).await;
    let kept = [at(hall, "b", true), at(room, "a", true)];
    assert_eq!(store.presence().await.unwrap(), kept);
    store.cleanup(1).await.unwrap();
    assert_eq!(store.presence().await.unwrap(), kept);
    // More than one step removes, as an error may have left them behind.
    let ghosts: Vec<_> = (0..600).map(|n| at(hall, &format!("ghost-{n}"), true)).collect();
    store.save_presence(&ghosts).await.unwrap();
    UserStore::save_users(&store, &[person("b".into(), false)]).await.unwrap();
    assert_eq!(store.presence().await.unwrap().len(), 602);
    while store.cleanup(1).await.unwrap().more {}
    assert_eq!(store.presence().await.unwrap(), [at(room, "a", true)]);
    store.replace_presence(&[at(hall, "c", true)]).await.unwrap();
    assert_eq!(store.presence().await.unwrap(), [at(hall, "c", true)]);
}

#[tokio::test]
async fn what_is_written_lightly_changes_nothing_for_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory, 1000).await;
    let synchronous = async || -> i64 {
        let mut writer = store.writer.lock().await;
        sqlx::query_scalar("PRAGMA synchronous").fetch_one(writer.as_mut().unwrap()).await.unwrap()
    };
    let seen = async |writer: &mut SqliteConnection| {
        sqlx::query_scalar::<_, i64>("PRAGMA synchronous").fetch_one(writer).await
    };
    assert_eq!(store.write_lightly(seen).await.unwrap(), 1, "NORMAL");
    assert_eq!(synchronous().await, 2, "FULL");
    let failing = async |writer: &mut SqliteConnection| {
        sqlx::raw_sql("INSERT INTO nowhere VALUES (1)").execute(writer).await.map(drop)
    };
    store.write_lightly(failing).await.unwrap_err();
    // It cannot be changed back inside of a transaction, so the connection of the failed one is not used again.
    assert_eq!(store.write(seen).await.unwrap(), 2, "FULL also after a failure");
}

/// Prints how long groups of sends take with page caches of several sizes, and with the file mapped into memory.
#[tokio::test]
#[ignore = "a measurement that takes minutes; its command and result are in docs/benchmarks.md"]
async fn page_caches_and_mapped_files_are_measured() {
    let rows: u64 = std::env::var("EVERWIRE_TEST_ROWS").map_or(500_000, |rows| rows.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory, u64::MAX).await;
    let fill = format!(
        "PRAGMA synchronous = OFF; PRAGMA cache_size = -2000000; BEGIN;
         INSERT INTO channels (id, name, epoch, head, trimmed) VALUES (1, 'old', 'e', {rows}, 0);
         INSERT INTO messages (channel, offset, id, user, at, data)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
             SELECT 1, i, randomblob(16), 'u' || ((i * 7919) % 1000), 1, '\"a message of the usual length\"' FROM n;
         INSERT INTO sends (user, id, channel, offset, at)
             SELECT user, id, channel, offset, at FROM messages ORDER BY user, id;
         COMMIT; PRAGMA synchronous = FULL;"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(fill))
        .execute(store.writer.lock().await.as_mut().unwrap())
        .await
        .unwrap();
    // The order of a second round is the reverse, because the file grows and the system's own cache fills.
    let settings = [(2, 0), (16, 0), (64, 0), (256, 0), (2, 2048), (64, 2048)];
    for (cache, mapped) in settings.iter().chain(settings.iter().rev()) {
        let set = format!(
            "PRAGMA shrink_memory; PRAGMA cache_size = -{}; PRAGMA mmap_size = {}",
            cache << 10,
            mapped << 20
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(set))
            .execute(store.writer.lock().await.as_mut().unwrap())
            .await
            .unwrap();
        let mut took = Vec::new();
        for group in 0..250 {
            let entries: Vec<_> = (0..32)
                .map(|n| NewEntry {
                    id: Uuid::new_v4(),
                    ..entry(n, "news", &format!("u{}", (n * 31 + group) % 1000))
                })
                .collect();
            let started = std::time::Instant::now();
            store.append(2, &entries).await.unwrap();
            took.push(started.elapsed());
        }
        // The first ones fill the cache.
        let mut warm = took.split_off(50);
        warm.sort_unstable();
        let (median, late) = (warm[warm.len() / 2], warm[warm.len() * 95 / 100]);
        println!(
            "{rows} rows, cache {cache} MiB, mapped {mapped} MiB: 32 sends in {median:.1?} (median), {late:.1?} (p95)"
        );
    }
}
