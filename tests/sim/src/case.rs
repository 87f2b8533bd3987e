//! The parameters of one run: a seed, and the knobs with which a failing run is shrunk. Written as one line, so that a failure
//! can be reported, kept in the corpus and replayed.

use std::{fmt, str::FromStr};

use crate::{
    Error,
    fault::{Kind, Kinds},
    play::{Play, Plays},
    rng::Rng,
};

/// One run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// The seed of all random choices.
    pub seed: u64,
    /// The number of client cores.
    pub clients: usize,
    /// The number of channels.
    pub channels: usize,
    /// The number of server nodes: 1 or 2.
    pub nodes: usize,
    /// How long faults are injected and applications act, in virtual seconds.
    pub seconds: u64,
    /// The kinds of faults.
    pub kinds: Kinds,
    /// Whether applications also type and send read marks. Default: no.
    pub talk: bool,
    /// What else applications do. Default: nothing.
    pub plays: Plays,
}

impl Case {
    /// The case of a seed.
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::new(seed).fork(1);
        let case = Self {
            seed,
            clients: rng.pick(&[1, 2, 2, 3, 3, 4, 5, 8]),
            channels: rng.pick(&[1, 1, 2, 2, 3, 4]),
            nodes: rng.pick(&[1, 1, 1, 2]),
            seconds: rng.pick(&[15, 30, 30, 60, 60, 90, 120, 240]),
            kinds: Kinds::draw(&mut rng),
            talk: rng.chance(500),
            plays: Plays::draw(&mut rng),
        };
        case.on_as_many_nodes_as_it_may()
    }

    /// The same with another kind of fault.
    #[must_use]
    pub fn with(self, kind: Kind) -> Self {
        Self { kinds: self.kinds.with(kind), ..self }.on_as_many_nodes_as_it_may()
    }

    /// The same, and applications do this too.
    #[must_use]
    pub fn playing(self, play: Play) -> Self {
        Self { plays: self.plays.with(play), ..self }.on_as_many_nodes_as_it_may()
    }

    fn on_as_many_nodes_as_it_may(self) -> Self {
        let nodes = if self.needs_one_node() { 1 } else { self.nodes };
        Self { nodes, ..self }
    }

    /// Nodes do not tell each other of permissions yet.
    fn needs_one_node(&self) -> bool {
        self.kinds.has(Kind::Permission)
            || self.kinds.has(Kind::Erasure)
            || self.plays.iter().any(Play::needs_one_node)
    }

    /// The rng that everything is forked from.
    pub fn rng(&self) -> Rng {
        Rng::new(self.seed)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, clients, channels, nodes, seconds, kinds, talk, plays } = self;
        let names: Vec<_> = kinds.iter().map(Kind::name).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(",") };
        write!(
            f,
            "seed={seed} clients={clients} channels={channels} nodes={nodes} seconds={seconds} faults={names}"
        )?;
        if *talk {
            f.write_str(" talk=yes")?;
        }
        let names: Vec<_> = plays.iter().map(Play::name).collect();
        if names.is_empty() { Ok(()) } else { write!(f, " plays={}", names.join(",")) }
    }
}

impl FromStr for Case {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self, Error> {
        let wrong = |what: &str| Error::Corpus { line: line.to_owned(), reason: what.to_owned() };
        let field = |name: &str| {
            line.split_whitespace()
                .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
                .ok_or_else(|| wrong(&format!("{name} is missing")))
        };
        let number =
            |name: &str| field(name)?.parse::<u64>().map_err(|_| wrong(&format!("{name} is no number")));
        let mut kinds = Kinds::default();
        for name in field("faults")?.split(',').filter(|name| *name != "none") {
            kinds = kinds.with(Kind::named(name).ok_or_else(|| wrong(&format!("no fault is named {name}")))?);
        }
        let mut plays = Plays::default();
        for name in field("plays").unwrap_or_default().split(',').filter(|name| !name.is_empty()) {
            plays = plays.with(Play::named(name).ok_or_else(|| wrong(&format!("no play is named {name}")))?);
        }
        let case = Self {
            seed: number("seed")?,
            clients: number("clients")? as usize,
            channels: number("channels")? as usize,
            nodes: number("nodes")? as usize,
            seconds: number("seconds")?,
            kinds,
            talk: field("talk").is_ok_and(|value| value == "yes"),
            plays,
        };
        if !(1..=100).contains(&case.clients) || !(1..=7).contains(&case.channels) {
            return Err(wrong("clients are 1 to 100, channels 1 to 7"));
        }
        if !(1..=2).contains(&case.nodes) || !(1..=3_600).contains(&case.seconds) {
            return Err(wrong("nodes are 1 or 2, seconds 1 to 3600"));
        }
        if case.nodes > 1 && case.needs_one_node() {
            return Err(wrong("where permissions or chats change, there is one node"));
        }
        Ok(case)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_all_of_a_case() {
        for seed in 0..500 {
            let case = Case::of(seed);
            assert_eq!(case.to_string().parse::<Case>().unwrap(), case);
        }
    }

    #[test]
    fn a_wrong_line_is_refused_with_its_reason() {
        for (line, reason) in [
            ("seed=1 clients=2 channels=1 nodes=1 seconds=9 faults=flood", "no fault is named flood"),
            ("seed=1 clients=2 channels=1 nodes=1 faults=drop", "seconds is missing"),
            ("seed=1 clients=0 channels=1 nodes=1 seconds=9 faults=none", "clients are 1 to 100"),
            (
                "seed=1 clients=1 channels=1 nodes=1 seconds=9 faults=none plays=chess",
                "no play is named chess",
            ),
            ("seed=1 clients=1 channels=1 nodes=2 seconds=9 faults=none plays=chats", "there is one node"),
            ("seed=x clients=1 channels=1 nodes=1 seconds=9 faults=none", "seed is no number"),
        ] {
            let error = line.parse::<Case>().unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
