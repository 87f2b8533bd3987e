//! The commands, one file each.

pub(crate) mod bench;
pub(crate) mod conformance;
pub(crate) mod demo;
pub(crate) mod fmt;
pub(crate) mod fuzz;
pub(crate) mod generate;
pub(crate) mod lint;
pub(crate) mod mutants;
pub(crate) mod pkg;
pub(crate) mod setup;
pub(crate) mod sim;
pub(crate) mod size;
pub(crate) mod test;
