//! The client under test: a process that takes commands and tells events as lines of JSON (README.md). It is killed when the
//! dialogue is over.

use std::{
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    time::timeout,
};

use super::planted::Deviation;
use crate::{
    error::{Error, Result},
    inbox::{Arrival, Arrivals, Inbox},
};

/// The field that tells events from each other.
const EVENT: &str = "event";

/// How much of what a client logs is kept for a report.
const LOGGED: usize = 600;

/// A running adapter.
pub(super) struct Adapter {
    child: Child,
    commands: ChildStdin,
    /// What it has told.
    pub(super) events: Inbox,
    log: Arc<Mutex<String>>,
}

impl Adapter {
    /// Starts one with a command of the shell.
    pub(super) fn start(command: &str, deviation: &'static Deviation) -> Result<Self> {
        let failed = |source| Error::Client { command: command.into(), source };
        let mut child = Command::new("sh")
            .args(["-c", &format!("exec {command}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let missing = || failed(std::io::Error::other("it has no pipes"));
        let commands = child.stdin.take().ok_or_else(missing)?;
        let (events, inbox) = Inbox::new(EVENT, nonsense);
        tokio::spawn(read_events(child.stdout.take().ok_or_else(missing)?, events, deviation));
        let log = Arc::new(Mutex::new(String::new()));
        tokio::spawn(read_log(child.stderr.take().ok_or_else(missing)?, Arc::clone(&log)));
        Ok(Self { child, commands, events: inbox, log })
    }

    /// Gives it a command.
    pub(super) async fn command(&mut self, command: &Value) -> std::result::Result<(), String> {
        let line = format!("{command}\n");
        let written = self.commands.write_all(line.as_bytes()).await;
        written.map_err(|error| format!("the adapter does not read commands: {error}"))
    }

    /// Waits for its end.
    pub(super) async fn exit(&mut self, patience: Duration) -> std::result::Result<(), String> {
        match timeout(patience, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(format!("the adapter has ended with {status}")),
            Ok(Err(error)) => Err(format!("the adapter cannot be waited for: {error}")),
            Err(_) => Err(format!("the adapter has not ended within {} ms", patience.as_millis())),
        }
    }

    /// The end of what it has logged, for a report.
    pub(super) fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Events arrive as they are: only what is no event at all is wrong.
fn nonsense(arrival: &Arrival, _: Option<&str>) -> Option<String> {
    match arrival {
        Arrival::Nonsense(what) => Some(format!("the adapter wrote {what}")),
        Arrival::Frame(event) if event[EVENT] == "invalid_command" => Some(event.to_string()),
        _ => None,
    }
}

async fn read_events(output: impl AsyncRead + Unpin, events: Arrivals, deviation: &'static Deviation) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str::<Value>(&line) {
            Ok(event) if event[EVENT].is_string() => {
                let mut text = Some(line);
                for event in (deviation.events)(event) {
                    events.put(Arrival::Frame(event), text.take());
                }
            }
            _ => events.put(Arrival::Nonsense(line), None),
        }
    }
    events.put(Arrival::Closed(0), None);
}

async fn read_log(output: impl AsyncRead + Unpin, log: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push_str(&line);
        log.push('\n');
        let mut excess = log.len().saturating_sub(LOGGED);
        while !log.is_char_boundary(excess) {
            excess += 1;
        }
        log.drain(..excess);
    }
}
