//! Shrinks a failing case as long as it violates the same rule: fewer faults, fewer clients, channels and nodes, and a
//! shorter time.

use crate::{case::Case, mutants::Mutant, violation::Rule, world};

/// Maximum number of runs.
const RUNS: usize = 400;

/// The smallest case found that violates the same rule.
pub fn shrink(case: Case, mutant: Option<Mutant>, rule: Rule) -> Case {
    let mut best = case;
    let mut runs = 0;
    loop {
        let smaller = candidates(&best).into_iter().find(|candidate| {
            runs += 1;
            runs <= RUNS && fails(*candidate, mutant, rule)
        });
        match smaller {
            Some(smaller) => best = smaller,
            None => return best,
        }
    }
}

fn fails(case: Case, mutant: Option<Mutant>, rule: Rule) -> bool {
    world::run(case, mutant, false).violation.is_some_and(|violation| violation.rule == rule)
}

/// Slightly smaller cases, the biggest steps first.
fn candidates(case: &Case) -> Vec<Case> {
    let mut candidates = Vec::new();
    if case.nodes > 1 {
        candidates.push(Case { nodes: 1, ..*case });
    }
    for seconds in [case.seconds / 2, case.seconds * 3 / 4, case.seconds.saturating_sub(1)] {
        if (1..case.seconds).contains(&seconds) {
            candidates.push(Case { seconds, ..*case });
        }
    }
    for clients in [case.clients / 2, case.clients - 1] {
        if (1..case.clients).contains(&clients) {
            candidates.push(Case { clients, ..*case });
        }
    }
    if case.channels > 1 {
        candidates.push(Case { channels: case.channels - 1, ..*case });
    }
    if case.talk {
        candidates.push(Case { talk: false, ..*case });
    }
    candidates.extend(case.plays.iter().map(|play| Case { plays: case.plays.without(play), ..*case }));
    candidates.extend(case.kinds.iter().map(|kind| Case { kinds: case.kinds.without(kind), ..*case }));
    candidates
}
