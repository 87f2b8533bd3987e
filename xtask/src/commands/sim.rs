//! `cargo xtask sim`: the simulation of tests/sim, in which client and server cores talk under a virtual clock. Here is
//! only the way to it; its options are its own.

use crate::{error::Result, places::Places};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Options of the simulation: --seeds N runs that many, --seed S replays one; -- --help shows all.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
    rest: Vec<String>,
}

pub(crate) fn run(places: &Places, options: &Options) -> Result {
    let run = places.cargo().args(["run", "--quiet", "--release", "--package", "everwire-sim", "--"]);
    super::hand_over(run.args(options.rest.iter()))
}
