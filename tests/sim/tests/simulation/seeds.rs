//! What was wrong once, and a thousand seeds.

use everwire_sim::{case::Case, corpus, fault::Kind, runner, shrink, world};

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
fn a_thousand_seeds_break_no_rule() {
    let report = runner::run(0, 1_000, None, |_| {});
    if let Some((case, violation)) = report.failures.first() {
        let smaller = shrink::shrink(*case, None, violation.rule);
        panic!("{violation}\n  {case}\nmade smaller, for the corpus:\n  {smaller}");
    }
    assert_eq!(report.seeds, 1_000);
    // A simulation in which nothing happens would hold too.
    let stats = report.stats;
    for kind in Kind::ALL {
        assert!(stats.faults.get(kind.name()).is_some_and(|n| *n > 500), "{} is hardly tried", kind.name());
    }
    assert!(stats.acked > 500_000 && stats.delivered > 1_000_000, "{stats:?}");
    assert!(stats.gaps > 1_000 && stats.closed > 100, "{stats:?}");
    assert!(stats.connected_by_websocket > 3_000 && stats.connected_by_polling > 1_000, "{stats:?}");
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
