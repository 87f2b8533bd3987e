//! Bugs that can be planted on purpose, to show that the oracles see them. All of them are in the simulation's own
//! drivers, network and store: the cores are built as they always are.

macro_rules! plants {
    ($($(#[$doc:meta])* $plant:ident = $name:literal;)*) => {
        /// A planted bug.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Plant { $($(#[$doc])* $plant,)* }

        impl Plant {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$plant),*];

            /// Its name on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$plant => $name),* }
            }
        }
    };
}

plants! {
    /// A listener runs before the position moves; if it fails, the entry comes again.
    PositionAfterListener = "position_after_listener";
    /// The client takes every log for the one that it knew first.
    EpochIgnored = "epoch_ignored";
    /// What could not be sent on a dead socket is sent on the next one.
    StaleOutgoing = "stale_outgoing";
    /// The store acknowledges before it commits.
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
}

impl Plant {
    /// The bug with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|plant| plant.name() == name)
    }
}
