//! `cargo xtask fuzz`: the fuzz targets of tests/fuzz, for longer than the test command runs them. A failure is shown with
//! its input; saved as a file in tests/fuzz/tests/__fuzz__/<target>/corpus, `cargo test` replays it from then on.

use crate::{error::Result, paths::Paths};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long each target runs, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Only targets whose name contains this.
    target: Option<String>,
}

pub(crate) fn run(paths: &Paths, options: &Options) -> Result {
    println!("Each target runs for {} s. The corpus is run first, then random inputs.", options.seconds);
    let mut run = paths
        .cargo()
        .args(["test", "--release", "--package", "everwire-fuzz", "--", "--nocapture", "--test-threads", "1"])
        .env("BOLERO_RANDOM_TEST_TIME_MS", (options.seconds * 1000).to_string());
    if let Some(target) = &options.target {
        run = run.arg(target);
    }
    run.hand_over()
}
