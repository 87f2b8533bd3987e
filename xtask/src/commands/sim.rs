//! `cargo xtask sim`: the simulation of tests/sim, in which client and server cores talk under a virtual clock. Here is
//! only the way to it.

use crate::{
    error::{Error, Result},
    places::Places,
};

/// The crate that holds it.
const PACKAGE: &str = "everwire-sim";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many seeds to run.
    #[arg(long)]
    seeds: Option<u64>,
    /// Replay just this seed.
    #[arg(long)]
    seed: Option<u64>,
}

pub(crate) fn run(places: &Places, options: &Options) -> Result {
    if !places.root.join("tests/sim/Cargo.toml").exists() {
        return Err(Error::Refused("there is no simulation yet: tests/sim does not exist".into()));
    }
    let mut run = places.cargo().args(["run", "--quiet", "--release", "--package", PACKAGE, "--"]);
    for (name, value) in [("--seeds", options.seeds), ("--seed", options.seed)] {
        if let Some(value) = value {
            run = run.arg(name).arg(value.to_string());
        }
    }
    super::hand_over(run)
}
