//! What came out: for each dialogue whether it passed, and for each requirement of the protocol that binds the peer whether
//! all dialogues that cover it did.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    dialogue::Dialogue,
    requirements::{Class, Number, requirements},
};

/// How a dialogue ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As written.
    Passed,
    /// Otherwise.
    Failed {
        /// The line of the step that failed.
        line: usize,
        /// What was different.
        reason: String,
    },
    /// Not played, because the peer or the tool lacks what it needs.
    Skipped(String),
}

/// One dialogue that was played.
#[derive(Debug, Clone)]
pub struct Played {
    /// Its name.
    pub dialogue: String,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// What is known of a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// All dialogues that cover it passed.
    Held,
    /// One of them failed.
    Violated,
    /// None of them was played.
    Skipped,
    /// There is none.
    NotCovered,
}

/// What dialogues cover, as far as the report needs it.
pub trait Covering {
    /// Its name.
    fn name(&self) -> &str;
    /// What it shows.
    fn title(&self) -> &str;
    /// The requirements that it covers.
    fn covers(&self) -> &[Number];
}

impl<S> Covering for Dialogue<S> {
    fn name(&self) -> &str {
        &self.name
    }

    fn title(&self) -> &str {
        &self.title
    }

    fn covers(&self) -> &[Number] {
        &self.covers
    }
}

/// All dialogues that were played, with what they cover.
pub struct Report<'a> {
    peer: Class,
    entries: Vec<(&'a dyn Covering, Played)>,
}

impl<'a> Report<'a> {
    /// From dialogues and how they ended. `peer` is what was played with.
    pub fn new<D: Covering>(peer: Class, entries: Vec<(&'a D, Played)>) -> Self {
        let entries = entries.into_iter().map(|(dialogue, played)| (dialogue as &dyn Covering, played));
        Self { peer, entries: entries.collect() }
    }

    /// Whether nothing failed.
    pub fn passed(&self) -> bool {
        self.entries.iter().all(|(_, played)| !matches!(played.outcome, Outcome::Failed { .. }))
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        let mut failed = 0;
        for (dialogue, played) in &self.entries {
            match &played.outcome {
                Outcome::Passed => {}
                Outcome::Skipped(why) => lines.push(format!("skipped  {}: {why}", dialogue.name())),
                Outcome::Failed { line, reason } => {
                    failed += 1;
                    let covers: Vec<_> = dialogue.covers().iter().map(ToString::to_string).collect();
                    lines.push(format!("FAILED   {} ({})", dialogue.name(), covers.join(", ")));
                    lines.push(format!("         {}", dialogue.title()));
                    lines.push(format!("         line {line}: {reason}"));
                }
            }
        }
        lines.push(format!("{} dialogues, {failed} failed", self.entries.len()));
        let count = self.counts();
        lines.push(format!(
            "{} requirements: {} held, {} violated, {} skipped, {} not covered",
            count.requirements, count.held, count.violated, count.skipped, count.not_covered,
        ));
        lines.join("\n")
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let dialogues: Vec<_> =
            self.entries.iter().map(|(dialogue, played)| entry(*dialogue, played)).collect();
        let requirements: BTreeMap<_, _> = self
            .states()
            .into_iter()
            .map(|(number, (state, text))| (number.to_string(), json!({"state": state, "text": text})))
            .collect();
        json!({
            "passed": self.passed(),
            "counts": self.counts(),
            "requirements": requirements,
            "dialogues": dialogues,
        })
    }

    /// How many requirements there are in which state.
    pub fn counts(&self) -> Counts {
        let states = self.states();
        let count = |wanted| states.values().filter(|(state, _)| *state == wanted).count();
        Counts {
            requirements: states.len(),
            held: count(State::Held),
            violated: count(State::Violated),
            skipped: count(State::Skipped),
            not_covered: count(State::NotCovered),
        }
    }

    /// What is known of each requirement that binds the peer, with its text.
    pub fn states(&self) -> BTreeMap<Number, (State, String)> {
        let mut states: BTreeMap<_, _> = requirements()
            .into_iter()
            .filter(|(_, requirement)| requirement.class.binds(self.peer))
            .map(|(number, requirement)| (number, (State::NotCovered, requirement.text)))
            .collect();
        for (dialogue, played) in &self.entries {
            for number in dialogue.covers() {
                let Some((state, _)) = states.get_mut(number) else { continue };
                *state = match (&played.outcome, *state) {
                    (Outcome::Failed { .. }, _) | (_, State::Violated) => State::Violated,
                    (Outcome::Passed, _) | (Outcome::Skipped(_), State::Held) => State::Held,
                    (Outcome::Skipped(_), _) => State::Skipped,
                };
            }
        }
        states
    }
}

/// How many requirements of the peer are in which state.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Counts {
    /// All of them.
    pub requirements: usize,
    /// Those that held.
    pub held: usize,
    /// Those that did not.
    pub violated: usize,
    /// Those whose dialogues could not be played.
    pub skipped: usize,
    /// Those without a dialogue.
    pub not_covered: usize,
}

fn entry(dialogue: &dyn Covering, played: &Played) -> Value {
    let (outcome, detail) = match &played.outcome {
        Outcome::Passed => ("passed", Value::Null),
        Outcome::Failed { line, reason } => ("failed", json!({"line": line, "reason": reason})),
        Outcome::Skipped(why) => ("skipped", json!({"reason": why})),
    };
    let covers: Vec<_> = dialogue.covers().iter().map(ToString::to_string).collect();
    json!({
        "name": dialogue.name(),
        "title": dialogue.title(),
        "covers": covers,
        "outcome": outcome,
        "detail": detail,
        "ms": played.took.as_millis(),
    })
}
