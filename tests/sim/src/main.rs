//! The command behind `cargo xtask sim`.

use std::{process::ExitCode, time::Instant};

use clap::Parser;
use everwire_sim::{case::Case, plant::Plant, runner, shrink, world};

/// Runs the simulation.
#[derive(Parser)]
struct Options {
    /// How many seeds to run.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Replay just this seed, with a trace.
    #[arg(long)]
    seed: Option<u64>,
    /// Replay a line of the corpus, with a trace.
    #[arg(long)]
    case: Option<Case>,
    /// Plant a bug, to see that it is found.
    #[arg(long, value_parser = |name: &str| Plant::named(name).ok_or("no planted bug has this name"))]
    plant: Option<Plant>,
    /// Print nothing but the result, as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(case) = options.case.or_else(|| options.seed.map(Case::of)) {
        return replay(case, options.plant);
    }
    let started = Instant::now();
    let report = runner::run(options.from, options.seeds, options.plant, |_| {});
    for (case, violation) in &report.failures {
        println!("{violation}\n  {case}");
    }
    if let Some((case, violation)) = report.failures.first() {
        println!("smaller: {}", shrink::shrink(*case, options.plant, violation.rule));
    }
    println!("{} seeds in {:?}: {:?}", report.seeds, started.elapsed(), report.stats);
    if report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn replay(case: Case, plant: Option<Plant>) -> ExitCode {
    let outcome = world::run(case, plant, true);
    println!("{case}");
    for line in &outcome.trace {
        println!("{line}");
    }
    println!("{:?}", outcome.stats);
    if outcome.violation.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
