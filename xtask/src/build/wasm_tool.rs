//! wasm-bindgen and its test runner, from xtask/wasm. Cargo knows whether they are up to date.

use std::path::Path;

use crate::{error::Result, places::Places, process::Run, step::Outcome};

const NAME: &str = "everwire-xtask-wasm";

pub(crate) fn ensure(places: &Places) -> Result<Outcome> {
    let output = places.cargo().args(["build", "--package", NAME]).go()?;
    Ok(if output.contains("Compiling") { Outcome::Done } else { Outcome::UpToDate })
}

/// The command line of wasm-bindgen.
pub(crate) fn bindgen(places: &Places) -> Run {
    places.run(places.built(NAME).to_string_lossy()).called("wasm-bindgen").arg("bindgen")
}

/// What cargo has to be told so that it runs wasm tests in a browser. A list, because paths may hold spaces.
pub(crate) fn runner_config(places: &Places) -> String {
    let program = places.built(NAME).to_string_lossy().into_owned();
    // TOML strings and Rust's debug strings agree on what paths can hold.
    format!("target.wasm32-unknown-unknown.runner=[{program:?}, \"test-runner\"]")
}

/// Which crates the code of a WebAssembly file comes from, as JSON.
pub(crate) fn crates(places: &Places, file: &Path) -> Result<String> {
    places.run(places.built(NAME).to_string_lossy()).called(NAME).arg("crates").arg(file).ask()
}
