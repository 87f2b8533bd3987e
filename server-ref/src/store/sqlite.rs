//! The embedded store: SQLite in WAL mode with `synchronous=FULL`, so that committed data is on disk.
//!
//! One connection writes, several read, and one makes checkpoints. The heads of channels that were written to are cached: a
//! lock keeps other servers away from the database, so nobody else writes.

mod append;
pub mod backup;
mod bans;
mod chats;
mod checkpoints;
mod cleanup;
mod emptying;
mod erasure;
mod file_lock;
mod health;
mod migrations;
mod people;
#[cfg(test)]
mod plans;
mod presence;
mod rewriting;
mod runs;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use everwire_protocol::{Action, Channel, Deleted, Message, Payload, Uuid};
use futures_util::TryStreamExt;
use parking_lot::{Mutex as SyncMutex, RwLock};
use sqlx::{
    Connection, QueryBuilder, Row, Sqlite, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};
use tokio::sync::Mutex;

use append::Append;
use checkpoints::Checkpoints;
use cleanup::Passes;
use file_lock::FileLock;
use health::Writes;

use super::{Answer, Removed, Store, StoreHealth};
use crate::{
    Error,
    model::log::{Entry, Log, NewEntry, Outcome, Page, PageBounds},
};

/// Reading connections. A page takes well below a millisecond, so few connections serve many clients.
const READERS: u32 = 4;

/// Rows per statement: enough to amortise its cost, below SQLite's 32,766 parameters.
const ROWS: usize = 256;

/// Maximum number of cached heads. Beyond it the cache is cleared, so that memory stays bounded.
const KNOWN: usize = 100_000;

/// Maximum entries that one append removes from a channel: as many as one can add, so that it keeps up, and no sender waits long.
const TRIM: u64 = 512;

/// The page cache of the writing connection, in KiB. More was not faster, with a file far larger than it, nor was a mapped file
/// (docs/benchmarks.md): what a group of sends changes has to fit, because ids of sends are spread over all pages.
const WRITER_CACHE: &str = "-16384";

/// The size of a page.
const PAGE: i64 = 4096;

/// How long another process may lock the database before it counts as unavailable.
const BUSY: Duration = Duration::from_secs(5);

/// The embedded store. See the documentation of the module.
#[derive(Debug)]
pub struct SqliteStore {
    options: SqliteConnectOptions,
    retention: u64,
    /// How long replaced and deleted data is kept, in ms; 0: not at all.
    edit_retention_ms: u64,
    /// The epoch of new logs.
    epoch: Arc<str>,
    run: runs::Run,
    /// `None` after a failure that may have broken the connection; it is reopened when needed.
    writer: Mutex<Option<SqliteConnection>>,
    closed: AtomicBool,
    readers: SqlitePool,
    known: RwLock<HashMap<Channel, ChannelHead>>,
    /// Whether there are hashes in place of erased users.
    has_hashes: AtomicBool,
    passes: SyncMutex<Passes>,
    checkpoints: Checkpoints,
    writes: Writes,
    /// Held for as long as the store lives; released after the connections were told to close.
    lock: FileLock,
}

#[derive(Debug, Clone)]
struct ChannelHead {
    id: i64,
    log: Log,
    /// Whether an entry was stored in the current run.
    has_run: bool,
}

impl SqliteStore {
    /// Opens or creates a database. Each channel keeps at least its last `retention` entries.
    ///
    /// # Errors
    /// [`Error::Database`] if it cannot be opened, written, or is in use by another server.
    pub async fn open(path: &Path, retention: u64) -> Result<Self, Error> {
        Self::open_with(path, retention, checkpoints::LONGEST).await
    }

