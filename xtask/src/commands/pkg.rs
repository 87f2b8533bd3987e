//! `cargo xtask pkg`: the npm package as npm would publish it.

use crate::{
    build::package,
    error::Result,
    places::Places,
    step::{Outcome, Steps},
    task::{self, Task},
};

pub(crate) fn run(places: &Places) -> Result {
    let plan = task::plan(&[Task::Package]);
    let mut steps = Steps::new(plan.len() + 1);
    task::run(places, &mut steps, &plan)?;
    let tarball = steps.step("npm pack", || package::pack(places), |_| Outcome::Done)?;
    println!("{}", tarball.display());
    Ok(())
}
