//! Everything that can make a command fail, with a message and advice for the user.

use std::{io, path::PathBuf};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A required program is not installed, and could not be installed.
    #[error("{what}")]
    Missing { what: String, advice: String },
    /// A program could not be started at all.
    #[error("{program} could not be started: {source}")]
    NotStarted { program: String, source: io::Error },
    /// A program ran and failed. Its output is the best explanation.
    #[error("{command} failed ({status})")]
    Exit { command: String, status: String, output: String, advice: Option<String> },
    /// A file could not be read or written.
    #[error("{} cannot be {action}: {source}", path.display())]
    File { action: &'static str, path: PathBuf, source: io::Error },
    /// The output of a program or the content of a file was not as expected.
    #[error("{what} is not as expected: {reason}")]
    Unexpected { what: String, reason: String },
    /// A check failed, or an option was refused.
    #[error("{0}")]
    Refused(String),
    /// Tests failed; their runners have reported it.
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

    /// Adds advice to an error that has none.
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

    /// Prints the output of the failed program, then the error, then the advice.
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
