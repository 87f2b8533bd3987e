//! The code size of a WebAssembly file by crate, from the names of its functions. Inlined functions count for the crate
//! that they were inlined into.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Value, json};
use wasmparser::{KnownCustom, Name, Parser, Payload};

/// How many of the largest functions are listed.
const LARGEST: usize = 60;

/// Reads a file that still has its name section. Returns sizes in bytes, as JSON.
pub(crate) fn by_crate(file: &Path) -> Result<Value, Box<dyn std::error::Error>> {
    let bytes = std::fs::read(file)?;
    let (mut imported, mut sizes, mut names, mut data) = (0, Vec::new(), BTreeMap::new(), 0);
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported += usize::from(matches!(import?.ty, wasmparser::TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => sizes.push(body.range().len()),
            Payload::DataSection(section) => data = section.range().len(),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(subsections) = section.as_known() {
                    for subsection in subsections {
                        if let Name::Function(map) = subsection? {
                            for naming in map {
                                let naming = naming?;
                                names.insert(naming.index as usize, naming.name.to_owned());
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }
    let mut functions: Vec<(String, usize)> = sizes
        .into_iter()
        .enumerate()
        .map(|(index, size)| (names.remove(&(imported + index)).unwrap_or_else(|| "?".into()), size))
        .collect();
    functions.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let mut crates = BTreeMap::<&str, usize>::new();
    for (name, size) in &functions {
        *crates.entry(crate_of(name)).or_default() += size;
    }
    let mut crates: Vec<_> = crates.into_iter().collect();
    crates.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    Ok(json!({
        "crates": crates.iter().map(|(name, size)| json!({ "name": name, "bytes": size })).collect::<Vec<_>>(),
        "data_bytes": data,
        "largest": functions.iter().take(LARGEST).map(|(name, size)| json!({ "name": name, "bytes": size })).collect::<Vec<_>>(),
    }))
}

/// The first name in a path: `core` of `<core::fmt::Formatter as …>::pad` and of `core[1234]::fmt::pad`.
fn crate_of(function: &str) -> &str {
    let path = function.trim_start_matches(['<', '&', '*', '(', '[']);
    let path = ["mut ", "dyn ", "const "].iter().fold(path, |path, word| path.trim_start_matches(word));
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
    if path[end..].starts_with("::") || path[end..].starts_with('[') {
        &path[..end]
    } else {
        "(without a path)"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crate_is_the_first_name_of_a_path() {
        for (function, name) in [
            ("core::fmt::Formatter::pad::h0123", "core"),
            ("<alloc::string::String as core::fmt::Write>::write_str::h0123", "alloc"),
            ("<&mut everwire_client_core::Timer as core::fmt::Debug>::fmt", "everwire_client_core"),
            ("std[a543996e6e7dbf1e]::panicking::panic_handler", "std"),
            ("memcpy", "(without a path)"),
        ] {
            assert_eq!(crate_of(function), name, "{function}");
        }
    }
}
