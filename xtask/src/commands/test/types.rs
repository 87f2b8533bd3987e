//! The TypeScript compiler over every npm workspace, through the script `check` that each has.

use std::fs;

use serde_json::Value;

use crate::{
    error::{Error, Result},
    places::Places,
};

/// The directories of the npm workspaces.
const WORKSPACES: [&str; 3] = ["pkg-js", "demo-web", "tests"];

pub(crate) fn check(places: &Places) -> Result {
    for workspace in WORKSPACES {
        has_script(places, workspace, "check")?;
        places.npm().args(["run", "--silent", "check", "--workspace", workspace]).go()?;
    }
    Ok(())
}

/// A part of the project that lacks what it is to be tested by is not passed over in silence.
pub(crate) fn has_script(places: &Places, workspace: &str, script: &str) -> Result {
    let file = places.root.join(workspace).join("package.json");
    let text = fs::read_to_string(&file).map_err(Error::file("read", &file))?;
    let package: Value = serde_json::from_str(&text)
        .map_err(|error| Error::Unexpected { what: file.display().to_string(), reason: error.to_string() })?;
    if package["scripts"][script].is_string() {
        return Ok(());
    }
    Err(Error::Unexpected {
        what: file.display().to_string(),
        reason: format!("it has no script {script:?}"),
    })
}
