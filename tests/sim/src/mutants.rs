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
    /// When a listener acts, the core never hears how far the batch was delivered before.
    StretchUntold = "stretch_untold";
    /// The core hears that one entry more was delivered than there were when a listener acts.
    StretchToldTooFar = "stretch_told_too_far";
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
    /// Entries that a node delivers directly overtake what waits in a connection's mailbox.
    MailOvertaken = "mail_overtaken";
    /// A successful commit is reported as failed, and nothing of it is published.
    CommitReportedFailed = "commit_reported_failed";
    /// A ban or a revocation does not reach open connections.
    BanNotTold = "ban_not_told";
    /// A node does not read at its start who is banned.
    BansNotLoaded = "bans_not_loaded";
    /// What a banned user sends is stored.
    BannedStillWrites = "banned_still_writes";
    /// Whoever is removed from a chat keeps the subscriptions.
    RemovalNotTold = "removal_not_told";
    /// The channels of chats are open to everybody.
    MembersNotChecked = "members_not_checked";
    /// A change of a chat that was reported as failed but happened is never looked for.
    ChatsInDoubtForgotten = "chats_in_doubt_forgotten";
    /// A deletion of a chat that was reported as failed but happened is never looked for.
    DeletionsInDoubtForgotten = "deletions_in_doubt_forgotten";
    /// An erasure is over before anything was removed.
    ErasureEndsAtOnce = "erasure_ends_at_once";
    /// An erasure leaves one log as it is.
    ErasureSkipsALog = "erasure_skips_a_log";
    /// A new token does not end what it no longer grants.
    LostGrantsKept = "lost_grants_kept";
    /// The token of a later poll is not looked at.
    LaterTokensIgnored = "later_tokens_ignored";
    /// A page that the server ends deletes what it has written.
    OutboxEmptiedAtTheEnd = "outbox_emptied_at_the_end";
    /// The next page restores what was written in reverse order.
    RestoredReversed = "restored_reversed";
    /// What is acknowledged stays in the browser's database.
    AckedStaysKept = "acked_stays_kept";
    /// The client matches answers to requests by their order.
    AnswersInOrder = "answers_in_order";
    /// The client passes answers on without asking the core whether the request still waits.
    AnswersUnasked = "answers_unasked";
    /// A node loses some answers.
    AnswersLost = "answers_lost";
    /// A chat that is created again begins anew.
    ChatsMadeAgain = "chats_made_again";
    /// Anybody may remove members of a chat.
    AnybodyRemoves = "anybody_removes";
    /// A page of history ends one entry too early.
    PagesOffByOne = "pages_off_by_one";
    /// The entries in a node's memory stay what they were before an edit or a deletion.
    CacheNotBlanked = "cache_not_blanked";
    /// The edits of a message that is deleted keep their text.
    EditsNotBlanked = "edits_not_blanked";
    /// The client keeps a signal that was sent without a connection for the next one.
    SignalKept = "signal_kept";
    /// A node delivers a signal to its sender as well.
    SignalsEchoed = "signals_echoed";
    /// A node delivers a signal that is for one connection to all subscribers.
    SignalsToAll = "signals_to_all";
    /// A node passes on signals of users who are not permitted to send.
    SignalsUnchecked = "signals_unchecked";
    /// The client takes a proxy's refusal for one that passes.
    RefusalTakenForPassing = "refusal_taken_for_passing";
    /// A page that has given up WebSocket never opens one again.
    GivenUpForGood = "given_up_for_good";
    /// The client takes a WebSocket that ended because of a message for one that was cut.
    CutForAnyReason = "cut_for_any_reason";
    /// The client takes a send that is named with others in a refused batch for the one that is refused.
    NamedTakenForRefused = "named_taken_for_refused";
    /// The client does not move past an entry that it cannot read.
    UnreadableStays = "unreadable_stays";
    /// A node names only the first send of a batch that it refuses.
    FirstNamed = "first_named";
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
            Self::MailOvertaken => Some(Planted::MailOvertaken),
            Self::CommitReportedFailed => Some(Planted::CommitReportedFailed),
            Self::BanNotTold => Some(Planted::BanNotTold),
            Self::BansNotLoaded => Some(Planted::BansNotLoaded),
            Self::BannedStillWrites => Some(Planted::BannedStillWrites),
            Self::RemovalNotTold => Some(Planted::RemovalNotTold),
            Self::MembersNotChecked => Some(Planted::MembersNotChecked),
            Self::ChatsInDoubtForgotten => Some(Planted::ChatsInDoubtForgotten),
            Self::DeletionsInDoubtForgotten => Some(Planted::DeletionsInDoubtForgotten),
            Self::ErasureEndsAtOnce => Some(Planted::ErasureEndsAtOnce),
            Self::AnswersLost => Some(Planted::AnswersLost),
            Self::ChatsMadeAgain => Some(Planted::ChatsMadeAgain),
            Self::AnybodyRemoves => Some(Planted::AnybodyRemoves),
            Self::CacheNotBlanked => Some(Planted::CacheNotBlanked),
            Self::SignalsEchoed => Some(Planted::SignalsEchoed),
            Self::SignalsToAll => Some(Planted::SignalsToAll),
            Self::SignalsUnchecked => Some(Planted::SignalsUnchecked),
            _ => None,
        }
    }

    /// The bug with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mutant| mutant.name() == name)
    }
}
