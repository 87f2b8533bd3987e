//! The commands for operators: they query a running server over HTTP, or work on the database if no server is running.

use std::{
    fmt::Write as _,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use everwire_protocol::paths::API_PATH;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::{
    Agent, Body,
    http::{Method, Request, Response, StatusCode, Uri, header},
};

use crate::{
    Error,
    environment::wall_ms,
    node::stats::Stats,
    store::{
        Removed, Store as _,
        sqlite::{self, SqliteStore},
    },
};

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often progress is reported at most, where there is no server that answers part by part.
const REPORT: Duration = Duration::from_secs(2);

/// How long a server may be too busy to clean up, as the number of times it is asked again, and the pause before each.
const BUSY: (u32, Duration) = (40, Duration::from_millis(500));

/// Maximum size of a response in bytes.
const MAX_ANSWER: u64 = 1024 * 1024;

/// A running server, and its API key.
#[derive(Debug)]
pub struct Running {
    /// Its address, such as `http://127.0.0.1:8787`.
    pub server: String,
    /// Its API key.
    pub key: Option<String>,
}

impl Running {
    /// The statistics of the server.
    ///
    /// # Errors
    /// [`Error::Setting`] with the problem, or the server's error.
    pub fn stats(&self) -> Result<Stats, Error> {
        self.ask(Method::GET, "/stats")
    }

    /// Waits for the response: a command has nothing else to do.
    fn ask<T: DeserializeOwned>(&self, method: Method, path: &str) -> Result<T, Error> {
        let fail = |what: String| Error::Setting(format!("cannot reach {}: {what}", self.server));
        let mut response = self.request(method, path).map_err(fail)?;
        let body = response.body_mut().with_config().limit(MAX_ANSWER).lossy_utf8(true);
        let text = body.read_to_string().map_err(|error| fail(explain(error)))?;
        if response.status().is_success() {
            return serde_json::from_str(&text).map_err(|error| fail(format!("invalid response ({error})")));
        }
        let problem: Option<Value> = serde_json::from_str(&text).ok();
        let says = problem.as_ref().and_then(|problem| problem.get("message")).and_then(Value::as_str);
        let status = response.status();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return Err(Error::Unavailable(says.unwrap_or("it is busy").into()));
        }
        Err(fail(says.map_or_else(|| format!("it responded with status {status}"), Into::into)))
    }

    /// Has the server clean up, part by part.
    fn cleanup(&self, progress: impl Fn(&Removed)) -> Result<Removed, Error> {
        let mut all = Removed { more: true, ..Removed::default() };
        let (mut refused, (tries, pause)) = (0, BUSY);
        while all.more {
            match self.ask::<Removed>(Method::POST, &format!("{API_PATH}/cleanup")) {
                Ok(part) => {
                    refused = 0;
                    all += part;
                    if all.more {
                        progress(&all);
                    }
                }
                Err(Error::Unavailable(_)) if refused < tries => {
                    refused += 1;
                    thread::sleep(pause);
                }
                Err(error) => return Err(unfinished(&all, error)),
            }
        }
        Ok(all)
    }

    fn request(&self, method: Method, path: &str) -> Result<Response<Body>, String> {
        let uri: Uri =
            self.server.parse().map_err(|_| "invalid address; it should look like http://127.0.0.1:8787")?;
        if uri.scheme_str() != Some("http") {
            return Err("only http:// is supported; give the address that the server listens on".into());
        }
        let host = uri.host().ok_or("invalid address; it should look like http://127.0.0.1:8787")?;
        let port = uri.port_u16().unwrap_or(80);
        let mut request = Request::builder().method(method).uri(format!("http://{host}:{port}{path}"));
        if let Some(key) = &self.key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        let request = request.body(()).map_err(|error| error.to_string())?;
        // The server itself is asked: neither a proxy nor another address that it names.
        let agent: Agent = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build()
            .into();
        agent.run(request).map_err(explain)
    }
}

fn explain(error: ureq::Error) -> String {
    let advice = |error: &dyn std::error::Error| {
        format!("{error}; is the server running? Give another address with --server")
    };
    match error {
        ureq::Error::Timeout(_) => "no response".into(),
        ureq::Error::Io(error) => advice(&error),
        error @ (ureq::Error::HostNotFound | ureq::Error::ConnectionFailed) => advice(&error),
        other => other.to_string(),
    }
}

/// Cleans up through the server that uses the database, or in the file itself if none does, however long it takes. Whoever ends the
/// program loses nothing: each step is a transaction, and the next call goes on with what is left.
///
/// # Errors
/// [`Error::Database`] or [`Error::Setting`]; the latter says what was removed before.
pub async fn cleanup(
    database: &Path,
    retention: u64,
    running: &Running,
    progress: impl Fn(&Removed),
) -> Result<Removed, Error> {
    if !database.is_file() {
        let reason = "file not found; give the one that the server uses with --database".into();
        return Err(Error::Database { path: database.into(), reason });
    }
    if sqlite::is_in_use(database)? {
        return running.cleanup(progress);
    }
    let store = SqliteStore::open(database, retention).await?;
    let mut all = Removed { more: true, ..Removed::default() };
    let mut reported_at = Instant::now();
    while all.more {
        let step = store.cleanup(wall_ms()).await.map_err(|error| unfinished(&all, error))?;
        all += step;
        if reported_at.elapsed() >= REPORT {
            reported_at = Instant::now();
            progress(&all);
        }
    }
    store.close().await?;
    Ok(all)
}

/// The error of a cleanup that has not come to its end.
fn unfinished(all: &Removed, error: Error) -> Error {
    if *all == (Removed { more: true, ..Removed::default() }) {
        return error;
    }
    Error::Setting(format!("{error}; {all} before that, and another cleanup goes on with the rest"))
}

/// Statistics as a text table.
pub fn table(stats: &Stats) -> String {
    let mut text = String::new();
    let uptime = Duration::from_millis(stats.uptime_ms).as_secs();
    let (hours, minutes, seconds) = (uptime / 3600, uptime / 60 % 60, uptime % 60);
    let rows = [
        ("version", stats.version.clone()),
        ("uptime (h:mm:ss)", format!("{hours}:{minutes:02}:{seconds:02}")),
        ("users", stats.users.to_string()),
        ("sessions", stats.sessions.to_string()),
        ("connections by WebSocket", stats.connections.websocket.to_string()),
        ("connections by polling", stats.connections.polling.to_string()),
        ("polls held now", stats.held_polls.to_string()),
        ("channels in use", stats.channels.to_string()),
        ("chats", stats.chats.to_string()),
        ("frames in", stats.frames_in.to_string()),
        ("frames out", stats.frames_out.to_string()),
        ("messages stored", stats.messages_stored.to_string()),
        ("log lines dropped", stats.log_lines_dropped.to_string()),
    ];
    for (name, value) in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<26}{value:>14}");
    }
    text
}
