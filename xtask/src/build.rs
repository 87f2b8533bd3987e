//! Build steps: each file builds one artifact, and only if it is out of date.

pub(crate) mod demo;
pub(crate) mod examples;
pub(crate) mod package;
pub(crate) mod server;
pub(crate) mod wasm;
pub(crate) mod wasm_tool;
