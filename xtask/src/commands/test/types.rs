//! The TypeScript compiler over every npm workspace, through the script `check` that each has.

use crate::{error::Result, places::Places, workspaces};

pub(crate) fn check(places: &Places) -> Result {
    for workspace in workspaces::all(places)? {
        workspaces::script(places, &workspace, "check")?.go()?;
    }
    Ok(())
}
