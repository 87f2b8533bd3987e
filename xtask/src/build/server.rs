//! Builds the server for the demo and the end-to-end tests. Cargo knows whether it is up to date.

use crate::{error::Result, paths::Paths, step::Outcome};

pub(crate) fn ensure(paths: &Paths) -> Result<Outcome> {
    paths.cargo().args(["build", "--package", "everwire-server"]).go()?;
    Ok(Outcome::Done)
}
