//! Type checks: the script `check` of every npm workspace.

use crate::{error::Result, paths::Paths, workspaces};

pub(crate) fn check(paths: &Paths) -> Result {
    for workspace in workspaces::all(paths)? {
        workspaces::script(paths, &workspace, "check")?.go()?;
    }
    Ok(())
}
