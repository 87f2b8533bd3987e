//! `cargo xtask setup`: installs everything that the other commands need. Each command also does its own setup when
//! something is missing.

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
        Task::Documented,
        Task::WasmTool,
    ]);
    task::run(paths, &mut Steps::new(plan.len()), &plan)?;
    println!("Setup is complete.");
    Ok(())
}
