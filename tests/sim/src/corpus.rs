//! Cases that once violated a rule, one per line. The tests run them first.

use std::{fs, path::Path};

use crate::{Error, case::Case};

/// The path of the corpus, relative to this crate.
pub const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/cases.txt");

/// Reads the corpus. Empty lines and comments after `#` are ignored.
pub fn read(path: &Path) -> Result<Vec<Case>, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::File { path: path.into(), source })?;
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).map(str::parse).collect()
}
