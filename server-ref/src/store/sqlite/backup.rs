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
    let system = |error: std::io::Error| fail(&partial, error.to_string());
    // Another backup to this file would take away what this one writes, and give its own beginning the final name.
    let lock = FileLock::try_take(&partial).map_err(system)?.filter(FileLock::is_in_place);
    let Some(lock) = lock.filter(|_| !copy.exists()) else {
        return Err(fail(copy, "another backup to this file is running, or has just ended".into()));
    };
    // What an interrupted backup has left.
    fs::File::create(&partial).map_err(system)?;
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
        return Err(fail(database, format!("cannot copy it to {}: {}", copy.display(), sentence(&error))));
    }
    let finish = || {
        fs::File::open(&partial)?.sync_all()?;
        fs::rename(&partial, copy)?;
        sync_directory(copy)
    };
    finish().map_err(|error| fail(copy, error.to_string()))?;
    drop(lock);
    Ok(())
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
    // Held until the end: no server may start meanwhile. It is made if there is none.
    let lock = FileLock::take(database).map_err(|reason| fail(database, reason))?;
    let system = |error: std::io::Error| fail(database, error.to_string());
    let partial = database.with_added_extension("restoring");
    let copied = fs::copy(copy, &partial).and_then(|_| fs::File::open(&partial)?.sync_all());
    if let Err(error) = copied {
        // What is left of it is of no use.
        let _ = remove(&partial);
        return Err(fail(&partial, error.to_string()));
    }
    let kept = replace(database, &partial).map_err(system)?;
    drop(lock);
    Ok(kept)
}

/// Puts a complete file in the place of a database, whose lock the caller has. From its first step on a server refuses what it finds,
/// until the last one is done: whoever ends the program in between can restore again.
fn replace(database: &Path, complete: &Path) -> std::io::Result<Option<PathBuf>> {
    let ready = marker(database);
    fs::rename(complete, &ready)?;
    sync_directory(database)?;
    let mut kept = None;
    if fs::metadata(database).is_ok_and(|found| found.len() > 0) {
        let before = unused(database);
        // With its write-ahead log, which belongs to it and to no other file. The database is the last: what an interrupted call has
        // moved goes with it.
        for end in ["-wal", "-shm", ""] {
            let (from, to) = (with_end(database, end), with_end(&before, end));
            if from.exists() {
                fs::rename(from, to)?;
            }
        }
        kept = Some(before);
    } else {
        // There is no database, so nothing can belong to these.
        for end in ["-wal", "-shm"] {
            remove(&with_end(database, end))?;
        }
    }
    sync_directory(database)?;
    fs::rename(&ready, database)?;
    sync_directory(database)?;
    Ok(kept)
}

/// What stands beside a database while it is being replaced.
fn marker(database: &Path) -> PathBuf {
    database.with_added_extension("restored")
}

/// Refuses a database that is being replaced.
pub(super) fn check_replaced(database: &Path) -> Result<(), String> {
    if marker(database).exists() {
        return Err("a restore of it was interrupted; run everwire-server restore once more".into());
    }
    Ok(())
}

/// A renamed file survives a crash of the machine only when its directory was written.
fn sync_directory(file: &Path) -> std::io::Result<()> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Other systems do not open directories.
    if cfg!(unix) { fs::File::open(parent)?.sync_all() } else { Ok(()) }
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
