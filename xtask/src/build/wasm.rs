//! Builds the WebAssembly core with cargo, wasm-bindgen and wasm-opt. pkg-js builds the package from the result.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use super::wasm_tool;
use crate::{
    error::{Error, Result},
    fingerprint::Stamp,
    paths::Paths,
    setup::wasm_target::TARGET,
    step::Outcome,
};

/// `--target web` without a default URL: pkg-js passes the bytes or the module itself. Every browser that runs the package has
/// `TextEncoder.encodeInto`, so nothing replaces it.
const BINDGEN: &[&str] =
    &["--target", "web", "--omit-default-module-path", "--encode-into", "always", "--out-name", "everwire"];

/// Imports and exports get short names. Which ones, wasm-opt prints as JSON; pkg-js/build.mjs renames them in the glue.
const SHORT_NAMES: &str = "--minify-imports-and-exports-and-modules";

/// Function names are only needed for measurements.
const WITHOUT_NAMES: &[&str] = &["--remove-name-section", "--remove-producers-section"];

/// Features are listed one by one, because `--all-features` emits types that current engines reject. Restructuring the
/// control flow and two more rounds save one per cent. Large functions that are called once stay functions: that is more code,
/// which Brotli makes smaller.
const OPTIMISE: &[&str] = &[
    // Nothing is below 1024: the stack is there, which grows down from far above.
    "--low-memory-unused",
    "--one-caller-inline-max-function-size=60",
    "-Oz",
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "--reorder-locals",
    "--strip-target-features",
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-multivalue",
    "--enable-reference-types",
];

/// The short names, in pkg-js/wasm.
const NAMES: &str = "names.json";

/// The files in pkg-js/wasm that the package is built from.
pub(crate) fn outputs(paths: &Paths) -> Vec<PathBuf> {
    let directory = paths.root.join("pkg-js/wasm");
    ["everwire.js", "everwire.d.ts", "everwire_bg.wasm", NAMES].map(|name| directory.join(name)).into()
}

pub(crate) fn ensure(paths: &Paths) -> Result<Outcome> {
    compile(paths, &["--package", "everwire-js"])?;
    let compiled = compiled(paths, "everwire_js");
    let directory = paths.root.join("pkg-js/wasm");
    let words = [[BINDGEN, WITHOUT_NAMES].concat().join(" "), [OPTIMISE, &[SHORT_NAMES]].concat().join(" ")];
    let lock = paths.root.join("package-lock.json");
    let stamp = Stamp::new(directory.join(".stamp"), &[compiled.clone(), lock], &[&words[0], &words[1]])?;
    if stamp.holds(&outputs(paths)) {
        return Ok(Outcome::UpToDate);
    }
    let bound = paths.own.join("wasm-bindgen");
    bind(paths, &compiled, &bound, WITHOUT_NAMES)?;
    fs::create_dir_all(&directory).map_err(Error::file("created", &directory))?;
    for name in ["everwire.js", "everwire.d.ts"] {
        fs::copy(bound.join(name), directory.join(name)).map_err(Error::file("copied", bound.join(name)))?;
    }
    let short = [SHORT_NAMES];
    let names =
        optimise(paths, &bound.join("everwire_bg.wasm"), &directory.join("everwire_bg.wasm"), &short)?;
    fs::write(directory.join(NAMES), names).map_err(Error::file("written", directory.join(NAMES)))?;
    stamp.set()?;
    Ok(Outcome::Done)
}

/// Compiles a crate of the workspace with the profile for browsers.
pub(super) fn compile(paths: &Paths, what: &[&str]) -> Result {
    paths
        .cargo()
        .args(["build", "--target", TARGET, "--profile", "wasm"])
        .args(what.iter().copied())
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", without_local_paths(paths))
        .go()?;
    Ok(())
}

/// Where `compile` puts the library of a crate.
pub(crate) fn compiled(paths: &Paths, library: &str) -> PathBuf {
    paths.target.join(TARGET).join("wasm").join(format!("{library}.wasm"))
}

/// The core as in the package, but with function names. Requires `ensure` to have run.
pub(crate) fn with_names(paths: &Paths) -> Result<PathBuf> {
    let (bound, named) = (paths.own.join("named"), paths.own.join("named/optimised.wasm"));
    bind(paths, &compiled(paths, "everwire_js"), &bound, &[])?;
    optimise(paths, &bound.join("everwire_bg.wasm"), &named, &["--debuginfo"])?;
    Ok(named)
}

/// A module from another crate of the workspace, built like the core. Returns the WebAssembly and its glue code.
pub(crate) fn probe(paths: &Paths, package: &str, library: &str, features: &str) -> Result<[PathBuf; 2]> {
    compile(paths, &["--package", package, "--features", features])?;
    let name = if features.is_empty() { "base" } else { features };
    let bound = paths.own.join("probes").join(name.replace(',', "-"));
    bind(paths, &compiled(paths, library), &bound, WITHOUT_NAMES)?;
    let optimised = bound.join("optimised.wasm");
    optimise(paths, &bound.join("everwire_bg.wasm"), &optimised, &[])?;
    Ok([optimised, bound.join("everwire.js")])
}

/// An application in Rust, as `app.js` and the WebAssembly that it loads. `small`: as it would be published.
pub(super) fn bind_application(paths: &Paths, compiled: &Path, directory: &Path, small: bool) -> Result {
    let options: &[&str] = if small { WITHOUT_NAMES } else { &[] };
    wasm_tool::bindgen(paths)
        .args(["--target", "web", "--no-typescript", "--out-name", "app", "--out-dir"])
        .arg(directory)
        .args(options.iter().copied())
        .arg(compiled)
        .go()?;
    if small {
        let bound = directory.join("app_bg.wasm");
        optimise(paths, &bound, &bound, &[])?;
    }
    Ok(())
}

/// Runs wasm-bindgen on a compiled file; writes files named everwire to a directory.
fn bind(paths: &Paths, compiled: &Path, directory: &Path, options: &[&str]) -> Result {
    wasm_tool::bindgen(paths)
        .args(BINDGEN.iter().chain(options).copied())
        .arg("--out-dir")
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

/// Returns what wasm-opt prints.
fn optimise(paths: &Paths, input: &Path, output: &Path, options: &[&str]) -> Result<String> {
    paths.bin("wasm-opt").args(OPTIMISE.iter().chain(options).copied()).arg(input).arg("-o").arg(output).ask()
}

/// Panic messages contain paths of source files. They must not depend on where the package is built, so that the build and
/// its size are reproducible.
fn without_local_paths(paths: &Paths) -> String {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let registry = home.map(|home| home.join("registry/src"));
    let root = format!("--remap-path-prefix={}=", paths.root.display());
    let registry = registry.map(|path| format!(" --remap-path-prefix={}=", path.display()));
    root + &registry.unwrap_or_default()
}
