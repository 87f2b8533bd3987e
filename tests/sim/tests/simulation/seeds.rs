//! The corpus, and some of the seeds of the day; `cargo xtask test` runs more of them.

use everwire_sim::{case::Case, corpus, fault::Kind, first_seed, runner, shrink, world};

/// The number of seeds.
const SEEDS: u64 = 300;

#[test]
fn the_corpus_holds() {
    let cases = corpus::read(corpus::FILE.as_ref()).unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let outcome = world::run(case, None, false);
        assert_eq!(outcome.violation, None, "{case}");
    }
}

#[test]
fn the_first_seeds_of_the_day_break_no_rule() {
    let report = runner::run(first_seed::of_today(), SEEDS, None, |_| {});
    if let Some((case, violation)) = report.failures.first() {
        let smaller = shrink::shrink(*case, None, violation.rule);
        panic!("{violation}\n  {case}\nmade smaller, for the corpus:\n  {smaller}");
    }
    assert_eq!(report.seeds, SEEDS);
    // A simulation without activity would pass, too.
    let stats = report.stats;
    for kind in Kind::ALL {
        assert!(stats.faults.get(kind.name()).is_some_and(|n| *n > 100), "{} is hardly tried", kind.name());
    }
    assert!(stats.acked > 100_000 && stats.delivered > 200_000, "{stats:?}");
    assert!(stats.gaps > 200 && stats.closed > 10, "{stats:?}");
    assert!(stats.connected_by_websocket > 600 && stats.connected_by_polling > 200, "{stats:?}");
    assert!(stats.history > 10_000, "{stats:?}");
    assert!(stats.requests > 2_000 && stats.answered > 800, "{stats:?}");
    assert!(stats.signals > 2_000, "{stats:?}");
    assert_eq!((stats.lost, stats.duplicated, stats.reordered), (0, 0, 0));
}

#[test]
fn a_seed_is_the_same_run_each_time() {
    for seed in 0..40 {
        let (one, two) = (world::run(Case::of(seed), None, false), world::run(Case::of(seed), None, true));
        assert_eq!(one.fingerprint, two.fingerprint, "seed {seed}");
        assert_eq!(one.stats, two.stats, "seed {seed}");
    }
}

#[test]
fn what_is_reported_as_failed_and_has_happened_is_found() {
    for call in world::doubts::Call::ALL {
        assert_eq!(world::doubts::is_found(*call), Some(true), "{call:?}");
    }
}
