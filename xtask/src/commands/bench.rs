//! `cargo xtask bench X`: one benchmark, which measures Everwire and its peers in the same run. The benchmarks themselves
//! are the scripts `bench:X` of tests/bench.

use crate::{
    error::{Error, Result},
    paths::Paths,
    setup::browser,
    step::{Outcome, Steps},
    task::{self, Task},
    workspaces,
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The name of the benchmark: receive, connect, …
    name: String,
    /// Print only the result, as JSON.
    #[arg(long)]
    json: bool,
    /// Options passed on to the benchmark.
    #[arg(last = true)]
    rest: Vec<String>,
}

pub(crate) fn run(paths: &Paths, options: &Options) -> Result {
    let existing = workspaces::scripts_with_prefix(paths, "tests/bench", "bench:")?;
    if !existing.contains(&options.name) {
        let (name, names) = (&options.name, existing.join(", "));
        return Err(Error::Refused(format!("unknown benchmark {name:?}; available: {names}")));
    }
    let plan = task::plan(&[Task::Package, Task::Browser]);
    // Measure the build that users run.
    let server = || paths.cargo().args(["build", "--release", "--package", "everwire-server"]).go();
    if options.json {
        // Only JSON may be written to standard output.
        plan.iter().try_for_each(|task| task.run(paths).map(drop))?;
        server()?;
    } else {
        let mut steps = Steps::new(plan.len() + 1);
        task::run(paths, &mut steps, &plan)?;
        steps.step("the server, optimised", server, |_| Outcome::Done)?;
    }
    let json: &[&str] = if options.json { &["--json"] } else { &[] };
    workspaces::script(paths, "tests/bench", &format!("bench:{}", options.name))?
        .env("EVERWIRE_SERVER", paths.program("release", "everwire-server"))
        .env("CHROME", browser::browser()?)
        .args(json.iter().copied())
        .args(options.rest.iter())
        .hand_over()
}
