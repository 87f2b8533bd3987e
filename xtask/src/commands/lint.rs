//! `cargo xtask lint`: Clippy, Biome and the TypeScript compiler, with warnings as errors. Clippy runs twice, because the
//! browser drivers exist only for the WebAssembly target.

use super::test::types;
use crate::{
    error::Result,
    places::Places,
    setup::wasm_target::TARGET,
    step::{Outcome, Steps},
    task::{self, Task},
};

pub(crate) fn run(places: &Places) -> Result {
    // TypeScript needs the package's declarations to check what uses the package.
    let plan = task::plan(&[Task::Package]);
    let mut steps = Steps::new(plan.len() + 4);
    task::run(places, &mut steps, &plan)?;
    let native = || {
        let crates = ["--workspace", "--exclude", "everwire-xtask-wasm"];
        let features = ["--all-targets", "--features", "everwire-protocol/generate"];
        clippy(places, &[&crates[..], &features[..]].concat())
    };
    steps.step("Rust (Clippy)", native, |()| Outcome::Done)?;
    let wasm = || clippy(places, &["--package", "everwire-client", "--lib", "--target", TARGET]);
    steps.step("Rust for WebAssembly (Clippy)", wasm, |()| Outcome::Done)?;
    let biome = || {
        let lint = places.bin("biome").args(["lint", "--error-on-warnings"]);
        lint.go().map_err(|error| error.advise("`npx biome lint --write` fixes some of it."))
    };
    steps.step("TypeScript (Biome)", biome, |_| Outcome::Done)?;
    steps.step("TypeScript (tsc)", || types::check(places), |()| Outcome::Done)?;
    Ok(())
}

fn clippy(places: &Places, what: &[&str]) -> Result {
    places
        .cargo()
        .args(["clippy", "--quiet"])
        .args(what.iter().copied())
        .args(["--", "--deny", "warnings"])
        .go()?;
    Ok(())
}
