//! The rules of a run, and their violations.

use std::fmt;

/// The rules that are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// Offsets of one log are contiguous and assigned once.
    Offset,
    /// An id is stored once.
    StoredTwice,
    /// One client's sends are in a log in the order of its calls.
    SendOrder,
    /// An acknowledged entry is in the log, at the position of the ack.
    AckedIsStored,
    /// A send is settled exactly once, and its states are consistent.
    Resolved,
    /// Every entry is delivered once.
    Duplicated,
    /// Every entry is delivered, unless a gap is declared.
    Lost,
    /// A delivered entry is the one in the log.
    WrongEntry,
    /// A gap is declared exactly for what cannot be recovered.
    Gap,
    /// Nothing is delivered to a subscription that has ended.
    AfterUnsubscribe,
    /// A position changes only by delivery or by a declared gap.
    Position,
    /// Neither side violates the protocol.
    Protocol,
    /// A client closes only when its application closes it.
    Ended,
    /// The memory of a client stays bounded; nothing loops endlessly.
    Bounded,
    /// There is always a pending event.
    Hangs,
    /// Once faults stop, everything becomes quiet: all connected, everything sent, everybody at the end of the log.
    Quiet,
    /// Listed members are present.
    Presence,
    /// In the end the server has the marks that were set, and no others.
    Marks,
    /// Typing is announced as often as specified and never late, and no typing indicator stays for ever.
    Typing,
    /// Nothing is read, and nothing stored, without present permission.
    Permission,
    /// A request is settled once, by its own answer or an error that it may have.
    Settled,
    /// Pages of a log join, hold what was committed, and say rightly whether there is more.
    History,
    /// What was replaced or deleted is given to nobody who asks later, and only those who may replace it.
    Texts,
    /// Chats change as those who may have asked for it, and are listed as they are.
    Chats,
    /// A signal leaves within 3 s or never, and is delivered as it was sent, to those whom it is for, once.
    Signals,
    /// What was written is in the outbox, or answered.
    Written,
}

/// A violation.
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

/// A rule was violated.
pub fn violated<T>(rule: Rule, what: impl Into<String>) -> Result<T, Violation> {
    Err(Violation { rule, what: what.into() })
}
