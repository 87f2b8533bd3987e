//! The documents name only what exists: links lead to files and headings, paths to files, and the table of guarantees to
//! tests.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Files with an ending, below a directory; what is installed or built is left out.
fn files(directory: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["node_modules", "target", "dist", "output"].contains(&name.as_str())
                && !name.starts_with('.')
            {
                files(&path, ending, found);
            }
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

/// Every Markdown file of the repository and its text, without code blocks.
fn documents() -> Vec<(PathBuf, String)> {
    let mut paths = Vec::new();
    files(&root(), ".md", &mut paths);
    assert!(paths.len() > 10, "{paths:?}");
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), prose(&fs::read_to_string(&path).unwrap()))).collect()
}

fn prose(text: &str) -> String {
    let mut within = false;
    let lines = text.lines().filter(|line| {
        let fence = line.starts_with("```");
        within ^= fence;
        !within && !fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What stands between two marks, each time.
fn between<'a>(text: &'a str, open: &'a str, close: char) -> impl Iterator<Item = &'a str> {
    text.split(open).skip(1).filter_map(move |rest| rest.split_once(close)).map(|(inner, _)| inner)
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .collect::<String>();
    kept.replace(' ', "-")
}

#[test]
fn links_lead_to_files_and_headings() {
    let (mut found, mut broken) = (0, Vec::new());
    for (document, text) in documents() {
        for link in between(&text, "](", ')').chain(between(&text, "src=\"", '"')) {
            let target = link.split(' ').next().unwrap_or_default();
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            found += 1;
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { document.clone() } else { document.parent().unwrap().join(file) };
            let exists = path.exists()
                && (heading.is_empty()
                    || prose(&fs::read_to_string(&path).unwrap()).lines().any(|line| {
                        line.starts_with('#') && anchor(line.trim_start_matches(['#', ' '])) == heading
                    }));
            if !exists {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(found > 100, "only {found} links were recognised");
    assert!(broken.is_empty(), "these links lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn paths_in_documents_exist() {
    let root = root();
    // Written by tests and builds.
    let generated = ["target/", "tests/output/", "output/", "pkg-js/dist", "pkg-js/wasm", "demo-web/dist"];
    let (mut found, mut missing) = (0, Vec::new());
    for (document, text) in documents() {
        for code in text.split('`').skip(1).step_by(2) {
            // From the root of the repository, or in a README from its directory.
            let bases = [&root, document.parent().unwrap()];
            let top = code.split('/').next().unwrap_or_default();
            let looks_like_a_path = code.contains('/') && !code.contains([' ', '*', '{', '<', '…', ':']);
            let is_path =
                looks_like_a_path && !top.is_empty() && bases.iter().any(|base| base.join(top).exists());
            if !is_path || generated.iter().any(|path| code.starts_with(path)) {
                continue;
            }
            found += 1;
            if !bases.iter().any(|base| base.join(code).exists()) {
                missing.push(format!("{}: {code}", document.display()));
            }
        }
    }
    assert!(found > 50, "only {found} paths were recognised");
    assert!(missing.is_empty(), "these paths do not exist:\n{}", missing.join("\n"));
}

#[test]
fn the_table_of_guarantees_names_tests_that_exist() {
    let mut sources = Vec::new();
    for directory in ["client-wasm/core/tests", "server-ref/tests"] {
        files(&root().join(directory), ".rs", &mut sources);
    }
    let tests: String = sources.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let text = fs::read_to_string(root().join("docs/reliability.md")).unwrap();
    let table = text.split("\n## ").find(|section| section.starts_with("The guarantees")).unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert_eq!(rows.len(), 32);
    for (number, row) in (1..).zip(rows) {
        assert!(row.starts_with(&format!("| {number} |")), "{row}");
        let says_so = row.contains("see Known deviations");
        assert!(row.contains("](../") || says_so, "guarantee {number} names no test");
        for prefix in between(row, "`promise_", '`') {
            let prefix = prefix.trim_end_matches('…');
            assert!(prefix.starts_with(|c: char| c.is_ascii_digit()), "{row}");
            assert!(tests.contains(&format!("fn promise_{prefix}")), "there is no test promise_{prefix}…");
        }
    }
}
