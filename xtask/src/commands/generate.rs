//! `cargo xtask generate`: TypeScript types, JSON Schema, tables of codes and golden vectors, from the protocol crate. The
//! generator itself is in protocol/src/generate.

use crate::{error::Result, paths::Paths};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write nothing; fail if a file is out of date.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(paths: &Paths, options: &Options) -> Result {
    let output = generate(paths, options.check)?;
    print!("{output}");
    Ok(())
}

/// Generates or checks the files, and returns what the generator prints.
pub(crate) fn generate(paths: &Paths, check: bool) -> Result<String> {
    paths
        .cargo()
        .args([
            "run",
            "--quiet",
            "--package",
            "everwire-protocol",
            "--features",
            "generate",
            "--example",
            "generate",
        ])
        .args(if check { &["--", "--check"][..] } else { &[] }.iter().copied())
        .go()
}
