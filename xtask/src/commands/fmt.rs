//! `cargo xtask fmt`: one format for everything. rustfmt for Rust, Biome for TypeScript, JavaScript, CSS and JSON.

use crate::{
    error::Result,
    places::Places,
    step::{Outcome, Steps},
    task::Task,
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Change nothing; fail if a file is not formatted.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(places: &Places, options: &Options) -> Result {
    let mut steps = Steps::new(3);
    let advice = "Run `cargo xtask fmt`.";
    steps.step(Task::Packages.title(), || Task::Packages.run(places), |outcome| *outcome)?;
    let rustfmt = || {
        let check: &[&str] = if options.check { &["--check"] } else { &[] };
        places
            .cargo()
            .args(["fmt", "--all"])
            .args(check.iter().copied())
            .go()
            .map_err(|error| error.advise(advice))
    };
    steps.step("Rust (rustfmt)", rustfmt, |_| Outcome::Done)?;
    let biome = || {
        let write: &[&str] = if options.check { &[] } else { &["--write"] };
        places
            .bin("biome")
            .arg("format")
            .args(write.iter().copied())
            .go()
            .map_err(|error| error.advise(advice))
    };
    steps.step("TypeScript and JSON (Biome)", biome, |_| Outcome::Done)?;
    Ok(())
}
