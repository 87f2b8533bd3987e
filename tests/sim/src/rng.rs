//! The rng of a run. Every concern has its own, forked from the seed, so that switching one fault off leaves the others
//! as they were: without that a failing case could not be made smaller.

/// SplitMix64 (Steele, Lea and Flood, 2014): one word of state, the same on every machine.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// Rng that always fall the same way for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Other rng for another concern.
    #[must_use]
    pub fn fork(&self, concern: u64) -> Self {
        let mut fork = Self(self.0 ^ concern.wrapping_mul(0xd6e8_feb8_6659_fd93));
        fork.word();
        Self(fork.word())
    }

    /// Any number.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `low..=high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.word() % (high.saturating_sub(low) + 1)
    }

    /// Uniform in `0..n`; 0 if `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.word() % n as u64) as usize }
    }

    /// True with this probability per mille.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.word() % 1_000 < per_mille
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// A waiting time with this mean: often short, sometimes three times as long.
    pub fn around(&mut self, mean: u64) -> u64 {
        let share = (self.word() >> 11) as f64 / (1_u64 << 53) as f64;
        let wait = -(1.0 - share).ln() * mean as f64;
        (wait as u64).min(mean * 5)
    }
}
