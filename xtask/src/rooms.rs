//! The check of the architecture: source files belong to rooms, and an arrow between rooms points only downwards,
//! as xtask/rooms.toml declares. It also finds files that use each other in a circle. `cargo xtask lint` runs it, and so does
//! a test of this crate. What a room is for is described in docs/architecture.md.

mod declaration;
mod graph;
mod manifests;
mod rust;
mod typescript;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs, io,
    path::Path,
};

use self::{
    declaration::{Declaration, Language, Tree},
    graph::Graph,
};
use crate::error::{Error, Result};

/// The file that declares rooms and arrows, from the root of the repository.
const DECLARATION: &str = "xtask/rooms.toml";

/// Source files by their path within a tree, with `/` on every system.
type Sources = BTreeMap<String, String>;

/// Checks the whole repository. The error names every violation.
pub(crate) fn check(root: &Path) -> Result {
    let file = root.join(DECLARATION);
    let text = fs::read_to_string(&file).map_err(Error::file("read", &file))?;
    let declaration =
        Declaration::parse(&text).map_err(|reason| Error::Unexpected { what: DECLARATION.into(), reason })?;
    let mut violations = manifests::violations(root, &declaration)?;
    for (name, tree) in &declaration.trees {
        let source = root.join(&tree.source);
        let mut sources = Sources::new();
        read(&source, "", &mut sources).map_err(Error::file("read", &source))?;
        let own = match tree.language {
            Language::Rust => manifests::crate_of(root, &tree.source)?,
            Language::TypeScript => String::new(),
        };
        let found = violations_in(tree, &own, &sources);
        violations.extend(found.into_iter().map(|text| format!("{name}: {text}")));
    }
    if violations.is_empty() {
        return Ok(());
    }
    let mut list = String::new();
    for violation in &violations {
        let _ = write!(list, "\n  {violation}");
    }
    Err(Error::Refused(format!("the sources do not follow {DECLARATION}:{list}")))
}

/// Everything that one source tree does against its declaration. `own`: how its crate is called in paths.
fn violations_in(tree: &Tree, own: &str, sources: &Sources) -> Vec<String> {
    let files: Graph = match tree.language {
        Language::Rust => rust::references(sources, own),
        Language::TypeScript => typescript::references(sources),
    };
    let mut violations = Vec::new();
    if tree.language == Language::Rust {
        let undeclared = rust::undeclared(sources);
        violations.extend(undeclared.iter().map(|file| format!("{file} is declared by no module")));
    }
    let mut inhabited = BTreeSet::new();
    for file in files.nodes() {
        match tree.room_of(file) {
            Some(room) => _ = inhabited.insert(room),
            None => violations.push(format!("{file} belongs to no room")),
        }
    }
    for room in tree.rooms.keys().filter(|room| !inhabited.contains(room.as_str())) {
        violations.push(format!("the room {room} has no files"));
    }
    for (from, to) in files.edges() {
        let (Some(user), Some(dependency)) = (tree.room_of(from), tree.room_of(to)) else { continue };
        if user != dependency && !tree.allows(user, dependency) {
            violations.push(format!("{from} uses {to}, but {dependency} is not below {user}"));
        }
    }
    let circles = files.circles();
    for circle in &circles {
        if !tree.circles.iter().any(|allowed| circle.iter().all(|file| allowed.contains(file))) {
            violations.push(format!("files use each other in a circle: {}", circle.join(", ")));
        }
    }
    for allowed in &tree.circles {
        if !circles.iter().any(|circle| allowed.iter().all(|file| circle.contains(file))) {
            violations.push(format!("this circle no longer exists, remove it: {}", allowed.join(", ")));
        }
    }
    violations
}

/// Reads all sources below a directory. Tests are left out: they may use any room.
fn read(directory: &Path, prefix: &str, sources: &mut Sources) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            if name != "tests" {
                read(&entry.path(), &format!("{path}/"), sources)?;
            }
        } else if is_source(&name) {
            sources.insert(path, fs::read_to_string(entry.path())?);
        }
    }
    Ok(())
}

