//! Builds and runs wasm-bindgen and its test runner, from xtask/wasm. Cargo knows whether they are up to date.

use std::path::Path;

use crate::{error::Result, paths::Paths, process::Run, step::Outcome};

const NAME: &str = "everwire-xtask-wasm";

pub(crate) fn ensure(paths: &Paths) -> Result<Outcome> {
    let output = paths.cargo().args(["build", "--package", NAME]).go()?;
    Ok(if output.contains("Compiling") { Outcome::Done } else { Outcome::UpToDate })
}

/// The command line of wasm-bindgen.
pub(crate) fn bindgen(paths: &Paths) -> Run {
    paths.run(paths.built(NAME).to_string_lossy()).called("wasm-bindgen").arg("bindgen")
}

/// The Cargo configuration that runs wasm tests in a browser. A list, because paths may contain spaces.
pub(crate) fn runner_config(paths: &Paths) -> String {
    let program = paths.built(NAME).to_string_lossy().into_owned();
    // For paths, TOML strings and Rust's debug strings have the same syntax.
    format!("target.wasm32-unknown-unknown.runner=[{program:?}, \"test-runner\"]")
}

/// The code size of a WebAssembly file by crate, as JSON.
pub(crate) fn crates(paths: &Paths, file: &Path) -> Result<String> {
    paths.run(paths.built(NAME).to_string_lossy()).called(NAME).arg("crates").arg(file).ask()
}
