//! The operator's commands on a database that is too large for one call, and with an output that nobody reads.

use std::{
    fs::File,
    io::Read as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{
    kit::program::{Program, command, exited, run},
    upkeep::{CHANNELS, fill},
};

const KEY: &str = "the API key of the tests";

/// How many messages each channel has, and how many are kept.
const EACH: u64 = 80;
const KEEP: u64 = 10;

/// How often a cleanup may be faster than the signal that is to interrupt it.
const TRIES: usize = 50;

/// What is beyond the retention, in two calls of the API.
const SURPLUS: u64 = CHANNELS * (EACH - KEEP);

async fn messages(database: &Path) -> u64 {
    // Nobody else may have it open: then there are no files of the log, which a reader alone cannot make.
    let options = SqliteConnectOptions::new().filename(database);
    let mut reader = SqliteConnection::connect_with(&options).await.unwrap();
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM messages").fetch_one(&mut reader).await.unwrap();
    reader.close().await.unwrap();
    count.unsigned_abs()
}

#[tokio::test]
async fn a_running_server_cleans_up_in_parts_until_nothing_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("everwire.db");
    fill(&database, EACH).await;
    let server = Program::start(&database, &["--retention", "10", "--api-key", KEY]);
    let url = format!("http://{}", server.address);
    let cleanup = ["cleanup", "--database", database.to_str().unwrap(), "--server", &url];
    let (worked, out, err) = run(&[&cleanup[..], &["--api-key", KEY, "--json"]].concat());
    assert!(worked, "{err}");
    let done: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&done["messages"], &done["more"]), (&json!(SURPLUS), &json!(false)));
    assert!(err.contains("messages so far"), "progress is said: {err}");
    assert_eq!(messages(&database).await, CHANNELS * KEEP);
}

/// Begins to clean up a file, and sends the program a signal while it does. Returns how many messages are left to remove; none if
/// it was faster than the signal.
async fn interrupted(cleanup: &[&str], database: &Path, signal: &str) -> u64 {
    let mut child = command(cleanup).spawn().unwrap();
    let pid = child.id().to_string();
    let send = |signal| assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    // It works in slices, so that it cannot come to its end while this looks how far it is.
    let kept = loop {
        tokio::time::sleep(Duration::from_millis(2)).await;
        send("STOP");
        let kept = messages(database).await;
        if kept < CHANNELS * EACH {
            break kept;
        }
        send("CONT");
    };
    send(signal);
    send("CONT");
    let (left, ended) = (kept - CHANNELS * KEEP, exited(&mut child));
    assert!(left == 0 || !ended.success(), "{signal}");
    left
}

#[tokio::test]
async fn a_cleanup_of_a_file_that_is_interrupted_goes_on_where_it_was() {
    // Not INT: a test run that a shell has started in the background ignores it, and so does what it starts.
    for signal in ["TERM", "KILL"] {
        let mut interrupted_at_last = false;
        for _ in 0..TRIES {
            let directory = tempfile::tempdir().unwrap();
            let database = directory.path().join("everwire.db");
            fill(&database, EACH).await;
            let cleanup =
                ["cleanup", "--database", database.to_str().unwrap(), "--retention", "10", "--json"];
            let left = interrupted(&cleanup, &database, signal).await;
            let (worked, out, err) = run(&cleanup);
            assert!(worked, "{err}");
            let done: Value = serde_json::from_str(&out).unwrap();
            assert_eq!((&done["messages"], &done["more"]), (&json!(left), &json!(false)), "{signal}");
            let log = database.with_extension("db-wal");
            assert!(!log.exists(), "the file is complete");
            assert_eq!(messages(&database).await, CHANNELS * KEEP);
            interrupted_at_last = left > 0;
            if interrupted_at_last {
                break;
            }
        }
        assert!(interrupted_at_last, "{signal}: it was always faster");
    }
}

/// What the program ends with whose standard output takes nothing.
fn with_full_output(arguments: &[&str]) -> Child {
    command(arguments)
        .stdout(Stdio::from(File::options().write(true).open("/dev/full").unwrap()))
        .spawn()
        .unwrap()
}

/// The device is always full.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_output_that_cannot_be_written_is_an_error_of_commands_and_ends_no_server() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("everwire.db");
    let file = database.to_str().unwrap();
    // Free a moment ago.
    let listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut server = with_full_output(&["--dev", "--listen", &listen.to_string(), "--database", file]);
    let answers = async {
        while tokio::net::TcpStream::connect(listen).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(super::kit::PATIENCE, answers).await.unwrap();
    assert!(Command::new("kill").arg(server.id().to_string()).status().unwrap().success());
    assert!(exited(&mut server).success());

    let copy = directory.path().join("copy.db");
    let backup = ["backup", "--database", file, copy.to_str().unwrap()];
    for arguments in [&["token", "--user", "a", "--jwt-secret", super::kit::SECRET][..], &backup] {
        let mut child = with_full_output(arguments);
        assert_eq!(exited(&mut child).code(), Some(1), "{arguments:?}");
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert!(err.contains("standard output") && !err.contains("panicked"), "{err}");
    }
    assert!(copy.exists(), "it is made all the same");
}
