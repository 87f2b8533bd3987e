//! `cargo xtask demo`: the demo and the server on one port, after building what is missing. The page receives the server's
//! API key, so that visitors can act as the back end; the server receives the demo's initial chats.

use std::{
    fs,
    hash::{BuildHasher as _, RandomState},
    net::TcpListener,
};

use crate::{
    error::{Error, Result},
    paths::Paths,
    process::Run,
    step::Steps,
    task::{self, Task},
};

/// The first port to try. 8080 is in use on too many machines.
const PORT: u16 = 8787;

/// How many ports to try.
const TRIES: u16 = 20;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The port. Default: 8787, or the next free one.
    #[arg(long)]
    port: Option<u16>,
}

pub(crate) fn run(paths: &Paths, options: &Options) -> Result {
    let plan = task::plan(&[Task::Demo, Task::Server]);
    task::run(paths, &mut Steps::new(plan.len()), &plan)?;
    let port = choose_port(options.port)?;
    let database = paths.own.join("demo.db");
    let key = make_key();
    let page = paths.root.join("demo-web/dist/demo.json");
    fs::write(&page, format!("{{\"apiKey\":\"{key}\"}}\n")).map_err(Error::file("written", &page))?;
    let server = paths
        .run(paths.built("everwire-server").to_string_lossy())
        .args(["--dev", "--listen", &format!("127.0.0.1:{port}"), "--serve-dir"])
        .arg(paths.root.join("demo-web/dist"))
        .arg("--database")
        .arg(database)
        // The fault panel generates more traffic than people do.
        .env("EVERWIRE_SENDS_PER_MINUTE", "0")
        .env("EVERWIRE_API_KEY", &key);
    seed_when_it_listens(paths, port, &key)?;
    println!("\nhttp://localhost:{port}\n\nOpen it in two browsers. Ctrl-C stops the server.\n");
    become_the_server(server)
}

/// An API key for this run. It protects the development server from pages of other origins; 128 bits of the hash map's
/// random state are enough for that.
fn make_key() -> String {
    let half = || RandomState::new().hash_one(0u8);
    format!("{:016x}{:016x}", half(), half())
}

/// Starts the script that creates the initial chats. It waits for the server, and exits when it is done.
fn seed_when_it_listens(paths: &Paths, port: u16, key: &str) -> Result {
    let seed = paths
        .run("node")
        .arg(paths.root.join("demo-web/seed/seed.mjs"))
        .arg(format!("http://127.0.0.1:{port}"))
        .env("EVERWIRE_API_KEY", key);
    seed.start().map(drop)
}

fn choose_port(wanted: Option<u16>) -> Result<u16> {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    if let Some(port) = wanted {
        let refused = || Error::Refused(format!("port {port} is in use; choose another with --port"));
        return if free(port) { Ok(port) } else { Err(refused()) };
    }
    let port = (PORT..PORT + TRIES).find(|port| free(*port)).ok_or_else(|| {
        Error::Refused(format!("ports {PORT} to {} are in use; choose another with --port", PORT + TRIES - 1))
    })?;
    if port != PORT {
        println!("Port {PORT} is in use; using {port}.");
    }
    Ok(port)
}

/// The server replaces this process: signals reach it alone, and its exit code is ours.
#[cfg(unix)]
fn become_the_server(server: Run) -> Result {
    use std::os::unix::process::CommandExt as _;
    let source = server.into_command().exec();
    Err(Error::NotStarted { program: "everwire-server".into(), source })
}

#[cfg(not(unix))]
fn become_the_server(server: Run) -> Result {
    server.hand_over()
}
