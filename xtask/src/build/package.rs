//! Builds the npm package by the script in pkg-js, and packs the tarball that npm would publish.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::wasm;
use crate::{
    error::{Error, Result},
    fingerprint::Stamp,
    paths::Paths,
    step::Outcome,
    workspaces,
};

pub(crate) fn ensure(paths: &Paths) -> Result<Outcome> {
    let package = paths.root.join("pkg-js");
    // npm packs only files in the package's own directory; the licenses are kept at the root.
    for license in ["LICENSE-MIT", "LICENSE-APACHE"] {
        let original = paths.root.join(license);
        fs::copy(&original, package.join(license)).map_err(Error::file("copied", original))?;
    }
    let mut inputs = wasm::outputs(paths);
    inputs.push(package.clone());
    inputs.extend(["tsconfig.base.json", "package-lock.json"].map(|name| paths.root.join(name)));
    let stamp = Stamp::new(paths.own.join("package.stamp"), &inputs, &[])?;
    if stamp.holds(&[package.join("dist")]) {
        return Ok(Outcome::UpToDate);
    }
    workspaces::script(paths, "pkg-js", "build")?.go()?;
    stamp.set()?;
    Ok(Outcome::Done)
}

/// Packs what `ensure` has built, and returns the path of the tarball.
pub(crate) fn pack(paths: &Paths) -> Result<PathBuf> {
    let directory = paths.target.join("pkg");
    fs::create_dir_all(&directory).map_err(Error::file("created", &directory))?;
    let packed = paths
        .npm()
        .args(["pack", "--silent", "--json", "--workspace", "everwire", "--pack-destination"])
        .arg(&directory)
        .ask()?;
    Ok(directory.join(tarball_name(&packed)?))
}

/// The file name in the output of `npm pack --json`: a list of packages or, since npm 11, an object of them.
fn tarball_name(json: &str) -> Result<PathBuf> {
    let unexpected =
        |reason: &str| Error::Unexpected { what: "The output of npm pack".into(), reason: reason.into() };
    let packed: Value = serde_json::from_str(json).map_err(|error| unexpected(&error.to_string()))?;
    let package = match &packed {
        Value::Array(packages) => packages.first(),
        Value::Object(packages) => packages.values().next(),
        _ => None,
    };
    let name =
        package.and_then(|package| package["filename"].as_str()).ok_or_else(|| unexpected("no filename"))?;
    Path::new(name).file_name().map(PathBuf::from).ok_or_else(|| unexpected("no filename"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tarball_name_is_found_in_both_output_formats_of_npm() {
        let expected = PathBuf::from("everwire-0.1.0.tgz");
        assert_eq!(
            tarball_name(r#"[{"name":"everwire","filename":"everwire-0.1.0.tgz"}]"#).unwrap(),
            expected
        );
        assert_eq!(tarball_name(r#"{"everwire":{"filename":"everwire-0.1.0.tgz"}}"#).unwrap(), expected);
        assert!(tarball_name("[]").is_err() && tarball_name("no").is_err());
    }
}
