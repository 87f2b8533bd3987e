//! The standard library for wasm32-unknown-unknown. A target listed in rust-toolchain.toml is not always installed
//! automatically.

use std::path::Path;

use crate::{
    error::{Error, Result},
    paths::Paths,
    step::Outcome,
};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

pub(crate) fn ensure(paths: &Paths) -> Result<Outcome> {
    let sysroot = paths.run("rustc").args(["--print", "sysroot"]).ask()?;
    if Path::new(&sysroot).join("lib/rustlib").join(TARGET).exists() {
        return Ok(Outcome::UpToDate);
    }
    match paths.run("rustup").args(["target", "add", TARGET]).go() {
        Ok(_) => Ok(Outcome::Done),
        Err(Error::NotStarted { .. }) => Err(Error::Missing {
            what: format!("The Rust target {TARGET} is missing, and rustup is not installed"),
            advice:
                "Install Rust with rustup (https://rustup.rs), or install your system's package for the target \
                     (Debian: apt-get install libstd-rust-dev-wasm32)."
                    .into(),
        }),
        Err(error) => {
            Err(error.advise("Check the network, then run `rustup target add wasm32-unknown-unknown`."))
        }
    }
}
