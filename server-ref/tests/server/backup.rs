//! Backups with the real program: a copy of a database in use, the copy in its place, and two servers on one file.

use std::{fs, path::Path};

use everwire_protocol::{ClientFrame, GapReason, Subscribe};

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
