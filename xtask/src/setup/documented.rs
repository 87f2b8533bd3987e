//! The programs that the documents have their readers use: tests run the proxies' configurations in docs/operations.md,
//! with certificates by OpenSSL, and
//! the lines of curl in all of them.

use std::path::PathBuf;

use super::installer::{self, Wanted, ensure_optional, find};
use crate::{error::Result, paths::Paths, step::Outcome};

const NGINX: Wanted = Wanted {
    name: "nginx",
    variable: "NGINX",
    packages: ["nginx-light", "nginx", "nginx", "nginx"],
    macos: "brew install nginx",
    windows: "winget install nginxinc.nginx",
};

const HAPROXY: Wanted = Wanted {
    name: "HAProxy",
    variable: "HAPROXY",
    packages: ["haproxy", "haproxy", "haproxy", "haproxy"],
    macos: "brew install haproxy",
    windows: "wsl sudo apt-get install haproxy",
};

const OPENSSL: Wanted = Wanted {
    name: "OpenSSL",
    variable: "OPENSSL",
    packages: ["openssl", "openssl", "openssl", "openssl"],
    macos: "brew install openssl",
    windows: "winget install ShiningLight.OpenSSL",
};

const CURL: Wanted = Wanted {
    name: "curl",
    variable: "CURL",
    packages: ["curl", "curl", "curl", "curl"],
    macos: "brew install curl",
    windows: "winget install cURL.cURL",
};

fn nginx() -> Result<PathBuf> {
    find(&NGINX, &["nginx"], &["/usr/sbin/nginx", "/usr/local/sbin/nginx"])
}

fn haproxy() -> Result<PathBuf> {
    find(&HAPROXY, &["haproxy"], &["/usr/sbin/haproxy", "/usr/local/sbin/haproxy"])
}

fn openssl() -> Result<PathBuf> {
    find(&OPENSSL, &["openssl"], &[])
}

fn curl() -> Result<PathBuf> {
    find(&CURL, &["curl"], &[])
}

pub(crate) fn ensure(paths: &Paths) -> Result<Outcome> {
    let outcomes = [
        ensure_optional(paths, &NGINX, nginx)?,
        ensure_optional(paths, &HAPROXY, haproxy)?,
        ensure_optional(paths, &OPENSSL, openssl)?,
        installer::ensure(paths, &CURL, curl)?,
    ];
    let worst = [Outcome::Skipped, Outcome::Done].into_iter().find(|outcome| outcomes.contains(outcome));
    Ok(worst.unwrap_or(Outcome::UpToDate))
}