    /// The same, with the length of the write-ahead log beyond which the writer finishes a checkpoint, in pages.
    async fn open_with(path: &Path, retention: u64, longest_log: i64) -> Result<Self, Error> {
        let fail = |reason: String| Error::Database { path: path.into(), reason };
        // Before the lock makes a file where there is none, and with it, when nobody else can begin.
        backup::check_replaced(path).map_err(fail)?;
        let lock = FileLock::take(path).map_err(fail)?;
        backup::check_replaced(path).map_err(fail)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            // What is deleted is overwritten, not only unlinked: text that users have deleted must not stay in the file.
            .pragma("secure_delete", "ON")
            // Checkpoints have their own connection.
            .pragma("wal_autocheckpoint", "0")
            // SQLite runs in a thread of its own. By default it blocks after 50 rows that have not been consumed, and a page
            // then costs some hundred context switches.
            .row_buffer_size(ROWS);
        let reading = options.clone().pragma("query_only", "1");
        let checkpointing = options.clone();
        // A backup or another long read lets the log grow: the file becomes small again when the log begins anew.
        let kept = (longest_log * PAGE).to_string();
        let options = options.pragma("cache_size", WRITER_CACHE).pragma("journal_size_limit", kept);
        let mut writer = SqliteConnection::connect_with(&options).await.map_err(|e| fail(sentence(&e)))?;
        migrations::migrate(&mut writer).await.map_err(fail)?;
        let (run, epoch) = runs::begin(&mut writer).await.map_err(|e| fail(sentence(&e)))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(reading)
            .await
            .map_err(|e| fail(sentence(&e)))?;
        let passes = Passes::begin(&mut writer, retention).await.map_err(|e| fail(sentence(&e)))?;
        let has_hashes = append::has_hashes(&mut writer).await.map_err(|e| fail(sentence(&e)))?;
        let checkpoints = Checkpoints::start(checkpointing, longest_log);
        let outcomes = Writes::default();
        outcomes.ended(None);
        let (writer, known, passes) = (Mutex::new(Some(writer)), RwLock::default(), SyncMutex::new(passes));
        Ok(Self {
            options,
            retention,
            edit_retention_ms: 0,
            epoch,
            run,
            writer,
            closed: AtomicBool::new(false),
            readers,
            known,
            has_hashes: AtomicBool::new(has_hashes),
            passes,
            checkpoints,
            writes: outcomes,
            lock,
        })
    }

    /// The same, but what edits and deletions replace is kept in the file for this many ms.
    #[must_use]
    pub fn with_edit_retention(self, edit_retention_ms: u64) -> Self {
        Self { edit_retention_ms, ..self }
    }

    fn known(&self, channel: &Channel) -> Option<ChannelHead> {
        self.known.read().get(channel).cloned()
    }

    fn remember(&self, changed: HashMap<Channel, ChannelHead>) {
        let mut known = self.known.write();
        if known.len() > KNOWN {
            known.clear();
        }
        known.extend(changed);
    }

    /// Runs a transaction on the writing connection: everything is on disk afterwards, or nothing.
    async fn write<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, Error> {
        self.write_as(work, false).await
    }

    /// The same without waiting for the disk: it survives a crash of the process, but possibly not of the machine. For data
    /// that may be lost, because it is faster and does not delay others.
    async fn write_lightly<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, Error> {
        self.write_as(work, true).await
    }

    async fn write_as<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
        lightly: bool,
    ) -> Result<T, Error> {
        let mut slot = self.writer.lock().await;
        self.writes.began();
        let done = self.write_to(&mut slot, work, lightly).await;
        self.writes.ended(done.as_ref().err().map(ToString::to_string));
        if done.is_err() {
            // It may have happened all the same: what is in the file counts, and not what was read from it before.
            self.known.write().clear();
        }
        self.checkpoints.committed();
        done
    }

    async fn write_to<T>(
        &self,
        slot: &mut Option<SqliteConnection>,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
        lightly: bool,
    ) -> Result<T, Error> {
        // Taken out while in use: if this is cancelled, the connection is closed and thereby rolled back.
        let mut writer = match slot.take() {
            Some(writer) => writer,
            None if self.closed.load(Ordering::Relaxed) => {
                return Err(Error::Unavailable("the database is closed".into()));
            }
            None if !self.lock.is_in_place() => {
                // What is there now may be another database, with another history.
                return Err(Error::Unavailable("the database file was moved or replaced".into()));
            }
            None => SqliteConnection::connect_with(&self.options).await.map_err(unavailable)?,
        };
        self.checkpoints.before_writing(&mut writer).await;
        if lightly {
            sqlx::raw_sql("PRAGMA synchronous = NORMAL").execute(&mut writer).await.map_err(unavailable)?;
        }
        let done = transaction(&mut writer, work).await;
        if lightly && sqlx::raw_sql("PRAGMA synchronous = FULL").execute(&mut writer).await.is_err() {
            // Reconnect instead of keeping a connection that does not wait for the disk.
            return done.map_err(unavailable);
        }
        if done.is_ok() || sqlx::raw_sql("ROLLBACK").execute(&mut writer).await.is_ok() {
            *slot = Some(writer);
        } else if no_transaction(&mut writer).await {
            // SQLite has already rolled back, as it does when the disk is full.
            *slot = Some(writer);
        }
        done.map_err(unavailable)
    }
}

