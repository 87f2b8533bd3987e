//! The commands in the documents are understood.

use clap::Parser as _;
use everwire_server::config::Options;

const OPERATIONS: &str = include_str!("../../../docs/operations.md");
const COMING_FROM: &str = include_str!("../../../docs/coming-from.md");

/// The command lines of the server in the documents, as their words.
fn commands() -> Vec<Vec<String>> {
    let text = [OPERATIONS, COMING_FROM].concat().replace("\\\n", " ");
    let lines = text.lines().filter_map(|line| {
        let command = if line.starts_with("    ") || line.starts_with("EVERWIRE_") { line } else { "" };
        command.find("everwire-server ").map(|at| &command[at..])
    });
    let inline =
        text.split('`').filter(|code| code.starts_with("everwire-server ") && !code.contains("--help"));
    let words = |command: &str| {
        let command = command.split(" #").next().unwrap_or_default();
        command.split_whitespace().map(|word| word.trim_matches('\'').to_owned()).collect()
    };
    lines.chain(inline).map(words).collect()
}

#[test]
fn the_commands_in_the_documents_are_understood() {
    let commands = commands();
    assert!(commands.len() >= 7, "{commands:?}");
    for command in commands {
        // Flags that a command needs, and that a sentence about it leaves out, are in the line that shows it.
        if command.len() > 2 || command[1].starts_with('-') {
            assert!(Options::try_parse_from(&command).is_ok(), "{command:?}");
        }
    }
}
