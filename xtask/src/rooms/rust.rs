//! Which Rust files use which, from the paths in them: those that begin with `crate`, `super`, `self`, a child module or the
//! crate's own name. Paths through a re-export lead to the file that is re-exported from. Code for tests is left out, and so
//! is what a child module uses of the modules that it is in: it is a part of them, and may extend their types.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr as _,
};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::{Sources, graph::Graph};

/// A module's path within its crate, or a path of names in it.
type Names = Vec<String>;

/// The files of a tree, with an edge for each use of another one. `own`: how the crate is called in paths.
pub(super) fn references(sources: &Sources, own: &str) -> Graph {
    let mut modules = BTreeMap::new();
    let mut read = Vec::new();
    for (file, text) in sources {
        let module = module_of(file);
        let mut paths = Paths { own: own.to_owned(), module: module.clone(), ..Paths::default() };
        match TokenStream::from_str(text) {
            Ok(tokens) => paths.visit(tokens),
            // What does not even consist of tokens does not compile, and the compiler says it better.
            Err(_) => continue,
        }
        // A crate may have two roots: the library comes first in the alphabet and has the modules.
        modules.entry(module).or_insert_with(|| file.clone());
        read.push((file, paths));
    }
    let exports = read.iter().flat_map(|(_, paths)| paths.exports.clone()).collect();
    let resolver = Resolver { modules, exports };
    let mut graph = Graph::default();
    for (file, paths) in &read {
        graph.add_node(file);
        for path in &paths.used {
            let target = resolver.file_of(path.clone());
            if !module_of(file).starts_with(&module_of(target)) {
                graph.add_edge(file, target);
            }
        }
    }
    graph
}

/// The files that no module declares: the compiler does not see them.
pub(super) fn undeclared(sources: &Sources) -> Vec<String> {
    let mut declared = BTreeSet::from([Names::new()]);
    for (file, text) in sources {
        let mut paths = Paths { module: module_of(file), ..Paths::default() };
        paths.visit(TokenStream::from_str(text).unwrap_or_default());
        declared.extend(paths.children.into_iter().map(|child| [&module_of(file)[..], &[child]].concat()));
    }
    sources.keys().filter(|file| !declared.contains(&module_of(file))).cloned().collect()
}

/// `hub/mod.rs` and `hub.rs` are `hub`; `lib.rs` and `main.rs` are the root.
fn module_of(file: &str) -> Names {
    let path = file.strip_suffix(".rs").unwrap_or(file);
    let mut names: Names = path.split('/').map(str::to_owned).collect();
    if names.last().is_some_and(|name| name == "mod") || matches!(path, "lib" | "main") {
        names.pop();
    }
    names
}

/// Finds the file behind an absolute path.
struct Resolver {
    modules: BTreeMap<Names, String>,
    /// The names that modules re-export, and the paths behind them.
    exports: BTreeMap<Names, Names>,
}

impl Resolver {
    fn file_of(&self, mut path: Names) -> &str {
        let mut followed = BTreeSet::new();
        while let Some(through) =
            (1..=path.len()).rev().find(|length| self.exports.contains_key(&path[..*length]))
        {
            if !followed.insert(path.clone()) {
                break;
            }
            path = [&self.exports[&path[..through]][..], &path[through..]].concat();
        }
        let module = (0..=path.len()).rev().find_map(|length| self.modules.get(&path[..length]));
        module.map_or("lib.rs", String::as_str)
    }
}

/// The paths that a file uses, all made absolute.
#[derive(Default)]
struct Paths {
    /// The name of the crate.
    own: String,
    /// The module that is being read: the file's, or one written out in it.
    module: Names,
    children: BTreeSet<String>,
    used: BTreeSet<Names>,
    exports: BTreeMap<Names, Names>,
}

impl Paths {
    fn visit(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        self.children.extend(
            tokens.windows(2).filter(|pair| is_word(&pair[0], "mod")).filter_map(|pair| word(&pair[1])),
        );
        let mut at = 0;
        let mut public = false;
        while at < tokens.len() {
            let rest = &tokens[at..];
            if is_test_attribute(rest) {
                at += item_length(rest);
                continue;
            }
            if is_word(&rest[0], "use") {
                let length = rest.iter().position(|token| is_punct(token, ';')).unwrap_or(rest.len());
                self.visit_use(&rest[1..length.max(1)], &[], public);
                public = false;
                at += length + 1;
                continue;
            }
            if is_word(&rest[0], "mod")
                && let [_, name, TokenTree::Group(body), ..] = rest
                && let Some(name) = word(name)
            {
                self.module.push(name);
                self.visit(body.stream());
                self.module.pop();
                at += 3;
                continue;
            }
            match &rest[0] {
                TokenTree::Group(group) => {
                    // The brackets of `pub(crate)` belong to the visibility.
                    if group.delimiter() != Delimiter::Parenthesis {
                        public = false;
                    }
                    self.visit(group.stream());
                    at += 1;
                }
                TokenTree::Ident(_) => {
                    let (path, length) = path(rest);
                    let continues =
                        at >= 2 && is_punct(&tokens[at - 1], ':') && is_punct(&tokens[at - 2], ':');
                    if !continues && path.len() > 1 {
                        self.add(&path, None);
                    }
                    public = is_word(&rest[0], "pub");
                    at += length;
                }
                _ => {
                    at += 1;
                }
            }
        }
    }

