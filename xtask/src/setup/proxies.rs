//! nginx and HAProxy: the server's tests run the configurations in docs/operations.md with them.

use std::path::PathBuf;

use super::installer::{Wanted, ensure_optional, find};
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

fn nginx() -> Result<PathBuf> {
    find(&NGINX, &["nginx"], &["/usr/sbin/nginx", "/usr/local/sbin/nginx"])
}

fn haproxy() -> Result<PathBuf> {
    find(&HAPROXY, &["haproxy"], &["/usr/sbin/haproxy", "/usr/local/sbin/haproxy"])
}

pub(crate) fn ensure(paths: &Paths) -> Result<Outcome> {
    let outcomes = [ensure_optional(paths, &NGINX, nginx)?, ensure_optional(paths, &HAPROXY, haproxy)?];
    let worst = [Outcome::Skipped, Outcome::Done].into_iter().find(|outcome| outcomes.contains(outcome));
    Ok(worst.unwrap_or(Outcome::UpToDate))
}
