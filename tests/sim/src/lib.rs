//! The deterministic simulation of Everwire: many client cores and the server's sessions in one process under virtual
//! time, with faults drawn from a seed. The rules of a run are in [`violation`]; a failing run is shrunk in [`shrink`].
//!
//! The cores are the real ones. Network, store, browser pages and applications are simulated in [`world`].

pub mod case;
pub mod corpus;
pub mod executor;
pub mod fault;
pub mod first_seed;
pub mod ledger;
pub mod mutants;
pub mod play;
pub mod rng;
pub mod runner;
pub mod shrink;
pub mod stats;
pub mod texts;
pub mod thundering_herd;
pub mod violation;
pub mod watch;
pub mod world;

/// The errors of this crate, besides violations.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A line of the corpus is invalid.
    #[error("this is no case: {reason}; the line is: {line}")]
    Corpus {
        /// The line.
        line: String,
        /// The reason.
        reason: String,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// The reason.
        source: std::io::Error,
    },
}
