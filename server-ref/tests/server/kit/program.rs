//! The real program, as an operator starts it.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::PATIENCE;

/// A running `everwire-server`. Killed when dropped.
pub struct Program {
    child: Child,
    pub address: SocketAddr,
}

pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_everwire-server"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // What the person who runs the tests has set is not meant for them.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("EVERWIRE_") {
            command.env_remove(name);
        }
    }
    command
}

impl Program {
    /// Starts it on a free port, with guests, and waits until it listens.
    pub fn start(database: &Path, more: &[&str]) -> Self {
        let database = database.to_str().unwrap();
        let mut arguments = vec!["--dev", "--listen", "127.0.0.1:0", "--database", database, "--log", "warn"];
        arguments.extend(more);
        let mut child = command(&arguments).stderr(Stdio::inherit()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("everwire-server listening on http://").map(str::parse);
        let Some(Ok(address)) = address else {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the server said {line:?}");
        };
        Self { child, address }
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits until it has exited.
    pub fn ended(&mut self) -> ExitStatus {
        exited(&mut self.child)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until a program has exited.
pub fn exited(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it did not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until a question to the database has this answer. It may be in use.
pub async fn stored(database: &Path, select: &'static str, answer: &[&str]) {
    let options = SqliteConnectOptions::new().filename(database).read_only(true);
    let mut reader = SqliteConnection::connect_with(&options).await.unwrap();
    let wait = async {
        loop {
            let rows: Vec<String> = sqlx::query_scalar(select).fetch_all(&mut reader).await.unwrap();
            if rows == answer {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("it was not written in time");
}

/// Runs it to its end: whether it succeeded, and what it wrote to standard output and standard error.
pub fn run(arguments: &[&str]) -> (bool, String, String) {
    let mut child = command(arguments).spawn().unwrap();
    let status = exited(&mut child);
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    (status.success(), out, err)
}