fn is_source(name: &str) -> bool {
    let source = [".rs", ".ts", ".tsx"].iter().any(|ending| name.ends_with(ending));
    let test =
        name == "tests.rs" || name.contains(".test.") || name.contains(".check.") || name.ends_with(".d.ts");
    source && !test
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = r#"
        [crates]
        [packages]
        [trees.server]
        source = "server/src"
        language = "rust"
        [trees.server.rooms]
        lib = ["*"]
        hub = ["store"]
        store = ["model"]
        model = []
    "#;

    /// A small tree that follows the declaration above, changed by what a test adds.
    fn violations(declaration: &str, changes: &[(&str, &str)]) -> Vec<String> {
        let mut sources: Sources = [
            ("lib.rs", "mod hub; mod model; mod store; pub use hub::Hub;"),
            ("hub/mod.rs", "mod channel; use crate::store::Store; pub struct Hub(Store);"),
            ("hub/channel.rs", "use crate::store::Store;"),
            ("store.rs", "use crate::model::{Entry, log::Page};"),
            ("model/mod.rs", "pub mod log; pub struct Entry;"),
            ("model/log.rs", "pub struct Page;"),
        ]
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .into();
        sources.extend(changes.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
        violations_in(&Declaration::parse(declaration).unwrap().trees["server"], "everwire_server", &sources)
    }

    #[test]
    fn a_tree_that_follows_its_declaration_passes() {
        assert_eq!(violations(SERVER, &[]), Vec::<String>::new());
    }

    #[test]
    fn an_upward_arrow_is_found_in_a_use_and_in_a_path() {
        let upward = "model/log.rs uses hub/mod.rs, but hub is not below model";
        for planted in [
            "use crate::hub::Hub;",
            "fn f() { crate::hub::start() }",
            "use super::super::hub::Hub;",
            "use crate::{model::Entry, hub::{self, Hub}};",
            "macro_rules! m { () => { $crate::hub::Hub } }",
        ] {
            let violations = violations(SERVER, &[("model/log.rs", planted)]);
            assert!(violations.iter().any(|violation| violation == upward), "{planted}: {violations:?}");
        }
    }

    #[test]
    fn a_sideways_arrow_is_found() {
        let more = SERVER.replace("model = []", "auth = [\"model\"]\nmodel = []");
        let root = ("lib.rs", "mod auth; mod hub; mod model; mod store;");
        assert_eq!(
            violations(&more, &[root, ("auth.rs", "use crate::store::Store;")]),
            ["auth.rs uses store.rs, but store is not below auth"]
        );
    }

    #[test]
    fn a_circle_within_a_room_is_found_unless_it_is_declared() {
        let planted = [
            ("hub/mod.rs", "mod channel; mod users;"),
            ("hub/channel.rs", "use super::users::User; pub struct Channel;"),
            ("hub/users.rs", "use super::channel::Channel; pub struct User;"),
        ];
        assert_eq!(
            violations(SERVER, &planted),
            ["files use each other in a circle: hub/channel.rs, hub/users.rs"]
        );
        let allowed = SERVER.replace(
            "[trees.server.rooms]",
            "circles = [[\"hub/channel.rs\", \"hub/users.rs\"]]\n[trees.server.rooms]",
        );
        assert_eq!(violations(&allowed, &planted), Vec::<String>::new());
        assert_eq!(
            violations(&allowed, &[]),
            ["this circle no longer exists, remove it: hub/channel.rs, hub/users.rs"]
        );
    }

    #[test]
    fn a_file_outside_of_every_room_and_a_room_without_files_are_found() {
        let root = ("lib.rs", "mod hub; mod model; mod store; mod misc;");
        assert_eq!(violations(SERVER, &[root, ("misc.rs", "")]), ["misc.rs belongs to no room"]);
        let more = SERVER.replace("model = []", "model = []\nqueue = []");
        assert_eq!(violations(&more, &[]), ["the room queue has no files"]);
    }

    #[test]
    fn a_file_that_no_module_declares_is_found() {
        assert_eq!(violations(SERVER, &[("hub/old.rs", "")]), ["hub/old.rs is declared by no module"]);
    }

    #[test]
    fn the_repository_follows_its_declaration() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        if let Err(error) = check(root) {
            panic!("{error}");
        }
    }
}
