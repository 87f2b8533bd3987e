//! Which transport to use: WebSocket first, polling where WebSocket does not work, and back (promise 11). Keeps the
//! evidence; opening and closing is done in `connection`.

use super::STABLE_MS;

/// How long it is remembered that WebSocket does not work here, in ms.
pub(crate) const REMEMBER_MS: u64 = 30 * 60_000;
/// The other transport is tried beside one that has not been welcomed for this long, in ms.
const FALLBACK_MS: u64 = 2_500;
/// WebSockets that opened and died young mean that something between kills them: three in a row that brought nothing
/// useful, or six that did.
const MAX_FAILED_OPENS: u32 = 6;
/// What one counts that brought nothing useful.
const UNPRODUCTIVE: u32 = 2;
/// What one counts that died young, but had brought an entry or an ack.
const SHORT_LIVED: u32 = 1;
/// Of the WebSockets that are refused in a row, polling is tried after the second, the fourth, and then after each
/// multiple of this.
const RARELY: u32 = 8;
/// Where WebSocket was given up, this many attempts in a row may begin with polling and not be welcomed: then one begins with a
/// WebSocket, because the network may be another one by now.
const MAX_UNWELCOMED: u32 = 2;
/// When to try WebSocket again while polling, in ms; the last one repeats.
const PROBES_MS: [u64; 5] = [30_000, 120_000, 300_000, 600_000, 1_800_000];

#[derive(Debug, Default)]
pub(crate) struct TransportSelector {
    /// What the WebSockets that opened and then died young, in a row, add up to.
    failed_opens: u32,
    /// WebSockets in a row that never opened.
    refused: u32,
    /// The last WebSocket opened, and was silent until it was given up.
    silent: bool,
    /// Polling is the transport here until a probe says otherwise.
    given_up: bool,
    /// Attempts in a row that began with polling and were not welcomed.
    unwelcomed: u32,
    /// The next attempt begins with polling.
    polls_next: bool,
    probes: usize,
    /// When to try the other transport beside the one that has not been welcomed yet.
    fallback_at: Option<u64>,
    /// When to try WebSocket again while polling. In the past while it is being tried.
    probe_at: Option<u64>,
}

impl TransportSelector {
    pub(crate) fn has_given_up(&self) -> bool {
        self.given_up
    }

    /// When to try the other transport beside the one that has not been welcomed yet.
    pub(crate) fn fallback_at(&self) -> Option<u64> {
        self.fallback_at
    }

    /// When to try WebSocket again while polling.
    pub(crate) fn probe_at(&self) -> Option<u64> {
        self.probe_at
    }

    /// Whether a WebSocket that proves to be stable changes anything.
    pub(crate) fn has_failed_opens(&self) -> bool {
        self.failed_opens > 0
    }

    /// An attempt begins, and both transports may be used. Returns whether polling comes first.
    pub(crate) fn polls_first(&mut self) -> bool {
        let polls_next = core::mem::take(&mut self.polls_next);
        let polls_first = polls_next || (self.given_up && self.unwelcomed < MAX_UNWELCOMED);
        self.unwelcomed = if polls_first { self.unwelcomed + 1 } else { 0 };
        polls_first
    }

    /// A WebSocket that was in use died young: whatever killed it may kill the next one as well. Or the server has
    /// refused what a request has brought: requests reach it.
    pub(crate) fn poll_next(&mut self) {
        self.polls_next = true;
    }

    /// An attempt has begun with one of the transports, and the other is allowed beside it after a while; but no WebSocket
    /// where that was given up.
    pub(crate) fn start_fallback(&mut self, now: u64, polls_first: bool) {
        self.fallback_at = (!polls_first || !self.given_up).then_some(now + FALLBACK_MS);
    }

    pub(crate) fn stop_fallback(&mut self) {
        self.fallback_at = None;
    }

    /// One of the transports was welcomed.
    pub(crate) fn connected(&mut self) {
        self.fallback_at = None;
        self.unwelcomed = 0;
    }

    /// Nothing is planned any more.
    pub(crate) fn stop(&mut self) {
        self.fallback_at = None;
        self.probe_at = None;
    }

    /// A WebSocket ended. `opened`: it had been open; `age`: for how long it was welcomed, in ms; `productive`: it had
    /// brought an entry or an ack. Returns whether to try polling next.
    pub(crate) fn ended(&mut self, opened: bool, age: u64, productive: bool) -> bool {
        if !opened {
            self.refused += 1;
            // One refusal may be an accident. A server that is down refuses polls as well: thousands of clients that
            // ask it for both each time would come back to it as twice as many (promise 7).
            return matches!(self.refused, 2 | 4) || self.refused.is_multiple_of(RARELY);
        }
        self.refused = 0;
        self.silent = false;
        if age >= STABLE_MS {
            self.failed_opens = 0;
            return false;
        }
        self.failed_opens += if productive { SHORT_LIVED } else { UNPRODUCTIVE };
        if self.failed_opens >= MAX_FAILED_OPENS {
            self.give_up();
        }
        true
    }

