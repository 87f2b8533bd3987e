//! `cargo xtask fmt`: formats Rust with rustfmt, and TypeScript, JavaScript, CSS and JSON with Biome.

use crate::{
    error::Result,
    paths::Paths,
    step::{Outcome, Steps},
    task::Task,
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Change nothing; fail if a file is not formatted.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(paths: &Paths, options: &Options) -> Result {
    let mut steps = Steps::new(3);
    let advice = "Run `cargo xtask fmt`.";
    steps.step(Task::Packages.title(), || Task::Packages.run(paths), |outcome| *outcome)?;
    let rustfmt = || {
        let check: &[&str] = if options.check { &["--check"] } else { &[] };
        paths
            .cargo()
            .args(["fmt", "--all"])
            .args(check.iter().copied())
            .go()
            .map_err(|error| error.advise(advice))
    };
    steps.step("Rust (rustfmt)", rustfmt, |_| Outcome::Done)?;
    let biome = || {
        let write: &[&str] = if options.check { &[] } else { &["--write"] };
        paths
            .bin("biome")
            .arg("format")
            .args(write.iter().copied())
            .go()
            .map_err(|error| error.advise(advice))
    };
    steps.step("TypeScript and JSON (Biome)", biome, |_| Outcome::Done)?;
    Ok(())
}
