//! Plays scripted dialogues against a server or a client of the Everwire protocol, and reports which numbered requirements of
//! docs/protocol.md hold. README.md describes how it is used and how dialogues are written.

pub mod client;
pub mod dialogue;
pub mod error;
mod http;
mod inbox;
mod included;
mod invariants;
mod pattern;
pub mod planted;
pub mod play;
pub mod report;
pub mod requirements;
mod run;
mod scope;
mod step;
pub mod tokens;
pub mod vectors;
mod websocket;

use dialogue::Dialogue;

pub use run::{Peer, play_all};

/// All dialogues for servers that the tool contains, those of the golden vectors included.
pub fn all_for_servers() -> error::Result<Vec<Dialogue>> {
    let mut dialogues = dialogue::for_servers()?;
    dialogues.extend(vectors::dialogues()?);
    Ok(dialogues)
}
