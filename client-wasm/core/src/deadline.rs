//! A moment by which something must have happened, with some grace when the timer itself is late.

/// How late a timer may be before it says more about the page than about the peer, and the grace given then, in ms.
/// A throttled or frozen tab gets its timers late, while frames of the peer wait unread behind them (promise 9).
const GRACE_MS: u64 = 1_000;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    at: u64,
    graced: bool,
}

impl Deadline {
    pub(crate) fn at(at: u64) -> Self {
        Self { at, graced: false }
    }

    pub(crate) fn when(&self) -> u64 {
        self.at
    }

    /// Whether the time is over. A late look moves the deadline once instead.
    pub(crate) fn expired(&mut self, now: u64) -> bool {
        if now < self.at {
            return false;
        }
        if !self.graced && now - self.at > GRACE_MS {
            *self = Self { at: now + GRACE_MS, graced: true };
            return false;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promise_9_a_late_timer_gives_one_second_of_grace() {
        let mut deadline = Deadline::at(1_000);
        assert!(!deadline.expired(999));
        let mut late = deadline;
        assert!(deadline.expired(1_500));
        let mut latest = late;
        assert!(latest.expired(2_000), "a second late is not late yet");
        assert!(!late.expired(60_000), "the tab was throttled: first let it read what came");
        assert!(!late.expired(60_999));
        assert!(late.expired(61_000));
    }
}
