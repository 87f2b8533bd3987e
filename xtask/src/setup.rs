//! Prerequisites: installed where that is permitted, otherwise the exact command is printed.

pub(crate) mod browser;
pub(crate) mod documented;
mod installer;
pub(crate) mod packages;
pub(crate) mod python;
pub(crate) mod wasm_target;
