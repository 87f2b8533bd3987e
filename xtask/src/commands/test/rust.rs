//! Tests run by cargo: natively, and compiled to WebAssembly in a headless browser.

use std::fs;

use serde_json::json;

use super::Tested;
use crate::{
    build::wasm_tool,
    error::{Error, Result},
    paths::Paths,
    process::Run,
    setup::{browser, wasm_target::TARGET},
    summary::Summary,
};

/// All crates, for cargo, with the features that only tests need: the comparison of generated files, and the driver of the client that
/// its tests run with a real server.
pub(crate) const ALL_CRATES: [&str; 5] = [
    "--workspace",
    "--exclude",
    "everwire-xtask-wasm",
    "--features",
    "everwire-protocol/generate,everwire-client/native",
];

/// Native tests, in one cargo run, so that crates share the compilation of their dependencies.
pub(super) fn native(paths: &Paths, what: &[&str], long: bool) -> Result<Tested> {
    // How much the database of the test of upkeep holds.
    let rows = if long { "5000000" } else { "500000" };
    let test = paths.cargo().args(["test", "--no-fail-fast"]).env("EVERWIRE_TEST_ROWS", rows);
    run(test.args(what.iter().copied()))
}

/// Tests in Chromium, through wasm-bindgen's test runner.
pub(super) fn wasm(paths: &Paths) -> Result<Tested> {
    let capabilities = paths.own.join("webdriver.json");
    let browser = browser::browser()?;
    let root = paths.run("id").arg("-u").ask().is_ok_and(|id| id == "0");
    let mut arguments = vec!["--headless=new", "--disable-gpu", "--disable-dev-shm-usage"];
    if root {
        // Chromium's sandbox refuses to run as root, the usual user in containers.
        arguments.push("--no-sandbox");
    }
    let text = json!({ "goog:chromeOptions": { "binary": browser, "args": arguments } }).to_string();
    fs::write(&capabilities, text).map_err(Error::file("written", &capabilities))?;
    // Only what is tested within the library: for everything else it is built without the standard library, which the
    // tests of its core need.
    let tested = run(paths
        .cargo()
        .args(["test", "--no-fail-fast", "--package", "everwire-js", "--lib", "--target", TARGET])
        .args(["--config", &wasm_tool::runner_config(paths)])
        .env("CHROMEDRIVER", browser::driver()?)
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", capabilities))?;
    if tested.summary == Summary::default() {
        return Err(Error::Refused("no test ran in the browser: is wasm_bindgen_test in use?".into()));
    }
    Ok(tested)
}

fn run(run: Run) -> Result<Tested> {
    let ended = run.finish()?;
    let summary = Summary::of_rust(&ended.output, ended.success);
    let passed = |line: &str| line.starts_with("test ") && line.ends_with("... ok");
    let output: Vec<_> = ended.output.lines().filter(|line| !passed(line)).collect();
    Ok(Tested { summary, output: output.join("\n") })
}
