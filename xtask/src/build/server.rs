//! The server, as the demo and the end-to-end tests start it. Cargo knows whether it is up to date.

use crate::{error::Result, places::Places, step::Outcome};

pub(crate) fn ensure(places: &Places) -> Result<Outcome> {
    places.cargo().args(["build", "--package", "everwire-server"]).go()?;
    Ok(Outcome::Done)
}
