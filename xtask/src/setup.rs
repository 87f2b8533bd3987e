//! What has to be on the machine: installed where that may be done, named with the exact command where it may not.

pub(crate) mod browser;
mod installer;
pub(crate) mod packages;
pub(crate) mod wasm_target;
