//! Arrows between crates and between npm packages, from their manifests.

use std::{fs, path::Path};

use serde_json::Value;

use super::declaration::{Arrows, Declaration, allows};
use crate::error::{Error, Result};

/// Dependencies of the workspace's crates and packages on each other that are not declared.
pub(super) fn violations(root: &Path, declaration: &Declaration) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    let workspace = cargo(root, ".")?;
    for member in strings(workspace["workspace"].get("members")) {
        let manifest = cargo(root, member)?;
        let name = manifest["package"]["name"].as_str().unwrap_or_default();
        let arrows = &declaration.crates;
        judge(&mut violations, "crate", arrows, name, dependencies_of_crate(&manifest));
    }
    let workspace = npm(root, ".")?;
    for member in workspace["workspaces"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let manifest = npm(root, member)?;
        let name = manifest["name"].as_str().unwrap_or_default();
        let kinds = ["dependencies", "devDependencies", "peerDependencies"];
        let names =
            kinds.iter().filter_map(|kind| manifest[*kind].as_object()).flat_map(|names| names.keys());
        judge(&mut violations, "package", &declaration.packages, name, names.map(String::as_str).collect());
    }
    Ok(violations)
}

/// How the crate of a source directory is called in paths.
pub(super) fn crate_of(root: &Path, source: &str) -> Result<String> {
    let manifest = cargo(root, source.strip_suffix("/src").unwrap_or(source))?;
    Ok(manifest["package"]["name"].as_str().unwrap_or_default().replace('-', "_"))
}

fn judge(violations: &mut Vec<String>, kind: &str, arrows: &Arrows, name: &str, dependencies: Vec<&str>) {
    if !arrows.contains_key(name) {
        violations.push(format!("the {kind} {name} is not declared"));
    }
    for dependency in dependencies {
        if arrows.contains_key(dependency) && !allows(arrows, name, dependency) {
            violations.push(format!("the {kind} {name} may not depend on {dependency}"));
        }
    }
}

/// All kinds of dependencies, those of single targets too.
fn dependencies_of_crate(manifest: &toml::Table) -> Vec<&str> {
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let targets =
        manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
    let tables = std::iter::once(manifest).chain(targets.filter_map(toml::Value::as_table));
    tables
        .flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind)?.as_table()))
        .flat_map(|names| names.keys().map(String::as_str))
        .collect()
}

fn strings(list: Option<&toml::Value>) -> impl Iterator<Item = &str> {
    list.and_then(toml::Value::as_array).into_iter().flatten().filter_map(toml::Value::as_str)
}

fn cargo(root: &Path, directory: &str) -> Result<toml::Table> {
    let (file, text) = read(root, directory, "Cargo.toml")?;
    text.parse().map_err(|error: toml::de::Error| Error::Unexpected { what: file, reason: error.to_string() })
}

fn npm(root: &Path, directory: &str) -> Result<Value> {
    let (file, text) = read(root, directory, "package.json")?;
    serde_json::from_str(&text).map_err(|error| Error::Unexpected { what: file, reason: error.to_string() })
}

fn read(root: &Path, directory: &str, name: &str) -> Result<(String, String)> {
    let file = root.join(directory).join(name);
    let text = fs::read_to_string(&file).map_err(Error::file("read", &file))?;
    Ok((file.display().to_string(), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undeclared_dependency_is_found_whatever_its_kind() {
        let declaration =
            Declaration::parse("[crates]\nclient = []\nserver = []\n[packages]\n[trees]").unwrap();
        for planted in [
            "[dependencies]\nserver = { path = \"server\" }",
            "[dev-dependencies]\nserver.workspace = true",
            "[target.'cfg(unix)'.dependencies]\nserver = \"1\"",
        ] {
            let manifest: toml::Table = planted.parse().unwrap();
            let mut violations = Vec::new();
            judge(&mut violations, "crate", &declaration.crates, "client", dependencies_of_crate(&manifest));
            assert_eq!(violations, ["the crate client may not depend on server"], "{planted}");
        }
    }

    #[test]
    fn a_new_crate_has_to_be_declared() {
        let declaration = Declaration::parse("[crates]\n[packages]\n[trees]").unwrap();
        let mut violations = Vec::new();
        judge(&mut violations, "crate", &declaration.crates, "new", Vec::new());
        assert_eq!(violations, ["the crate new is not declared"]);
    }
}
