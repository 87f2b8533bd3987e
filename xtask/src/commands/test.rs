//! `cargo xtask test`: everything that is tested, in an order in which what fails fastest comes first. The last line is the
//! sum of what the runners reported.

pub(crate) mod rust;
pub(crate) mod types;
mod vitest;

use std::fmt::Write as _;

use clap::ValueEnum;

use super::{conformance, generate, sim, size};
use crate::{
    error::{Error, Result},
    paths::Paths,
    step::{Outcome, Steps},
    summary::Summary,
    task::{self, Task},
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Run only this part, and what has to be built for it. Can be given several times.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Simulate 200,000 fresh seeds instead of the 5,000 of the day, test upkeep with five million rows, and send five times
    /// as many messages through the chaos around the third client.
    #[arg(long)]
    long: bool,
}

/// How many seeds are simulated.
const SEEDS: u64 = 5_000;

/// How many with `--long`.
const LONG_SEEDS: u64 = 200_000;

/// A part of the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// What is generated from the protocol crate is up to date.
    Generated,
    /// All crates, natively.
    Rust,
    /// The protocol crate alone.
    Protocol,
    /// The client's core and the crate for Rust alone, natively.
    Client,
    /// The server alone.
    Server,
    /// xtask itself alone.
    Xtask,
    /// The simulation: the corpus, and seeds that are others every day.
    Sim,
    /// The client in a headless browser.
    Wasm,
    /// The size of the package.
    Size,
    /// The TypeScript compiler, everywhere.
    Types,
    /// The golden vectors against the JSON Schema.
    Schema,
    /// The package's own tests.
    PkgJs,
    /// The demo's own tests.
    Demo,
    /// The dialogues of tests/conformance against the clients that have an adapter.
    Conformance,
    /// The benchmarks' own tests.
    Bench,
    /// Browsers, the built demo and the real server together.
    E2e,
}

impl Part {
    /// What runs when nothing is chosen.
    const ALL: [Self; 12] = [
        Self::Generated,
        Self::Rust,
        Self::Sim,
        Self::Wasm,
        Self::Size,
        Self::Types,
        Self::Schema,
        Self::PkgJs,
        Self::Demo,
        Self::Conformance,
        Self::Bench,
        Self::E2e,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::Generated => "test: generated files are up to date",
            Self::Rust => "test: all crates",
            Self::Protocol => "test: protocol",
            Self::Client => "test: client core and crate",
            Self::Server => "test: server",
            Self::Xtask => "test: xtask",
            Self::Sim => "test: simulation",
            Self::Wasm => "test: client in headless Chromium",
            Self::Size => "test: size of the package",
            Self::Types => "test: TypeScript types",
            Self::Schema => "test: golden vectors against the JSON Schema",
            Self::PkgJs => "test: npm package",
            Self::Demo => "test: demo",
            Self::Conformance => "test: conformance of clients",
            Self::Bench => "test: benchmarks",
            Self::E2e => "test: end to end",
        }
    }

    fn needs(self) -> &'static [Task] {
        match self {
            Self::Generated
            | Self::Rust
            | Self::Protocol
            | Self::Client
            | Self::Server
            | Self::Xtask
            | Self::Sim => &[],
            Self::Wasm => &[Task::WasmTarget, Task::WasmTool, Task::Browser, Task::Driver],
            Self::Size => &[Task::Package, Task::Examples],
            Self::Types | Self::PkgJs | Self::Demo => &[Task::Package],
            Self::Schema => &[Task::Packages],
            Self::Conformance => &[Task::Package, Task::Python],
            Self::Bench => &[Task::Demo, Task::Server, Task::Browser],
            Self::E2e => &[
                Task::Demo,
                Task::Examples,
                Task::Server,
                Task::Browser,
                Task::Firefox,
                Task::Documented,
                Task::Python,
            ],
        }
    }

    fn run(self, paths: &Paths, long: bool) -> Result<Tested> {
        match self {
            Self::Generated => generate::generate(paths, true).map(|_| Tested::default()),
            Self::Rust => rust::native(paths, &rust::ALL_CRATES, long),
            Self::Protocol => {
                let generate = ["--package", "everwire-protocol", "--features", "everwire-protocol/generate"];
                rust::native(paths, &generate, long)
            }
            Self::Client => {
                let packages = ["--package", "everwire-client-core", "--package", "everwire-client"];
                let native = ["--features", "everwire-client/native"];
                rust::native(paths, &[&packages[..], &native[..]].concat(), long)
            }
            Self::Server => rust::native(paths, &["--package", "everwire-server"], long),
            Self::Xtask => rust::native(paths, &["--package", "xtask"], long),
            Self::Sim => simulation(paths, long),
            Self::Wasm => rust::wasm(paths),
            Self::Size => size::hold(paths),
            Self::Types => types::check(paths).map(|()| Tested::default()),
            Self::Schema => vitest::directory(paths, "protocol/tests"),
            Self::PkgJs => vitest::workspace(paths, "pkg-js", long),
            Self::Demo => vitest::workspace(paths, "demo-web", long),
            Self::Conformance => conformance::clients::test(paths, long),
            Self::Bench => vitest::workspace(paths, "tests/bench", long),
            Self::E2e => vitest::workspace(paths, "tests", long),
        }
    }
}

