//! `cargo xtask mutants`: changes the code in small ways, one at a time, and reports which changes no test notices. A change
//! that survives the room's own tests is given to the simulation. Those that cannot be noticed are listed, with the
//! reason, in .cargo/mutants.toml.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use clap::ValueEnum;
use serde::Deserialize;

use crate::{
    error::{Error, Result},
    paths::Paths,
    process::Run,
};

/// The version of cargo-mutants.
const VERSION: &str = "27.1.0";

/// How the names of mutants of fields begin, after the position: the field is left out where others have their defaults.
const FIELD: &str = "delete field ";

/// Where cargo-mutants writes its outcomes.
const OUTPUT: &str = "mutants.out";

/// The exit status of cargo-mutants for mutants that survived, and for tests that took too long.
const SURVIVED: [&str; 2] = ["exit status: 2", "exit status: 3"];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this part of the code.
    #[arg(long, value_enum)]
    only: Option<Room>,
    /// Only mutants whose name contains this, such as a file or a function; several times for any of these.
    #[arg(long)]
    matching: Vec<String>,
    /// Only about this many mutants of each part, evenly spread.
    #[arg(long, conflicts_with = "shard")]
    sample: Option<usize>,
    /// Only this part of the mutants, such as 0/8.
    #[arg(long, value_parser = Shard::parse)]
    shard: Option<Shard>,
    /// How many mutants are tested at the same time.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
}

/// Every `of`-th mutant, beginning with this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shard {
    first: usize,
    of: usize,
}

impl Shard {
    fn parse(text: &str) -> std::result::Result<Self, String> {
        let numbers =
            text.split_once('/').and_then(|(first, of)| Some((first.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((first, of)) if first < of => Ok(Self { first, of }),
            _ => {
                Err("It must be two numbers, such as 0/8, the first of which is less than the second.".into())
            }
        }
    }
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
    /// How long the tests may take at least, in seconds, because a mutant may loop for ever. Where that is not five times as
    /// long as they take without a mutant, they may take that long.
    timeout: u64,
}

/// Compiled without optimisation: these tests are over sooner than an optimised crate is compiled.
const CORE: Judge = Judge {
    name: "its own tests",
    package: "everwire-client-core",
    tests: &["--lib", "--tests"],
    profile: "mutants",
    timeout: 60,
};
const CONNECTION: Judge = Judge {
    name: "the tests of connections",
    package: "everwire-server",
    tests: &["--test", "connection"],
    profile: "mutants",
    timeout: 60,
};
const SERVER: Judge = Judge {
    name: "the unit tests of the server",
    package: "everwire-server",
    tests: &["--lib"],
    profile: "mutants",
    timeout: 60,
};
/// Hundreds of seeds, three times as fast in the release build.
const SIMULATION: Judge = Judge {
    name: "the simulation",
    package: "everwire-sim",
    tests: &["--test", "simulation", "seeds"],
    profile: "release",
    timeout: 180,
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
        let survivors = survivors(paths, &program, room, options)?;
        for survivor in survivors {
            println!("  {survivor}");
        }
    }
    Ok(())
}

/// The mutants of this room that all its judges let pass.
fn survivors(paths: &Paths, program: &Path, room: Room, options: &Options) -> Result<Vec<String>> {
    let run = || {
        let run = paths.run(program.to_string_lossy()).called("cargo mutants").arg("mutants");
        run.args(["--package", room.package(), "--file", room.files()])
    };
    let output = paths.root.join("target/mutants").join(room.name());
    let all: Vec<String> = run().arg("--list").ask()?.lines().map(ToOwned::to_owned).collect();
    let mut which = choose(&all, options, &left_out(&paths.root)?);
    for judge in room.judges() {
        if which.is_empty() {
            break;
        }
        println!("{}: {} judged by {}", room.name(), which.len(), judge.name);
        let limit = if judge.package == room.package() {
            // cargo-mutants tests first that the code passes as it is, and how long that takes.
            ["--baseline=run".into(), format!("--minimum-test-timeout={}", judge.timeout)]
        } else {
            // It would look for the tests in the package that is changed.
            ["--baseline=skip".into(), format!("--timeout={}", judge.timeout.max(5 * judge.seconds(paths)?))]
        };
        settle(&output, all.iter().filter(|mutant| !which.contains(mutant)))?;
        judge.judge(run(), &output, options.jobs, &limit)?;
        let count = |name| outcome(&output, name).map(|mutants| mutants.len());
        let (caught, slow, unviable) = (count("caught")?, count("timeout")?, count("unviable")?);
        which = outcome(&output, "missed")?;
        println!(
            "{}: {caught} caught by {}, {slow} took too long, {unviable} do not compile, {} survived",
            room.name(),
            judge.name,
            which.len(),
        );
    }
    Ok(which)
}

impl Judge {
    /// Tests the mutants that are not settled yet. That some survive is no error.
    fn judge(&self, run: Run, output: &Path, jobs: usize, limit: &[String]) -> Result {
        let run = run
            .args(["--iterate", "--no-shuffle", "--colors", "never", "--jobs", &jobs.to_string()])
            .args(["--profile", self.profile, "--test-package", self.package])
            .args(limit)
            .arg("--output")
            .arg(output);
        match run.arg("--").args(self.tests.iter().copied()).hand_over() {
            Err(Error::Exit { status, .. }) if SURVIVED.contains(&status.as_str()) => Ok(()),
            result => result,
        }
    }

