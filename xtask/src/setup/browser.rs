//! Chromium, chromedriver and Firefox: found by an environment variable or name, otherwise installed from the system's
//! packages.

use std::path::PathBuf;

use super::installer::{Wanted, ensure, ensure_optional, find};
use crate::{error::Result, paths::Paths, step::Outcome};

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

/// Not every system has a package of Firefox that works without a desktop, and most tests do not need it.
pub(crate) fn ensure_firefox(paths: &Paths) -> Result<Outcome> {
    ensure_optional(paths, &FIREFOX, firefox)
}
