//! What a run can find: a rule that was broken, and how.

use std::fmt;

/// The rules that are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// Offsets of one log are contiguous and given once.
    Offset,
    /// An id is stored once.
    StoredTwice,
    /// One client's sends are in a log in the order of its calls.
    SendOrder,
    /// What is acked is in the log, where the ack says.
    AckedIsStored,
    /// A send is resolved exactly once, and its states make sense.
    Resolved,
    /// A subscriber got something that it had already.
    Duplicated,
    /// A subscriber did not get something, and no gap was declared.
    Lost,
    /// A subscriber got something else than what the log has there.
    WrongEntry,
    /// A gap is declared exactly when and for what cannot be had.
    Gap,
    /// Nothing is delivered to a subscription that was ended.
    AfterUnsubscribe,
    /// A position moves by delivery or by a declared gap only.
    Position,
    /// Neither side breaks the protocol.
    Protocol,
    /// A client ends only when its application says so.
    Ended,
    /// What a client holds stays bounded; nothing runs in circles.
    Bounded,
    /// Something is always being waited for.
    Hangs,
    /// Once faults stop, all becomes quiet: connected, everything sent, everybody at the end of the log.
    Quiet,
    /// Who is listed as present is present.
    Presence,
    /// What was marked as received and read is known to the server in the end, and nothing else.
    Marks,
    /// Typing is announced as often as promised and never late, and nobody is believed to type for ever.
    Typing,
}

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// What happened, for humans.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.what)
    }
}

/// A rule was broken.
pub fn violated<T>(rule: Rule, what: impl Into<String>) -> Result<T, Violation> {
    Err(Violation { rule, what: what.into() })
}