    /// The page wakes, perhaps elsewhere: polling is tried again after the next refusal.
    pub(crate) fn woke(&mut self) {
        self.refused = self.refused.min(1);
    }

    /// A WebSocket was given up because it was never welcomed.
    pub(crate) fn gave_no_answer(&mut self) {
        self.silent = true;
    }

    /// Polling is welcomed after a WebSocket failed. If that one was refused or silent, WebSocket does not work here. If
    /// it opened and then died, that may have been an accident: only three in a row prove more ([`Self::ended`]).
    pub(crate) fn polling_works(&mut self) {
        if self.refused > 0 || self.silent {
            self.give_up();
        }
    }

    /// WebSocket does not work here.
    pub(crate) fn give_up(&mut self) {
        self.given_up = true;
    }

    /// A WebSocket was welcomed. Where polling had been in use, the evidence against WebSocket is out of date, but for
    /// how many died young.
    pub(crate) fn welcomed(&mut self) {
        if self.given_up || self.probe_at.is_some() {
            *self = Self { failed_opens: self.failed_opens, ..Self::default() };
        }
    }

    /// A WebSocket lived long enough to be trusted again.
    pub(crate) fn proven(&mut self) {
        self.failed_opens = 0;
    }

    /// Polling is in use: when WebSocket is tried again.
    pub(crate) fn schedule_probe(&mut self, now: u64) {
        let wait = PROBES_MS[self.probes.min(PROBES_MS.len() - 1)];
        self.probes += 1;
        self.probe_at = Some(now + wait);
    }

    /// Tries WebSocket again at once.
    pub(crate) fn probe_now(&mut self, now: u64) {
        self.probe_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promise_11_three_unproductive_sockets_are_enough() {
        let mut selector = TransportSelector::default();
        assert!(selector.ended(true, 50, false) && !selector.given_up);
        assert!(selector.ended(true, 5_000, false) && !selector.given_up);
        assert!(selector.ended(true, 5_000, false) && selector.given_up);
        let mut selector = TransportSelector::default();
        selector.ended(true, 50, false);
        selector.ended(true, 50, false);
        selector.ended(true, STABLE_MS, false);
        selector.ended(true, 50, false);
        assert!(!selector.given_up, "one that worked in between starts the count again");
    }

    #[test]
    fn promise_11_a_socket_that_never_opened_is_not_one_that_opened_and_died() {
        let mut selector = TransportSelector::default();
        selector.ended(true, 300, false);
        selector.ended(false, 300, false);
        selector.ended(true, 300, false);
        assert!(!selector.given_up, "two opened and died, one never opened");
        selector.ended(true, 300, false);
        assert!(selector.given_up, "three opened and died");
    }

    #[test]
    fn promise_11_polling_that_works_proves_something_about_a_refused_or_silent_socket_only() {
        let mut selector = TransportSelector::default();
        selector.ended(true, 0, false);
        selector.polling_works();
        assert!(!selector.given_up, "opened and died once");
        selector.ended(false, 0, false);
        selector.polling_works();
        assert!(selector.given_up, "refused");
        let mut selector = TransportSelector::default();
        selector.ended(true, 0, false);
        selector.gave_no_answer();
        selector.polling_works();
        assert!(selector.given_up, "silent");
    }

    #[test]
    fn promise_11_where_websocket_was_given_up_each_third_attempt_begins_with_it_if_polling_fails() {
        let mut selector = TransportSelector::default();
        assert!(!selector.polls_first());
        selector.give_up();
        let first: Vec<bool> = (0..6).map(|_| selector.polls_first()).collect();
        assert_eq!(first, [true, true, false, true, true, false]);
        assert!(selector.polls_first());
        selector.connected();
        assert!(selector.polls_first() && selector.polls_first(), "a welcome begins the count anew");
    }

    #[test]
    fn promise_11_productive_sockets_that_die_young_are_tolerated_a_little_longer() {
        let mut selector = TransportSelector::default();
        (0..5).for_each(|_| assert!(selector.ended(true, 5_000, true) && !selector.given_up));
        assert!(selector.ended(true, 5_000, true) && selector.given_up);
    }

    #[test]
    fn promise_11_probes_come_at_30_s_2_5_10_and_30_min() {
        let mut selector = TransportSelector::default();
        let minutes: Vec<u64> = (0..7)
            .map(|_| {
                selector.schedule_probe(0);
                selector.probe_at.unwrap() / 1_000
            })
            .collect();
        assert_eq!(minutes, [30, 120, 300, 600, 1_800, 1_800, 1_800]);
    }

    #[test]
    fn promise_7_a_server_that_is_down_is_seldom_asked_twice() {
        let mut selector = TransportSelector::default();
        let polled: Vec<u32> = (1..=30).filter(|_| selector.ended(false, 0, false)).collect();
        assert_eq!(polled, [2, 4, 8, 16, 24]);
        selector.woke();
        assert!(selector.ended(false, 0, false), "a page that wakes begins anew");
    }
}