    /// How long the tests take without a mutant, in seconds. They must pass.
    fn seconds(&self, paths: &Paths) -> Result<u64> {
        let tests = |no_run: &[&str]| {
            let tests = paths.cargo().args(["test", "--quiet", "--profile", self.profile]);
            tests.args(["--package", self.package]).args(no_run).args(self.tests).hand_over()
        };
        tests(&["--no-run"])?;
        let start = Instant::now();
        tests(&[])?;
        Ok(start.elapsed().as_secs())
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

/// What .cargo/mutants.toml says of fields. cargo-mutants itself applies its expressions to every other kind of mutant
/// (<https://github.com/sourcefrog/cargo-mutants/issues/632>).
fn left_out(root: &Path) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Config {
        exclude_re: Vec<String>,
    }
    let file = root.join(".cargo/mutants.toml");
    let text = fs::read_to_string(&file).map_err(Error::file("read", &file))?;
    let config: Config = toml::from_str(&text)
        .map_err(|error| Error::Unexpected { what: file.display().to_string(), reason: error.to_string() })?;
    let fields = config.exclude_re.iter().filter(|expression| expression.starts_with(FIELD));
    Ok(fields.map(|expression| expression.trim_end_matches('$').to_owned()).collect())
}

/// The mutants that are tested, of all that there are. `left_out`: how the names of the others end.
fn choose(all: &[String], options: &Options, left_out: &[String]) -> Vec<String> {
    let matching = |mutant: &String| {
        options.matching.is_empty() || options.matching.iter().any(|text| mutant.contains(text))
    };
    let wanted = |mutant: &&String| matching(mutant) && !left_out.iter().any(|end| mutant.ends_with(end));
    let which: Vec<&String> = all.iter().filter(wanted).collect();
    let sample = options.sample.map(|sample| Shard { first: 0, of: (which.len() / sample.max(1)).max(1) });
    let Shard { first, of } = options.shard.or(sample).unwrap_or(Shard { first: 0, of: 1 });
    which.into_iter().skip(first).step_by(of).cloned().collect()
}

/// Lets cargo-mutants believe that these mutants were caught by an earlier run, which it then goes on with. Unlike its
/// expressions this holds for mutants of every kind.
fn settle<'a>(output: &Path, mutants: impl Iterator<Item = &'a String>) -> Result {
    let directory = output.join(OUTPUT);
    if directory.exists() {
        fs::remove_dir_all(&directory).map_err(Error::file("deleted", &directory))?;
    }
    fs::create_dir_all(&directory).map_err(Error::file("created", &directory))?;
    let file = directory.join("caught.txt");
    let text: String = mutants.flat_map(|mutant| [mutant, "\n"]).collect();
    fs::write(&file, text).map_err(Error::file("written", &file))
}

/// The mutants with this outcome.
fn outcome(output: &Path, outcome: &str) -> Result<Vec<String>> {
    let file = output.join(OUTPUT).join(format!("{outcome}.txt"));
    let text = fs::read_to_string(&file).map_err(Error::file("read", &file))?;
    Ok(text.lines().map(ToOwned::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(matching: &[&str], sample: Option<usize>, shard: Option<&str>) -> Options {
        Options {
            only: None,
            matching: matching.iter().map(|text| (*text).to_owned()).collect(),
            sample,
            shard: shard.map(|text| Shard::parse(text).unwrap()),
            jobs: 1,
        }
    }

    #[test]
    fn mutants_are_chosen_by_name_by_number_and_by_what_is_left_out() {
        let all: Vec<String> = (0..8).map(|n| format!("core/src/file{}.rs: {n}", n % 2)).collect();
        let numbers = |options: &Options, left_out: &[&str]| -> Vec<String> {
            let left_out: Vec<String> = left_out.iter().map(|end| (*end).to_owned()).collect();
            let chosen = choose(&all, options, &left_out);
            chosen.iter().map(|name| name.rsplit(' ').next().unwrap().to_owned()).collect()
        };
        assert_eq!(numbers(&options(&[], None, None), &[": 3", ": 6"]), ["0", "1", "2", "4", "5", "7"]);
        assert_eq!(numbers(&options(&["file1.rs"], None, None), &[": 3"]), ["1", "5", "7"]);
        assert_eq!(numbers(&options(&[": 2", ": 7"], None, None), &[]), ["2", "7"]);
        assert_eq!(numbers(&options(&[], Some(2), None), &[]), ["0", "4"]);
        assert_eq!(numbers(&options(&[], Some(100), None), &[]).len(), 8);
        assert_eq!(numbers(&options(&[], None, Some("1/3")), &[]), ["1", "4", "7"]);
    }

    #[test]
    fn a_shard_is_one_of_several() {
        assert_eq!(Shard::parse("7/8"), Ok(Shard { first: 7, of: 8 }));
        for text in ["8/8", "0/0", "3", "a/8", "1/8/2", ""] {
            assert!(Shard::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_list_of_what_is_left_out_names_fields_by_how_the_names_end() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let fields = left_out(root).unwrap();
        assert!(!fields.is_empty());
        for field in fields {
            assert!(
                !field.contains(['\\', '|', '(', '*', '+', '?', '$', '^', '[']),
                "{field} is an expression"
            );
        }
    }
}
