//! Which TypeScript files import which. Biome's format is relied on: what is imported from stands behind `from`, `import`
//! or `import(`, in double quotes. Imports of types count as others do.

use super::{Sources, graph::Graph};

/// The files of a tree, with an edge for each import of another one.
pub(super) fn references(sources: &Sources) -> Graph {
    let mut graph = Graph::default();
    for (file, text) in sources {
        graph.add_node(file);
        for imported in text.lines().flat_map(imports) {
            if let Some(target) = resolve(sources, file, imported) {
                graph.add_edge(file, target);
            }
        }
    }
    graph
}

/// What a line imports.
fn imports(line: &str) -> Vec<&str> {
    let line = line.trim();
    if line.starts_with("//") || line.starts_with('*') || line.starts_with("/*") {
        return Vec::new();
    }
    ["from \"", "import \"", "import(\""]
        .iter()
        .flat_map(|before| line.split(before).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

/// The file of the tree that a relative import names. Packages and what lies outside of the tree are not ours to judge.
fn resolve<'a>(sources: &'a Sources, file: &str, imported: &str) -> Option<&'a str> {
    if !imported.starts_with('.') {
        return None;
    }
    let mut path: Vec<&str> = file.split('/').collect();
    path.pop();
    for part in imported.split('/') {
        match part {
            "." => {}
            ".." => _ = path.pop()?,
            part => path.push(part),
        }
    }
    let path = path.join("/");
    let stem = path.strip_suffix(".js").or_else(|| path.strip_suffix(".ts")).unwrap_or(&path);
    [".ts", ".tsx", "/index.ts", "/index.tsx"]
        .iter()
        .find_map(|ending| sources.get_key_value(&format!("{stem}{ending}")))
        .map(|(file, _)| file.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_exports_and_dynamic_imports_of_files_are_found() {
        let sources: Sources = [
            ("index.ts", "export * from \"./core/client.js\";\n// import \"./comment.js\";"),
            ("core/client.ts", "import {\n  type A,\n  b,\n} from \"../wasm\";\nimport \"vue\";"),
            ("wasm/index.ts", "const later = () => import(\"../later.ts\");\nexport const text = 'from';"),
            ("later.ts", ""),
            ("comment.ts", ""),
        ]
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .into();
        assert_eq!(
            references(&sources).edges().collect::<Vec<_>>(),
            [
                ("core/client.ts", "wasm/index.ts"),
                ("index.ts", "core/client.ts"),
                ("wasm/index.ts", "later.ts")
            ]
        );
    }
}
