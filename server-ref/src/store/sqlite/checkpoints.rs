//! Checkpoints: what was committed is moved from the write-ahead log into the database file, on a connection of its own, so that
//! senders do not wait for it. While messages are stored without a pause it never reaches the end of the log; so beyond a size
//! the writer finishes a checkpoint itself, between two transactions, and the log begins anew.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

/// How long commits are collected before a checkpoint: it waits for the disk, as the commits do.
const COLLECT: Duration = Duration::from_millis(250);

/// The size of the write-ahead log beyond which the writer finishes a checkpoint, in pages of 4 KiB: 64 MiB.
pub(super) const LONGEST: i64 = 16 * 1024;

/// The task that makes checkpoints, until this is dropped.
#[derive(Debug)]
pub(super) struct Checkpoints {
    state: Arc<State>,
    over: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct State {
    committed: Notify,
    /// Whether the writer is to finish a checkpoint.
    writer_is_due: AtomicBool,
    /// Whether the log is to be cut off after the next checkpoint.
    purge: AtomicBool,
}

impl Checkpoints {
    pub(super) fn start(options: SqliteConnectOptions, longest: i64) -> Self {
        let (state, over) = (Arc::<State>::default(), watch::Sender::new(false));
        let task = tokio::spawn(run(options, longest, state.clone(), over.subscribe()));
        Self { state, over, task: Mutex::new(Some(task)) }
    }

    /// Ends the task, and waits until its connection is closed.
    pub(super) async fn stop(&self) {
        self.over.send_replace(true);
        let task = self.task.lock().take();
        if let Some(task) = task {
            // An error means that it has ended in another way.
            let _ = task.await;
        }
    }

    /// Something was committed.
    pub(super) fn committed(&self) {
        self.state.committed.notify_one();
    }

    /// Something was removed that must not be found in the files any more. It is overwritten in the database file; the write-ahead
    /// log still has it until it is cut off, as soon as nobody reads it.
    pub(super) fn purge(&self) {
        self.state.purge.store(true, Ordering::Relaxed);
        self.committed();
    }

    /// Before a transaction of the writer. An error is that of the next transaction, too.
    pub(super) async fn before_writing(&self, writer: &mut SqliteConnection) {
        if self.state.writer_is_due.swap(false, Ordering::Relaxed)
            && let Err(error) = checkpoint(writer).await
        {
            tracing::debug!(%error, "no checkpoint by the writer");
        }
    }
}

async fn run(
    options: SqliteConnectOptions,
    longest: i64,
    state: Arc<State>,
    mut over: watch::Receiver<bool>,
) {
    let mut connection: Option<SqliteConnection> = None;
    loop {
        let due = async {
            state.committed.notified().await;
            tokio::time::sleep(COLLECT).await;
        };
        tokio::select! {
            () = due => {}
            // Told, or dropped, which means the same.
            () = async { drop(over.wait_for(|over| *over).await) } => {
                if let Some(connection) = connection {
                    // An error changes nothing: it is closed either way.
                    let _ = connection.close().await;
                }
                return;
            }
        }
        let made = match connection.take() {
            Some(connection) => Ok(connection),
            None => SqliteConnection::connect_with(&options).await,
        };
        let done = match made {
            Ok(mut open) => {
                let mut done = checkpoint(&mut open).await;
                // Taken before: what is removed meanwhile needs another one.
                if done.is_ok() && state.purge.swap(false, Ordering::Relaxed) {
                    let cut = cut_off(&mut open).await;
                    if !matches!(cut, Ok(true)) {
                        // Somebody reads or writes: once more.
                        state.purge.store(true, Ordering::Relaxed);
                        state.committed.notify_one();
                    }
                    if let Err(error) = cut {
                        done = Err(error);
                    }
                }
                connection = Some(open);
                done
            }
            Err(error) => Err(error),
        };
        match done {
            Ok(pages) if pages > longest => state.writer_is_due.store(true, Ordering::Relaxed),
            Ok(_) => {}
            Err(error) => {
                connection = None;
                tracing::warn!(%error, "no checkpoint");
            }
        }
    }
}

/// Moves what nobody needs in the log any more, without waiting for anybody. Returns the length of the log in pages.
async fn checkpoint(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let row = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(connection).await?;
    row.try_get(1)
}

/// Cuts the log off, if nobody uses it at this moment. Returns whether it was possible.
async fn cut_off(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    sqlx::raw_sql("PRAGMA busy_timeout = 0").execute(&mut *connection).await?;
    let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(connection).await?;
    row.try_get::<i64, _>(0).map(|busy| busy == 0)
}
