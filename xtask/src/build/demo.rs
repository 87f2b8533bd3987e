//! The demo page, built by Vite on the package as a user would import it.

use crate::{error::Result, fresh::Stamp, places::Places, step::Outcome, workspaces};

pub(crate) fn ensure(places: &Places) -> Result<Outcome> {
    let directory = places.root.join("demo-web");
    let package = places.root.join("pkg-js/dist");
    let inputs = [package, directory.clone(), places.root.join("package-lock.json")];
    let stamp = Stamp::new(places.own.join("demo.stamp"), &inputs, &[])?;
    if stamp.holds(&[directory.join("dist/index.html")]) {
        return Ok(Outcome::UpToDate);
    }
    workspaces::script(places, "demo-web", "build")?.go()?;
    stamp.set()?;
    Ok(Outcome::Done)
}
