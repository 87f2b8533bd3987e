//! `cargo xtask setup`: everything that the other commands need from the machine, so that they can start at once. They do
//! the same by themselves when it is missing.

use crate::{
    error::Result,
    paths::Paths,
    step::Steps,
    task::{self, Task},
};

pub(crate) fn run(paths: &Paths) -> Result {
    let plan = task::plan(&[
        Task::Packages,
        Task::WasmTarget,
        Task::Browser,
        Task::Driver,
        Task::Firefox,
        Task::WasmTool,
    ]);
    task::run(paths, &mut Steps::new(plan.len()), &plan)?;
    println!("Everything is in place.");
    Ok(())
}
