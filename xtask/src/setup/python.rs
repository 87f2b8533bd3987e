//! Python, for the third client: tests/third, which nobody ships.

use std::path::PathBuf;

use super::installer::{Wanted, ensure_optional, find};
use crate::{error::Result, paths::Paths, step::Outcome};

const PYTHON: Wanted = Wanted {
    name: "Python 3",
    variable: "PYTHON3",
    packages: ["python3", "python3", "python3", "python"],
    macos: "brew install python",
    windows: "winget install Python.Python.3.13",
};

/// Python for tests, which receive its path as `PYTHON3`.
pub(crate) fn python() -> Result<PathBuf> {
    find(&PYTHON, &["python3"], &[])
}

/// Only the third client needs it.
pub(crate) fn ensure(paths: &Paths) -> Result<Outcome> {
    ensure_optional(paths, &PYTHON, python)
}
