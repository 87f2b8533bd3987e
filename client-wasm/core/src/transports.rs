//! Which transport to use: WebSocket first, polling where WebSocket does not work, and back (promise 11). Keeps the
//! evidence; the opening and closing is done in `websocket.rs` and `polling.rs`.

/// What moves batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A WebSocket.
    WebSocket,
    /// HTTP requests, held by the server.
    Polling,
}

impl Transport {
    /// Its name for a person.
    pub fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "WebSocket",
            Self::Polling => "HTTP polling",
        }
    }
}

/// What worked last time: WebSocket did not work here until this time of day, in ms since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// When to forget it, in ms since 1970.
    pub polling_until: u64,
}

/// How long it is remembered that WebSocket does not work here, in ms.
pub(super) const REMEMBER_MS: u64 = 30 * 60_000;
/// Polling starts beside a WebSocket that has not been welcomed for this long, in ms.
pub(super) const FALLBACK_MS: u64 = 2_500;
/// A WebSocket that has not been welcomed for this long is given up, in ms.
pub(super) const GIVE_UP_MS: u64 = 10_000;
/// A WebSocket that lived this long did work, in ms.
pub(super) const WORKED_MS: u64 = 10_000;
/// WebSockets that opened and died young mean that something between kills them: three in a row that brought nothing
/// useful, or six that did.
const BARREN_MAX: u32 = 6;
/// What one counts that brought nothing useful.
const BARREN: u32 = 2;
/// What one counts that died young, but had brought an entry or an ack.
const SHORT: u32 = 1;
/// Of the WebSockets that are refused in a row, polling is tried after the second, the fourth, and then each of so many.
const RARELY: u32 = 8;
/// When to try WebSocket again while polling, in ms; the last one repeats.
const PROBES_MS: [u64; 5] = [30_000, 120_000, 300_000, 600_000, 1_800_000];

#[derive(Debug, Default)]
pub(super) struct Choice {
    /// What the WebSockets that opened and then died young, in a row, add up to.
    barren: u32,
    /// WebSockets in a row that never opened.
    refused: u32,
    /// The last WebSocket opened, and was silent until it was given up.
    silent: bool,
    /// Polling is the transport here until a probe says otherwise.
    pub(super) given_up: bool,
    probes: usize,
    /// When to start polling beside a WebSocket that is still silent.
    pub(super) poll_at: Option<u64>,
    /// When to try WebSocket again while polling.
    pub(super) probe_at: Option<u64>,
}

impl Choice {
    /// A WebSocket ended. `opened`: it had been open; `age`: for how long, in ms; `useful`: it had brought an entry or
    /// an ack. Returns whether polling is worth a try at once.
    pub(super) fn ended(&mut self, opened: bool, age: u64, useful: bool) -> bool {
        if !opened {
            self.refused += 1;
            // One refusal may be an accident. A server that is down refuses polls as well: thousands of clients that
            // ask it for both each time would come back to it as twice as many (promise 7).
            return matches!(self.refused, 2 | 4) || self.refused.is_multiple_of(RARELY);
        }
        self.refused = 0;
        self.silent = false;
        if age >= WORKED_MS {
            self.barren = 0;
            return false;
        }
        self.barren += if useful { SHORT } else { BARREN };
        if self.barren >= BARREN_MAX {
            self.give_up();
        }
        true
    }

    /// The page wakes, perhaps elsewhere: the next refusal is worth a poll again.
    pub(super) fn woke(&mut self) {
        self.refused = self.refused.min(1);
    }

    /// A WebSocket was given up because it was never welcomed.
    pub(super) fn gave_no_answer(&mut self) {
        self.silent = true;
    }

    /// Polling is welcomed after a WebSocket failed. If that one was refused or silent, WebSocket does not work here. If
    /// it opened and then died, that may have been an accident: only three in a row prove more ([`Self::ended`]).
    pub(super) fn polling_works(&mut self) {
        if self.refused > 0 || self.silent {
            self.give_up();
        }
    }

    /// WebSocket does not work here.
    pub(super) fn give_up(&mut self) {
        self.given_up = true;
    }

    /// A WebSocket has worked for a while, or was welcomed where polling had been in use.
    pub(super) fn worked(&mut self) {
        *self = Self { poll_at: self.poll_at, barren: self.barren, ..Self::default() };
    }

    /// A WebSocket lived long enough to be trusted again.
    pub(super) fn proven(&mut self) {
        self.barren = 0;
    }

    /// Polling is in use: when WebSocket is tried again.
    pub(super) fn schedule_probe(&mut self, now: u64) {
        let wait = PROBES_MS[self.probes.min(PROBES_MS.len() - 1)];
        self.probes += 1;
        self.probe_at = Some(now + wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promise_11_three_barren_sockets_are_enough() {
        let mut choice = Choice::default();
        assert!(choice.ended(true, 50, false) && !choice.given_up);
        assert!(choice.ended(true, 5_000, false) && !choice.given_up);
        assert!(choice.ended(true, 5_000, false) && choice.given_up);
        let mut choice = Choice::default();
        choice.ended(true, 50, false);
        choice.ended(true, 50, false);
        choice.ended(true, WORKED_MS, false);
        choice.ended(true, 50, false);
        assert!(!choice.given_up, "one that worked in between starts the count again");
    }

    #[test]
    fn promise_11_a_socket_that_never_opened_is_not_one_that_opened_and_died() {
        let mut choice = Choice::default();
        choice.ended(true, 300, false);
        choice.ended(false, 300, false);
        choice.ended(true, 300, false);
        assert!(!choice.given_up, "two opened and died, one never opened");
        choice.ended(true, 300, false);
        assert!(choice.given_up, "three opened and died");
    }

    #[test]
    fn promise_11_polling_that_works_proves_something_about_a_refused_or_silent_socket_only() {
        let mut choice = Choice::default();
        choice.ended(true, 0, false);
        choice.polling_works();
        assert!(!choice.given_up, "opened and died once");
        choice.ended(false, 0, false);
        choice.polling_works();
        assert!(choice.given_up, "refused");
        let mut choice = Choice::default();
        choice.ended(true, 0, false);
        choice.gave_no_answer();
        choice.polling_works();
        assert!(choice.given_up, "silent");
    }

    #[test]
    fn promise_11_sockets_that_die_young_though_useful_are_borne_a_little_longer() {
        let mut choice = Choice::default();
        (0..5).for_each(|_| assert!(choice.ended(true, 5_000, true) && !choice.given_up));
        assert!(choice.ended(true, 5_000, true) && choice.given_up);
    }

    #[test]
    fn promise_11_probes_come_at_30_s_2_5_10_and_30_min() {
        let mut choice = Choice::default();
        let minutes: Vec<u64> = (0..7)
            .map(|_| {
                choice.schedule_probe(0);
                choice.probe_at.unwrap() / 1_000
            })
            .collect();
        assert_eq!(minutes, [30, 120, 300, 600, 1_800, 1_800, 1_800]);
    }

    #[test]
    fn promise_7_a_server_that_is_down_is_seldom_asked_twice() {
        let mut choice = Choice::default();
        let polled: Vec<u32> = (1..=30).filter(|_| choice.ended(false, 0, false)).collect();
        assert_eq!(polled, [2, 4, 8, 16, 24]);
        choice.woke();
        assert!(choice.ended(false, 0, false), "a page that wakes begins anew");
    }
}
