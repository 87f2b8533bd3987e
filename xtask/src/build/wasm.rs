//! The WebAssembly core: cargo, then wasm-bindgen, then wasm-opt. The result is what pkg-js builds the package from.

use std::{env, fs, path::PathBuf};

use super::wasm_tool;
use crate::{
    error::{Error, Result},
    fresh::Stamp,
    places::Places,
    process::Run,
    setup::wasm_target::TARGET,
    step::Outcome,
};

/// For the output of `--target web` without a default address: pkg-js passes the bytes or the module itself.
const BINDGEN: &[&str] =
    &["--target", "web", "--omit-default-module-path", "--remove-name-section", "--remove-producers-section"];

/// One by one, because `--all-features` emits types that current engines refuse.
const OPTIMISE: &[&str] = &[
    "-Oz",
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-multivalue",
    "--enable-reference-types",
];

/// The files in pkg-js/wasm that the package is built from.
pub(crate) fn outputs(places: &Places) -> Vec<PathBuf> {
    let directory = places.root.join("pkg-js/wasm");
    ["everwire.js", "everwire.d.ts", "everwire_bg.wasm"].map(|name| directory.join(name)).into()
}

pub(crate) fn ensure(places: &Places) -> Result<Outcome> {
    compile(places, &["--package", "everwire-client"])?;
    let compiled = places.target.join(TARGET).join("wasm/everwire_client.wasm");
    let directory = places.root.join("pkg-js/wasm");
    let words = [BINDGEN.join(" "), OPTIMISE.join(" ")];
    let lock = places.root.join("package-lock.json");
    let stamp = Stamp::new(directory.join(".stamp"), &[compiled.clone(), lock], &[&words[0], &words[1]])?;
    if stamp.holds(&outputs(places)) {
        return Ok(Outcome::UpToDate);
    }
    let bound = places.own.join("wasm-bindgen");
    bind(places, &compiled, &bound)?;
    fs::create_dir_all(&directory).map_err(Error::file("created", &directory))?;
    for name in ["everwire.js", "everwire.d.ts"] {
        fs::copy(bound.join(name), directory.join(name)).map_err(Error::file("copied", bound.join(name)))?;
    }
    optimise(places)
        .arg(bound.join("everwire_bg.wasm"))
        .arg("-o")
        .arg(directory.join("everwire_bg.wasm"))
        .go()?;
    stamp.set()?;
    Ok(Outcome::Done)
}

/// Compiles a crate of the workspace as it is downloaded by browsers.
pub(crate) fn compile(places: &Places, what: &[&str]) -> Result {
    places
        .cargo()
        .args(["build", "--target", TARGET, "--profile", "wasm"])
        .args(what.iter().copied())
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", without_local_paths(places))
        .go()?;
    Ok(())
}

/// wasm-bindgen, from a compiled file to a directory of files named everwire.
pub(crate) fn bind(places: &Places, compiled: &PathBuf, directory: &PathBuf) -> Result {
    wasm_tool::bindgen(places)
        .args(BINDGEN.iter().copied())
        .args(["--out-name", "everwire", "--out-dir"])
        .arg(directory)
        .arg(compiled)
        .go()
        .map_err(|error| {
            error.advise(
                "If it names two versions: client-wasm and xtask/wasm must pin the same wasm-bindgen.",
            )
        })?;
    Ok(())
}

/// wasm-opt, to be told the input and the output.
pub(crate) fn optimise(places: &Places) -> Run {
    places.bin("wasm-opt").args(OPTIMISE.iter().copied())
}

/// Panic messages hold the paths of source files. They must be the same wherever the package is built: it would not be
/// reproducible otherwise, nor would its size.
fn without_local_paths(places: &Places) -> String {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let registry = home.map(|home| home.join("registry/src"));
    let root = format!("--remap-path-prefix={}=", places.root.display());
    let registry = registry.map(|path| format!(" --remap-path-prefix={}=", path.display()));
    root + &registry.unwrap_or_default()
}
