//! The commands, one file each.

pub(crate) mod bench;
pub(crate) mod demo;
pub(crate) mod fmt;
pub(crate) mod fuzz;
pub(crate) mod generate;
pub(crate) mod lint;
pub(crate) mod pkg;
pub(crate) mod setup;
pub(crate) mod sim;
pub(crate) mod size;
pub(crate) mod test;

use crate::{
    error::{Error, Result},
    process::Run,
};

/// Lets a program have the terminal until it ends, with its own output and its own way to be interrupted.
fn hand_over(run: Run) -> Result {
    let mut command = run.into_command();
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|source| Error::NotStarted { program: program.clone(), source })?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Exit { command: program, status: status.to_string(), output: String::new(), advice: None })
}
