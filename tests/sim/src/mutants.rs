//! Bugs that can be planted, to show that the oracles find them. Those of the client are in the simulation's driver, not in
//! the core; those in the order of the server's effects are in the server, behind its feature `planted`.

use everwire_server::environment::Planted;

macro_rules! mutants {
    ($($(#[$doc:meta])* $mutant:ident = $name:literal;)*) => {
        /// A planted bug.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Mutant { $($(#[$doc])* $mutant,)* }

        impl Mutant {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$mutant),*];

            /// Its name on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$mutant => $name),* }
            }
        }
    };
}

mutants! {
    /// A listener is called before the position advances; if it fails, the entry is delivered again.
    PositionAfterListener = "position_after_listener";
    /// The client ignores epochs, and gaps because of them.
    EpochIgnored = "epoch_ignored";
    /// The server ignores in which run a position has moved.
    RunIgnored = "run_ignored";
    /// A client does not say in which run its positions have moved.
    RunUnsaid = "run_unsaid";
    /// Ephemeral frames of a dead socket are sent on the next one.
    StaleOutgoing = "stale_outgoing";
    /// A node acknowledges before the store commits.
    AckBeforeCommit = "ack_before_commit";
    /// The store does not recognise copies.
    DedupeOff = "dedupe_off";
    /// One entry between replay and live entries is skipped.
    ReplayOffByOne = "replay_off_by_one";
    /// A gap is not reported to the application.
    GapNotDeclared = "gap_not_declared";
    /// After a retryable refusal, later sends are stored anyway.
    NoDeferring = "no_deferring";
    /// Resends after a reconnect are in reverse order.
    ResendReversed = "resend_reversed";
    /// A poll's response is dropped once it was sent: the next one continues after it.
    ResponseNotRetained = "response_not_retained";
    /// A reconnect does not resubscribe.
    NotResubscribed = "not_resubscribed";
    /// Entries are delivered to a listener whose subscription has ended.
    DeliveredAfterUnsubscribe = "delivered_after_unsubscribe";
    /// A crash loses the last acknowledged entries.
    LostOnCrash = "lost_on_crash";
    /// Users who have left stay in the list of members.
    LeaveForgotten = "leave_forgotten";
    /// Read marks are sometimes confirmed but not kept.
    MarksToldAndNotKept = "marks_told_and_not_kept";
    /// A client does not pass the server's marks to its core.
    MarksUnheard = "marks_unheard";
    /// Marks are applied to the current log, whatever their epoch.
    MarksOfAnotherLog = "marks_of_another_log";
    /// The end of typing is ignored.
    TypingForever = "typing_forever";
    /// A node publishes entries before the store commits them.
    PublishBeforeCommit = "publish_before_commit";
    /// A node reads the state of a log before it subscribes.
    SubscribeAfterRead = "subscribe_after_read";
    /// A node does not check again whether a user may have what was read.
    SecondPermitLeftOut = "second_permit_left_out";
    /// Messages that do not fit into a connection's mailbox are lost unnoticed.
    MailboxLoses = "mailbox_loses";
    /// A successful commit is reported as failed, and nothing of it is published.
    CommitReportedFailed = "commit_reported_failed";
}

impl Mutant {
    /// The corresponding bug of the real server, if any.
    pub const fn of_server(self) -> Option<Planted> {
        match self {
            Self::AckBeforeCommit => Some(Planted::AckBeforeCommit),
            Self::PublishBeforeCommit => Some(Planted::PublishBeforeCommit),
            Self::SubscribeAfterRead => Some(Planted::SubscribeAfterRead),
            Self::SecondPermitLeftOut => Some(Planted::SecondPermitLeftOut),
            Self::MailboxLoses => Some(Planted::MailboxLoses),
            Self::CommitReportedFailed => Some(Planted::CommitReportedFailed),
            _ => None,
        }
    }

    /// The bug with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mutant| mutant.name() == name)
    }
}
