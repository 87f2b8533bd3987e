//! `cargo xtask` builds, tests, measures and runs Everwire. This file holds the command line; each command has a file of
//! its own, and does its own setup on a machine that has cargo and Node.

mod build;
mod commands;
mod error;
mod fingerprint;
mod paths;
mod process;
mod rooms;
mod setup;
mod step;
mod summary;
mod task;
mod workspaces;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use commands::{bench, demo, fmt, fuzz, generate, lint, pkg, sim, size, test};
use paths::Paths;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Builds, tests, measures and runs Everwire"
)]
struct Cli {
    /// Show the output of the programs that a step runs, as it is printed.
    #[arg(long, short, global = true)]
    verbose: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build what is missing, serve the demo and the server on one port, and print the address.
    Demo(demo::Options),
    /// Run all tests, including those in real browsers.
    Test(test::Options),
    /// Build and pack the npm package as it would be published.
    Pkg,
    /// Measure the size of the browser download.
    Size(size::Options),
    /// Run one benchmark.
    Bench(bench::Options),
    /// Fuzz the decoders and both state machines.
    Fuzz(fuzz::Options),
    /// Run the simulation.
    Sim(sim::Options),
    /// Write the files that are generated from the protocol crate.
    Generate(generate::Options),
    /// Format Rust, TypeScript and JSON.
    Fmt(fmt::Options),
    /// Lint Rust and TypeScript, and check types and the arrows between rooms.
    Lint,
    /// Install what the other commands need, or print how to.
    Setup,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = Paths::find(cli.verbose).and_then(|paths| match cli.command {
        Command::Demo(options) => demo::run(&paths, &options),
        Command::Test(options) => test::run(&paths, &options),
        Command::Pkg => pkg::run(&paths),
        Command::Size(options) => size::run(&paths, &options),
        Command::Bench(options) => bench::run(&paths, &options),
        Command::Fuzz(options) => fuzz::run(&paths, &options),
        Command::Sim(options) => sim::run(&paths, &options),
        Command::Generate(options) => generate::run(&paths, &options),
        Command::Fmt(options) => fmt::run(&paths, &options),
        Command::Lint => lint::run(&paths),
        Command::Setup => commands::setup::run(&paths),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.report();
            ExitCode::FAILURE
        }
    }
}
