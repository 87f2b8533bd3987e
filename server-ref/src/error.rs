//! The errors of this crate. Mistakes of clients are not among them: they are answered with frames.

use std::{net::SocketAddr, path::PathBuf};

/// An error. Every variant has a message for humans, which ends a log line or the program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The listen address is not available.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The requested address.
        address: SocketAddr,
        /// The reason, and what to do.
        reason: String,
    },
    /// The database cannot be opened or migrated.
    #[error("cannot use the database {}: {reason}", path.display())]
    Database {
        /// Its path.
        path: PathBuf,
        /// The reason, and what to do.
        reason: String,
    },
    /// A setting has an invalid value.
    #[error("{0}")]
    Setting(String),
    /// The store is temporarily unable to read or write.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The operating system returned an error.
    #[error("{what}: {source}")]
    System {
        /// The operation.
        what: &'static str,
        /// The system's error.
        source: std::io::Error,
    },
}
