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

/// Code that is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Room {
    /// The client's core.
    Core,
    /// The server's connection.
    Connection,
}

/// Tests that a mutant has to pass to survive.
struct Judge {
    name: &'static str,
    package: &'static str,
    /// The arguments of `cargo test`.
    tests: &'static [&'static str],
    profile: &'static str,
    /// How long the tests may take, in seconds: much longer than they do, because the machine may be busy, but a mutant may
    /// loop for ever.
    timeout: &'static str,
}

/// Compiled without optimisation: these tests are over sooner than an optimised crate is compiled.
const CORE: Judge = Judge {
    name: "its own tests",
    package: "everwire-client-core",
    tests: &["--lib", "--tests"],
    profile: "mutants",
    timeout: "60",
};
const CONNECTION: Judge = Judge {
    name: "the tests of connections",
    package: "everwire-server",
    tests: &["--test", "connection"],
    profile: "mutants",
    timeout: "60",
};
const SERVER: Judge = Judge {
    name: "the unit tests of the server",
    package: "everwire-server",
    tests: &["--lib"],
    profile: "mutants",
    timeout: "60",
};
/// Hundreds of seeds, three times as fast in the release build.
const SIMULATION: Judge = Judge {
    name: "the simulation",
    package: "everwire-sim",
    tests: &["--test", "simulation", "seeds"],
    profile: "release",
    timeout: "180",
};

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

    /// Its judges, the cheapest first. Each judges what the ones before have let pass.
    const fn judges(self) -> &'static [Judge] {
        match self {
            Self::Core => &[CORE, SIMULATION],
            Self::Connection => &[CONNECTION, SERVER, SIMULATION],
        }
    }
}

pub(crate) fn run(paths: &Paths, options: &Options) -> Result {
    let program = ensure(paths)?;
    for room in Room::ALL.into_iter().filter(|room| options.only.is_none_or(|only| only == *room)) {
        let run = || of(paths.run(program.to_string_lossy()).called("cargo mutants").arg("mutants"), room);
        let shard = match (&options.shard, options.sample) {
            (Some(shard), _) => Some(shard.clone()),
            (None, Some(sample)) => Some(format!("0/{}", parts(run(), sample)?)),
            (None, None) => None,
        };
        let output = paths.root.join("target/mutants").join(room.name());
        fs::create_dir_all(&output).map_err(Error::file("created", &output))?;
        let mut which: Vec<String> = shard.into_iter().flat_map(|shard| ["--shard".into(), shard]).collect();
        let mut survivors: Option<Vec<String>> = None;
        for judge in room.judges() {
            println!("{}: judged by {}", room.name(), judge.name);
            let baseline = if judge.package == room.package() {
                "run"
            } else {
                // cargo-mutants would look for the tests in the package that is changed.
                let tests = paths.cargo().args(["test", "--quiet", "--profile", judge.profile]);
                tests.args(["--package", judge.package]).args(judge.tests.iter().copied()).hand_over()?;
                "skip"
            };
            judge.judge(run(), &output, options.jobs, baseline, &which)?;
            // This version of cargo-mutants tests fields that are left out whatever the expressions say.
            let of = |name| outcome(&output, name, survivors.as_deref());
            let (caught, slow, unviable) = (of("caught")?.len(), of("timeout")?.len(), of("unviable")?.len());
            let missed = of("missed")?;
            println!(
                "{}: {caught} caught by {}, {slow} took too long, {unviable} do not compile, {} survived",
                room.name(),
                judge.name,
                missed.len(),
            );
            which = missed.iter().flat_map(|mutant| ["--re".into(), exactly(mutant)]).collect();
            let over = missed.is_empty();
            survivors = Some(missed);
            if over {
                break;
            }
        }
        for survivor in survivors.iter().flatten() {
            println!("  {survivor}");
        }
    }
    Ok(())
}

impl Judge {
    /// Tests these mutants. That some survive is no error. `baseline`: whether cargo-mutants tests first that the code passes
    /// as it is; otherwise that has been done.
    fn judge(&self, run: Run, output: &Path, jobs: usize, baseline: &str, which: &[String]) -> Result {
        let run = run
            .args(["--no-shuffle", "--colors", "never", "--jobs", &jobs.to_string()])
            .args(["--baseline", baseline, "--profile", self.profile, "--timeout", self.timeout])
            .arg("--output")
            .arg(output)
            .args(["--test-package", self.package])
            .args(which);
        match run.arg("--").args(self.tests.iter().copied()).hand_over() {
            Err(Error::Exit { status, .. }) if SURVIVED.contains(&status.as_str()) => Ok(()),
            result => result,
        }
    }
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

/// The mutants with this outcome, of `these` if they are given.
fn outcome(output: &Path, outcome: &str, these: Option<&[String]>) -> Result<Vec<String>> {
    let file = output.join("mutants.out").join(format!("{outcome}.txt"));
    let text = fs::read_to_string(&file).map_err(Error::file("read", &file))?;
    let wanted = |mutant: &&str| these.is_none_or(|these| these.iter().any(|this| this == mutant));
    Ok(text.lines().filter(wanted).map(ToOwned::to_owned).collect())
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
