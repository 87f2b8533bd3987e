//! `cargo xtask conformance`: builds and starts the server, and plays all dialogues of tests/conformance against it, those that
//! take long included. Then it shows that the dialogues find deviations that are planted.

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
};

/// How long the server may take to start.
const START: Duration = Duration::from_secs(30);

/// The secrets of a server that only these dialogues use.
const SECRETS: [(&str, &str); 2] =
    [("secret", "the secret of the conformance suite"), ("key", "the key of its back ends")];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Play only dialogues whose name contains this, and plant nothing.
    filter: Option<String>,
    /// Print only the result, as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(paths: &Paths, options: &Options) -> Result {
    let packages = ["--package", "everwire-server", "--package", "everwire-conformance"];
    paths.cargo().args(["build", "--quiet"]).args(packages).go()?;
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
        .start_silently()?;
    let suite = || {
        paths
            .run(paths.built("everwire-conformance").to_string_lossy())
            .called("everwire-conformance")
            .args(["--server", &format!("http://{address}"), "--slow", "--jwt-secret-file"])
            .arg(directory.join("secret"))
            .arg("--api-key-file")
            .arg(directory.join("key"))
            .args(&options.filter)
    };
    let result = wait_for(&address).and_then(|()| play(suite, options));
    // It is stopped whatever has come out; if it has ended already, that is what failed.
    let _ = server.kill();
    result
}

fn play(suite: impl Fn() -> Run, options: &Options) -> Result {
    if options.filter.is_some() {
        let run = if options.json { suite().arg("--json") } else { suite() };
        return run.hand_over();
    }
    if !options.json {
        suite().hand_over()?;
        return suite().arg("--planted").hand_over();
    }
    let [played, planted] = [suite(), suite().arg("--planted")].map(|run| run.arg("--json").read());
    let (played, planted) = (read(&played?)?, read(&planted?)?);
    let counts = &played["counts"];
    let number = |name: &str| counts[name].as_u64().unwrap_or_default();
    let requirements = number("requirements");
    let result = json!({
        "requirements": requirements,
        "covered": requirements - number("not_covered"),
        "passed": number("held"),
        "deviations": planted,
        "dialogues": played["dialogues"],
        "states": played["requirements"],
    });
    println!("{result:#}");
    let found = planted["found"] == planted["planted"];
    if played["passed"] == true && found {
        return Ok(());
    }
    Err(Error::Refused("the server deviates from the protocol, or a planted deviation was not found".into()))
}

fn read(output: &str) -> Result<Value> {
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
