//! Backups with the real program: a copy of a database in use, the copy in its place, and two servers on one file.

use std::{fs, path::Path};

use everwire_protocol::{ClientFrame, GapReason, Subscribe};
use everwire_server::store::{Store as _, sqlite::SqliteStore};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::kit::{
    Client, new_id,
    program::{Program, run},
    recent, resume, send, subscribe, text_of,
};

fn path(directory: &tempfile::TempDir, name: &str) -> String {
    directory.path().join(name).to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_backup_of_a_running_server_has_all_that_was_acknowledged_and_can_be_restored() {
    let directory = tempfile::tempdir().unwrap();
    let (database, copy) = (path(&directory, "everwire.db"), path(&directory, "copy.db"));
    let mut program = Program::start(Path::new(&database), &[]);
    let (mut a, welcome) = Client::connect_as(program.address, "a", new_id()).await;
    let epoch = a.join(subscribe("news")).await.epoch;
    for n in 1..=5 {
        a.chat("news", &n.to_string()).await;
    }
    let (success, out, err) = run(&["backup", "--database", &database, &copy]);
    assert!(success && out.contains(&copy), "{out}{err}");
    for n in 6..=10 {
        a.chat("news", &n.to_string()).await;
    }
    let (success, _, err) = run(&["backup", "--database", &database, &copy]);
    assert!(!success && err.contains("exists already"), "{err}");
    let (success, _, err) = run(&["restore", "--database", &database, &copy]);
    assert!(!success && err.contains("another everwire-server is using it"), "{err}");
    program.signal("TERM");
    assert!(program.ended().success());

    let (success, out, err) = run(&["restore", "--database", &database, &copy]);
    assert!(success && out.contains(".before-restore-1"), "{out}{err}");
    let program = Program::start(Path::new(&database), &[]);
    let mut b = Client::connect(program.address, "b").await;
    assert_eq!(b.join(recent("news", 1)).await.head, 5);
    assert_eq!(text_of(&b.message().await), "5");
    for n in 6..=12 {
        b.say(&[send(new_id(), "news", &format!("new {n}"))]).await;
        b.ack().await;
    }
    let mut a = Client::connect(program.address, "a").await;
    let ClientFrame::Subscribe(frame) = resume("news", &epoch, 10) else { unreachable!() };
    let gap = a.join(Subscribe { run: Some(welcome.run), ..frame }.into()).await.gap.unwrap();
    assert_eq!((gap.from, gap.to, gap.reason), (11, 12, GapReason::Epoch));
    // Nothing was thrown away.
    let former = path(&directory, "everwire.db.before-restore-1");
    program.kill();
    let program = Program::start(Path::new(&former), &[]);
    let mut c = Client::connect(program.address, "c").await;
    assert_eq!(c.join(subscribe("news")).await.head, 10);
    program.kill();
}

async fn connect(database: &str) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(database).pragma("wal_autocheckpoint", "0");
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// Writes something into a database that can be read afterwards.
async fn write_number(database: &mut SqliteConnection, number: i64) {
    sqlx::query("UPDATE upkeep SET retention = ?").bind(number).execute(database).await.unwrap();
}

async fn number(database: &str) -> i64 {
    sqlx::query_scalar("SELECT retention FROM upkeep").fetch_one(&mut connect(database).await).await.unwrap()
}

/// A database as a crash leaves it: the number 1 is in its file, and 2 in the write-ahead log alone.
async fn crashed(directory: &tempfile::TempDir) -> String {
    let (work, database) = (path(directory, "work.db"), path(directory, "everwire.db"));
    SqliteStore::open(Path::new(&work), 1).await.unwrap().close().await.unwrap();
    let mut open = connect(&work).await;
    write_number(&mut open, 1).await;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut open).await.unwrap();
    write_number(&mut open, 2).await;
    for end in ["", "-wal", "-shm"] {
        fs::copy(format!("{work}{end}"), format!("{database}{end}")).unwrap();
    }
    database
}

