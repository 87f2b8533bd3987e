//! Backups: a consistent copy of a database in use, and putting one in its place.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{file_lock::FileLock, sentence};
use crate::Error;

/// Writes a copy of a database to a new file. A server may be using it: senders do not wait for this. Everything that was
/// acknowledged before it began is in the copy.
///
/// # Errors
/// [`Error::Database`] if the database cannot be read, or the copy exists or cannot be written.
pub async fn backup(database: &Path, copy: &Path) -> Result<(), Error> {
    let fail = |path: &Path, reason: String| Error::Database { path: path.into(), reason };
    if !database.is_file() {
        let reason = "file not found; give the one that the server uses with --database".into();
        return Err(fail(database, reason));
    }
    if copy.exists() {
        return Err(fail(copy, "it exists already; name a new file for the copy".into()));
    }
    // Complete under its name, or not there.
    let partial = copy.with_added_extension("partial");
    let Some(name) = partial.to_str() else {
        return Err(fail(copy, "its name is not valid UTF-8".into()));
    };
    remove(&partial).map_err(|error| fail(&partial, error.to_string()))?;
    let options = SqliteConnectOptions::new().filename(database).create_if_missing(false).read_only(true);
    let copied = async {
        let mut reader = SqliteConnection::connect_with(&options).await?;
        // Not the backup API: beside a server that writes, it begins again and again, and never ends.
        sqlx::query("VACUUM INTO ?").bind(name).execute(&mut reader).await?;
        reader.close().await
    };
    if let Err(error) = copied.await {
        // What is left of it is of no use.
        let _ = remove(&partial);
        return Err(fail(database, sentence(&error)));
    }
    let finish = || {
        fs::File::open(&partial)?.sync_all()?;
        fs::rename(&partial, copy)
    };
    finish().map_err(|error| fail(copy, error.to_string()))
}

/// Puts a copy in the place of a database that no server uses. The database that was there is kept under another name, which is
/// returned. Clients that have seen messages which the copy does not contain will receive a gap.
///
/// # Errors
/// [`Error::Database`] if a server is using the database, or the copy is none.
pub async fn restore(copy: &Path, database: &Path) -> Result<Option<PathBuf>, Error> {
    let fail = |path: &Path, reason: String| Error::Database { path: path.into(), reason };
    if !copy.is_file() {
        return Err(fail(copy, "file not found".into()));
    }
    if fs::metadata(with_end(copy, "-wal")).is_ok_and(|log| log.len() > 0) {
        let reason = "it is not complete: a part of it is in the file beside it that ends in -wal; make copies with \
                      everwire-server backup";
        return Err(fail(copy, reason.into()));
    }
    check(copy).await.map_err(|reason| fail(copy, reason))?;
    // Held until the end: no server may start meanwhile.
    let lock = if database.exists() {
        Some(FileLock::take(database).map_err(|reason| fail(database, reason))?)
    } else {
        None
    };
    let system = |error: std::io::Error| fail(database, error.to_string());
    let fresh = database.with_added_extension("restored");
    fs::copy(copy, &fresh).map_err(system)?;
    fs::File::open(&fresh).and_then(|file| file.sync_all()).map_err(system)?;
    let mut kept = None;
    if database.exists() {
        let before = unused(database);
        // With its write-ahead log, which belongs to it and to no other file.
        for end in ["", "-wal", "-shm"] {
            let (from, to) = (with_end(database, end), with_end(&before, end));
            if from.exists() {
                fs::rename(from, to).map_err(system)?;
            }
        }
        kept = Some(before);
    } else {
        for end in ["-wal", "-shm"] {
            remove(&with_end(database, end)).map_err(system)?;
        }
    }
    fs::rename(&fresh, database).map_err(system)?;
    drop(lock);
    Ok(kept)
}

/// Whether a file is a complete database of this server.
async fn check(copy: &Path) -> Result<(), String> {
    let options =
        SqliteConnectOptions::new().filename(copy).create_if_missing(false).read_only(true).immutable(true);
    let checked = async {
        let mut reader = SqliteConnection::connect_with(&options).await?;
        let found: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut reader).await?;
        let channels: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = 'channels'")
            .fetch_one(&mut reader)
            .await?;
        reader.close().await?;
        Ok::<_, sqlx::Error>((found, channels))
    };
    match checked.await {
        Ok((found, _)) if found != "ok" => Err(format!("it is damaged: {found}")),
        Ok((_, 0)) => Err("it is not a database of everwire-server".into()),
        Ok(_) => Ok(()),
        Err(error) => Err(sentence(&error)),
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn unused(database: &Path) -> PathBuf {
    let names = (1_u32..).map(|n| with_end(database, &format!(".before-restore-{n}")));
    names.into_iter().find(|name| !name.exists()).unwrap_or_else(|| with_end(database, ".before-restore"))
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
