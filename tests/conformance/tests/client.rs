//! The dialogues for clients: what they cover, and the deviations that they have to find. `cargo xtask test` plays them against
//! clients that are no part of this workspace.

use std::collections::BTreeSet;

use everwire_conformance::{
    client::DEVIATIONS,
    dialogue::for_clients,
    requirements::{Class, Number, not_covered, requirements},
};

/// Each requirement of clients has a dialogue, or a reason why it has none, and not both.
#[test]
fn every_requirement_is_covered_or_has_a_reason() {
    let covered: BTreeSet<Number> =
        for_clients().unwrap().iter().flat_map(|dialogue| dialogue.covers.clone()).collect();
    let reasons = not_covered(Class::Client);
    let of_clients = requirements().into_iter().filter(|(_, found)| found.class.binds(Class::Client));
    let numbers: BTreeSet<Number> = of_clients.map(|(number, _)| number).collect();
    let wrong: Vec<String> = numbers
        .iter()
        .filter(|number| covered.contains(number) == reasons.contains_key(number))
        .chain(reasons.keys().filter(|number| !numbers.contains(number)))
        .map(ToString::to_string)
        .collect();
    assert!(wrong.is_empty(), "without a dialogue and without a reason, or with both: {wrong:?}");
    assert!(reasons.values().all(|reason| !reason.is_empty()));
}

#[test]
fn every_deviation_has_a_dialogue_that_is_played_always() {
    let dialogues = for_clients().unwrap();
    assert!(DEVIATIONS.len() >= 10);
    for deviation in DEVIATIONS {
        let found = dialogues.iter().find(|dialogue| dialogue.name == deviation.found_by);
        let needs = &found.unwrap_or_else(|| panic!("{} is no dialogue", deviation.found_by)).needs;
        assert!(!needs.iter().any(|need| need == "time"), "{}", deviation.name);
    }
}
