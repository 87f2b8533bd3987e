//! Writes the files that are generated from this crate, or with `--check` lists those that are out of date. Run by
//! `cargo xtask generate`; it is an example so that nothing else has to build the generators.

use std::{env, fs, path::Path, process::ExitCode};

fn main() -> ExitCode {
    let check = env::args().any(|argument| argument == "--check");
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut drifted = Vec::new();
    for file in everwire_protocol::generate::files() {
        let path = root.join(file.path);
        if fs::read_to_string(&path).is_ok_and(|text| text == file.text) {
            continue;
        }
        drifted.push(file.path);
        if check {
            continue;
        }
        let written =
            path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, file.text));
        if let Err(error) = written {
            eprintln!("{} cannot be written: {error}", file.path);
            return ExitCode::FAILURE;
        }
        println!("wrote {}", file.path);
    }
    if check && !drifted.is_empty() {
        eprintln!("These files are out of date:");
        for path in drifted {
            eprintln!("  {path}");
        }
        eprintln!("Run `cargo xtask generate` and commit them.");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
