//! Builds the demo page with Vite, on the package as a user would import it.

use crate::{error::Result, fingerprint::Stamp, paths::Paths, step::Outcome, workspaces};

pub(crate) fn ensure(paths: &Paths) -> Result<Outcome> {
    let directory = paths.root.join("demo-web");
    let package = paths.root.join("pkg-js/dist");
    let inputs = [package, directory.clone(), paths.root.join("package-lock.json")];
    let stamp = Stamp::new(paths.own.join("demo.stamp"), &inputs, &[])?;
    if stamp.holds(&[directory.join("dist/index.html")]) {
        return Ok(Outcome::UpToDate);
    }
    workspaces::script(paths, "demo-web", "build")?.go()?;
    stamp.set()?;
    Ok(Outcome::Done)
}
