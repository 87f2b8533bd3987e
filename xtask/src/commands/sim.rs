//! `cargo xtask sim`: the simulation of tests/sim, in which client and server cores communicate under a virtual
//! clock.

use super::test::rust::ALL_CRATES;
use crate::{error::Result, paths::Paths, process::Run};

/// The crate that contains it.
const PACKAGE: &str = "everwire-sim";

/// The chart of the thundering herd.
const HERD: &str = "docs/herd.svg";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many seeds to run.
    #[arg(long)]
    seeds: Option<u64>,
    /// The first seed. By default it is the same all day, in UTC, and another one tomorrow.
    #[arg(long)]
    from: Option<u64>,
    /// Start from a seed that was most likely never used before.
    #[arg(long)]
    fresh: bool,
    /// Replay this seed only, with a trace.
    #[arg(long)]
    seed: Option<u64>,
    /// Replay a line of tests/sim/corpus/cases.txt, with a trace.
    #[arg(long)]
    case: Option<String>,
    /// Mutant a bug, to check that it is found.
    #[arg(long)]
    mutant: Option<String>,
    /// Let the applications of all seeds do this, too.
    #[arg(long)]
    play: Vec<String>,
    /// Inject this kind of fault into all seeds, too.
    #[arg(long)]
    fault: Vec<String>,
    /// Simulate ten thousand clients reconnecting after an outage, and draw the chart docs/herd.svg.
    #[arg(long)]
    thundering_herd: bool,
    /// Print only the result, as JSON.
    #[arg(long)]
    json: bool,
}

/// The simulation as `cargo xtask test` runs it: as the tests of all crates have compiled it already; or `long`, from a seed that was
/// most likely never used before, in the release build, which is soon worth the time that it takes to compile.
pub(crate) fn for_tests(paths: &Paths, seeds: u64, long: bool) -> Result<Run> {
    let run = if long {
        paths.cargo().args(["run", "--quiet", "--release", "--package", PACKAGE, "--", "--fresh"])
    } else {
        // With other features than for those tests, most of what it consists of would be compiled once more.
        paths.cargo().args(["test", "--quiet", "--no-run", "--test", "simulation"]).args(ALL_CRATES).go()?;
        paths.run(paths.built(PACKAGE).to_string_lossy()).called(PACKAGE)
    };
    Ok(run.arg("--seeds").arg(seeds.to_string()))
}

pub(crate) fn run(paths: &Paths, options: &Options) -> Result {
    let mut run = paths.cargo().args(["run", "--quiet", "--release", "--package", PACKAGE, "--"]);
    for (name, value) in [("--seeds", options.seeds), ("--from", options.from), ("--seed", options.seed)] {
        if let Some(value) = value {
            run = run.arg(name).arg(value.to_string());
        }
    }
    for (name, value) in [("--case", &options.case), ("--mutant", &options.mutant)] {
        if let Some(value) = value {
            run = run.arg(name).arg(value);
        }
    }
    for play in &options.play {
        run = run.arg("--play").arg(play);
    }
    for fault in &options.fault {
        run = run.arg("--fault").arg(fault);
    }
    if options.fresh {
        run = run.arg("--fresh");
    }
    if options.thundering_herd {
        run = run.args(["--thundering-herd", "--svg", HERD]);
    }
    if options.json {
        run = run.arg("--json");
    }
    run.hand_over()
}
