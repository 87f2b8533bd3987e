//! `cargo xtask generate`: TypeScript types, JSON Schema, tables of codes and golden vectors, from the protocol crate, and
//! the TypeScript of the core's bindings. The generators are protocol/src/generate and
//! client-wasm/src/bindings/typescript.rs.

use crate::{error::Result, paths::Paths};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write nothing; fail if a file differs from what would be written.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(paths: &Paths, options: &Options) -> Result {
    let output = generate(paths, options.check)?;
    print!("{output}");
    Ok(())
}

/// The crates that generate something, with the feature and the example that do it.
const GENERATORS: &[&[&str]] = &[
    &["everwire-protocol", "--features", "generate", "--example", "generate"],
    &["everwire-js", "--example", "bindings"],
];

/// Returns the names of the files that were written.
pub(crate) fn generate(paths: &Paths, check: bool) -> Result<String> {
    let check: &[&str] = if check { &["--", "--check"] } else { &[] };
    GENERATORS
        .iter()
        .map(|&generator| {
            paths
                .cargo()
                .args(["run", "--quiet", "--package"])
                .args(generator.iter().chain(check).copied())
                .go()
        })
        .collect()
}
