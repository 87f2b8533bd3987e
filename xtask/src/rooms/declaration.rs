//! What xtask/rooms.toml declares, checked in itself: rooms exist, and the declared arrows form no circle.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::graph::Graph;

/// Each name with those right below it. `*` stands for all others.
pub(super) type Arrows = BTreeMap<String, Vec<String>>;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Declaration {
    /// The crates of the Cargo workspace.
    pub(super) crates: Arrows,
    /// The npm packages.
    pub(super) packages: Arrows,
    /// Source trees by name.
    pub(super) trees: BTreeMap<String, Tree>,
}

/// The rooms of one source tree.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tree {
    /// The directory, from the root of the repository.
    pub(super) source: String,
    pub(super) language: Language,
    /// Rooms by path: `hub` is hub.rs and everything in hub/. The longest path that fits a file is its room.
    pub(super) rooms: Arrows,
    /// Sets of files that may use each other in a circle.
    #[serde(default)]
    pub(super) circles: Vec<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Language {
    Rust,
    TypeScript,
}

impl Declaration {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let declaration: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        consistent("crates", &declaration.crates)?;
        consistent("packages", &declaration.packages)?;
        for (name, tree) in &declaration.trees {
            consistent(name, &tree.rooms)?;
        }
        Ok(declaration)
    }
}

impl Tree {
    /// The room of a file, if it has one.
    pub(super) fn room_of(&self, file: &str) -> Option<&str> {
        let path = file.rsplit_once('.').map_or(file, |(path, _)| path);
        let within = |room: &&String| {
            path.strip_prefix(room.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.rooms.keys().filter(within).max_by_key(|room| room.len()).map(String::as_str)
    }

    /// Whether a room may use another.
    pub(super) fn allows(&self, user: &str, dependency: &str) -> bool {
        allows(&self.rooms, user, dependency)
    }
}

/// Whether one may use another: it must be below, at whatever depth.
pub(super) fn allows(arrows: &Arrows, user: &str, dependency: &str) -> bool {
    graph(arrows).reached_from(user).contains(dependency)
}

fn graph(arrows: &Arrows) -> Graph {
    let mut graph = Graph::default();
    for (user, below) in arrows {
        graph.add_node(user);
        for name in below {
            match name.as_str() {
                "*" => arrows.keys().for_each(|other| graph.add_edge(user, other)),
                name => graph.add_edge(user, name),
            }
        }
    }
    graph
}

fn consistent(name: &str, arrows: &Arrows) -> Result<(), String> {
    for (user, below) in arrows {
        let unknown = |dependency: &&String| *dependency != "*" && !arrows.contains_key(*dependency);
        if let Some(dependency) = below.iter().find(unknown) {
            return Err(format!("{name}: {dependency}, which is below {user}, is not declared"));
        }
    }
    match graph(arrows).circles().first() {
        Some(circle) => Err(format!("{name}: the arrows form a circle of {}", circle.join(", "))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(rooms: &str) -> String {
        format!(
            "[crates]\n[packages]\n[trees.t]\nsource = \"src\"\nlanguage = \"rust\"\n[trees.t.rooms]\n{rooms}"
        )
    }

    #[test]
    fn declared_arrows_may_not_form_a_circle() {
        let error = Declaration::parse(&tree("a = [\"b\"]\nb = [\"c\"]\nc = [\"a\"]")).err().unwrap();
        assert_eq!(error, "t: the arrows form a circle of a, b, c");
        let error = Declaration::parse(&tree("a = [\"*\"]\nb = [\"a\"]")).err().unwrap();
        assert_eq!(error, "t: the arrows form a circle of a, b");
    }

    #[test]
    fn an_arrow_to_an_undeclared_room_is_refused() {
        let error = Declaration::parse(&tree("a = [\"b\"]")).err().unwrap();
        assert_eq!(error, "t: b, which is below a, is not declared");
    }

    #[test]
    fn an_arrow_may_skip_rooms_on_its_way_down() {
        let declaration = Declaration::parse(&tree("a = [\"b\"]\nb = [\"c\"]\nc = []\nd = [\"c\"]")).unwrap();
        let tree = &declaration.trees["t"];
        assert!(tree.allows("a", "b") && tree.allows("a", "c") && tree.allows("d", "c"));
        assert!(!tree.allows("c", "a") && !tree.allows("d", "b") && !tree.allows("a", "d"));
    }

    #[test]
    fn the_longest_path_is_the_room_of_a_file() {
        let declaration = Declaration::parse(&tree("hub = []\n\"hub/users\" = []")).unwrap();
        let tree = &declaration.trees["t"];
        assert_eq!(tree.room_of("hub.rs"), Some("hub"));
        assert_eq!(tree.room_of("hub/mod.rs"), Some("hub"));
        assert_eq!(tree.room_of("hub/users.rs"), Some("hub/users"));
        assert_eq!(tree.room_of("hub/users/status.rs"), Some("hub/users"));
        assert_eq!(tree.room_of("hubris.rs"), None);
    }
}
