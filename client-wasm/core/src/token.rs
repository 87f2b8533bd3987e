//! The application's token: asked for once at a time, in good time, and by the clock that counts sleep (promise 13).

use alloc::string::String;

/// A token is replaced this long before it expires, in ms.
const AHEAD_MS: u64 = 30_000;
/// A token callback that has not answered by then has failed, in ms.
const PATIENCE_MS: u64 = 30_000;
/// A token younger than this when the server refuses it is no good; an older one may just be stale, in ms.
const FRESH_MS: u64 = 10_000;

#[derive(Debug, Default)]
pub(super) struct Token {
    /// Whether the application gives tokens at all.
    pub(super) wanted: bool,
    pub(super) text: Option<String>,
    /// Counts the tokens, so that a refusal can be told to be about an earlier one.
    pub(super) serial: u32,
    /// When the callback was called that has not answered yet.
    asking_since: Option<u64>,
    asked_at: u64,
    got_at: u64,
    expires_at: Option<u64>,
    /// Calls of the callback that have not answered yet, those included that were given up. An answer does not say which
    /// call it is to.
    unanswered: u32,
    /// The callback has been called, and must answer by then.
    pub(super) patience: Option<u64>,
    /// After a refresh that failed: not before then.
    not_before: u64,
}

impl Token {
    pub(super) fn new(wanted: bool) -> Self {
        Self { wanted, ..Self::default() }
    }

    /// Whether a connection can not be opened with what is here.
    pub(super) fn missing(&self, now: u64) -> bool {
        self.wanted && (self.text.is_none() || self.expires_at.is_some_and(|at| at <= now + 1_000))
    }

    /// True if the callback is to be called now.
    pub(super) fn ask(&mut self, now: u64) -> bool {
        let first = self.patience.is_none();
        if first {
            // One that was given up may still answer: what comes is as old as that.
            self.asking_since.get_or_insert(now);
            self.unanswered += 1;
            self.patience = Some(now + PATIENCE_MS);
        }
        first
    }

    /// The callback has answered, with a token or without. Whether it has been called since the last token: if not, a
    /// call that was given up answers after its successor, and what it brings is older than what is here.
    pub(super) fn answered(&mut self) -> bool {
        self.unanswered = self.unanswered.saturating_sub(1);
        self.asking_since.is_some()
    }

    /// The callback has brought a token.
    pub(super) fn got(&mut self, now: u64, text: String) {
        let (serial, asked_at) = (self.serial + 1, self.asking_since.unwrap_or(now));
        let unanswered = self.unanswered;
        *self = Self {
            wanted: true,
            text: Some(text),
            serial,
            unanswered,
            asked_at,
            got_at: now,
            ..Self::default()
        };
    }

    /// The callback has failed, or takes too long.
    pub(super) fn failed(&mut self, now: u64) {
        self.patience = None;
        // Three tries fit into the time that is left before the old one expires.
        self.not_before = now + AHEAD_MS / 3;
    }

    /// The server says how long the token is good for.
    pub(super) fn lifetime(&mut self, now: u64, expires_in: Option<u64>) {
        self.expires_at = expires_in.map(|ms| now + ms);
    }

    /// When to ask for the next one, while connected.
    pub(super) fn refresh_at(&self) -> Option<u64> {
        if !self.wanted || self.patience.is_some() {
            return None;
        }
        let expires_at = self.expires_at?;
        // Tokens that live less than a minute are replaced at half time, or they would be asked for in a loop.
        let half = self.got_at + expires_at.saturating_sub(self.got_at) / 2;
        Some(expires_at.saturating_sub(AHEAD_MS).max(half).max(self.not_before))
    }

    /// The server refused it. True if it was not fresh, so that a new one is worth a try. Its age counts from when it
    /// was asked for: an answer may have lain about while the page was frozen or the machine slept. It may also be the
    /// answer to a call that was given up long before, as often as there are such calls.
    pub(super) fn refused(&mut self, now: u64) -> bool {
        self.expired();
        let may_be_anothers = self.unanswered > 0;
        self.unanswered = self.unanswered.saturating_sub(1);
        self.wanted && (may_be_anothers || now >= self.asked_at + FRESH_MS)
    }

    /// The server says that it has run out.
    pub(super) fn expired(&mut self) {
        self.text = None;
        self.expires_at = None;
    }
}
