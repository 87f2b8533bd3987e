//! `cargo xtask bench X`: one benchmark of tests/, which measures Everwire and its peers in the same run. Here is only the
//! way to it: the benchmarks are npm scripts of tests/ named `bench:X`.

use std::fs;

use serde_json::Value;

use crate::{
    error::{Error, Result},
    places::Places,
    step::Steps,
    task::{self, Task},
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Which one: receive, connect, …
    name: String,
    /// Print nothing but the result, as JSON.
    #[arg(long)]
    json: bool,
    /// What is passed on to the benchmark.
    #[arg(last = true)]
    rest: Vec<String>,
}

pub(crate) fn run(places: &Places, options: &Options) -> Result {
    let script = format!("bench:{}", options.name);
    let existing = scripts(places);
    if !existing.contains(&script) {
        let names: Vec<_> = existing.iter().filter_map(|script| script.strip_prefix("bench:")).collect();
        let which = if names.is_empty() { "none".into() } else { names.join(", ") };
        return Err(Error::Refused(format!("there is no benchmark {:?}; there are: {which}", options.name)));
    }
    let plan = task::plan(&[Task::Package, Task::Browser]);
    if options.json {
        // Nothing but JSON may reach standard output.
        plan.iter().try_for_each(|task| task.run(places).map(drop))?;
    } else {
        task::run(places, &mut Steps::new(plan.len()), &plan)?;
    }
    let json: &[&str] = if options.json { &["--json"] } else { &[] };
    super::hand_over(
        places
            .npm()
            .args(["run", "--silent", "--workspace", "tests", &script, "--"])
            .args(json.iter().copied())
            .args(options.rest.iter()),
    )
}

fn scripts(places: &Places) -> Vec<String> {
    let text = fs::read_to_string(places.root.join("tests/package.json")).unwrap_or_default();
    let package: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    package["scripts"].as_object().into_iter().flat_map(|scripts| scripts.keys().cloned()).collect()
}
