//! The WebAssembly tools of xtask, in a separate binary because it takes a minute or two to build: xtask builds it only
//! when WebAssembly is needed. wasm-bindgen and its test runner receive their command lines unchanged.

mod crates;

use std::{env, ffi::OsString, path::Path, process::ExitCode};

fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = env::args_os().collect();
    // The command lines begin with the program's name; removing our subcommand leaves exactly that.
    let command = if arguments.len() > 1 { arguments.remove(1) } else { OsString::new() };
    let result = match command.to_str() {
        Some("bindgen") => wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(arguments).map_err(Into::into),
        Some("test-runner") => {
            wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(arguments).map_err(Into::into)
        }
        Some("crates") if arguments.len() == 2 => {
            crates::by_crate(Path::new(&arguments[1])).map(|sizes| println!("{sizes:#}"))
        }
        _ => {
            eprintln!("Usage: everwire-xtask-wasm (bindgen | test-runner | crates) <arguments>");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
