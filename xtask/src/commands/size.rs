//! `cargo xtask size`: the size of the browser download for the entries of the npm package, measured on the packed
//! package. xtask/size.mjs bundles and compresses, because bundlers and Brotli are available in Node.

mod parts;

use serde_json::Value;

use super::test::Tested;
use crate::{
    build::{examples, package},
    error::{Error, Result},
    paths::Paths,
    step::Steps,
    summary::Summary,
    task::{self, Task},
};

/// The maximum for the default entry: all JavaScript and WebAssembly together, compressed with Brotli.
const DEFAULT_BUDGET: u64 = 40_600;

/// The maximum that `everwire/chat` adds to it.
const CHAT_BUDGET: u64 = 3_750;

/// The maximum of an application in Rust: the example without a framework, all files together. The aim is 90,000.
const RUST_BUDGET: u64 = 119_000;

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

/// The test that enforces the budgets.
pub(super) fn hold(paths: &Paths) -> Result<Tested> {
    let [default, with_chat] = totals(&measure(paths)?)?;
    for (entry, bytes, budget) in [
        ("everwire", default, DEFAULT_BUDGET),
        ("everwire/chat", with_chat.saturating_sub(default), CHAT_BUDGET),
        ("the plain example in Rust", measure_example(paths)?, RUST_BUDGET),
    ] {
        println!("      {entry}: {bytes} bytes of {budget}");
        if bytes > budget {
            return Err(Error::Refused(format!(
                "{entry} is {bytes} bytes (Brotli), above the budget of {budget}; see `cargo xtask size`"
            )));
        }
    }
    Ok(Tested { summary: Summary { passed: 3, failed: 0 }, output: String::new() })
}

fn measure(paths: &Paths) -> Result<Value> {
    let tarball = package::pack(paths)?;
    let script = paths.root.join("xtask/size.mjs");
    parse(&paths.node().arg(script).arg("package").arg(tarball).ask()?)
}

/// The example without a framework, which `Task::Examples` has built: its page, style, glue and WebAssembly with Brotli.
fn measure_example(paths: &Paths) -> Result<u64> {
    let directory = examples::directory(paths, examples::PLAIN);
    let files = ["index.html", "chat.css", "app.js", "app_bg.wasm"].map(|name| directory.join(name));
    let script = paths.root.join("xtask/size.mjs");
    let sizes = parse(&paths.node().arg(script).arg("files").args(files).ask()?)?;
    let files = sizes.as_array().into_iter().flatten();
    Ok(files.filter_map(|file| file["brotli_bytes"].as_u64()).sum())
}

fn parse(json: &str) -> Result<Value> {
    serde_json::from_str(json)
        .map_err(|error| Error::Unexpected { what: "The measurement".into(), reason: error.to_string() })
}

/// Of the default entry, and of the same with chats.
fn totals(sizes: &Value) -> Result<[u64; 2]> {
    let total = |entry: usize| sizes["entries"][entry]["brotli_bytes"].as_u64();
    total(0).zip(total(1)).map(Into::into).ok_or_else(|| Error::Unexpected {
        what: "The measurement".into(),
        reason: "it does not have two entries with brotli_bytes".into(),
    })
}

/// The result as text.
fn table(sizes: &Value) -> String {
    let row = |name: &str, of: &Value| {
        let size = |kind: &str| of[format!("{kind}_bytes")].as_u64().unwrap_or(0);
        format!("{name:40} {:>9} {:>9} {:>9}\n", size("raw"), size("gzip"), size("brotli"))
    };
    let name = |of: &Value| of["name"].as_str().unwrap_or_default().to_owned();
    let rows =
        |list: &Value| list.as_array().into_iter().flatten().map(|file| row(&name(file), file)).collect();
    let head = |title: &str| format!("\n{title:40} {:>9} {:>9} {:>9}\n", "raw", "gzip", "brotli");
    let entries = sizes["entries"].as_array().into_iter().flatten().enumerate().map(|(at, entry)| {
        let title = if at == 0 { name(entry) } else { format!("with {}", name(entry)) };
        [head(&title), rows(&entry["files"]), row("total", entry)].concat()
    });
    let parts: String = rows(&sizes["parts"]);
    entries.collect::<String>() + &head("parts, each compressed alone") + &parts
}
