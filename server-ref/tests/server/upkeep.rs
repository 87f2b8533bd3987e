//! Upkeep beside senders: a step of it costs the same however much is kept, so nobody who sends waits noticeably longer than
//! without it. `cargo xtask test --long` sets `EVERWIRE_TEST_ROWS` to five million; then the wait itself has a bound too.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use everwire_protocol::Payload;
use everwire_server::{
    model::log::{NewEntry, SendPermission},
    store::{
        Removed, SENDS_KEPT_MS, Store as _,
        erasure::{ErasureStore as _, Place},
        sqlite::SqliteStore,
    },
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::kit::new_id;

/// How many channels there are.
pub const CHANNELS: u64 = 500;

/// How many sends are timed in one round.
const SENDS: usize = 40;

/// How many rounds with upkeep, and without.
const ROUNDS: usize = 4;

/// Maximum rows of each kind that one step removes.
const STEP: u64 = 200;

/// From here on the longest send is compared with one without upkeep.
const MANY: u64 = 5_000_000;

/// The time of everything that is stored before the test, in ms since 1970.
const OLD: u64 = 1;

fn rows() -> u64 {
    std::env::var("EVERWIRE_TEST_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(500_000)
}

/// Fills a database: each log has `each` entries, and nothing was removed yet.
pub async fn fill(path: &Path, each: u64) {
    drop(SqliteStore::open(path, each).await.unwrap());
    // All of it fits into memory: otherwise each page would be written many times.
    let options = SqliteConnectOptions::new()
        .filename(path)
        .pragma("synchronous", "OFF")
        .pragma("cache_size", "-2000000");
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

/// How long some sends took. With `upkeep`, each waits for a step of it, as in the commit loop.
async fn sends(store: &SqliteStore, upkeep: bool, removed: &mut Removed) -> Vec<Duration> {
    let mut took = Vec::new();
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
            let step = store.cleanup(OLD + SENDS_KEPT_MS + 1).await.unwrap();
            assert!(step.messages <= STEP && step.sends <= STEP, "one step is small: {step:?}");
            *removed += step;
        }
        store.append(OLD + 1, &[entry]).await.unwrap();
        took.push(started.elapsed());
    }
    took
}

/// Sends with upkeep and without it, in turn.
struct Measured {
    /// How long the store took to open.
    start: Duration,
    with: Vec<Vec<Duration>>,
    without: Vec<Vec<Duration>>,
}

impl Measured {
    /// Half of what is kept is to be removed.
    async fn of(rows: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("everwire.db");
        let each = rows / CHANNELS;
        fill(&path, each).await;
        let opened = Instant::now();
        let store = SqliteStore::open(&path, each / 2).await.unwrap();
        let start = opened.elapsed();
        let (mut removed, mut unused) = (Removed::default(), Removed::default());
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            without.push(sends(&store, false, &mut unused).await);
            with.push(sends(&store, true, &mut removed).await);
        }
        assert!(removed.messages > 1000 && removed.sends > 1000, "there was something to do: {removed:?}");
        assert_eq!(unused, Removed::default());
        let measured = Self { start, with, without };
        let (median, with, without) =
            (measured.median(), longest(&measured.with), longest(&measured.without));
        println!(
            "{rows} rows: opened in {start:?}; a send with a step of upkeep {median:?} (median); longest with it {with:?}, without it {without:?}"
        );
        measured
    }

    /// What a send with a step of upkeep usually takes.
    fn median(&self) -> Duration {
        let mut all: Vec<_> = self.with.iter().flatten().copied().collect();
        all.sort_unstable();
        all[all.len() / 2]
    }
}

/// The longest send of the best round: other programs use the disk too.
fn longest(rounds: &[Vec<Duration>]) -> Duration {
    rounds.iter().filter_map(|round| round.iter().max()).min().copied().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_27_upkeep_lengthens_no_send_noticeably_whatever_is_kept() {
    let few = Measured::of(rows() / 10).await;
    let many = Measured::of(rows()).await;
    let ratio = many.median().as_secs_f64() / few.median().as_secs_f64();
    assert!(ratio < 5.0, "ten times as many rows cost {ratio:.1} times as much");
    if rows() >= MANY {
        let (with, without) = (longest(&many.with), longest(&many.without));
        assert!(with <= without + Duration::from_millis(100), "{with:?} with upkeep, {without:?} without");
        assert!(many.start < Duration::from_secs(5), "a start does not read what is kept: {:?}", many.start);
    }
}

/// What one step of the erasure of a user took, each.
async fn erasure(rows: u64) -> Vec<Duration> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("everwire.db");
    let each = rows / CHANNELS;
    fill(&path, each).await;
    let store = SqliteStore::open(&path, each).await.unwrap();
    // A fifth of everything is of one user.
    store.close().await.unwrap();
    drop(store);
    let mut database = SqliteConnection::connect_with(
        &SqliteConnectOptions::new()
            .filename(&path)
            .pragma("synchronous", "OFF")
            .pragma("cache_size", "-2000000"),
    )
    .await
    .unwrap();
    for table in ["messages", "sends"] {
        let sql = format!("UPDATE {table} SET user = 'erased' WHERE offset % 5 = 0");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut database).await.unwrap();
    }
    database.close().await.unwrap();
    let store = SqliteStore::open(&path, each).await.unwrap();
    let (mut from, mut blanked, mut took) = (Some(Place::default()), 0, Vec::new());
    while let Some(place) = from {
        let started = Instant::now();
        let step = store.erase_some(OLD + 1, "erased", place, &|_, _| None).await.unwrap();
        took.push(started.elapsed());
        blanked += step.blanked.values().map(Vec::len).sum::<usize>() as u64;
        from = step.next;
    }
    assert_eq!(blanked, CHANNELS * (each / 5), "everything of the user, and nothing else");
    let (all, longest) = (took.iter().sum::<Duration>(), took.iter().max().copied().unwrap());
    // Between two steps the server leaves the disk to others for ten times as long, and 20 ms.
    let served = all * 11 + Duration::from_millis(20) * u32::try_from(took.len()).unwrap();
    took.sort_unstable();
    println!(
        "{rows} rows, {blanked} of them erased: {} steps, {all:?} of work; median {:?}, longest {longest:?}; in a server about {served:?}",
        took.len(),
        took[took.len() / 2]
    );
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_of_an_erasure_costs_the_same_whatever_is_kept() {
    // The test command does not wait for the largest.
    let rows = if rows() >= MANY { rows() } else { rows() / 5 };
    let (few, many) = (erasure(rows / 10).await, erasure(rows).await);
    let ratio = many[many.len() / 2].as_secs_f64() / few[few.len() / 2].as_secs_f64();
    assert!(ratio < 5.0, "with ten times as many rows a step takes {ratio:.1} times as long");
}

#[tokio::test]
async fn upkeep_removes_everything_that_is_due_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("everwire.db");
    let (each, keep) = (40, 10);
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
