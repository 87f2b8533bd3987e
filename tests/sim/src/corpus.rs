//! Cases that once broke a rule, one per line. The tests run them before anything else.

use std::{fs, path::Path};

use crate::{Error, case::Case};

/// Where the corpus is, seen from this crate.
pub const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/cases.txt");

/// Reads it. Empty lines and what follows a `#` are for people.
pub fn read(path: &Path) -> Result<Vec<Case>, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::File { path: path.into(), source })?;
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).map(str::parse).collect()
}
