//! The thundering herd: ten thousand clients lose one server at the same moment and reconnect (promise 7). Everwire's are
//! the real cores; the policies of other libraries are modelled after their sources, in `peers`.

mod cores;
mod peers;
pub mod svg;

use std::fmt::Write as _;

use serde::Serialize;

pub use peers::Peer;

/// The number of clients.
pub const CLIENTS: usize = 10_000;
/// The outage for which the bounds hold, in ms.
pub const OUTAGE_MS: u64 = 60_000;
/// A short outage, in ms.
pub const BLIP_MS: u64 = 500;
/// The bound of promise 7 on connects per 100 ms after the outage.
pub const MOST_CONNECTS: usize = 120;
/// The interval in which connects are counted, in ms.
pub const BIN_MS: u64 = 100;
/// All connections are lost within this time, in ms.
const SPREAD_MS: u64 = 20;
/// A round trip, in ms: how long a refusal or a welcome takes.
const ROUND_TRIP_MS: u64 = 50;

/// When clients attempted to connect, and when each was back; in ms from the start of the outage.
#[derive(Debug, Default)]
pub struct Tries {
    /// Every connect that reached the server's machine, during the outage too.
    pub connects: Vec<u64>,
    /// When each client was connected again.
    pub back: Vec<u64>,
}

/// The result.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// The library.
    pub who: &'static str,
    /// The duration of the outage, in ms.
    pub outage_ms: u64,
    /// Maximum connects within 100 ms after the server was back.
    pub most_connects_per_100_ms: usize,
    /// Maximum connects within 100 ms during the outage.
    pub most_refused_per_100_ms: usize,
    /// The median time until clients were connected after the server was back, in ms.
    pub p50_ms: u64,
    /// The 95th percentile.
    pub p95_ms: u64,
    /// The maximum.
    pub last_ms: u64,
    /// Connects per 100 ms from the return of the server on.
    #[serde(skip)]
    pub after: Vec<usize>,
}

/// Everwire's own clients.
pub fn everwire(outage_ms: u64, seed: u64) -> Figures {
    figures("everwire", outage_ms, cores::run(CLIENTS, outage_ms, seed))
}

/// The policy of another library.
pub fn peer(peer: Peer, outage_ms: u64, seed: u64) -> Figures {
    figures(peer.name(), outage_ms, peers::run(peer, CLIENTS, outage_ms, seed))
}

fn figures(who: &'static str, outage_ms: u64, mut tries: Tries) -> Figures {
    tries.back.sort_unstable();
    let share = |per_cent: usize| {
        let place = (tries.back.len() * per_cent / 100).min(tries.back.len().saturating_sub(1));
        tries.back.get(place).map_or(u64::MAX, |at| at.saturating_sub(outage_ms))
    };
    let bins = |connects: &[u64], from: u64, to: u64| {
        let mut bins = vec![0_usize; ((to - from) / BIN_MS) as usize + 1];
        for at in connects.iter().filter(|at| (from..to).contains(at)) {
            bins[((at - from) / BIN_MS) as usize] += 1;
        }
        bins
    };
    let end = tries.connects.iter().max().map_or(outage_ms, |last| last + 1).max(outage_ms);
    let after = bins(&tries.connects, outage_ms, end);
    let during = bins(&tries.connects, 0, outage_ms);
    Figures {
        who,
        outage_ms,
        most_connects_per_100_ms: after.iter().copied().max().unwrap_or(0),
        most_refused_per_100_ms: during.iter().copied().max().unwrap_or(0),
        p50_ms: share(50),
        p95_ms: share(95),
        last_ms: share(100),
        after,
    }
}

/// The result as a text table.
pub fn table(all: &[Figures]) -> String {
    let mut text = format!(
        "{:<18}{:>10}{:>18}{:>18}{:>9}{:>9}{:>9}\n",
        "", "outage", "connects/100 ms", "refused/100 ms", "p50", "p95", "last"
    );
    for f in all {
        let seconds = |ms: u64| format!("{:.1} s", ms as f64 / 1_000.0);
        let _ = writeln!(
            text,
            "{:<18}{:>10}{:>18}{:>18}{:>9}{:>9}{:>9}",
            f.who,
            seconds(f.outage_ms),
            f.most_connects_per_100_ms,
            f.most_refused_per_100_ms,
            seconds(f.p50_ms),
            seconds(f.p95_ms),
            seconds(f.last_ms)
        );
    }
    text
}
