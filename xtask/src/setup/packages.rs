//! Node and the npm packages. `npm ci` runs only if a package of package-lock.json is not installed in that exact version,
//! because it removes everything before it installs.

use std::fs;

use serde_json::Value;

use crate::{
    error::{Error, Result},
    paths::Paths,
    step::Outcome,
};

/// The oldest Node that the tools of this repository run on, as major and minor version.
const OLDEST_NODE: (u32, u32) = (20, 19);

pub(crate) fn ensure(paths: &Paths) -> Result<Outcome> {
    let advice = || {
        let (major, minor) = OLDEST_NODE;
        format!(
            "Install Node {major}.{minor} or newer from https://nodejs.org, or with your system's packages."
        )
    };
    let Ok(version) = paths.node().arg("--version").ask() else {
        return Err(Error::Missing { what: "Node is not installed".into(), advice: advice() });
    };
    if parse_version(&version).is_none_or(|version| version < OLDEST_NODE) {
        return Err(Error::Missing { what: format!("Node {version} is too old"), advice: advice() });
    }
    let lock = paths.root.join("package-lock.json");
    let lock = fs::read_to_string(&lock).map_err(Error::file("read", &lock))?;
    let lock: Value = serde_json::from_str(&lock)
        .map_err(|error| Error::Unexpected { what: "package-lock.json".into(), reason: error.to_string() })?;
    // npm records here what it has installed.
    let installed =
        fs::read_to_string(paths.root.join("node_modules/.package-lock.json")).unwrap_or_default();
    let installed = serde_json::from_str(&installed).unwrap_or(Value::Null);
    if missing(&lock, &installed).is_none() {
        return Ok(Outcome::UpToDate);
    }
    paths.npm().arg("ci").go().map_err(|error| {
        error.advise("Check the network; if package-lock.json is out of date, run `npm install`.")
    })?;
    Ok(Outcome::Done)
}

/// The first package that is missing or installed in another version. Optional packages are for some systems only.
fn missing<'a>(lock: &'a Value, installed: &Value) -> Option<&'a str> {
    let packages = lock["packages"].as_object()?;
    let found = packages.iter().find(|(path, package)| {
        let wanted = path.contains("node_modules/")
            && ["optional", "devOptional"].iter().all(|mark| package[*mark] != true);
        let found = &installed["packages"][path.as_str()];
        wanted && (found.is_null() || found["version"] != package["version"])
    });
    found.map(|(path, _)| path.as_str())
}

/// Major and minor of `v20.19.1`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim_start_matches('v').split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_of_node_are_compared_as_numbers() {
        assert_eq!(parse_version("v20.19.1"), Some((20, 19)));
        assert!(
            parse_version("v9.9.0").unwrap() < OLDEST_NODE && parse_version("v20.2.0").unwrap() < OLDEST_NODE
        );
        assert!(parse_version("v22.0.0").unwrap() >= OLDEST_NODE);
        assert_eq!(parse_version("nightly"), None);
    }

    #[test]
    fn a_package_that_is_missing_or_of_another_version_is_found() {
        let lock = json!({ "packages": {
            "": { "name": "root" },
            "pkg-js": { "version": "0.1.0" },
            "node_modules/everwire": { "link": true },
            "node_modules/a": { "version": "1.0.0" },
            "node_modules/only-for-macos": { "version": "1.0.0", "optional": true },
        }});
        let installed = json!({ "packages": {
            "node_modules/everwire": { "link": true },
            "node_modules/a": { "version": "1.0.0" },
        }});
        assert_eq!(missing(&lock, &installed), None);
        assert_eq!(missing(&lock, &Value::Null), Some("node_modules/everwire"));
        let older = json!({ "packages": {
            "node_modules/everwire": { "link": true },
            "node_modules/a": { "version": "0.9.0" },
        }});
        assert_eq!(missing(&lock, &older), Some("node_modules/a"));
    }
}
