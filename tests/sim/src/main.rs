//! The command behind `cargo xtask sim`.

use std::{fs, io::IsTerminal, path::PathBuf, process::ExitCode, time::Instant};

use clap::Parser;
use everwire_sim::{
    Error,
    case::Case,
    corpus,
    fault::Kind,
    first_seed,
    mutants::Mutant,
    play::Play,
    runner::{self, Report},
    shrink,
    thundering_herd::{self, BLIP_MS, OUTAGE_MS, Peer},
    world,
};
use serde_json::json;

/// The seed of the thundering herd: its figures and chart are the same each time.
const HERD_SEED: u64 = 1;

/// Simulates clients, servers and faults between them.
#[derive(Parser)]
#[command(name = "cargo xtask sim", version)]
struct Options {
    /// The number of seeds to run.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed. By default it is the same all day, in UTC, and another one tomorrow.
    #[arg(long)]
    from: Option<u64>,
    /// Start from a seed that was most likely never used before.
    #[arg(long, conflicts_with = "from")]
    fresh: bool,
    /// Replay only this seed, with a trace.
    #[arg(long, conflicts_with_all = ["seeds", "from", "fresh"])]
    seed: Option<u64>,
    /// Replay a line of the corpus, with a trace.
    #[arg(long, conflicts_with_all = ["seeds", "from", "fresh", "seed"])]
    case: Option<Case>,
    /// Mutant a bug, to see that it is found.
    #[arg(long, value_parser = mutant)]
    mutant: Option<Mutant>,
    /// Let the applications of all seeds do this, too.
    #[arg(long, value_parser = play)]
    play: Vec<Play>,
    /// Inject this kind of fault into all seeds, too.
    #[arg(long, value_parser = fault)]
    fault: Vec<Kind>,
    /// Simulate ten thousand clients that lose their server and come back.
    #[arg(long, conflicts_with_all = ["seeds", "from", "fresh", "seed", "case", "mutant"])]
    thundering_herd: bool,
    /// With --thundering-herd: draw it into this file.
    #[arg(long, requires = "thundering_herd")]
    svg: Option<PathBuf>,
    /// Print only the result, as JSON.
    #[arg(long)]
    json: bool,
}

fn mutant(name: &str) -> Result<Mutant, String> {
    let names: Vec<_> = Mutant::ALL.iter().map(|mutant| mutant.name()).collect();
    Mutant::named(name)
        .ok_or_else(|| format!("no planted bug has this name; there are: {}", names.join(", ")))
}

fn play(name: &str) -> Result<Play, String> {
    let names: Vec<_> = Play::ALL.iter().map(|play| play.name()).collect();
    Play::named(name).ok_or_else(|| format!("no play has this name; there are: {}", names.join(", ")))
}

fn fault(name: &str) -> Result<Kind, String> {
    let names: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    Kind::named(name).ok_or_else(|| format!("no fault has this name; there are: {}", names.join(", ")))
}

/// The case of a seed, with what all seeds have.
fn case_of(options: &Options, seed: u64) -> Case {
    let case = options.play.iter().fold(Case::of(seed), |case, play| case.playing(*play));
    options.fault.iter().fold(case, |case, kind| case.with(*kind))
}

fn main() -> ExitCode {
    let options = Options::parse();
    if options.thundering_herd {
        return run_herd(&options).unwrap_or_else(|error| {
            eprintln!("{error}");
            ExitCode::FAILURE
        });
    }
    let of = |seed| case_of(&options, seed);
    match options.case.or_else(|| options.seed.map(of)) {
        Some(case) => replay(case, &options),
        None => run_many(&options),
    }
}

