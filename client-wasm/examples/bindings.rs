//! Writes the TypeScript of the bindings to where it is checked in, or with `--check` fails if it has drifted. Run by
//! `cargo xtask generate`.

use std::{env, fs, path::Path, process::ExitCode};

use everwire_js::bindings::typescript::{PATH, typescript};

fn main() -> ExitCode {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(PATH);
    let text = typescript();
    if fs::read_to_string(&path).is_ok_and(|found| found == text) {
        return ExitCode::SUCCESS;
    }
    if env::args().any(|argument| argument == "--check") {
        eprintln!("{PATH} differs from client-wasm/src/bindings. Run `cargo xtask generate` and commit it.");
        return ExitCode::FAILURE;
    }
    if let Err(error) = fs::write(&path, text) {
        eprintln!("{PATH} cannot be written: {error}");
        return ExitCode::FAILURE;
    }
    println!("wrote {PATH}");
    ExitCode::SUCCESS
}
