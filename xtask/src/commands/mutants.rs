//! `cargo xtask mutants`: changes the code in small ways, one at a time, and reports which changes no test notices. A change
//! that survives the room's own tests is given to the simulation. Those that cannot be noticed are listed, with the
//! reason, in .cargo/mutants.toml.

use std::{
    fs,
    path::{Path, PathBuf},
};

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
        let judged = |tests: &[&str], packages: &str, which: &[String]| {
            let run = of(run(), room)
                .args(["--no-shuffle", "--colors", "never", "--jobs", &options.jobs.to_string()])
                .arg("--output")
                .arg(&output)
                .args(["--test-package", packages])
                .args(which);
            tolerated(run.arg("--").args(tests.iter().copied()))
        };
        println!("{}: judged by its own tests", room.name());
        let part: Vec<String> = shard.into_iter().flat_map(|shard| ["--shard".into(), shard]).collect();
        judged(room.tests(), room.package(), &part)?;
        let count = |name| outcome(&output, name).map(|mutants| mutants.len());
        let (caught, slow, unviable) = (count("caught")?, count("timeout")?, count("unviable")?);
        let mut survivors = outcome(&output, "missed")?;
        let first = survivors.len();
        if !survivors.is_empty() {
            println!("{}: {first} survived them; judged by the simulation", room.name());
            let named: Vec<String> =
                survivors.iter().flat_map(|mutant| ["--re".into(), exactly(mutant)]).collect();
            judged(&["--test", "simulation", "seeds"], "everwire-sim", &named)?;
            survivors = outcome(&output, "missed")?;
        }
        println!(
            "{}: {caught} caught, {slow} took too long, {unviable} do not compile; {first} survived the room's own tests, {} of them the simulation too",
            room.name(),
            survivors.len(),
        );
        for survivor in &survivors {
            println!("  {survivor}");
        }
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
fn outcome(output: &Path, outcome: &str) -> Result<Vec<String>> {
    let file = output.join("mutants.out").join(format!("{outcome}.txt"));
    let text = fs::read_to_string(&file).map_err(Error::file("read", &file))?;
    Ok(text.lines().map(ToOwned::to_owned).collect())
}

/// A regular expression for this text alone.
fn exactly(text: &str) -> String {
    let escaped = text.chars().flat_map(|character| {
        let special = "\\.+*?()|[]{}^$#&-~".contains(character);
        special.then_some('\\').into_iter().chain([character])
    });
    format!("^{}$", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_is_named_exactly() {
        let name = "core/src/text.rs:19:9: replace <impl Part for usize>::push with ()";
        let expected = r"^core/src/text\.rs:19:9: replace <impl Part for usize>::push with \(\)$";
        assert_eq!(exactly(name), expected);
    }
}
