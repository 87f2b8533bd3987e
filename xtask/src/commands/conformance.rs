//! `cargo xtask conformance`: plays all dialogues of tests/conformance, those that take long included: against the server, which it
//! builds and starts, with all profiles and with none, and against the clients of this repository that have an adapter. It shows
//! that the dialogues find deviations that are planted, and counts what all of them have shown together.

pub(crate) mod clients;
mod total;

use std::{
    fs,
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    error::{Error, Result},
    paths::Paths,
    process::Run,
    task::{self, Task},
};

/// How long the server may take to start.
const START: Duration = Duration::from_secs(30);

/// The profiles of a server, each of which it may lack.
const PROFILES: [&str; 6] = ["presence", "receipts", "status", "chats", "ephemeral", "history"];

/// The secrets of a server that only these dialogues use.
const SECRETS: [(&str, &str); 2] =
    [("secret", "the secret of the conformance suite"), ("key", "the key of its back ends")];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Play only dialogues whose name contains this, and plant nothing.
    filter: Option<String>,
    /// Play only against this side.
    #[arg(long, value_enum)]
    only: Option<Side>,
    /// Print only the result, as JSON.
    #[arg(long)]
    json: bool,
}

/// A side of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Side {
    Server,
    Client,
}

pub(crate) fn run(paths: &Paths, options: &Options) -> Result {
    clients::build(paths)?;
    let wanted = |side| options.only.is_none_or(|only| only == side);
    let mut result = json!({});
    let mut passed = true;
    if wanted(Side::Server) {
        with_server(paths, &[], |suite| options.play(suite, &mut result["server"], true, &mut passed))?;
        with_server(paths, &PROFILES, |suite| {
            options.play(suite, &mut result["server_without_profiles"], false, &mut passed)
        })?;
    }
    if wanted(Side::Client) {
        task::run_all(paths, &[Task::Package, Task::Python])?;
        for adapter in clients::adapters(paths) {
            let suite = || clients::suite(paths, &adapter).arg("--slow");
            options.play(&suite, &mut result["client"][adapter.name], true, &mut passed)?;
        }
    }
    if options.json {
        result["total"] = total::of(&result);
        println!("{result:#}");
    }
    let fault = "a peer deviates from the protocol, or a planted deviation was not found";
    if passed { Ok(()) } else { Err(Error::Refused(fault.into())) }
}

/// Calls back with what plays dialogues against the server, which runs meanwhile and lacks these profiles.
fn with_server(paths: &Paths, without: &[&str], play: impl FnOnce(&dyn Fn() -> Run) -> Result) -> Result {
    paths.cargo().args(["build", "--quiet", "--package", "everwire-server"]).go()?;
    let directory = paths.own.join("conformance");
    // What an earlier run has left.
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).map_err(Error::file("created", &directory))?;
    for (name, text) in SECRETS {
        let file = directory.join(name);
        fs::write(&file, text).map_err(Error::file("written", &file))?;
    }
    let address = free_address()?;
    let server = paths
        .run(paths.built("everwire-server").to_string_lossy())
        .args(["--listen", &address, "--database"])
        .arg(directory.join("everwire.db"))
        .arg("--jwt-secret-file")
        .arg(directory.join("secret"))
        .arg("--api-key-file")
        .arg(directory.join("key"))
        .args(without.iter().flat_map(|profile| ["--without", *profile]))
        .start_silently()?;
    let suite = || {
        clients::tool(paths)
            .args(["server", "--address", &format!("http://{address}"), "--slow", "--jwt-secret-file"])
            .arg(directory.join("secret"))
            .arg("--api-key-file")
            .arg(directory.join("key"))
    };
    let result = wait_for(&address).and_then(|()| play(&suite));
    // It is stopped whatever has come out; if it has ended already, that is what failed.
    let _ = server.kill();
    result
}

impl Options {
    /// Plays with one peer. What came out is printed, or becomes `result`. `plant`: deviations are planted as well.
    fn play(&self, suite: &dyn Fn() -> Run, result: &mut Value, plant: bool, passed: &mut bool) -> Result {
        let plant = plant && self.filter.is_none();
        let run = || suite().args(&self.filter);
        if !self.json {
            *passed &= run().hand_over().is_ok();
            if plant {
                *passed &= suite().arg("--planted").hand_over().is_ok();
            }
            return Ok(());
        }
        let played = read(&run().arg("--json").read()?)?;
        *passed &= played["passed"] == true;
        let number = |name: &str| played["counts"][name].as_u64().unwrap_or_default();
        let requirements = number("requirements");
        *result = json!({
            "requirements": requirements,
            "covered": requirements - number("not_covered"),
            "passed": number("held"),
            "not_applicable": number("skipped"),
            "dialogues": played["dialogues"],
            "states": played["requirements"],
        });
        if plant {
            let planted = read(&suite().args(["--planted", "--json"]).read()?)?;
            *passed &= planted["found"] == planted["planted"];
            result["deviations"] = planted;
        }
        Ok(())
    }
}

pub(super) fn read(output: &str) -> Result<Value> {
    serde_json::from_str(output).map_err(|error| Error::Unexpected {
        what: "what everwire-conformance printed".into(),
        reason: format!("{error}: {output}"),
    })
}

fn free_address() -> Result<String> {
    let none = |error| Error::Refused(format!("no port is free: {error}"));
    let listener = TcpListener::bind("127.0.0.1:0").map_err(none)?;
    Ok(listener.local_addr().map_err(none)?.to_string())
}

fn wait_for(address: &str) -> Result {
    let deadline = Instant::now() + START;
    while TcpStream::connect(address).is_err() {
        if Instant::now() > deadline {
            return Err(Error::Refused(format!("the server does not listen on {address}")));
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
