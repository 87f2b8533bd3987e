//! `cargo xtask size --parts`: the size of the core's WebAssembly by crate, and the size of single dependencies, measured
//! with the small modules in xtask/probes. The numbers in docs/size.md come from it.

use std::path::PathBuf;

use serde_json::Value;

use super::parse;
use crate::{
    build::{wasm, wasm_tool},
    error::Result,
    paths::Paths,
    step::{Outcome, Steps},
};

/// The variants of xtask/probes, by feature. The first one is the baseline.
pub(super) const PROBES: [&str; 8] =
    ["", "talc", "sockets", "timers", "futures", "panic-hook", "serde-wasm-bindgen", "serde-json"];

/// Returns two tables.
pub(super) fn measure(paths: &Paths, steps: &mut Steps) -> Result<String> {
    let crates = || parse(&wasm_tool::crates(paths, &wasm::with_names(paths)?)?);
    let crates = steps.step("the crates in the core", crates, |_| Outcome::Done)?;
    let mut lines = vec![format!("\n{:40} {:>9}\n", "code of the core by crate", "raw")];
    for row in crates["crates"].as_array().into_iter().flatten() {
        let (name, bytes) = (row["name"].as_str().unwrap_or_default(), row["bytes"].as_u64().unwrap_or(0));
        lines.push(format!("{name:40} {bytes:>9}\n"));
    }
    lines.push(format!("{:40} {:>9}\n", "data, such as texts", crates["data_bytes"].as_u64().unwrap_or(0)));
    lines.push(format!("\n{:40} {:>9} {:>9}\n", "a minimal module, and additions to it", "raw", "brotli"));
    let mut base: Option<[i64; 2]> = None;
    for feature in PROBES {
        let title = if feature.is_empty() { "class, callback, text, error" } else { feature };
        let probe = || weigh(paths, feature);
        let [raw, brotli] = steps.step(&format!("probe: {title}"), probe, |_| Outcome::Done)?;
        let Some([base_raw, base_brotli]) = base else {
            lines.push(format!("{title:40} {raw:>9} {brotli:>9}\n"));
            base = Some([raw, brotli]);
            continue;
        };
        lines.push(format!(
            "{:40} {:>+9} {:>+9}\n",
            format!("+ {title}"),
            raw - base_raw,
            brotli - base_brotli
        ));
    }
    Ok(lines.concat())
}

/// The size of WebAssembly and glue code together, raw and with Brotli.
fn weigh(paths: &Paths, feature: &str) -> Result<[i64; 2]> {
    let files: [PathBuf; 2] = wasm::probe(paths, "everwire-size-probes", "everwire_size_probes", feature)?;
    let sizes = parse(&paths.node().arg(paths.root.join("xtask/size.mjs")).arg("files").args(files).ask()?)?;
    let sum = |field: &str| {
        sizes.as_array().into_iter().flatten().filter_map(|file: &Value| file[field].as_i64()).sum()
    };
    Ok([sum("raw_bytes"), sum("brotli_bytes")])
}
