//! Everything that can keep the tool from playing: files, arguments, and programs. A peer that deviates is no error but a
//! result (`report::Outcome`).

use std::path::PathBuf;

/// Why the tool could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{} cannot be used: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A dialogue is not written as the README of this crate says.
    #[error("{file}, line {line}: {reason}")]
    Dialogue {
        /// The dialogue.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The proxy with planted deviations does not work.
    #[error("the proxy does not work: {0}")]
    Proxy(String),
    /// An argument is not usable.
    #[error("{0}")]
    Argument(String),
    /// The client under test could not be started.
    #[error("`{command}` could not be started: {source}")]
    Client {
        /// As given with `--client`.
        command: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// What most of the crate returns.
pub type Result<T = ()> = std::result::Result<T, Error>;