/// The simulation counts as one test. It says which seeds it runs, so that they can be run again.
fn simulation(paths: &Paths, long: bool) -> Result<Tested> {
    let ended = sim::for_tests(paths, if long { LONG_SEEDS } else { SEEDS }, long)?.finish()?;
    if let Some(seeds) = ended.output.lines().find(|line| line.contains(" seeds from ")) {
        println!("{seeds}");
    }
    let summary = Summary { passed: u64::from(ended.success), failed: u64::from(!ended.success) };
    Ok(Tested { summary, output: ended.output })
}

/// What came out of a part that could be run.
#[derive(Default)]
pub(crate) struct Tested {
    pub(crate) summary: Summary,
    /// What the runner said, if something failed.
    pub(crate) output: String,
}

/// A step of the whole run.
enum Step {
    Task(Task),
    Part(Part),
}

/// The parts in their order, each preceded by those tasks that it needs and that did not come before.
fn plan(parts: &[Part]) -> Vec<Step> {
    let (mut steps, mut planned) = (Vec::new(), Vec::new());
    for part in parts {
        for task in task::plan(part.needs()) {
            if !planned.contains(&task) {
                planned.push(task);
                steps.push(Step::Task(task));
            }
        }
        steps.push(Step::Part(*part));
    }
    steps
}

pub(crate) fn run(paths: &Paths, options: &Options) -> Result {
    let plan = plan(if options.only.is_empty() { &Part::ALL } else { &options.only });
    let mut steps = Steps::new(plan.len());
    let (mut summaries, mut failures, mut broken) = (Vec::new(), Failures::default(), Vec::new());
    let failed = Summary { passed: 0, failed: 1 };
    for step in plan {
        let (title, needs) = match &step {
            Step::Task(task) => (task.title(), task::plan(&[*task])),
            Step::Part(part) => (part.title(), task::plan(part.needs())),
        };
        if let Some(cause) = needs.iter().find(|need| broken.contains(*need)) {
            steps.skip(title, &format!("{} failed", cause.title()));
            // A task that could not be run is part of the failure before it; tests that were not run have failed.
            if matches!(step, Step::Part(_)) {
                summaries.push(failed);
            }
            continue;
        }
        match step {
            Step::Task(task) => {
                if let Err(error) = steps.step(title, || task.run(paths), |outcome| *outcome) {
                    broken.push(task);
                    summaries.push(failed);
                    error.report();
                    failures.add(title);
                }
            }
            Step::Part(part) => match steps.step(title, || part.run(paths, options.long), Tested::outcome) {
                Ok(tested) => {
                    summaries.push(tested.summary);
                    if tested.summary.failed > 0 {
                        println!("\n{}\n", tested.output.trim_end());
                        failures.add(title);
                    }
                }
                Err(error) => {
                    summaries.push(failed);
                    error.report();
                    failures.add(title);
                }
            },
        }
    }
    let summary: Summary = summaries.into_iter().sum();
    print!("\nThe whole run took {}.{}\n{summary}\n", steps.elapsed(), failures.text);
    if summary.failed == 0 { Ok(()) } else { Err(Error::TestsFailed) }
}

/// The titles of what failed, for the end of a long output.
#[derive(Default)]
struct Failures {
    text: String,
}

impl Failures {
    fn add(&mut self, title: &str) {
        let _ = write!(self.text, "\nFAILED: {title}");
    }
}

impl Tested {
    fn outcome(&self) -> Outcome {
        if self.summary == Summary::default() { Outcome::Done } else { Outcome::Tested(self.summary) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_comes_after_what_it_needs() {
        let mut before = Vec::new();
        for step in plan(&Part::ALL) {
            match step {
                Step::Task(task) => before.push(task),
                Step::Part(part) => {
                    assert!(part.needs().iter().all(|need| before.contains(need)), "{part:?}");
                }
            }
        }
    }
}