async fn transaction<T>(
    writer: &mut SqliteConnection,
    work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
) -> Result<T, sqlx::Error> {
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *writer).await?;
    let done = work(&mut *writer).await?;
    sqlx::raw_sql("COMMIT").execute(&mut *writer).await?;
    Ok(done)
}

async fn no_transaction(writer: &mut SqliteConnection) -> bool {
    let begun = sqlx::raw_sql("BEGIN").execute(&mut *writer).await.is_ok();
    begun && sqlx::raw_sql("ROLLBACK").execute(writer).await.is_ok()
}

impl Store for SqliteStore {
    fn append<'a>(&'a self, at: u64, entries: &'a [NewEntry]) -> Answer<'a, Vec<Outcome>> {
        Box::pin(async move {
            let append = Append::new(self, at, entries);
            let (outcomes, changed) = self.write(async |writer| append.run(writer).await).await?;
            self.remember(changed);
            if self.edit_retention_ms == 0 && outcomes.iter().any(|one| matches!(one, Outcome::Rewrote(..))) {
                self.checkpoints.purge();
            }
            Ok(outcomes)
        })
    }

    fn log<'a>(&'a self, channel: &'a Channel) -> Answer<'a, Log> {
        Box::pin(async move {
            if let Some(known) = self.known(channel) {
                return Ok(known.log);
            }
            let [name, erased] = self.names(channel);
            let row = sqlx::query("SELECT id, epoch, head, trimmed FROM channels WHERE name IN (?, ?)")
                .bind(name)
                .bind(erased)
                .fetch_optional(&self.readers)
                .await
                .map_err(unavailable)?;
            row.map_or_else(|| Ok(empty(&self.epoch)), |row| log_of(&row)).map_err(unavailable)
        })
    }

    fn page<'a>(&'a self, channel: &'a Channel, after: u64, bounds: PageBounds) -> Answer<'a, Page> {
        Box::pin(async move {
            let mut rows = sqlx::query(
                "SELECT epoch, head, trimmed, offset, messages.id, user, messages.name, at, event, data, action, target,
                 deleted_by, deleted_at
                 FROM channels LEFT JOIN messages ON channel = channels.id AND offset > max(?, trimmed)
                 WHERE channels.name = ? ORDER BY offset LIMIT ?",
            )
            .bind(signed(after))
            .bind(channel.as_str())
            .bind(bounds.entries)
            .fetch(&self.readers);
            let mut page = Page { log: empty(&self.epoch), entries: Vec::new() };
            let mut bytes = 0;
            while let Some(row) = rows.try_next().await.map_err(unavailable)? {
                page.log = log_of(&row).map_err(unavailable)?;
                let Some(message) = message_of(channel, &row).map_err(unavailable)? else { break };
                let entry = Entry::encode(message, page.log.epoch.clone());
                bytes += entry.text.len();
                if bytes > bounds.bytes && !page.entries.is_empty() {
                    break;
                }
                page.entries.push(entry);
            }
            if page.log.head == 0 {
                // There may be something under another name: the own channel of a user who was erased.
                page.log = self.log(channel).await?;
            }
            Ok(page)
        })
    }

    fn run(&self) -> Arc<str> {
        self.run.tag.clone()
    }

