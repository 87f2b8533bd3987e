//! The system's package manager. It is run only on Linux, as root or in continuous integration; elsewhere the command is
//! printed.

use std::{env, path::PathBuf};

use crate::{
    error::{Error, Result},
    paths::Paths,
    step::Outcome,
};

/// A program that each system has a package for.
pub(crate) struct Wanted {
    /// Its name in messages.
    pub(crate) name: &'static str,
    /// The environment variable for its path.
    pub(crate) variable: &'static str,
    /// Its package for apt-get, dnf, apk and pacman.
    pub(crate) packages: [&'static str; 4],
    /// The command that installs it on macOS.
    pub(crate) macos: &'static str,
    /// The command that installs it on Windows.
    pub(crate) windows: &'static str,
}

/// The package managers, and the arguments for installing without a prompt.
const MANAGERS: [(&str, &[&str]); 4] = [
    ("apt-get", &["install", "--yes", "--no-install-recommends"]),
    ("dnf", &["install", "--assumeyes"]),
    ("apk", &["add"]),
    ("pacman", &["--sync", "--noconfirm"]),
];

/// Installs a program unless it is found.
pub(crate) fn ensure(paths: &Paths, wanted: &Wanted, find: fn() -> Result<PathBuf>) -> Result<Outcome> {
    if env::var_os(wanted.variable).is_some() || find().is_ok() {
        return find().map(|_| Outcome::UpToDate);
    }
    install(paths, wanted)?;
    find().map(|_| Outcome::Done)
}

/// The same for a program that few tests need: if it cannot be installed, they are skipped with a message.
pub(crate) fn ensure_optional(
    paths: &Paths,
    wanted: &Wanted,
    find: fn() -> Result<PathBuf>,
) -> Result<Outcome> {
    ensure(paths, wanted, find).or_else(|error| {
        if env::var_os(wanted.variable).is_some() {
            return Err(error);
        }
        error.report();
        Ok(Outcome::Skipped)
    })
}

/// The path of an installed program: from its variable, by a name on the path, or one of some files.
pub(crate) fn find(wanted: &Wanted, names: &[&str], files: &[&str]) -> Result<PathBuf> {
    if let Some(path) = env::var_os(wanted.variable).map(PathBuf::from) {
        return if path.is_file() {
            Ok(path)
        } else {
            Err(Error::Missing {
                what: format!("{} names {}, which is not a file", wanted.variable, path.display()),
                advice: format!("Set it to the path of {}, or unset it.", wanted.name),
            })
        };
    }
    names
        .iter()
        .find_map(|name| on_path(name))
        .or_else(|| files.iter().map(PathBuf::from).find(|path| path.is_file()))
        .ok_or_else(|| Error::Missing {
            what: format!("{} was not found", wanted.name),
            advice: format!("Install it, or set {} to its path.", wanted.variable),
        })
}

/// Installs it, or returns an error with the command to run.
fn install(paths: &Paths, wanted: &Wanted) -> Result {
    let manager = MANAGERS.iter().position(|(name, _)| on_path(name).is_some());
    let root = paths.run("id").arg("-u").ask().is_ok_and(|id| id == "0");
    let continuous = env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    let missing = |command: String| Error::Missing {
        what: format!("{} is not installed, and cannot be installed automatically here", wanted.name),
        advice: format!("Run `{command}`, or set {} to the path of an installed one.", wanted.variable),
    };
    let Some(manager) = manager.filter(|_| cfg!(target_os = "linux")) else {
        return Err(missing(if cfg!(windows) { wanted.windows.into() } else { wanted.macos.into() }));
    };
    let (program, words) = MANAGERS[manager];
    let package = wanted.packages[manager];
    if !root && !continuous {
        return Err(missing(format!("sudo {program} {} {package}", words[0])));
    }
    let as_root = |program: &str| {
        if root { paths.run(program) } else { paths.run("sudo").args(["--non-interactive", program]) }
    };
    let advice = format!("Install {} by hand, or set {} to its path.", wanted.name, wanted.variable);
    if program == "apt-get" {
        as_root(program).arg("update").go().map_err(|error| error.advise(&advice))?;
    }
    as_root(program)
        .args(words.iter().copied())
        .arg(package)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .go()
        .map_err(|error| error.advise(&advice))?;
    Ok(())
}

/// The file that a shell would run for this name.
fn on_path(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?).map(|directory| directory.join(&file)).find(|path| path.is_file())
}
