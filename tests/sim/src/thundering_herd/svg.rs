//! The thundering herd as an SVG chart: one row per policy, connects per 100 ms after the server is back. Readable on light
//! and dark backgrounds.

use std::fmt::Write as _;

use super::{BIN_MS, Figures};

const WIDTH: f64 = 760.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 66.0;
const ROW: f64 = 74.0;
const PLOT: f64 = 54.0;
/// The time after the outage that is shown, in ms.
const SHOWN_MS: u64 = 48_000;
/// The top of each row, in connects.
const MOST: f64 = 10_000.0;

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#3c4043}.name{font-weight:600;fill:#202124}\
.title{font-size:15px;font-weight:600;fill:#202124}.small{font-size:10.5px}.grid{stroke:#dadce0}\
.bar{fill:#9aa0a6}.own{fill:#1a73e8}.bound{stroke:#c5221f;stroke-dasharray:4 3}.red{fill:#c5221f}\
@media(prefers-color-scheme:dark){text{fill:#bdc1c6}.name,.title{fill:#e8eaed}.grid{stroke:#3c4043}\
.bar{fill:#80868b}.own{fill:#8ab4f8}.bound{stroke:#f28b82}.red{fill:#f28b82}}";

/// Draws rows from top to bottom. `bound`: the allowed connects per 100 ms.
pub fn draw(rows: &[Figures], bound: usize) -> String {
    let height = TOP + ROW * rows.len() as f64 + 30.0;
    let mut svg = String::new();
    let _ = write!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Connects per 100 ms after an outage, by client library"><style>{STYLE}</style>"#
    );
    let outage = rows.first().map_or(0, |row| row.outage_ms / 1_000);
    let _ = write!(
        svg,
        r#"<text class="title" x="16" y="26">10,000 clients come back after an outage of {outage} s</text><text class="small" x="16" y="44">Connects per 100 ms from the moment the server is back; logarithmic. The dashed line is Everwire’s bound of {bound}.</text>"#
    );
    for (place, row) in rows.iter().enumerate() {
        draw_row(&mut svg, row, TOP + ROW * place as f64, bound);
    }
    let bottom = TOP + ROW * rows.len() as f64 - ROW + PLOT + 16.0;
    for second in (0..=SHOWN_MS / 1_000).step_by(8) {
        let _ = write!(
            svg,
            r#"<text class="small" x="{:.1}" y="{bottom:.1}" text-anchor="middle">{second} s</text>"#,
            x(second * 1_000)
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw_row(svg: &mut String, row: &Figures, top: f64, bound: usize) {
    let base = top + PLOT;
    let end = WIDTH - RIGHT;
    for connects in [1.0, 100.0, MOST] {
        let y = base - scaled(connects);
        let _ = write!(
            svg,
            r#"<path class="grid" d="M{LEFT} {y:.1}H{end}"/><text class="small" x="{:.1}" y="{:.1}" text-anchor="end">{connects}</text>"#,
            LEFT - 6.0,
            y + 4.0
        );
    }
    let y = base - scaled(bound as f64);
    let _ = write!(svg, r#"<path class="bound" d="M{LEFT} {y:.1}H{end}"/>"#);
    let class = if row.who == "everwire" { "own" } else { "bar" };
    let mut path = String::new();
    let width = x(BIN_MS) - x(0);
    let shown = row.after.iter().enumerate().take((SHOWN_MS / BIN_MS) as usize);
    for (bin, connects) in shown.filter(|(_, connects)| **connects > 0) {
        let (from, high) = (x(bin as u64 * BIN_MS), scaled(*connects as f64).max(1.0));
        let _ = write!(path, "M{from:.1} {base:.1}v-{high:.1}h{width:.1}v{high:.1}z");
    }
    let _ = write!(svg, r#"<path class="{class}" d="{path}"/>"#);
    let red = if row.most_connects_per_100_ms > bound { "small red" } else { "small" };
    let _ = write!(
        svg,
        r#"<text class="name" x="16" y="{:.1}">{}</text><text class="{red}" x="16" y="{:.1}">most: {}</text><text class="small" x="16" y="{:.1}">p95: {:.1} s</text>"#,
        top + 14.0,
        row.who,
        top + 30.0,
        row.most_connects_per_100_ms,
        top + 44.0,
        row.p95_ms as f64 / 1_000.0
    );
}

fn x(ms: u64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * ms as f64 / SHOWN_MS as f64
}

/// The height of a number of connects: a decade is a quarter of the plot.
fn scaled(connects: f64) -> f64 {
    PLOT * (connects.max(1.0)).log10() / MOST.log10()
}
