//! `cargo xtask size`: the size of the browser download for `import { connect } from "everwire"`, measured on the packed
//! package. xtask/size.mjs bundles and compresses, because bundlers and Brotli are available in Node.

mod parts;

use serde_json::Value;

use super::test::Tested;
use crate::{
    build::package,
    error::{Error, Result},
    paths::Paths,
    step::Steps,
    summary::Summary,
    task::{self, Task},
};

/// The maximum for all JavaScript and WebAssembly together, compressed with Brotli.
const BUDGET: u64 = 40_000;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Print only the result, as JSON.
    #[arg(long)]
    json: bool,
    /// Also show the size of the WebAssembly by crate, and the size of single dependencies (takes minutes).
    #[arg(long, conflicts_with = "json")]
    parts: bool,
}

pub(crate) fn run(paths: &Paths, options: &Options) -> Result {
    let plan = task::plan(&[Task::Package]);
    if options.json {
        // Only JSON may be written to standard output.
        plan.iter().try_for_each(|task| task.run(paths).map(drop))?;
        println!("{:#}", measure(paths)?);
        return Ok(());
    }
    let mut steps = Steps::new(plan.len() + if options.parts { 1 + parts::PROBES.len() } else { 0 });
    task::run(paths, &mut steps, &plan)?;
    let parts = if options.parts { parts::measure(paths, &mut steps)? } else { String::new() };
    print!("{}{parts}", table(&measure(paths)?));
    Ok(())
}

/// The test that enforces the budget.
pub(super) fn hold(paths: &Paths) -> Result<Tested> {
    let total = total(&measure(paths)?)?;
    println!("      {total} bytes of {BUDGET}");
    if total > BUDGET {
        return Err(Error::Refused(format!(
            "the download is {total} bytes (Brotli), above the budget of {BUDGET}; see `cargo xtask size`"
        )));
    }
    Ok(Tested { summary: Summary { passed: 1, failed: 0 }, output: String::new() })
}

fn measure(paths: &Paths) -> Result<Value> {
    let tarball = package::pack(paths)?;
    let script = paths.root.join("xtask/size.mjs");
    let wasm = paths.root.join("pkg-js/wasm");
    parse(&paths.node().arg(script).arg("package").arg(tarball).arg(wasm).ask()?)
}

fn parse(json: &str) -> Result<Value> {
    serde_json::from_str(json)
        .map_err(|error| Error::Unexpected { what: "The measurement".into(), reason: error.to_string() })
}

fn total(sizes: &Value) -> Result<u64> {
    sizes["total_brotli_bytes"].as_u64().ok_or_else(|| Error::Unexpected {
        what: "The measurement".into(),
        reason: "it has no total_brotli_bytes".into(),
    })
}

/// The result as text.
fn table(sizes: &Value) -> String {
    let row = |name: &str, prefix: &str, of: &Value| {
        let size = |kind: &str| of[format!("{prefix}{kind}_bytes")].as_u64().unwrap_or(0);
        format!("{name:40} {:>9} {:>9} {:>9}\n", size("raw"), size("gzip"), size("brotli"))
    };
    let rows = |list: &str| {
        let rows = sizes[list].as_array().into_iter().flatten();
        rows.map(|file| row(file["name"].as_str().unwrap_or_default(), "", file)).collect::<String>()
    };
    let head = |title: &str| format!("\n{title:40} {:>9} {:>9} {:>9}\n", "raw", "gzip", "brotli");
    [
        head("downloaded for the default entry"),
        rows("files"),
        row("total", "total_", sizes),
        head("parts, each compressed alone"),
        rows("parts"),
    ]
    .concat()
}
