//! One clock made of the browser's two. The monotonic clock stops while a machine sleeps, and the wall clock can be set.
//! The core counts the larger step of both, so that sleep counts and time never goes back.

/// What the driver's clocks say, in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// A clock that never goes back: `performance.now()`.
    pub mono: u64,
    /// The time of day since 1970: `Date.now()`.
    pub wall: u64,
}

/// A wall clock that ran this much further than the monotonic one means that the machine slept (promise 10).
const JUMP_MS: u64 = 5_000;

#[derive(Debug, Default)]
pub(crate) struct Clock {
    last: Option<Now>,
    now: u64,
}

impl Clock {
    /// Moves on. True if the wall clock jumped ahead.
    pub(crate) fn advance(&mut self, now: Now) -> bool {
        let Some(last) = self.last.replace(now) else { return false };
        let mono = now.mono.saturating_sub(last.mono);
        let wall = now.wall.saturating_sub(last.wall);
        self.now += mono.max(wall);
        wall > mono + JUMP_MS
    }

    /// ms since the first call of [`Clock::advance`].
    pub(crate) fn now(&self) -> u64 {
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_counts_and_a_clock_set_back_does_not() {
        let mut clock = Clock::default();
        assert!(!clock.advance(Now { mono: 100, wall: 1_000_000 }));
        assert!(!clock.advance(Now { mono: 200, wall: 1_000_100 }));
        assert_eq!(clock.now(), 100);
        assert!(!clock.advance(Now { mono: 300, wall: 10 }), "set back");
        assert_eq!(clock.now(), 200);
        assert!(clock.advance(Now { mono: 400, wall: 3_600_010 }), "slept");
        assert_eq!(clock.now(), 200 + 3_600_000);
    }

    #[test]
    fn clocks_that_differ_by_five_seconds_are_no_sleep_and_by_more_are() {
        let mut clock = Clock::default();
        clock.advance(Now { mono: 0, wall: 0 });
        assert!(!clock.advance(Now { mono: 0, wall: 5_000 }));
        assert!(clock.advance(Now { mono: 0, wall: 10_001 }));
    }
}
