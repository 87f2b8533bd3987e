//! Bugs that can be planted on purpose, to show that the oracles see them. Those of the client are in the simulation's own
//! driver, and its core is built as it always is; those in the order of the server's effects are in the server, behind its
//! feature `planted`.

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
    /// A listener runs before the position moves; if it fails, the entry comes again.
    PositionAfterListener = "position_after_listener";
    /// The client takes every log for the one that it knew first.
    EpochIgnored = "epoch_ignored";
    /// What could not be sent on a dead socket is sent on the next one.
    StaleOutgoing = "stale_outgoing";
    /// A node acknowledges before the store commits.
    AckBeforeCommit = "ack_before_commit";
    /// The store does not recognise copies.
    DedupeOff = "dedupe_off";
    /// At the seam between replay and live entries one is left out.
    ReplayOffByOne = "replay_off_by_one";
    /// A gap is not told to the application.
    GapNotDeclared = "gap_not_declared";
    /// After a refusal that can be retried, later sends are stored all the same.
    NoDeferring = "no_deferring";
    /// What is sent again after a reconnect goes out in reverse.
    ResendReversed = "resend_reversed";
    /// A poll's response is forgotten as soon as it was given: the next goes on from where it led.
    ResponseNotRetained = "response_not_retained";
    /// A reconnect does not name the subscriptions again.
    NotResubscribed = "not_resubscribed";
    /// Entries go on to a listener whose subscription was ended.
    DeliveredAfterUnsubscribe = "delivered_after_unsubscribe";
    /// A crash loses what was acknowledged last.
    LostOnCrash = "lost_on_crash";
    /// Who is gone stays in the list of members.
    LeaveForgotten = "leave_forgotten";
    /// Marks of what was read are confirmed and not kept, now and then.
    MarksToldAndNotKept = "marks_told_and_not_kept";
    /// A client does not tell its core which marks the server has.
    MarksUnheard = "marks_unheard";
    /// Marks are taken for those of the present log, whatever log was read.
    MarksOfAnotherLog = "marks_of_another_log";
    /// That somebody has stopped typing is not believed.
    TypingForever = "typing_forever";
    /// A node publishes entries before the store commits them.
    PublishBeforeCommit = "publish_before_commit";
    /// A node reads the state of a log, and then subscribes.
    SubscribeAfterRead = "subscribe_after_read";
    /// What does not fit into a connection's mailbox is lost, and nobody notices.
    MailboxLoses = "mailbox_loses";
    /// A commit that happened is reported as failed, and nothing of it is published.
    CommitReportedFailed = "commit_reported_failed";
}

impl Mutant {
    /// The bug of the real server that it stands for, if it is one of those.
    pub const fn of_server(self) -> Option<Planted> {
        match self {
            Self::AckBeforeCommit => Some(Planted::AckBeforeCommit),
            Self::PublishBeforeCommit => Some(Planted::PublishBeforeCommit),
            Self::SubscribeAfterRead => Some(Planted::SubscribeAfterRead),
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
