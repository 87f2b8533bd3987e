//! The half of the polling transport that sends: one request at a time, so that order is kept. A request that fails does
//! not end the connection, because receiving may work all the same. Something between may refuse a single message for good,
//! for what it holds or for its size: such a message is found by sending it alone, and fails alone (promise 22).

use alloc::{borrow::ToOwned, string::String};

use everwire_protocol::Uuid;

use super::super::{RequestId, deadline::Deadline};

/// A request that is not answered by then is a reason to probe the connection, in ms. It is not given up: a browser opens few
/// connections to a host, and the request may still be waiting for one.
const LATE_MS: u64 = 10_000;
/// A request that is not answered by then is given up, in ms. After a sleep that was longer, nothing is left to wait for.
const LOST_MS: u64 = 35_000;
/// A request that fails after a successful one is followed by the next within this time, in ms.
pub(crate) const FIRST_RETRY_MS: u64 = 500;
/// A message has been refused for good when failures of requests with nothing else add up to this, and a request without
/// a message succeeded after each of them.
const PROVEN: u32 = 8;

/// How a request failed, and what that says about its content.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Failure {
    /// Something between answered in a way that will not change.
    Refused,
    /// Nothing readable came back. In a browser a refusal for another origin looks like this as well.
    Unreadable,
    /// It will pass.
    Passing,
}

impl Failure {
    /// Of a response with this HTTP status; 0: there was none.
    pub(crate) fn of(status: u16) -> Self {
        match status {
            // Sign in to the network, too slow, too early, too often: all of these pass.
            401 | 407 | 408 | 425 | 429 | 511 => Self::Passing,
            // What is not a batch comes from something between.
            200..=499 => Self::Refused,
            _ => Self::Unreadable,
        }
    }

    fn evidence(self) -> u32 {
        match self {
            Self::Refused => PROVEN / 2,
            Self::Unreadable => 1,
            Self::Passing => 0,
        }
    }
}

/// A message or request that failed alone.
#[derive(Debug)]
struct Suspect {
    id: Uuid,
    evidence: u32,
    reason: String,
    /// The next request has no content, or the one under way: whether anything gets through.
    checking: bool,
}

/// Whether a request takes too long.
pub(crate) enum Overdue {
    No,
    /// Long enough to probe the connection.
    Late,
    /// It will not be answered.
    Lost,
}

/// A request under way.
#[derive(Debug)]
struct Request {
    id: RequestId,
    due: Deadline,
    lost_at: u64,
}

#[derive(Debug)]
pub(crate) struct Post {
    request: Option<Request>,
    /// The serial number of the token of that request.
    token: u32,
    /// The message or request in it, if that is all it holds.
    alone: Option<Uuid>,
    retry_at: Option<u64>,
    /// Failed requests in a row.
    failures: u32,
    /// How many frames the next request may have. One after a failure, and twice as many after each success.
    most: usize,
    suspect: Option<Suspect>,
}

impl Default for Post {
    fn default() -> Self {
        Self {
            request: None,
            token: 0,
            alone: None,
            retry_at: None,
            failures: 0,
            most: usize::MAX,
            suspect: None,
        }
    }
}

impl Post {
    pub(crate) fn request(&self) -> Option<RequestId> {
        self.request.as_ref().map(|request| request.id)
    }

    pub(crate) fn token(&self) -> u32 {
        self.token
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    pub(crate) fn answer_due_at(&self) -> Option<u64> {
        self.request.as_ref().map(|request| request.due.when())
    }

    pub(crate) fn retry_at(&self) -> Option<u64> {
        self.retry_at
    }

    pub(crate) fn overdue(&mut self, now: u64) -> Overdue {
        let Some(request) = &mut self.request else { return Overdue::No };
        if !request.due.expired(now) {
            return Overdue::No;
        }
        if now >= request.lost_at {
            return Overdue::Lost;
        }
        request.due = Deadline::at(request.lost_at);
        Overdue::Late
    }

    /// Whether a request may be sent now.
    pub(crate) fn is_free(&self) -> bool {
        self.request.is_none() && self.retry_at.is_none()
    }

    /// How many frames the next request may have.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Whether the next request is to have no content.
    pub(crate) fn is_checking(&self) -> bool {
        self.suspect.as_ref().is_some_and(|suspect| suspect.checking)
    }

    /// `alone`: the message or request in it, if that is all it holds.
    pub(crate) fn sent(&mut self, now: u64, request: RequestId, token: u32, alone: Option<Uuid>) {
        self.request =
            Some(Request { id: request, due: Deadline::at(now + LATE_MS), lost_at: now + LOST_MS });
        self.token = token;
        self.alone = alone;
    }

    /// Everything in the request was answered. Returns a message or request that has proven to be refused for good, and
    /// how.
    pub(crate) fn succeeded(&mut self) -> Option<(Uuid, String)> {
        self.request = None;
        self.failures = 0;
        let Some(suspect) = self.suspect.as_mut().filter(|suspect| suspect.checking) else {
            self.most = self.most.saturating_mul(2);
            self.suspect.take_if(|suspect| self.alone == Some(suspect.id));
            return None;
        };
        suspect.checking = false;
        let proven = self.suspect.take_if(|suspect| suspect.evidence >= PROVEN)?;
        Some((proven.id, proven.reason))
    }

    /// The request failed. Returns it, to be aborted.
    pub(crate) fn failed(&mut self, failure: Failure, reason: &str) -> Option<RequestId> {
        self.failures += 1;
        self.most = 1;
        if let Some(id) = self.alone {
            let before =
                self.suspect.take_if(|suspect| suspect.id == id).map_or(0, |suspect| suspect.evidence);
            let evidence = before + failure.evidence();
            self.suspect = Some(Suspect { id, evidence, reason: reason.to_owned(), checking: true });
        } else if self.is_checking() {
            // If nothing gets through, the content is not to blame.
            self.suspect = None;
        }
        self.request.take().map(|request| request.id)
    }

    pub(crate) fn retry_later(&mut self, at: u64) {
        self.retry_at = Some(at);
    }

    pub(crate) fn retry(&mut self) {
        self.retry_at = None;
    }
}