    fn has_seen<'a>(&'a self, channel: &'a Channel, offset: u64, run: &'a str) -> Answer<'a, bool> {
        Box::pin(async move {
            runs::has_seen(&self.readers, &self.names(channel), offset, run).await.map_err(unavailable)
        })
    }

    fn bound_user(&self, session: Uuid) -> Answer<'_, Option<String>> {
        Box::pin(async move {
            sqlx::query_scalar("SELECT user FROM sessions WHERE session = ?")
                .bind(session.as_bytes().as_slice())
                .fetch_optional(&self.readers)
                .await
                .map_err(unavailable)
        })
    }

    fn bind_sessions<'a>(&'a self, at: u64, sessions: &'a [(Uuid, Arc<str>)]) -> Answer<'a, ()> {
        Box::pin(self.write(async move |writer| {
            for chunk in sessions.chunks(ROWS) {
                let mut insert =
                    QueryBuilder::<Sqlite>::new("INSERT INTO sessions (session, user, seen_at) ");
                insert.push_values(chunk, |mut row, (session, user)| {
                    row.push_bind(session.as_bytes().as_slice()).push_bind(&**user).push_bind(signed(at));
                });
                insert.push(" ON CONFLICT DO UPDATE SET seen_at = excluded.seen_at");
                insert.build().persistent(false).execute(&mut *writer).await?;
            }
            Ok(())
        }))
    }

    fn cleanup(&self, now: u64) -> Answer<'_, Removed> {
        Box::pin(self.remove_old(now))
    }

    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.closed.store(true, Ordering::Relaxed);
            self.checkpoints.stop().await;
            self.readers.close().await;
            // The last connection to be closed moves the write-ahead log into the file, and removes it.
            match self.writer.lock().await.take() {
                Some(writer) => writer.close().await.map_err(unavailable),
                None => Ok(()),
            }
        })
    }

    fn health(&self) -> StoreHealth {
        self.writes.health(&self.lock, self.options.get_filename())
    }

    fn probe(&self) -> Answer<'_, ()> {
        Box::pin(self.write(async move |writer| {
            sqlx::query("UPDATE runs SET tag = tag WHERE run = ?")
                .bind(self.run.number)
                .execute(writer)
                .await
                .map(drop)
        }))
    }
}

fn empty(epoch: &Arc<str>) -> Log {
    Log { epoch: epoch.clone(), head: 0, trimmed: 0 }
}

fn log_of(row: &SqliteRow) -> Result<Log, sqlx::Error> {
    let epoch: String = row.try_get("epoch")?;
    Ok(Log { epoch: epoch.into(), head: unsigned(row, "head")?, trimmed: unsigned(row, "trimmed")? })
}

/// The message in a row of a page; `None` if the page is empty.
fn message_of(channel: &Channel, row: &SqliteRow) -> Result<Option<Message>, sqlx::Error> {
    if row.try_get::<Option<i64>, _>("offset")?.is_none() {
        return Ok(None);
    }
    let decode = |error: Box<dyn std::error::Error + Send + Sync>| sqlx::Error::Decode(error);
    Ok(Some(Message {
        channel: channel.clone(),
        offset: unsigned(row, "offset")?,
        id: Uuid::from_slice(row.try_get("id")?).map_err(|error| decode(error.into()))?,
        user: row.try_get("user")?,
        name: row.try_get("name")?,
        at: unsigned(row, "at")?,
        event: row.try_get("event")?,
        data: Payload::from_text(row.try_get("data")?).map_err(|error| decode(error.into()))?,
        action: row.try_get::<Option<&str>, _>("action")?.and_then(action_of),
        target: match row.try_get::<Option<&[u8]>, _>("target")? {
            Some(id) => Some(Uuid::from_slice(id).map_err(|error| decode(error.into()))?),
            None => None,
        },
        deleted: match row.try_get::<Option<String>, _>("deleted_by")? {
            Some(user) => Some(Deleted { user, at: unsigned(row, "deleted_at")? }),
            None => None,
        },
    }))
}

const fn action_text(action: Action) -> &'static str {
    match action {
        Action::Reply => "reply",
        Action::Edit => "edit",
        Action::Delete => "delete",
    }
}

fn action_of(text: &str) -> Option<Action> {
    [Action::Reply, Action::Edit, Action::Delete].into_iter().find(|action| action_text(*action) == text)
}

/// SQLite's integers are signed. Offsets, times and sizes are far below 2^63.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned<I: sqlx::ColumnIndex<SqliteRow>>(row: &SqliteRow, column: I) -> Result<u64, sqlx::Error> {
    row.try_get::<i64, _>(column).map(|number| u64::try_from(number).unwrap_or(0))
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn unavailable(error: sqlx::Error) -> Error {
    Error::Unavailable(sentence(&error))
}

/// The database's error message, without the library's prefix.
fn sentence(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    }
}

/// Whether a server is using a database now.
///
/// # Errors
/// [`Error::Database`] if the file cannot be opened.
pub fn is_in_use(path: &Path) -> Result<bool, Error> {
    FileLock::is_taken(path).map_err(|error| Error::Database { path: path.into(), reason: error.to_string() })
}
