//! `cargo xtask pkg`: packs the npm package as it would be published.

use crate::{
    build::package,
    error::Result,
    paths::Paths,
    step::{Outcome, Steps},
    task::{self, Task},
};

pub(crate) fn run(paths: &Paths) -> Result {
    let plan = task::plan(&[Task::Package]);
    let mut steps = Steps::new(plan.len() + 1);
    task::run(paths, &mut steps, &plan)?;
    let tarball = steps.step("npm pack", || package::pack(paths), |_| Outcome::Done)?;
    println!("{}", tarball.display());
    Ok(())
}
