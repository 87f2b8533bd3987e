//! Token buckets. They have no clock: callers pass the time.
//!
//! Not `governor`: it reads a clock of its own, so a run cannot be repeated; its keyed stores hash at random and have no bound
//! on the number of keys; and within one minute it lets twice the limit pass, which sends must not. The code here is shorter
//! than an adapter would be. `tower-http` limits the requests of all clients together, not those of each.

/// A token bucket: a rate per second and a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// The rate per second. 0: no limit.
    pub per_second: u32,
    /// The burst.
    pub burst: u32,
}

impl Bucket {
    /// The same for an account that several sessions share.
    #[must_use]
    pub const fn times(self, n: u32) -> Self {
        Self { per_second: self.per_second.saturating_mul(n), burst: self.burst.saturating_mul(n) }
    }
}

/// The level of a bucket: `missing` thousandths of a token are missing as of `at`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Level {
    missing: u64,
    at: u64,
}

impl Level {
    /// Takes an amount out of the bucket. An amount above the burst takes all of it.
    ///
    /// # Errors
    /// How long to wait, in ms, if there is not enough. Nothing is taken then.
    pub fn take(&mut self, now_ms: u64, bucket: Bucket, amount: u32) -> Result<(), u32> {
        if bucket.per_second == 0 {
            return Ok(());
        }
        // A rate of n per second refills n thousandths per ms.
        let rate = u64::from(bucket.per_second);
        let back = now_ms.saturating_sub(self.at).saturating_mul(rate);
        self.missing = self.missing.saturating_sub(back);
        self.at = now_ms.max(self.at);
        let most = u64::from(bucket.burst.max(1)) * 1000;
        let amount = (u64::from(amount) * 1000).min(most);
        if self.missing + amount > most {
            let wait = (self.missing + amount - most).div_ceil(rate);
            return Err(u32::try_from(wait).unwrap_or(u32::MAX));
        }
        self.missing += amount;
        Ok(())
    }

    /// Whether the bucket is full again.
    pub fn is_full(&self, now_ms: u64, bucket: Bucket) -> bool {
        let back = now_ms.saturating_sub(self.at).saturating_mul(u64::from(bucket.per_second));
        bucket.per_second == 0 || back >= self.missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Bucket = Bucket { per_second: 10, burst: 4 };

    #[test]
    fn a_bucket_gives_its_burst_at_once_and_then_its_rate() {
        let mut level = Level::default();
        assert_eq!(level.take(5_000, TEN, 3), Ok(()));
        assert_eq!(level.take(5_000, TEN, 2), Err(100));
        assert_eq!(level.take(5_000, TEN, 1), Ok(()));
        assert_eq!(level.take(5_060, TEN, 1), Err(40));
        assert_eq!(level.take(5_100, TEN, 1), Ok(()));
        assert!(!level.is_full(5_400, TEN) && level.is_full(5_500, TEN));
    }

    #[test]
    fn more_than_the_burst_takes_all_of_it_and_does_not_wait_for_ever() {
        let mut level = Level::default();
        assert_eq!(level.take(0, TEN, 100), Ok(()));
        assert_eq!(level.take(0, TEN, 100), Err(400));
        assert_eq!(level.take(400, TEN, 100), Ok(()));
    }

    #[test]
    fn no_rate_is_no_limit() {
        let mut level = Level::default();
        let none = Bucket { per_second: 0, burst: 0 };
        assert!((0..100).all(|_| level.take(0, none, 1_000).is_ok()) && level.is_full(0, none));
    }
}
