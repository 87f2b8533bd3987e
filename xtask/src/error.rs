//! Everything that can end a command, as a sentence for a person and what to do about it.

use std::{io, path::PathBuf};

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Something that has to be on the machine is not, and could not be installed.
    #[error("{what}")]
    Missing { what: String, advice: String },
    /// A program could not be started at all.
    #[error("{program} could not be started: {source}")]
    NotStarted { program: String, source: io::Error },
    /// A program ran and failed. Its own words are the best explanation.
    #[error("{command} failed ({status})")]
    Exit { command: String, status: String, output: String, advice: Option<String> },
    /// A file could not be read or written.
    #[error("{} cannot be {action}: {source}", path.display())]
    File { action: &'static str, path: PathBuf, source: io::Error },
    /// A program's output was not what it should be.
    #[error("{what} is not as expected: {reason}")]
    Unexpected { what: String, reason: String },
    /// Something ran, and what came out is not good enough.
    #[error("{0}")]
    Refused(String),
    /// Tests failed, and have said so themselves.
    #[error("")]
    TestsFailed,
}

/// What most of xtask returns.
pub(crate) type Result<T = ()> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }

    /// Adds what to do, where the error itself does not know.
    pub(crate) fn advise(mut self, text: &str) -> Self {
        if let Self::Exit { advice, .. } = &mut self {
            advice.get_or_insert_with(|| text.to_owned());
        }
        self
    }

    fn advice(&self) -> Option<&str> {
        match self {
            Self::Missing { advice, .. } => Some(advice),
            Self::Exit { advice, .. } => advice.as_deref(),
            _ => None,
        }
    }

    /// Prints what the failed program said, then one sentence of ours, then what to do: nothing after it.
    pub(crate) fn report(&self) {
        if matches!(self, Self::TestsFailed) {
            return;
        }
        if let Self::Exit { output, .. } = self {
            let output = output.trim_end();
            if !output.is_empty() {
                eprintln!("\n{output}\n");
            }
        }
        eprintln!("error: {self}");
        if let Some(advice) = self.advice() {
            eprintln!("       {advice}");
        }
    }
}
