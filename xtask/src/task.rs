//! The setup and build tasks, their dependencies, and the order that results.

use crate::{build, error::Result, paths::Paths, setup, step::Outcome, step::Steps};

/// Something to set up or build. Each task knows whether it is up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Node is new enough, and what package-lock.json names is installed.
    Packages,
    /// rustc can compile to wasm32-unknown-unknown.
    WasmTarget,
    /// wasm-bindgen and its test runner.
    WasmTool,
    /// A Chromium that tests can start.
    Browser,
    /// A Firefox that tests can start, if available.
    Firefox,
    /// The programs that the documents use, and that tests run as they do; the proxies among them only if available.
    Documented,
    /// A Python that can run the third client, if available.
    Python,
    /// The driver through which wasm-bindgen's test runner starts it.
    Driver,
    /// The core as WebAssembly, in pkg-js/wasm.
    Wasm,
    /// The npm package, in pkg-js/dist.
    Package,
    /// The demo page, in demo-web/dist.
    Demo,
    /// The examples in Rust for a browser.
    Examples,
    /// The server.
    Server,
}

impl Task {
    /// The tasks that must run first.
    fn needs(self) -> &'static [Self] {
        match self {
            Self::Packages
            | Self::WasmTarget
            | Self::WasmTool
            | Self::Browser
            | Self::Firefox
            | Self::Documented
            | Self::Python
            | Self::Server => &[],
            Self::Driver => &[Self::Browser],
            Self::Wasm | Self::Examples => &[Self::Packages, Self::WasmTarget, Self::WasmTool],
            Self::Package => &[Self::Wasm],
            Self::Demo => &[Self::Package],
        }
    }

    /// The title printed while it runs.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Packages => "Node and the npm packages",
            Self::WasmTarget => "Rust's WebAssembly target",
            Self::WasmTool => "wasm-bindgen (built once, takes a minute or two)",
            Self::Browser => "Chromium",
            Self::Firefox => "Firefox",
            Self::Documented => "nginx, HAProxy, OpenSSL and curl",
            Self::Python => "Python 3",
            Self::Driver => "chromedriver",
            Self::Wasm => "the WebAssembly core",
            Self::Package => "the npm package",
            Self::Demo => "the demo page",
            Self::Examples => "the examples in Rust",
            Self::Server => "the server",
        }
    }

    /// Runs it, unless it is up to date.
    pub(crate) fn run(self, paths: &Paths) -> Result<Outcome> {
        match self {
            Self::Packages => setup::packages::ensure(paths),
            Self::WasmTarget => setup::wasm_target::ensure(paths),
            Self::WasmTool => build::wasm_tool::ensure(paths),
            Self::Browser => setup::browser::ensure_browser(paths),
            Self::Firefox => setup::browser::ensure_firefox(paths),
            Self::Documented => setup::documented::ensure(paths),
            Self::Python => setup::python::ensure(paths),
            Self::Driver => setup::browser::ensure_driver(paths),
            Self::Wasm => build::wasm::ensure(paths),
            Self::Package => build::package::ensure(paths),
            Self::Demo => build::demo::ensure(paths),
            Self::Examples => build::examples::ensure(paths),
            Self::Server => build::server::ensure(paths),
        }
    }
}

/// The goals and all their dependencies, each once, dependencies first.
pub(crate) fn plan(goals: &[Task]) -> Vec<Task> {
    fn add(task: Task, plan: &mut Vec<Task>) {
        if !plan.contains(&task) {
            for need in task.needs() {
                add(*need, plan);
            }
            plan.push(task);
        }
    }
    let mut plan = Vec::new();
    for goal in goals {
        add(*goal, &mut plan);
    }
    plan
}

/// Runs a plan, and stops at the first failure.
pub(crate) fn run(paths: &Paths, steps: &mut Steps, plan: &[Task]) -> Result {
    for task in plan {
        steps.step(task.title(), || task.run(paths), |outcome| *outcome)?;
    }
    Ok(())
}

/// The same without a word about the steps, for what a command needs before its own work.
pub(crate) fn run_all(paths: &Paths, goals: &[Task]) -> Result {
    plan(goals).into_iter().try_for_each(|task| task.run(paths).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_holds_each_task_once_and_needs_come_first() {
        let plan = plan(&[Task::Demo, Task::Driver, Task::Package]);
        for (index, task) in plan.iter().enumerate() {
            assert!(task.needs().iter().all(|need| plan[..index].contains(need)), "{task:?} in {plan:?}");
            assert!(!plan[..index].contains(task), "{task:?} twice in {plan:?}");
        }
        assert!(plan.contains(&Task::WasmTarget) && plan.contains(&Task::Browser));
    }
}
