//! The default first seed of a run: the same all day, so that a failure can be reproduced, and another one every day.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::rng::Rng;

/// A day in ms.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Seeds are short enough to be typed.
const BITS: u32 = 40;

/// The first seed of the current day, in UTC.
pub fn of_today() -> u64 {
    of_day(since_1970_ms() / DAY_MS)
}

/// A first seed that was most likely never used before.
pub fn fresh() -> u64 {
    of_day(since_1970_ms())
}

fn since_1970_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

fn of_day(day: u64) -> u64 {
    Rng::new(day).word() >> (u64::BITS - BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_has_seeds_of_its_own() {
        let mut seeds: Vec<u64> = (20_000..24_000).map(of_day).collect();
        seeds.sort_unstable();
        assert!(seeds.windows(2).all(|two| two[1] - two[0] > 0));
        let near = seeds.windows(2).filter(|two| two[1] - two[0] < 5_000).count();
        assert!(near < 10, "{near} days begin within the seeds of another");
    }
}
