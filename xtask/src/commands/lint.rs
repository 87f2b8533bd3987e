//! `cargo xtask lint`: the arrows between rooms, Clippy, Biome and the TypeScript compiler, with warnings as errors.
//! Clippy runs twice, because the browser drivers are compiled only for the WebAssembly target.

use super::test::types;
use crate::{
    error::Result,
    paths::Paths,
    rooms,
    setup::wasm_target::TARGET,
    step::{Outcome, Steps},
    task::{self, Task},
};

pub(crate) fn run(paths: &Paths) -> Result {
    // Code that uses the package is checked against its type declarations.
    let plan = task::plan(&[Task::Package]);
    let mut steps = Steps::new(plan.len() + 5);
    steps.step("Arrows between rooms", || rooms::check(&paths.root), |()| Outcome::Done)?;
    task::run(paths, &mut steps, &plan)?;
    let native = || {
        let crates = ["--workspace", "--exclude", "everwire-xtask-wasm"];
        let features = ["--all-targets", "--features", "everwire-protocol/generate"];
        clippy(paths, &[&crates[..], &features[..]].concat())
    };
    steps.step("Rust (Clippy)", native, |()| Outcome::Done)?;
    let wasm = || {
        // Each for itself, since they share dependencies that only one of them has with the standard library.
        for package in ["everwire-js", "everwire-client"] {
            clippy(paths, &["--package", package, "--lib", "--target", TARGET])?;
        }
        Ok(())
    };
    steps.step("Rust for WebAssembly (Clippy)", wasm, |()| Outcome::Done)?;
    let biome = || {
        let lint = paths.bin("biome").args(["lint", "--error-on-warnings"]);
        lint.go().map_err(|error| error.advise("`npx biome lint --write` fixes some of it."))
    };
    steps.step("TypeScript (Biome)", biome, |_| Outcome::Done)?;
    steps.step("TypeScript (tsc)", || types::check(paths), |()| Outcome::Done)?;
    Ok(())
}

fn clippy(paths: &Paths, what: &[&str]) -> Result {
    paths
        .cargo()
        .args(["clippy", "--quiet"])
        .args(what.iter().copied())
        .args(["--", "--deny", "warnings"])
        .go()?;
    Ok(())
}
