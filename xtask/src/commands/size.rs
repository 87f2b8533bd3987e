//! `cargo xtask size`: the bytes that a browser downloads for `import { connect } from "everwire"`, measured on the packed
//! package. The bundling and compressing is done by xtask/size.mjs, because bundlers and Brotli are at hand in Node.

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

/// The promise: all JavaScript and WebAssembly together, compressed with Brotli.
const BUDGET: u64 = 40_000;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Print nothing but the result, as JSON.
    #[arg(long)]
    json: bool,
    /// Also show which crates the WebAssembly comes from, and what dependencies weigh alone (takes minutes).
    #[arg(long, conflicts_with = "json")]
    parts: bool,
}

pub(crate) fn run(paths: &Paths, options: &Options) -> Result {
    let plan = task::plan(&[Task::Package]);
    if options.json {
        // Nothing but JSON may reach standard output.
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

/// The test that holds the budget.
pub(super) fn hold(paths: &Paths) -> Result<Tested> {
    let total = total(&measure(paths)?)?;
    println!("      {total} bytes of {BUDGET}");
    if total > BUDGET {
        return Err(Error::Refused(format!(
            "a browser would download {total} bytes (Brotli), and {BUDGET} are the budget; see `cargo xtask size`"
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
        .map_err(|error| Error::Unexpected { what: "What was measured".into(), reason: error.to_string() })
}

fn total(sizes: &Value) -> Result<u64> {
    sizes["total_brotli_bytes"].as_u64().ok_or_else(|| Error::Unexpected {
        what: "What was measured".into(),
        reason: "it has no total_brotli_bytes".into(),
    })
}

/// The same for a person.
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
