//! Chromium, chromedriver and Firefox: found by an environment variable or name, otherwise installed from the system's
//! packages.

use std::{env, path::PathBuf};

use super::installer::{Wanted, install, on_path};
use crate::{
    error::{Error, Result},
    paths::Paths,
    step::Outcome,
};

const BROWSER: Wanted = Wanted {
    name: "Chromium",
    variable: "CHROME",
    packages: ["chromium", "chromium", "chromium", "chromium"],
    macos: "brew install --cask google-chrome",
    windows: "winget install Google.Chrome",
};

const DRIVER: Wanted = Wanted {
    name: "chromedriver",
    variable: "CHROMEDRIVER",
    packages: ["chromium-driver", "chromedriver", "chromium-chromedriver", "chromium"],
    macos: "brew install --cask chromedriver",
    windows: "winget install Chromium.ChromeDriver",
};

const FIREFOX: Wanted = Wanted {
    name: "Firefox",
    variable: "FIREFOX",
    packages: ["firefox-esr", "firefox", "firefox", "firefox"],
    macos: "brew install --cask firefox",
    windows: "winget install Mozilla.Firefox",
};

const BROWSER_NAMES: [&str; 6] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"];

/// Where browsers are installed if they are not on the path.
const BROWSER_FILES: [&str; 4] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
];

/// The browser for tests, which receive its path as `CHROME`.
pub(crate) fn browser() -> Result<PathBuf> {
    find(&BROWSER, &BROWSER_NAMES, &BROWSER_FILES)
}

/// The driver of the browser.
pub(crate) fn driver() -> Result<PathBuf> {
    find(
        &DRIVER,
        &["chromedriver"],
        &["/usr/lib/chromium/chromedriver", "/usr/lib/chromium-browser/chromedriver"],
    )
}

/// The second browser; tests receive its path as `FIREFOX`.
pub(crate) fn firefox() -> Result<PathBuf> {
    find(
        &FIREFOX,
        &["firefox", "firefox-esr"],
        &[
            "/Applications/Firefox.app/Contents/MacOS/firefox",
            r"C:\Program Files\Mozilla Firefox\firefox.exe",
        ],
    )
}

pub(crate) fn ensure_browser(paths: &Paths) -> Result<Outcome> {
    ensure(paths, &BROWSER, browser)
}

pub(crate) fn ensure_driver(paths: &Paths) -> Result<Outcome> {
    ensure(paths, &DRIVER, driver)
}

/// Not every system has a package of Firefox that works without a desktop, and most tests do not need it. If it cannot be
/// installed, its tests are skipped with a message.
pub(crate) fn ensure_firefox(paths: &Paths) -> Result<Outcome> {
    ensure(paths, &FIREFOX, firefox).or_else(|error| {
        if env::var_os(FIREFOX.variable).is_some() {
            return Err(error);
        }
        error.report();
        Ok(Outcome::Skipped)
    })
}

fn ensure(paths: &Paths, wanted: &Wanted, find: fn() -> Result<PathBuf>) -> Result<Outcome> {
    if env::var_os(wanted.variable).is_some() || find().is_ok() {
        return find().map(|_| Outcome::UpToDate);
    }
    install(paths, wanted)?;
    find().map(|_| Outcome::Done)
}

fn find(wanted: &Wanted, names: &[&str], files: &[&str]) -> Result<PathBuf> {
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
