//! What came out: for each dialogue whether it passed, and for each requirement whether all dialogues that cover it did.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use crate::dialogue::Dialogue;

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
    /// Not played, because the peer does not support what it needs.
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

/// All dialogues that were played, with what they cover.
pub struct Report<'a> {
    entries: Vec<(&'a Dialogue, Played)>,
}

impl<'a> Report<'a> {
    /// From dialogues and how they ended.
    pub fn new(entries: Vec<(&'a Dialogue, Played)>) -> Self {
        Self { entries }
    }

    /// Whether nothing failed.
    pub fn passed(&self) -> bool {
        self.failed().next().is_none()
    }

    /// The dialogues that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Played> {
        self.entries
            .iter()
            .map(|(_, played)| played)
            .filter(|played| matches!(played.outcome, Outcome::Failed { .. }))
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        for (dialogue, played) in &self.entries {
            match &played.outcome {
                Outcome::Passed => {}
                Outcome::Skipped(why) => lines.push(format!("skipped  {}: {why}", dialogue.name)),
                Outcome::Failed { line, reason } => {
                    lines.push(format!("FAILED   {} ({})", dialogue.name, dialogue.covers.join(", ")));
                    lines.push(format!("         {}", dialogue.title));
                    lines.push(format!("         line {line}: {reason}"));
                }
            }
        }
        let by_requirement = self.by_requirement();
        let held = by_requirement.values().filter(|held| **held).count();
        let failed = self.failed().count();
        lines.push(format!(
            "{} dialogues, {failed} failed; {} requirements, {held} hold",
            self.entries.len(),
            by_requirement.len(),
        ));
        lines.join("\n")
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let dialogues: Vec<_> =
            self.entries.iter().map(|(dialogue, played)| entry(dialogue, played)).collect();
        json!({
            "passed": self.passed(),
            "requirements": self.by_requirement(),
            "dialogues": dialogues,
        })
    }

    /// The requirements that dialogues played, and whether all of these passed.
    pub fn by_requirement(&self) -> BTreeMap<&'a str, bool> {
        let mut held = BTreeMap::new();
        for (dialogue, played) in &self.entries {
            let passed = match played.outcome {
                Outcome::Passed => true,
                Outcome::Failed { .. } => false,
                Outcome::Skipped(_) => continue,
            };
            for number in &dialogue.covers {
                *held.entry(number.as_str()).or_insert(true) &= passed;
            }
        }
        held
    }
}

fn entry(dialogue: &Dialogue, played: &Played) -> Value {
    let (outcome, detail) = match &played.outcome {
        Outcome::Passed => ("passed", Value::Null),
        Outcome::Failed { line, reason } => ("failed", json!({"line": line, "reason": reason})),
        Outcome::Skipped(why) => ("skipped", json!({"reason": why})),
    };
    json!({
        "name": dialogue.name,
        "title": dialogue.title,
        "covers": dialogue.covers,
        "outcome": outcome,
        "detail": detail,
        "ms": played.took.as_millis(),
    })
}
