//! wasm-bindgen and its test runner in one binary. It is a crate of its own because it takes a minute or two to build:
//! xtask builds it only when wasm is needed. It adds nothing to the two command lines that it stands for.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    let mut arguments: Vec<_> = env::args_os().collect();
    // The command lines expect the program's name first; what remains after taking ours out is just that.
    let command = if arguments.len() > 1 { arguments.remove(1) } else { "".into() };
    let result = match command.to_str() {
        Some("bindgen") => wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(arguments),
        Some("test-runner") => wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(arguments),
        _ => {
            eprintln!("Usage: everwire-xtask-wasm (bindgen | test-runner) <arguments of that program>");
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