fn run_many(options: &Options) -> ExitCode {
    let started = Instant::now();
    // The corpus first: regressions are likely.
    let mut failures = Vec::new();
    match corpus::read(corpus::FILE.as_ref()) {
        Ok(cases) if options.mutant.is_none() => {
            let broken = |case| world::run(case, None, false).violation.map(|violation| (case, violation));
            failures.extend(cases.into_iter().filter_map(broken));
        }
        Ok(_) => {}
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    let first = match options.from {
        Some(seed) => seed,
        None if options.fresh => first_seed::fresh(),
        None => first_seed::of_today(),
    };
    if !options.json {
        println!("{} seeds from {first} (--from {first} runs the same ones)", options.seeds);
    }
    let show = !options.json && std::io::stderr().is_terminal();
    let of = |seed| case_of(options, seed);
    let report = runner::run_cases(first, options.seeds, options.mutant, of, |done| {
        if show && done % 500 == 0 {
            eprintln!("{done} of {} seeds", options.seeds);
        }
    });
    failures.extend(report.failures.iter().cloned());
    let seconds = started.elapsed().as_secs_f64();
    let shrink = || failures.first().map(|(case, found)| shrink::shrink(*case, options.mutant, found.rule));
    if options.json {
        let failures: Vec<_> = failures
            .iter()
            .map(|(case, violation)| json!({ "case": case.to_string(), "violation": violation.to_string() }))
            .collect();
        let result = json!({
            "first_seed": first,
            "seeds": report.seeds,
            "seconds": seconds,
            "virtual_hours": report.stats.virtual_ms as f64 / 3_600_000.0,
            "messages_lost": report.stats.lost,
            "messages_duplicated": report.stats.duplicated,
            "messages_reordered": report.stats.reordered,
            "stats": report.stats,
            "failures": failures,
            "smaller": shrink().map(|case| case.to_string()),
        });
        println!("{result:#}");
    } else {
        for (case, violation) in &failures {
            println!("{violation}\n  {case}");
        }
        summary(&report, seconds);
        // Last, because it takes a while.
        if let Some(case) = shrink() {
            println!("\nThe first failure, made smaller, for tests/sim/corpus/cases.txt:\n{case}");
            println!("Replay it with: cargo xtask sim --case \"{case}\"");
        }
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn summary(report: &Report, seconds: f64) {
    let s = &report.stats;
    let hours = s.virtual_ms as f64 / 3_600_000.0;
    println!(
        "{} seeds and the corpus in {seconds:.1} s: {hours:.0} virtual hours, {} steps",
        report.seeds, s.steps
    );
    println!(
        "{} messages sent, {} acked, {} ended by closing; {} delivered, {} gaps declared",
        s.sent, s.acked, s.closed, s.delivered, s.gaps
    );
    println!(
        "{} requests, {} answered; {} messages in pages; {} signals received",
        s.requests, s.answered, s.history, s.signals
    );
    println!("{} lost, {} duplicated, {} reordered", s.lost, s.duplicated, s.reordered);
    println!(
        "connected {} times by WebSocket, {} times by polling; quiet at most {:.1} s after the last fault",
        s.connected_by_websocket,
        s.connected_by_polling,
        s.slowest_quiet_ms as f64 / 1_000.0
    );
    let faults: Vec<_> = s.faults.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
    println!("faults: {}", faults.join(", "));
}

fn replay(case: Case, options: &Options) -> ExitCode {
    let outcome = world::run(case, options.mutant, !options.json);
    if options.json {
        let violation = outcome.violation.as_ref().map(ToString::to_string);
        println!("{:#}", json!({ "case": case.to_string(), "violation": violation, "stats": outcome.stats }));
    } else {
        println!("{case}");
        outcome.trace.iter().for_each(|line| println!("{line}"));
    }
    if outcome.violation.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_herd(options: &Options) -> Result<ExitCode, Error> {
    let mut outage = vec![thundering_herd::everwire(OUTAGE_MS, HERD_SEED)];
    outage.extend(Peer::ALL.map(|peer| thundering_herd::peer(peer, OUTAGE_MS, HERD_SEED)));
    let mut blip = vec![thundering_herd::everwire(BLIP_MS, HERD_SEED)];
    blip.extend(Peer::ALL.map(|peer| thundering_herd::peer(peer, BLIP_MS, HERD_SEED)));
    if let Some(path) = &options.svg {
        let svg = thundering_herd::svg::draw(&outage, thundering_herd::MOST_CONNECTS);
        fs::write(path, svg).map_err(|source| Error::File { path: path.clone(), source })?;
    }
    if options.json {
        println!("{:#}", json!({ "outage": outage, "blip": blip }));
    } else {
        print!("{}\n{}", thundering_herd::table(&outage), thundering_herd::table(&blip));
    }
    Ok(ExitCode::SUCCESS)
}
