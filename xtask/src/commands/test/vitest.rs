//! Tests run by vitest. It reports twice: as text, and as JSON in a file, from which the tests are counted.

use std::fs;

use serde_json::Value;

use super::Tested;
use crate::{
    error::{Error, Result},
    paths::Paths,
    process::Run,
    setup::{browser, python},
    summary::Summary,
    workspaces,
};

/// What tests do more often with `--long`; tests/README.md has the numbers without it.
const LONG: [(&str, &str); 4] = [
    ("EVERWIRE_CHAOS_MESSAGES", "10000"),
    ("EVERWIRE_HISTORY_MESSAGES", "100000"),
    ("EVERWIRE_KILLS", "200"),
    ("EVERWIRE_RECONNECTS", "1000"),
];

/// The script `test` of an npm workspace.
pub(super) fn workspace(paths: &Paths, name: &str, long: bool) -> Result<Tested> {
    // For tests that start a browser or a server.
    let mut run = workspaces::script(paths, name, "test")?
        .env("EVERWIRE_SERVER", paths.built("everwire-server"))
        .env("EVERWIRE_EXAMPLES", paths.own.join("examples"));
    if let Ok(browser) = browser::browser() {
        run = run.env("CHROME", browser);
    }
    if let Ok(firefox) = browser::firefox() {
        run = run.env("FIREFOX", firefox);
    }
    if let Ok(python) = python::python() {
        run = run.env("PYTHON3", python);
    }
    if long {
        for (name, value) in LONG {
            run = run.env(name, value);
        }
    }
    report(paths, &name.replace('/', "-"), run)
}

/// The test files of a directory that is not an npm workspace.
pub(super) fn directory(paths: &Paths, path: &str) -> Result<Tested> {
    report(paths, &path.replace('/', "-"), paths.bin("vitest").args(["run", "--root", path]))
}

fn report(paths: &Paths, name: &str, run: Run) -> Result<Tested> {
    let file = paths.own.join(format!("vitest-{name}.json"));
    // The report of an earlier run must not be mistaken for this one.
    let _ = fs::remove_file(&file);
    let output_file = format!("--outputFile.json={}", file.display());
    let ended =
        run.args(["--reporter=default", "--reporter=json", &output_file]).env("NO_COLOR", "1").finish()?;
    let report = fs::read_to_string(&file).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let summary = Summary::of_vitest(&report.unwrap_or_default(), ended.success);
    if summary == Summary::default() {
        return Err(Error::Refused(format!("vitest ran no tests in {name}")));
    }
    Ok(Tested { summary, output: ended.output })
}
