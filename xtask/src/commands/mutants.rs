//! `cargo xtask mutants`: changes the code in small ways, one at a time, and reports which changes no test notices. A change
//! that survives the room's own tests is given to the simulation. Those that cannot be noticed are listed, with the
//! reason, in .cargo/mutants.toml.

use std::{fs, path::PathBuf};

use clap::ValueEnum;

use crate::{
    error::{Error, Result},
    paths::Paths,
    process::Run,
};

/// The version of cargo-mutants.
const VERSION: &str = "27.1.0";

/// The exit status of cargo-mutants for mutants that survived, and for tests that took too long.
const SURVIVED: [&str; 2] = ["exit status: 2", "exit status: 3"];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this part of the code.
    #[arg(long, value_enum)]
    only: Option<Room>,
    /// Only about this many mutants of each part, evenly spread.
    #[arg(long, conflicts_with = "shard")]
    sample: Option<usize>,
    /// Only this part of the mutants, such as 0/8.
    #[arg(long)]
    shard: Option<String>,
    /// How many mutants are tested at the same time.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
}

/// Code that is changed, with the tests that judge it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Room {
    /// The client's core.
    Core,
    /// The server's connection.
    Connection,
}

impl Room {
    const ALL: [Self; 2] = [Self::Core, Self::Connection];

    const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Connection => "connection",
        }
    }

    const fn package(self) -> &'static str {
        match self {
            Self::Core => "everwire-client-core",
            Self::Connection => "everwire-server",
        }
    }

    const fn files(self) -> &'static str {
        match self {
            Self::Core => "client-wasm/core/src/**/*.rs",
            Self::Connection => "server-ref/src/connection/**/*.rs",
        }
    }

    const fn tests(self) -> &'static [&'static str] {
        match self {
            Self::Core => &[],
            Self::Connection => &["--lib", "--test", "connection"],
        }
    }
}

pub(crate) fn run(paths: &Paths, options: &Options) -> Result {
    let program = ensure(paths)?;
    for room in Room::ALL.into_iter().filter(|room| options.only.is_none_or(|only| only == *room)) {
        let run = || paths.run(program.to_string_lossy()).called("cargo mutants").arg("mutants");
        let shard = match (&options.shard, options.sample) {
            (Some(shard), _) => Some(shard.clone()),
            (None, Some(sample)) => Some(format!("0/{}", parts(of(run(), room), sample)?)),
            (None, None) => None,
        };
        let output = paths.root.join("target/mutants").join(room.name());
        fs::create_dir_all(&output).map_err(Error::file("created", &output))?;
        let judged = |tests: &[&str], packages: &str, again: bool| {
            let mut run = of(run(), room)
                .args(["--no-shuffle", "--colors", "never", "--jobs", &options.jobs.to_string()])
                .arg("--output")
                .arg(&output)
                .args(["--test-package", packages]);
            if again {
                run = run.arg("--iterate");
            }
            if let Some(shard) = &shard {
                run = run.args(["--shard", shard]);
            }
            tolerated(run.arg("--").args(tests.iter().copied()))
        };
        println!("{}: judged by its own tests", room.name());
        judged(room.tests(), room.package(), false)?;
        let survivors = outcome(&output, "missed")?;
        if !survivors.is_empty() {
            println!("{}: {} survived them; judged by the simulation", room.name(), survivors.len());
            judged(&["--test", "simulation", "seeds"], "everwire-sim", true)?;
        }
        summary(room, &output, survivors.len())?;
    }
    Ok(())
}

/// cargo-mutants, installed into target/tools if it is not there.
fn ensure(paths: &Paths) -> Result<PathBuf> {
    let tools = paths.root.join("target/tools");
    let program = tools.join("bin").join(format!("cargo-mutants{}", std::env::consts::EXE_SUFFIX));
    let there = paths.run(program.to_string_lossy()).args(["mutants", "--version"]).ask();
    if there.is_ok_and(|version| version.ends_with(VERSION)) {
        return Ok(program);
    }
    println!("installing cargo-mutants {VERSION} into target/tools");
    let install = paths
        .cargo()
        .args([
            "install",
            "cargo-mutants",
            "--locked",
            "--force",
            "--version",
            &format!("={VERSION}"),
            "--root",
        ])
        .arg(&tools);
    install.go().map_err(|error| {
        error.advise(&format!(
            "Check the network, or run `cargo install cargo-mutants --version ={VERSION} --locked --root target/tools` yourself."
        ))
    })?;
    Ok(program)
}

fn of(run: Run, room: Room) -> Run {
    run.args(["--package", room.package(), "--file", room.files()])
}

/// Into how many parts the mutants have to be divided so that one has about `sample` of them.
fn parts(run: Run, sample: usize) -> Result<usize> {
    let all = run.arg("--list").ask()?.lines().count();
    Ok((all / sample.max(1)).max(1))
}

/// Runs it. That mutants survive is no error.
fn tolerated(run: Run) -> Result {
    match run.hand_over() {
        Err(Error::Exit { status, .. }) if SURVIVED.contains(&status.as_str()) => Ok(()),
        result => result,
    }
}

/// The mutants with this outcome.
fn outcome(output: &std::path::Path, outcome: &str) -> Result<Vec<String>> {
    let file = output.join("mutants.out").join(format!("{outcome}.txt"));
    let text = fs::read_to_string(&file).map_err(Error::file("read", &file))?;
    Ok(text.lines().map(ToOwned::to_owned).collect())
}

fn summary(room: Room, output: &std::path::Path, first: usize) -> Result {
    let count = |name| outcome(output, name).map(|mutants| mutants.len());
    let survivors = outcome(output, "missed")?;
    let left = if first == 0 { 0 } else { survivors.len() };
    println!(
        "{}: {} caught by the last judge, {} took too long, {} do not compile; {first} survived the room's own tests, {left} the simulation too",
        room.name(),
        count("caught")?,
        count("timeout")?,
        count("unviable")?,
    );
    survivors.iter().filter(|_| first > 0).for_each(|survivor| println!("  {survivor}"));
    Ok(())
}
