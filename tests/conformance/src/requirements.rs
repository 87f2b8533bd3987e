//! The numbered requirements of the protocol, read from its text: a requirement is a list item that begins with its number
//! and class, or a row of a table whose first cell has both.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::Serialize;

use crate::included;

/// The number of a requirement, such as `EW-5-3`. They sort as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number {
    section: u16,
    place: u16,
}

/// Whom a requirement binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Servers.
    Server,
    /// Clients.
    Client,
    /// Both.
    Both,
}

/// One requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Whom it binds.
    pub class: Class,
    /// What it says, without its number.
    pub text: String,
}

/// All requirements.
pub type Requirements = BTreeMap<Number, Requirement>;

/// The requirements of the text that this version of the tool is made for.
pub fn requirements() -> Requirements {
    included::documents().flat_map(parse).collect()
}

/// The requirements of a peer that dialogues cannot show, each with the reason. A line of the file is a reason, and the lines
/// below it, indented, have the numbers.
pub fn not_covered(peer: Class) -> BTreeMap<Number, &'static str> {
    let mut found = BTreeMap::new();
    let mut reason = "";
    let text = if peer == Class::Client {
        included::NOT_COVERED_OF_CLIENTS
    } else {
        included::NOT_COVERED_OF_SERVERS
    };
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with(' ') {
            found.extend(line.split_whitespace().filter_map(|word| Some((word.parse().ok()?, reason))));
        } else if !line.is_empty() {
            reason = line;
        }
    }
    found
}

impl Class {
    /// Whether a requirement of this class binds a peer of the other one.
    pub fn binds(self, peer: Self) -> bool {
        self == Self::Both || self == peer
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EW-{}-{}", self.section, self.place)
    }
}

impl FromStr for Number {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = || {
            let (section, place) = text.strip_prefix("EW-")?.split_once('-')?;
            Some(Self { section: section.parse().ok()?, place: place.parse().ok()? })
        };
        number().ok_or_else(|| format!("`{text}` is no number of a requirement"))
    }
}

fn parse(text: &str) -> Vec<(Number, Requirement)> {
    let mut found: Vec<(Number, Requirement)> = Vec::new();
    // Whether the next line may continue an item.
    let mut open = false;
    for line in text.lines() {
        if let Some(item) = line.strip_prefix("* ").and_then(numbered) {
            found.push(item);
            open = true;
        } else if let Some(row) = line.strip_prefix("| ").and_then(numbered) {
            found.push(row);
            open = false;
        } else if open && line.starts_with("  ") {
            if let Some((_, requirement)) = found.last_mut() {
                requirement.text.push(' ');
                requirement.text.push_str(line.trim());
            }
        } else {
            open = false;
        }
    }
    found
}

/// `**EW-5-21** [S] A server MUST …`
fn numbered(text: &str) -> Option<(Number, Requirement)> {
    let (number, rest) = text.strip_prefix("**")?.split_once("** [")?;
    let (class, text) = rest.split_once(']')?;
    let class = match class {
        "S" => Class::Server,
        "C" => Class::Client,
        "CS" => Class::Both,
        _ => return None,
    };
    let text = text.trim().trim_start_matches('|').trim_end_matches('|').trim();
    Some((number.parse().ok()?, Requirement { class, text: text.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_and_rows_are_requirements() {
        let text = "* **EW-7-21** [S] A server MUST\n  answer.\n* An item that is none.\n\n| **EW-7-22** [CS] | MAY | when | then |\n";
        let found: Vec<_> = parse(text)
            .into_iter()
            .map(|(number, found)| (number.to_string(), found.class, found.text))
            .collect();
        let expected = [
            ("EW-7-21".to_owned(), Class::Server, "A server MUST answer.".to_owned()),
            ("EW-7-22".to_owned(), Class::Both, "MAY | when | then".to_owned()),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn every_number_in_the_text_is_read() {
        let begun: usize = included::documents().map(|text| text.matches("**EW-").count()).sum();
        let found = requirements();
        assert_eq!(found.len(), begun);
        assert!(begun > 400, "{begun}");
    }
}
