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

use commands::{bench, conformance, demo, fmt, fuzz, generate, lint, mutants, pkg, sim, size, test};
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
    /// Change the code in small ways, and report which changes no test notices.
    Mutants(mutants::Options),
    /// Play scripted dialogues against the server, and report which requirements of the protocol hold.
    Conformance(conformance::Options),
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
        Command::Mutants(options) => mutants::run(&paths, &options),
        Command::Conformance(options) => conformance::run(&paths, &options),
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

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// The command lines of a document: those of code blocks without their explanations, and those in a sentence.
    fn commands(text: &str) -> impl Iterator<Item = &str> {
        let lines = text.lines().filter_map(|line| line.split(" #").next());
        let inline = text.split('`').skip(1).step_by(2).filter(|code| !code.contains('\n'));
        lines.chain(inline).filter(|line| line.starts_with("cargo xtask ") && !line.contains('…'))
    }

    #[test]
    fn the_commands_in_the_documents_are_understood() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
        let readmes = ["README.md", "CONTRIBUTING.md", "demo-web/README.md", "tests/README.md"];
        let more = ["tests/sim/README.md", "tests/fuzz/README.md"];
        let files = readmes.iter().chain(&more).map(|file| root.join(file)).chain(docs);
        let mut count = 0;
        for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "md")) {
            let text = fs::read_to_string(&file).unwrap();
            for command in commands(&text) {
                let words = command.split_whitespace().skip(1);
                let parsed = Cli::try_parse_from(words);
                assert!(parsed.is_ok(), "{}: {command}", file.display());
                count += 1;
            }
        }
        assert!(count > 20, "only {count} commands were recognised");
    }
}
