//! Runs many seeds on all cores of the machine, and collects the results.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use crate::{case::Case, mutants::Mutant, stats::Stats, violation::Violation, world};

/// The results of many runs.
#[derive(Debug, Default)]
pub struct Report {
    /// The number of seeds.
    pub seeds: u64,
    /// The sum of their statistics.
    pub stats: Stats,
    /// The violations, by seed.
    pub failures: Vec<(Case, Violation)>,
}

/// The number of failures after which it stops.
const ENOUGH: usize = 20;

/// Runs `seeds` seeds from `from` on.
pub fn run(from: u64, seeds: u64, mutant: Option<Mutant>, tell: impl Fn(u64) + Sync) -> Report {
    run_cases(from, seeds, mutant, Case::of, tell)
}

/// Runs the cases of `seeds` seeds from `from` on.
pub fn run_cases(
    from: u64,
    seeds: u64,
    mutant: Option<Mutant>,
    of: impl Fn(u64) -> Case + Sync,
    tell: impl Fn(u64) + Sync,
) -> Report {
    let (next, stop) = (AtomicU64::new(from), AtomicBool::new(false));
    let report = Mutex::new(Report::default());
    let work = || {
        let mut own = Report::default();
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from + seeds {
                break;
            }
            let case = of(seed);
            let outcome = world::run(case, mutant, false);
            own.seeds += 1;
            own.stats += &outcome.stats;
            tell(seed - from + 1);
            if let Some(violation) = outcome.violation {
                own.failures.push((case, violation));
                if own.failures.len() >= ENOUGH || mutant.is_some() {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        }
        let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
        report.seeds += own.seeds;
        report.stats += &own.stats;
        report.failures.append(&mut own.failures);
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.failures.sort_by_key(|(case, _)| case.seed);
    report
}