    /// A tree of `use`, without the word and the semicolon.
    fn visit_use(&mut self, tokens: &[TokenTree], prefix: &[String], public: bool) {
        let (names, length) = path(tokens);
        let names = [prefix, &names].concat();
        match &tokens[length.min(tokens.len())..] {
            [TokenTree::Group(group), ..] => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                for branch in inner.split(|token| is_punct(token, ',')).filter(|branch| !branch.is_empty()) {
                    self.visit_use(branch, &names, public);
                }
            }
            [as_word, name, ..] if is_word(as_word, "as") => {
                self.add(&names, word(name).filter(|_| public));
            }
            _ => {
                let exported = names.last().filter(|_| public).cloned();
                self.add(&names, exported);
            }
        }
    }

    /// Keeps a path if it leads into this crate, and what it re-exports.
    fn add(&mut self, path: &[String], exported: Option<String>) {
        let Some(path) = self.absolute(path) else { return };
        if let Some(name) = exported {
            let name = [&self.module[..], &[name]].concat();
            if name != path {
                self.exports.insert(name, path.clone());
            }
        }
        self.used.insert(path);
    }

    fn absolute(&self, path: &[String]) -> Option<Names> {
        let (first, rest) = path.split_first()?;
        let mut absolute = match first.as_str() {
            "crate" => Vec::new(),
            "self" => self.module.clone(),
            "super" => self.module[..self.module.len().checked_sub(1)?].to_vec(),
            child if self.children.contains(child) => [&self.module[..], &[child.to_owned()]].concat(),
            own if own == self.own => Vec::new(),
            _ => return None,
        };
        for name in rest {
            match name.as_str() {
                "super" => _ = absolute.pop(),
                "self" => {}
                name => absolute.push(name.to_owned()),
            }
        }
        Some(absolute)
    }
}

/// The names at the start of tokens that `::` joins, and how many tokens they take, a trailing `::` included.
fn path(tokens: &[TokenTree]) -> (Names, usize) {
    let (mut names, mut at) = (Names::new(), 0);
    while let Some(name) = tokens.get(at).and_then(word) {
        names.push(name);
        at += 1;
        match tokens.get(at..at + 2) {
            Some([first, second]) if is_punct(first, ':') && is_punct(second, ':') => at += 2,
            _ => break,
        }
    }
    (names, at)
}

/// How many tokens an item takes: up to its body or its semicolon.
fn item_length(tokens: &[TokenTree]) -> usize {
    let ends = |token: &TokenTree| {
        is_punct(token, ';')
            || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
    };
    tokens.iter().position(ends).map_or(tokens.len(), |end| end + 1)
}

/// True at `#[cfg(test)]`.
fn is_test_attribute(tokens: &[TokenTree]) -> bool {
    let [hash, TokenTree::Group(attribute), ..] = tokens else { return false };
    is_punct(hash, '#') && attribute.stream().to_string().replace(' ', "") == "cfg(test)"
}

fn word(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    }
}

fn is_word(token: &TokenTree, expected: &str) -> bool {
    matches!(token, TokenTree::Ident(word) if word == expected)
}

fn is_punct(token: &TokenTree, expected: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Sources =
            files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        references(&sources, "everwire_server").edges().map(|(from, to)| format!("{from} -> {to}")).collect()
    }

    #[test]
    fn a_re_export_leads_to_the_file_that_defines_the_name() {
        let files = [
            ("lib.rs", ""),
            ("model/mod.rs", "mod log; pub(crate) use log::{Entry, Page as LogPage};"),
            ("model/log.rs", "pub struct Entry; pub struct Page;"),
            ("store.rs", "use crate::model::Entry; fn f(_: crate::model::LogPage) {}"),
        ];
        assert_eq!(edges(&files), ["model/mod.rs -> model/log.rs", "store.rs -> model/log.rs"]);
    }

    #[test]
    fn a_private_use_is_no_re_export() {
        let files = [
            ("lib.rs", ""),
            ("a/mod.rs", "mod inner; use inner::Inner; pub struct A;"),
            ("a/inner.rs", "pub struct Inner;"),
            ("b.rs", "use crate::a::Inner;"),
        ];
        assert_eq!(edges(&files), ["a/mod.rs -> a/inner.rs", "b.rs -> a/mod.rs"]);
    }

    #[test]
    fn a_child_may_extend_what_its_parent_defines() {
        let files = [
            ("lib.rs", ""),
            ("a/mod.rs", "mod inner; use inner::Inner; pub struct A;"),
            ("a/inner.rs", "use super::A; impl A {} pub struct Inner;"),
        ];
        assert_eq!(edges(&files), ["a/mod.rs -> a/inner.rs"]);
    }

    #[test]
    fn comments_strings_tests_and_other_crates_do_not_count() {
        let files = [
            ("lib.rs", ""),
            ("a.rs", ""),
            ("c.rs", "use everwire_protocol::a::A;"),
            (
                "b.rs",
                "// crate::a\nconst A: &str = \"crate::a\";\nuse std::a::b;\nfn f() { x.crate_a(); std::a::B }\n\
                 #[cfg(test)]\nmod tests { use crate::a; }\n#[cfg(test)]\nuse crate::a;",
            ),
        ];
        assert_eq!(edges(&files), Vec::<String>::new());
    }

    #[test]
    fn super_is_counted_from_a_module_within_a_file() {
        let files =
            [("lib.rs", ""), ("a.rs", ""), ("b.rs", "mod inner { use super::super::a::A; use super::B; }")];
        assert_eq!(edges(&files), ["b.rs -> a.rs"]);
    }

    #[test]
    fn the_program_uses_the_library_by_the_crates_name() {
        let files = [
            ("lib.rs", "pub mod config;"),
            ("config.rs", ""),
            ("main.rs", "mod operator; use everwire_server::config::Config;"),
            ("operator.rs", ""),
        ];
        assert_eq!(edges(&files), ["main.rs -> config.rs"]);
    }
}
