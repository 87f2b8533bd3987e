//! The clients of this repository that the conformance suite drives through an adapter, and the tests of them.

use super::read;
use crate::{
    commands::test::Tested, error::Result, paths::Paths, process::Run, setup::python, summary::Summary,
};

/// A client, and the command of the shell that starts its adapter.
pub(crate) struct Adapter {
    pub(super) name: &'static str,
    command: String,
}

/// Those that can be started here: without Python there is no third client, of which setup has told.
pub(super) fn adapters(paths: &Paths) -> Vec<Adapter> {
    let quoted = |path: &std::path::Path| format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"));
    let package = paths.root.join("tests/conformance/adapters/package.mjs");
    let mut found = vec![
        Adapter { name: "core", command: quoted(&paths.built("everwire-native")) },
        Adapter { name: "package", command: format!("node {}", quoted(&package)) },
    ];
    if let Ok(python) = python::python() {
        let (module, python) = (quoted(&paths.root.join("tests/third")), quoted(&python));
        let command = format!("env PYTHONPATH={module} {python} -B -S -m everwire_third --adapter");
        found.push(Adapter { name: "third", command });
    }
    found
}

/// Builds what plays dialogues, and the client that is part of this workspace.
pub(super) fn build(paths: &Paths) -> Result {
    let packages = ["--package", "everwire-conformance", "--package", "everwire-native"];
    paths.cargo().args(["build", "--quiet"]).args(packages).go().map(drop)
}

/// What plays dialogues.
pub(super) fn tool(paths: &Paths) -> Run {
    paths.run(paths.built("everwire-conformance").to_string_lossy()).called("everwire-conformance")
}

/// The same against a client.
pub(super) fn suite(paths: &Paths, adapter: &Adapter) -> Run {
    tool(paths).args(["client", "--adapter", &adapter.command])
}

/// Plays all dialogues against each client. A dialogue is a test, and so is a planted deviation.
pub(crate) fn test(paths: &Paths, long: bool) -> Result<Tested> {
    build(paths)?;
    let mut tested = Tested::default();
    for adapter in adapters(paths) {
        let run = || suite(paths, &adapter).args(long.then_some("--slow")).arg("--json");
        let played = read(&run().read()?)?;
        let dialogues = played["dialogues"].as_array().cloned().unwrap_or_default();
        for dialogue in dialogues.iter().filter(|dialogue| dialogue["outcome"] != "skipped") {
            tested.count(dialogue["outcome"] == "passed", &format!("{}: {dialogue:#}", adapter.name));
        }
        let planted = read(&run().arg("--planted").read()?)?;
        tested.summary.passed += planted["found"].as_u64().unwrap_or_default();
        for missed in planted["missed"].as_array().into_iter().flatten() {
            tested.count(false, &format!("{}: not found: {missed}", adapter.name));
        }
        if planted["found"].as_u64().is_none_or(|found| found == 0) {
            tested.count(false, &format!("{}: no deviation was found: {planted}", adapter.name));
        }
    }
    Ok(tested)
}

impl Tested {
    fn count(&mut self, passed: bool, output: &str) {
        self.summary = [self.summary, Summary { passed: u64::from(passed), failed: u64::from(!passed) }]
            .into_iter()
            .sum();
        if !passed {
            self.output.push_str(output);
            self.output.push('\n');
        }
    }
}