#[tokio::test]
async fn a_restore_that_was_interrupted_anywhere_is_refused_by_servers_and_ends_well_when_it_is_run_again() {
    // How many of its files were moved when the program ended.
    for moved in 0..=3 {
        let directory = tempfile::tempdir().unwrap();
        let copy = path(&directory, "copy.db");
        SqliteStore::open(Path::new(&copy), 1).await.unwrap().close().await.unwrap();
        let mut open = connect(&copy).await;
        write_number(&mut open, 3).await;
        open.close().await.unwrap();
        let database = crashed(&directory).await;
        fs::copy(&copy, format!("{database}.restored")).unwrap();
        for end in ["-wal", "-shm", ""].iter().take(moved) {
            fs::rename(format!("{database}{end}"), format!("{database}.before-restore-1{end}")).unwrap();
        }
        let (success, _, err) = run(&["--dev", "--listen", "127.0.0.1:0", "--database", &database]);
        assert!(!success && err.contains("restore of it was interrupted"), "{moved}: {err}");
        let (success, _, err) = run(&["restore", "--database", &database, &copy]);
        assert!(success, "{moved}: {err}");
        assert_eq!(number(&database).await, 3, "{moved}");
        assert_eq!(number(&format!("{database}.before-restore-1")).await, 2, "{moved}: nothing was lost");
        let program = Program::start(Path::new(&database), &[]);
        program.kill();
    }
}

#[tokio::test]
async fn a_restore_that_was_interrupted_before_it_moved_anything_has_changed_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let database = crashed(&directory).await;
    fs::write(format!("{database}.restoring"), "the beginning of a copy").unwrap();
    Program::start(Path::new(&database), &["--retention", "2"]).kill();
    assert_eq!(number(&database).await, 2);
}

#[tokio::test]
async fn two_backups_to_one_file_do_not_spoil_each_other_and_what_a_crash_has_left_is_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let database = crashed(&directory).await;
    let copy = path(&directory, "copy.db");
    let partial = format!("{copy}.partial");
    let running = fs::File::create(&partial).unwrap();
    running.lock().unwrap();
    let (success, _, err) = run(&["backup", "--database", &database, &copy]);
    assert!(!success && err.contains("another backup to this file is running"), "{err}");
    assert!(Path::new(&partial).exists(), "it is the other one's");
    drop(running);
    fs::write(&partial, "the beginning of a copy").unwrap();
    let (success, _, err) = run(&["backup", "--database", &database, &copy]);
    assert!(success, "{err}");
    assert!(!Path::new(&partial).exists());
    assert_eq!(number(&copy).await, 2);
}

#[test]
fn what_is_no_backup_is_not_restored() {
    let directory = tempfile::tempdir().unwrap();
    let (database, text) = (path(&directory, "everwire.db"), path(&directory, "text.db"));
    fs::write(&text, "this is no database".repeat(100)).unwrap();
    for (copy, words) in [(text.as_str(), "not a database"), ("/no/such.db", "file not found")] {
        let (success, _, err) = run(&["restore", "--database", &database, copy]);
        assert!(!success && err.contains(words), "{err}");
    }
    let (partial, log) = (path(&directory, "partial.db"), path(&directory, "partial.db-wal"));
    fs::write(&partial, "").unwrap();
    fs::write(&log, "entries").unwrap();
    let (success, _, err) = run(&["restore", "--database", &database, &partial]);
    assert!(!success && err.contains("everwire-server backup"), "{err}");
    assert!(!Path::new(&database).exists());
    let (success, _, err) = run(&["backup", "--database", &database, &path(&directory, "copy.db")]);
    assert!(!success && err.contains("file not found"), "{err}");
}

#[tokio::test]
async fn a_second_server_on_one_file_is_refused_whatever_path_leads_to_it() {
    let directory = tempfile::tempdir().unwrap();
    let database = path(&directory, "everwire.db");
    let program = Program::start(Path::new(&database), &[]);
    let (hard, soft) = (path(&directory, "hard.db"), path(&directory, "soft.db"));
    fs::hard_link(&database, &hard).unwrap();
    std::os::unix::fs::symlink(&database, &soft).unwrap();
    for other in [&database, &hard, &soft] {
        let (success, _, err) = run(&["--dev", "--listen", "127.0.0.1:0", "--database", other]);
        assert!(!success && err.contains("another everwire-server is using it"), "{other}: {err}");
    }
    // The refused ones have left the first one's own locks alone.
    let mut a = Client::connect(program.address, "a").await;
    a.join(subscribe("news")).await;
    assert_eq!(a.chat("news", "still here").await.offset, 1);
    program.kill();
}
