//! How long to wait before the next attempt (promise 7).

use super::rng::Rng;

/// The first retry comes within this time, in ms: a blip should not be noticed.
pub const FIRST_MS: u64 = 1_000;
/// The longest wait, in ms.
pub const CAP_MS: u64 = 20_000;
/// The longest wait while the page is hidden, in ms: nobody is looking, and the server has others to serve.
pub const CAP_HIDDEN_MS: u64 = 60_000;
/// A retry after the first never comes sooner than this, in ms.
pub const LEAST_MS: u64 = 250;
/// The range of the n-th retry is this times 2^n, in ms.
pub const BASE_MS: u64 = 500;

/// The wait after `failures` failed attempts in a row, in ms. The jitter is applied after the cap and over the whole
/// range, so that clients that failed together do not come back together.
pub(crate) fn delay(failures: u32, hidden: bool, rng: &mut Rng) -> u64 {
    if failures == 0 {
        return rng.between(0, FIRST_MS);
    }
    let cap = if hidden { CAP_HIDDEN_MS } else { CAP_MS };
    rng.between(LEAST_MS, cap.min(BASE_MS << failures.min(16)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promise_7_ranges() {
        let mut rng = Rng::new(1);
        for (failures, hidden, low, high) in [
            (0, false, 0, 1_000),
            (1, false, 250, 1_000),
            (3, false, 250, 4_000),
            (10, false, 250, 20_000),
            (1_000, false, 250, 20_000),
            (1_000, true, 250, 60_000),
        ] {
            let drawn: Vec<u64> = (0..4_000).map(|_| delay(failures, hidden, &mut rng)).collect();
            let (least, most) = (*drawn.iter().min().unwrap(), *drawn.iter().max().unwrap());
            assert!(least >= low && most <= high, "{failures}: {least}..{most}");
            // The whole range is used: jitter after the cap, not before it.
            assert!(least < low + (high - low) / 50 && most > high - (high - low) / 50);
        }
    }
}
