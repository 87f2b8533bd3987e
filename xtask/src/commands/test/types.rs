//! The TypeScript compiler over every npm workspace, through the script `check` that each has.

use crate::{error::Result, paths::Paths, workspaces};

pub(crate) fn check(paths: &Paths) -> Result {
    for workspace in workspaces::all(paths)? {
        workspaces::script(paths, &workspace, "check")?.go()?;
    }
    Ok(())
}
