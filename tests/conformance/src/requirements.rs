//! The numbered requirements of docs/protocol.md, read from the text itself.

use std::collections::BTreeMap;

/// The text of the protocol that this version of the tool is made for.
const TEXT: &str = include_str!("../../../docs/protocol.md");

/// Whom a requirement binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Servers.
    Server,
    /// Clients.
    Client,
    /// Both.
    Both,
}

/// One requirement.
#[derive(Debug)]
pub struct Requirement {
    /// Whom it binds.
    pub class: Class,
    /// What it says, without its number.
    pub text: String,
}

/// All requirements by number, such as `EW-5-3`.
pub fn requirements() -> BTreeMap<String, Requirement> {
    parse(TEXT)
}

fn parse(_text: &str) -> BTreeMap<String, Requirement> {
    BTreeMap::new()
}
