//! What the tests share: servers, clients, and the next of something in a stream.

use std::{
    env, fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use everwire_client::{Client, Event, Message, Options, Subscription};
use everwire_server::{config::Config, server::Server};
use futures_util::{Stream, StreamExt};
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::time::timeout;

/// Longer than anything takes that works.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A server in this process, with a database of its own.
pub(crate) struct Served {
    server: Server,
    _directory: TempDir,
}

impl Served {
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }
}

pub(crate) async fn serve(change: impl FnOnce(&mut Config)) -> Served {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::dev(directory.path().join("everwire.db"));
    config.session.limits.sends_per_minute = None;
    change(&mut config);
    Served { server: Server::start(config).await.unwrap(), _directory: directory }
}

/// A client of a guest.
pub(crate) fn guest(url: &str, user: &str) -> Client {
    connect(Options::new(url).guest(user, user))
}

pub(crate) fn connect(options: Options) -> Client {
    Client::connect(options).unwrap()
}

/// The next item that fits.
pub(crate) async fn next<S: Stream + Unpin, T>(
    stream: &mut S,
    mut fits: impl FnMut(S::Item) -> Option<T>,
) -> T {
    timeout(PATIENCE, async {
        loop {
            if let Some(found) = fits(stream.next().await.expect("the stream has ended")) {
                return found;
            }
        }
    })
    .await
    .expect("nothing that fits has come")
}

pub(crate) async fn message<E: DeserializeOwned>(events: &mut Subscription<E>) -> Message<E> {
    next(events, |event| match event {
        Event::Message(message) => Some(message),
        _ => None,
    })
    .await
}

/// What the variables of a process that serves tell it.
const DATABASE: &str = "EVERWIRE_TEST_DATABASE";
const PORT: &str = "EVERWIRE_TEST_PORT";

/// A server in a process of its own: this program, started again to run one "test" that serves.
pub(crate) struct Process {
    child: Child,
    directory: TempDir,
    port: u16,
}

impl Process {
    pub(crate) async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let child = spawn(&directory, 0);
        let mut process = Self { child, directory, port: 0 };
        process.port = process.said_port().await;
        process
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// With the same port and database.
    pub(crate) async fn restart(&mut self) {
        fs::remove_file(self.directory.path().join("port")).unwrap();
        self.child = spawn(&self.directory, self.port);
        assert_eq!(self.said_port().await, self.port);
    }

    async fn said_port(&self) -> u16 {
        let path = self.directory.path().join("port");
        let said = async {
            loop {
                if let Some(port) = fs::read_to_string(&path).ok().and_then(|text| text.parse().ok()) {
                    return port;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, said).await.expect("the server has not started")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(directory: &TempDir, port: u16) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "kit::serves_until_it_is_killed"])
        .env(DATABASE, directory.path().join("everwire.db"))
        .env(PORT, port.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the server of other tests"]
async fn serves_until_it_is_killed() {
    // Not for those who run the ignored tests.
    let Some(database) = env::var_os(DATABASE).map(PathBuf::from) else { return };
    let mut config = Config::dev(database.clone());
    config.session.limits.sends_per_minute = None;
    config.listen.set_port(env::var(PORT).unwrap().parse().unwrap());
    let server = Server::start(config).await.unwrap();
    let (new, port) = (database.with_file_name("port.new"), database.with_file_name("port"));
    fs::write(&new, server.address().port().to_string()).unwrap();
    fs::rename(new, port).unwrap();
    std::future::pending::<()>().await;
}
