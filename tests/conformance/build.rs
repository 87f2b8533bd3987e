//! Puts what the tool plays into the program, so that it works wherever it is installed: the dialogues, and the text of the
//! protocol with its requirements and vectors.

use std::{env, fmt::Write as _, fs, io, path::Path};

fn main() -> io::Result<()> {
    let here = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let here = Path::new(&here);
    let mut source = String::new();
    for (name, directory, ending) in [
        ("SERVER_DIALOGUES", "dialogues/server", "dialogue"),
        ("CLIENT_DIALOGUES", "dialogues/client", "dialogue"),
        ("PROFILES", "../../docs/protocol", "md"),
    ] {
        let directory = here.join(directory);
        println!("cargo::rerun-if-changed={}", directory.display());
        let mut paths = Vec::new();
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|found| found == ending) {
                paths.push(path);
            }
        }
        paths.sort();
        let _ = writeln!(source, "const {name}: &[(&str, &str)] = &[");
        for path in paths {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let path = path.to_string_lossy();
            let _ = writeln!(source, "    ({stem:?}, include_str!({path:?})),");
        }
        source.push_str("];\n");
    }
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("included.rs"), source)
}
