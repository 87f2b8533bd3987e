//! Builds the chats in client-wasm/examples: applications in Rust for a browser, without any tool but the wasm-bindgen of this
//! workspace. Each becomes a directory that any server can serve.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::wasm;
use crate::{
    error::{Error, Result},
    fingerprint::Stamp,
    paths::Paths,
    setup::wasm_target::TARGET,
    step::Outcome,
};

/// The one whose size is measured: built as an application would be published.
pub(crate) const PLAIN: &str = "plain";

/// The one with a framework, which is built for tests alone: without optimisation, which would take minutes.
const LEPTOS: &str = "leptos";

/// Where an example is built to.
pub(crate) fn directory(paths: &Paths, name: &str) -> PathBuf {
    paths.own.join("examples").join(name)
}

pub(crate) fn ensure(paths: &Paths) -> Result<Outcome> {
    wasm::compile(paths, &["--package", "everwire-example-plain"])?;
    paths.cargo().args(["build", "--target", TARGET, "--package", "everwire-example-leptos"]).go()?;
    let built = |profile: &str, name: &str| {
        paths.target.join(TARGET).join(profile).join(format!("everwire_example_{name}.wasm"))
    };
    let mut outcome = Outcome::UpToDate;
    for (name, compiled) in [(PLAIN, built("wasm", PLAIN)), (LEPTOS, built("debug", LEPTOS))] {
        let sources = paths.root.join("client-wasm/examples");
        let [page, style] = [sources.join(name).join("index.html"), sources.join("chat.css")];
        let directory = directory(paths, name);
        let inputs = [compiled.clone(), page.clone(), style.clone()];
        let stamp = Stamp::new(directory.join(".stamp"), &inputs, &[])?;
        if stamp.holds(&[directory.join("app.js"), directory.join("index.html")]) {
            continue;
        }
        wasm::bind_application(paths, &compiled, &directory, name == PLAIN)?;
        for file in [&page, &style] {
            copy(file, &directory)?;
        }
        stamp.set()?;
        outcome = Outcome::Done;
    }
    Ok(outcome)
}

fn copy(file: &Path, directory: &Path) -> Result {
    let name = file.file_name().unwrap_or_default();
    fs::copy(file, directory.join(name)).map_err(Error::file("copied", file))?;
    Ok(())
}
