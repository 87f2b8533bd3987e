//! Everything that can go wrong in this crate outside of a client's own mistakes, which are answered with frames.

use std::{net::SocketAddr, path::PathBuf};

/// What went wrong. Every variant's text is a sentence for a person that ends a log line or the program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address to listen on cannot be had.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// Why not, and what to do.
        reason: String,
    },
    /// The database cannot be opened or brought up to date.
    #[error("cannot use the database {}: {reason}", path.display())]
    Database {
        /// Where it is.
        path: PathBuf,
        /// Why not, and what to do.
        reason: String,
    },
    /// A setting has a value that it cannot have.
    #[error("{0}")]
    Setting(String),
    /// The store cannot read or write at the moment; it may later.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The operating system refused something.
    #[error("{what}: {source}")]
    System {
        /// What was being done.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}
