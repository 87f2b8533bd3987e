//! What all peers have shown together. A requirement has passed if it held for a peer and was violated by none: what a server
//! without profiles has to do, one with them cannot show.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// From the results of the peers, by side.
pub(super) fn of(result: &Value) -> Value {
    let servers = [&result["server"], &result["server_without_profiles"]];
    let clients: Vec<_> = result["client"].as_object().into_iter().flatten().map(|(_, peer)| peer).collect();
    let (server, client) = (side(&servers), side(&clients));
    let sum =
        |name: &str| server[name].as_u64().unwrap_or_default() + client[name].as_u64().unwrap_or_default();
    let names = ["requirements", "covered", "passed", "planted", "found"];
    let total: serde_json::Map<_, _> =
        names.iter().map(|name| ((*name).to_owned(), sum(name).into())).collect();
    let mut total = Value::Object(total);
    total["server"] = server;
    total["client"] = client;
    total
}

/// The counts of one side. Deviations have to be found with each peer, so that the least counts.
fn side(peers: &[&Value]) -> Value {
    let mut states: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (number, state) in peers.iter().filter_map(|peer| peer["states"].as_object()).flatten() {
        states.entry(number).or_default().extend(state["state"].as_str());
    }
    let covered = states.values().filter(|states| states.iter().any(|state| *state != "not_covered")).count();
    let passed =
        states.values().filter(|states| states.contains(&"held") && !states.contains(&"violated")).count();
    let least = |name: &str| peers.iter().filter_map(|peer| peer["deviations"][name].as_u64()).min();
    json!({
        "requirements": states.len(),
        "covered": covered,
        "passed": passed,
        "planted": least("planted"),
        "found": least("found"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(states: &Value, found: Option<u64>) -> Value {
        let states: BTreeMap<_, _> = states
            .as_object()
            .into_iter()
            .flatten()
            .map(|(number, state)| (number.clone(), json!({"state": state})))
            .collect();
        json!({"states": states, "deviations": found.map(|found| json!({"planted": 10, "found": found}))})
    }

    #[test]
    fn a_requirement_passes_by_one_peer_and_fails_by_one() {
        let all = peer(&json!({"A": "held", "B": "skipped", "C": "held", "D": "not_covered"}), Some(10));
        let none = peer(&json!({"A": "skipped", "B": "held", "C": "violated", "D": "not_covered"}), None);
        let total = of(&json!({"server": all, "server_without_profiles": none}));
        let expected = json!({"requirements": 4, "covered": 3, "passed": 2, "planted": 10, "found": 10});
        assert_eq!(total["server"], expected);
    }

    #[test]
    fn a_deviation_has_to_be_found_with_each_client() {
        let states = json!({"A": "held"});
        let total = of(&json!({"client": {"one": peer(&states, Some(10)), "two": peer(&states, Some(9))}}));
        assert_eq!(total["client"]["found"], 9);
        assert_eq!(total["found"], 9);
        assert_eq!(total["requirements"], 1);
    }
}
