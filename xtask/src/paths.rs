//! Paths of the repository, of build results, and of the programs that xtask runs.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, Result},
    process::Run,
};

/// The directories that commands work in.
pub(crate) struct Paths {
    /// The root of the repository.
    pub(crate) root: PathBuf,
    /// Cargo's target directory.
    pub(crate) target: PathBuf,
    /// The files that xtask keeps there.
    pub(crate) own: PathBuf,
    /// Whether the output of programs is printed.
    pub(crate) verbose: bool,
}

impl Paths {
    pub(crate) fn find(verbose: bool) -> Result<Self> {
        let manifest = env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest).parent().unwrap_or(Path::new(".")).to_path_buf();
        // This program is target/debug/xtask, wherever the target directory is configured to be.
        let target = env::current_exe()
            .ok()
            .and_then(|program| Some(program.parent()?.parent()?.to_path_buf()))
            .unwrap_or_else(|| root.join("target"));
        let own = target.join("xtask");
        fs::create_dir_all(&own).map_err(Error::file("created", &own))?;
        Ok(Self { root, target, own, verbose })
    }

    /// A program, run in the root of the repository.
    pub(crate) fn run(&self, program: impl Into<String>) -> Run {
        Run::new(program, &self.root, self.verbose)
    }

    /// The cargo that started this program.
    pub(crate) fn cargo(&self) -> Run {
        self.run(env::var("CARGO").unwrap_or_else(|_| "cargo".into())).called("cargo")
    }

    /// npm.
    pub(crate) fn npm(&self) -> Run {
        self.run(if cfg!(windows) { "npm.cmd" } else { "npm" }).called("npm")
    }

    /// Node.
    pub(crate) fn node(&self) -> Run {
        self.run("node")
    }

    /// A program from an npm package installed in the root.
    pub(crate) fn bin(&self, name: &str) -> Run {
        let file = if cfg!(windows) { format!("{name}.cmd") } else { name.into() };
        let path = self.root.join("node_modules/.bin").join(file);
        self.run(path.to_string_lossy()).called(name)
    }

    /// A program that cargo built in debug mode.
    pub(crate) fn built(&self, name: &str) -> PathBuf {
        self.program("debug", name)
    }

    /// A program that cargo built with the given profile.
    pub(crate) fn program(&self, profile: &str, name: &str) -> PathBuf {
        self.target.join(profile).join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }
}
