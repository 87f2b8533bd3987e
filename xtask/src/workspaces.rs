//! The npm workspaces and their scripts. A workspace is identified by its directory here, but by its package name when
//! calling npm: for npm, a directory includes all workspaces inside it.

use std::fs;

use serde_json::Value;

use crate::{
    error::{Error, Result},
    paths::Paths,
    process::Run,
};

/// The directories of all workspaces, as the root's package.json lists them.
pub(crate) fn all(paths: &Paths) -> Result<Vec<String>> {
    let package = package(paths, ".")?;
    let names = package["workspaces"].as_array().into_iter().flatten();
    Ok(names.filter_map(Value::as_str).map(str::to_owned).collect())
}

/// A script of a workspace, ready for arguments. A missing script is an error, so that tests are never skipped silently.
pub(crate) fn script(paths: &Paths, workspace: &str, script: &str) -> Result<Run> {
    let package = package(paths, workspace)?;
    let missing = |what: &str| Error::Unexpected {
        what: format!("{workspace}/package.json"),
        reason: format!("it has no {what}"),
    };
    if !package["scripts"][script].is_string() {
        return Err(missing(&format!("script {script:?}")));
    }
    let name = package["name"].as_str().ok_or_else(|| missing("name"))?;
    // Silent, because npm's own output would follow that of the failed script.
    Ok(paths.npm().args(["run", "--silent", script, "--workspace", name, "--"]))
}

/// The scripts of a workspace whose names begin with a prefix, without it.
pub(crate) fn scripts_with_prefix(paths: &Paths, workspace: &str, prefix: &str) -> Result<Vec<String>> {
    let package = package(paths, workspace)?;
    let names = package["scripts"].as_object().into_iter().flat_map(|scripts| scripts.keys());
    Ok(names.filter_map(|name| name.strip_prefix(prefix)).map(str::to_owned).collect())
}

fn package(paths: &Paths, directory: &str) -> Result<Value> {
    let file = paths.root.join(directory).join("package.json");
    let text = fs::read_to_string(&file).map_err(Error::file("read", &file))?;
    serde_json::from_str(&text)
        .map_err(|error| Error::Unexpected { what: file.display().to_string(), reason: error.to_string() })
}
