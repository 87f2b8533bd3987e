//! The application's token: requested once at a time, in good time, and by the clock that counts sleep (promise 13).

use alloc::string::String;

/// A token is replaced this long before it expires, in ms.
const AHEAD_MS: u64 = 30_000;
/// A token callback that has not answered by then has failed, in ms.
const ANSWER_TIMEOUT_MS: u64 = 30_000;
/// A token younger than this when the server refuses it is no good; an older one may just be stale, in ms.
const FRESH_MS: u64 = 10_000;
/// Fresh tokens that have been refused for this long, in ms, are no better later. Until then an application may still be
/// signing in, or have given what it had in store.
const HOPELESS_MS: u64 = 4_000;
/// Refusals further apart than this, in ms, say nothing about each other: a page may have had no network in between.
const SERIES_MS: u64 = 60_000;
/// When to ask again after the first such refusal, and after later ones, in ms.
const FIRST_PAUSE_MS: u64 = 1_000;
const NEXT_PAUSE_MS: u64 = 3_500;

/// A token that expires no more than this later than the one before, in ms, is the same again: the difference is that of latencies.
const SAME_MS: u64 = 1_000;

#[derive(Debug, Default)]
pub(crate) struct Token {
    /// Whether the application has tokens at all.
    wanted: bool,
    /// Whether it has only one.
    constant: bool,
    text: Option<String>,
    /// Counts the tokens, to recognise a refusal of an earlier one.
    serial: u32,
    /// When the callback was called that has not answered yet.
    requested_since: Option<u64>,
    requested_at: u64,
    got_at: u64,
    expires_at: Option<u64>,
    /// When the one before was to expire.
    replaced_expires_at: Option<u64>,
    /// Calls of the callback that have not answered yet, those included that were given up. An answer does not say which
    /// call it is to.
    unanswered: u32,
    /// When the callback that was called must have answered.
    answer_due_at: Option<u64>,
    /// After a refresh that failed: not before then.
    not_before: u64,
    /// Since when fresh tokens have been refused, and none accepted.
    refused_since: Option<u64>,
    /// When the last one was refused.
    refused_at: u64,
}

/// What follows from a token that was refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It was not fresh: a new one is worth a try at once.
    Stale,
    /// It was fresh. The next one may be better after this long, in ms.
    Fresh(u64),
    /// No token is better, or there are none.
    Hopeless,
}

impl Token {
    pub(crate) fn new(wanted: bool, constant: bool) -> Self {
        Self { wanted, constant, ..Self::default() }
    }

    pub(crate) fn text(&self) -> Option<String> {
        self.text.clone()
    }

    pub(crate) fn serial(&self) -> u32 {
        self.serial
    }

    /// When the callback that was called must have answered.
    pub(crate) fn answer_due_at(&self) -> Option<u64> {
        self.answer_due_at
    }

    /// Whether a token is needed before a connection can be opened.
    pub(crate) fn is_missing(&self, now: u64) -> bool {
        self.wanted && (self.text.is_none() || self.expires_at.is_some_and(|at| at <= now + 1_000))
    }

    /// True if the callback is to be called now.
    pub(crate) fn request(&mut self, now: u64) -> bool {
        let first = self.answer_due_at.is_none();
        if first {
            // A call that was given up may still answer: the token is as old as that call.
            self.requested_since.get_or_insert(now);
            self.unanswered += 1;
            self.answer_due_at = Some(now + ANSWER_TIMEOUT_MS);
        }
        first
    }

    /// The callback has answered, with a token or without. Whether it has been called since the last token: if not, a
    /// call that was given up answers after its successor, and what it brings is older than what is here.
    pub(crate) fn answered(&mut self) -> bool {
        self.unanswered = self.unanswered.saturating_sub(1);
        self.requested_since.is_some()
    }

    /// The callback has brought a token.
    pub(crate) fn replace(&mut self, now: u64, text: String) {
        let (serial, requested_at) = (self.serial + 1, self.requested_since.unwrap_or(now));
        let unanswered = self.unanswered;
        *self = Self {
            wanted: true,
            constant: self.constant,
            replaced_expires_at: self.expires_at,
            text: Some(text),
            serial,
            unanswered,
            requested_at,
            got_at: now,
            refused_since: self.refused_since,
            refused_at: self.refused_at,
            ..Self::default()
        };
    }

    /// The callback has failed, or takes too long.
    pub(crate) fn failed(&mut self, now: u64) {
        self.answer_due_at = None;
        // Three attempts fit into the time that is left before the old one expires.
        self.not_before = now + AHEAD_MS / 3;
    }

    /// The server says how long the token is valid.
    pub(crate) fn set_lifetime(&mut self, now: u64, expires_in: Option<u64>) {
        self.expires_at = expires_in.map(|ms| now + ms);
        let same = self.replaced_expires_at.map(|at| at.max(now) + SAME_MS);
        if self.expires_at.is_some() && self.expires_at <= same {
            // The application had no better one, and may have one later. Half of what is left would be asked for in a loop.
            self.not_before = now + AHEAD_MS / 3;
        }
        self.refused_since = None;
    }

    /// When to ask for the next one, while connected.
    pub(crate) fn refresh_at(&self) -> Option<u64> {
        if !self.wanted || self.constant || self.answer_due_at.is_some() {
            return None;
        }
        let expires_at = self.expires_at?;
        // Tokens that live less than a minute are replaced at half time, or they would be asked for in a loop.
        let half = self.got_at + expires_at.saturating_sub(self.got_at) / 2;
        Some(expires_at.saturating_sub(AHEAD_MS).max(half).max(self.not_before))
    }

    /// The server does not take it. Returns whether it was not fresh. Its age counts from when it was asked for: an answer
    /// may have been waiting while the page was frozen or the machine was asleep. It may also be the answer to a call that
    /// was given up long before, as often as there are such calls.
    pub(crate) fn discard(&mut self, now: u64) -> bool {
        self.expired();
        let may_be_anothers = self.unanswered > 0;
        self.unanswered = self.unanswered.saturating_sub(1);
        self.wanted && !self.constant && (may_be_anothers || now >= self.requested_at + FRESH_MS)
    }

    /// The server refused it.
    pub(crate) fn refused(&mut self, now: u64) -> Refused {
        if self.discard(now) {
            return Refused::Stale;
        }
        if !self.wanted || self.constant {
            return Refused::Hopeless;
        }
        let since = self.refused_since.filter(|_| now < self.refused_at + SERIES_MS);
        self.refused_at = now;
        match since {
            None => {
                self.refused_since = Some(now);
                Refused::Fresh(FIRST_PAUSE_MS)
            }
            Some(since) if now < since + HOPELESS_MS => Refused::Fresh(NEXT_PAUSE_MS),
            Some(_) => Refused::Hopeless,
        }
    }

    /// The server says that it has run out.
    pub(crate) fn expired(&mut self) {
        self.text = None;
        self.expires_at = None;
    }
}
