//! Checks the oracles: each planted bug is found within a bounded number of seeds, by a matching rule.

use everwire_sim::{
    case::Case,
    fault::Kind,
    mutants::Mutant,
    play::Play,
    runner,
    shrink::shrink,
    violation::Rule::{self, *},
    world,
};

/// The maximum number of seeds.
const WITHIN: u64 = 400;

/// A client that polls replaces its token by one that no longer grants a channel in which others write.
const A_GRANT_IS_WITHDRAWN: &str =
    "clients=4 channels=1 nodes=1 seconds=90 faults=block_websocket,permission";

fn found(mutant: Mutant, by: &[Rule]) {
    let report = runner::run(0, WITHIN, Some(mutant), |_| {});
    let Some((case, violation)) = report.failures.first() else {
        panic!("{} was not found within {WITHIN} seeds", mutant.name());
    };
    assert!(by.contains(&violation.rule), "{} was found by {violation} in {case}", mutant.name());
}

/// The same, in runs with one more kind of fault.
fn found_with(kind: Kind, mutant: Mutant, by: &[Rule]) {
    let report = runner::run_cases(0, WITHIN, Some(mutant), |seed| Case::of(seed).with(kind), |_| {});
    let Some((case, violation)) = report.failures.first() else {
        panic!("{} was not found within {WITHIN} seeds", mutant.name());
    };
    assert!(by.contains(&violation.rule), "{} was found by {violation} in {case}", mutant.name());
}

/// The same, in runs in which applications do something more.
fn found_playing(play: Play, mutant: Mutant, by: &[Rule]) {
    let report = runner::run_cases(0, WITHIN, Some(mutant), |seed| Case::of(seed).playing(play), |_| {});
    let Some((case, violation)) = report.failures.first() else {
        panic!("{} was not found within {WITHIN} seeds", mutant.name());
    };
    assert!(by.contains(&violation.rule), "{} was found by {violation} in {case}", mutant.name());
}

/// The same, among the seeds of a small case in which its rare moment is less rare.
fn found_like(mutant: Mutant, case: &str, by: Rule) {
    found_like_any(mutant, case, &[by]);
}

/// The same, by one of several rules.
fn found_like_any(mutant: Mutant, case: &str, by: &[Rule]) {
    let small = |seed| format!("seed={seed} {case}").parse().unwrap_or_else(|_| panic!("{case} is no case"));
    let report = runner::run_cases(0, 2 * WITHIN, Some(mutant), small, |_| {});
    let Some((case, violation)) = report.failures.first() else {
        panic!("{} was not found in {case}", mutant.name());
    };
    assert!(by.contains(&violation.rule), "{} was found by {violation} in {case}", mutant.name());
}

#[test]
fn a_position_that_moves_after_the_listener() {
    found(Mutant::PositionAfterListener, &[Duplicated, Lost, Protocol, Marks]);
}

#[test]
fn a_core_that_does_not_hear_what_was_delivered_before_a_listener_acted() {
    found(Mutant::StretchUntold, &[Position, Marks, Duplicated, Lost, Protocol]);
}

#[test]
fn a_core_that_hears_of_more_than_was_delivered() {
    found(Mutant::StretchToldTooFar, &[Position, Lost, Marks, Gap]);
}

#[test]
fn an_epoch_that_is_ignored() {
    found(Mutant::EpochIgnored, &[WrongEntry, Gap, Lost, Quiet]);
}

#[test]
fn a_run_that_the_server_ignores() {
    found(Mutant::RunIgnored, &[WrongEntry, Gap, Lost, Quiet, Marks]);
}

#[test]
fn a_run_that_the_client_does_not_say() {
    found(Mutant::RunUnsaid, &[WrongEntry, Gap, Lost, Quiet, Marks]);
}

#[test]
fn stale_outgoing_frames_kept_after_a_failed_reconnect() {
    found(Mutant::StaleOutgoing, &[Quiet, SendOrder, Lost, Protocol, Gap, Presence, Signals]);
}

#[test]
fn an_ack_before_the_commit() {
    found(Mutant::AckBeforeCommit, &[AckedIsStored]);
}

#[test]
fn copies_that_are_stored_again() {
    found(Mutant::DedupeOff, &[StoredTwice, Offset]);
}

#[test]
fn a_replay_that_is_off_by_one_at_the_seam() {
    found(Mutant::ReplayOffByOne, &[Quiet, Lost, Bounded]);
}

#[test]
fn a_gap_that_is_not_declared() {
    found(Mutant::GapNotDeclared, &[Gap, Lost]);
}

#[test]
fn a_refusal_without_deferring() {
    found(Mutant::NoDeferring, &[SendOrder, Quiet]);
}

#[test]
fn a_resend_out_of_order() {
    found(Mutant::ResendReversed, &[SendOrder]);
}

#[test]
fn a_poll_response_that_is_not_kept_until_it_is_acknowledged() {
    found(Mutant::ResponseNotRetained, &[Presence, Lost, Protocol, Quiet]);
}

#[test]
fn subscriptions_that_are_not_named_again_on_a_reconnect() {
    found(Mutant::NotResubscribed, &[Quiet]);
}

#[test]
fn entries_for_a_subscription_that_has_ended() {
    found(Mutant::DeliveredAfterUnsubscribe, &[AfterUnsubscribe]);
}

#[test]
fn commits_that_a_crash_undoes() {
    found(Mutant::LostOnCrash, &[Offset, Gap, Lost, WrongEntry, Quiet, AckedIsStored, StoredTwice]);
}

#[test]
fn members_who_left_and_are_still_listed() {
    found(Mutant::LeaveForgotten, &[Presence]);
}

/// Rare: marks only rise, so that the last one of a user has to be the one that is not kept.
#[test]
fn marks_that_are_confirmed_and_not_kept() {
    let case = "clients=3 channels=2 nodes=1 seconds=60 faults=crash,store_fails,store_slow talk=yes";
    found_like(Mutant::MarksToldAndNotKept, case, Marks);
}

#[test]
fn marks_of_the_server_that_the_core_does_not_hear_of() {
    found(Mutant::MarksUnheard, &[Marks]);
}

/// Rare: the data has to be lost while a mark is in flight. So cases are run in which that happens.
#[test]
fn marks_of_a_log_that_was_replaced() {
    let case = "clients=1 channels=2 nodes=1 seconds=23 faults=wipe,store_slow talk=yes";
    found_like(Mutant::MarksOfAnotherLog, case, Marks);
}

#[test]
fn typing_that_never_ends() {
    found(Mutant::TypingForever, &[Typing]);
}

#[test]
fn entries_that_are_published_before_they_are_stored() {
    found(Mutant::PublishBeforeCommit, &[WrongEntry]);
}

#[test]
fn a_subscription_that_begins_after_the_log_was_read() {
    found(Mutant::SubscribeAfterRead, &[Presence, Quiet]);
}

#[test]
fn what_a_full_mailbox_loses() {
    found(Mutant::MailboxLoses, &[Quiet, Presence, Lost, Hangs]);
}

#[test]
fn a_commit_that_is_reported_as_failed_and_happened() {
    found(Mutant::CommitReportedFailed, &[Quiet]);
}

/// Needs a user who is removed from a chat while reading it, in a scene of its own.
#[test]
fn a_permission_that_is_not_checked_again_after_reading() {
    let leaks = |mutant| {
        let scenes: Vec<_> = (0..WITHIN).filter_map(|seed| world::permits::leaks(seed, mutant)).collect();
        assert!(scenes.len() as u64 > WITHIN / 2, "only {} scenes could be set", scenes.len());
        scenes.into_iter().filter(|leaks| *leaks).count()
    };
    assert_eq!(leaks(None), 0);
    assert!(leaks(Some(Mutant::SecondPermitLeftOut)) > 0);
}

#[test]
fn a_ban_that_open_connections_do_not_learn_of() {
    found_with(Kind::Permission, Mutant::BanNotTold, &[Permission, Ended]);
}

#[test]
fn bans_that_a_restarted_node_has_forgotten() {
    found_with(Kind::Permission, Mutant::BansNotLoaded, &[Permission]);
}

#[test]
fn what_a_banned_user_writes_and_is_stored() {
    found_with(Kind::Permission, Mutant::BannedStillWrites, &[Permission]);
}

#[test]
fn a_member_who_is_removed_and_reads_on() {
    found_with(Kind::Permission, Mutant::RemovalNotTold, &[Permission]);
}

#[test]
fn a_chat_that_does_not_look_at_its_members() {
    found_with(Kind::Permission, Mutant::MembersNotChecked, &[Permission]);
}

#[test]
fn a_change_of_a_chat_that_is_reported_as_failed_and_happened() {
    let case = "clients=2 channels=2 nodes=1 seconds=60 faults=wipe,trim,store_doubt,permission";
    found_like(Mutant::ChatsInDoubtForgotten, case, Quiet);
}

#[test]
fn a_deletion_of_a_chat_that_is_reported_as_failed_and_happened() {
    let case = "clients=2 channels=2 nodes=1 seconds=60 faults=store_doubt,erasure plays=chats";
    // Who is erased cannot leave such a chat, either.
    found_like_any(Mutant::DeletionsInDoubtForgotten, case, &[Chats, Quiet]);
}

#[test]
fn an_erasure_that_is_over_before_anything_was_removed() {
    found_with(Kind::Erasure, Mutant::ErasureEndsAtOnce, &[Texts]);
}

#[test]
fn an_erasure_that_leaves_out_a_log() {
    found_with(Kind::Erasure, Mutant::ErasureSkipsALog, &[Texts]);
}

#[test]
fn a_new_token_that_ends_nothing() {
    found_like(Mutant::LostGrantsKept, A_GRANT_IS_WITHDRAWN, Permission);
}

#[test]
fn a_new_token_that_a_poll_brings_and_nobody_looks_at() {
    found_like(Mutant::LaterTokensIgnored, A_GRANT_IS_WITHDRAWN, Permission);
}

#[test]
fn an_outbox_that_the_server_empties_by_ending_the_page() {
    found_with(Kind::Permission, Mutant::OutboxEmptiedAtTheEnd, &[Written]);
}

#[test]
fn an_outbox_that_is_restored_in_reverse_order() {
    found_with(Kind::Reload, Mutant::RestoredReversed, &[SendOrder]);
}

#[test]
fn what_was_acknowledged_and_is_restored() {
    found_with(Kind::Reload, Mutant::AckedStaysKept, &[Resolved]);
}

#[test]
fn a_refusal_by_a_proxy_that_is_taken_for_one_that_passes() {
    found_with(Kind::Proxy, Mutant::RefusalTakenForPassing, &[Quiet]);
}

#[test]
fn a_websocket_that_was_given_up_and_is_never_tried_again() {
    found_with(Kind::Move, Mutant::GivenUpForGood, &[Quiet]);
}

#[test]
fn a_websocket_that_ended_because_of_a_message_and_counts_as_cut() {
    found_with(Kind::CutMessages, Mutant::CutForAnyReason, &[Quiet]);
}

#[test]
fn a_send_that_was_named_with_others_and_counts_as_refused() {
    found_with(Kind::RefuseBatches, Mutant::NamedTakenForRefused, &[Resolved, Settled]);
}

#[test]
fn an_entry_that_cannot_be_read_and_comes_again_for_ever() {
    found_with(Kind::SpoilEntries, Mutant::UnreadableStays, &[Protocol]);
}

#[test]
fn a_refused_batch_of_which_only_the_first_send_is_named() {
    found_with(Kind::RefuseBatches, Mutant::FirstNamed, &[Protocol]);
}

#[test]
fn answers_that_are_matched_by_their_order() {
    found_playing(Play::Chats, Mutant::AnswersInOrder, &[Settled]);
}

#[test]
fn an_answer_to_a_request_that_was_settled_before() {
    found_playing(Play::Chats, Mutant::AnswersUnasked, &[Settled]);
}

#[test]
fn an_answer_that_the_server_loses() {
    // A POST that waits for the answer is never over.
    found_playing(Play::Chats, Mutant::AnswersLost, &[Settled, Quiet]);
}

#[test]
fn a_chat_that_is_made_twice() {
    found_playing(Play::Chats, Mutant::ChatsMadeAgain, &[Chats]);
}

#[test]
fn a_member_whom_somebody_removes_who_may_not() {
    found_playing(Play::Chats, Mutant::AnybodyRemoves, &[Chats]);
}

#[test]
fn somebody_who_has_left_a_chat_and_reads_on() {
    found_playing(Play::Chats, Mutant::RemovalNotTold, &[Permission, Chats]);
}

/// Needs mail that waits: a task that does not run for a while.
#[test]
fn what_is_delivered_directly_before_the_mail_that_ends_a_subscription() {
    let case = "clients=4 channels=1 nodes=1 seconds=90 faults=permission,stall";
    found_like(Mutant::MailOvertaken, case, Permission);
}

#[test]
fn a_page_of_history_that_is_off_by_one() {
    found_playing(Play::History, Mutant::PagesOffByOne, &[History]);
}

#[test]
fn texts_in_memory_that_stay_what_they_were() {
    found_playing(Play::Edits, Mutant::CacheNotBlanked, &[Texts]);
}

#[test]
fn edits_of_a_deleted_message_that_keep_their_text() {
    found_playing(Play::Edits, Mutant::EditsNotBlanked, &[Texts]);
}

#[test]
fn a_signal_that_is_kept_for_the_next_connection() {
    found_playing(Play::Signals, Mutant::SignalKept, &[Signals]);
}

#[test]
fn a_signal_that_comes_back_to_its_sender() {
    found_playing(Play::Signals, Mutant::SignalsEchoed, &[Signals]);
}

#[test]
fn a_signal_for_one_connection_that_all_receive() {
    found_playing(Play::Signals, Mutant::SignalsToAll, &[Signals]);
}

#[test]
fn a_signal_of_one_who_may_not_send() {
    let case = "clients=4 channels=2 nodes=1 seconds=90 faults=permission plays=signals";
    found_like(Mutant::SignalsUnchecked, case, Permission);
}

#[test]
fn every_planted_bug_has_a_test() {
    let source = include_str!("mutants.rs");
    for mutant in Mutant::ALL {
        assert!(
            [",", ")"].iter().any(|end| source.contains(&format!("Mutant::{mutant:?}{end}"))),
            "{mutant:?}"
        );
    }
}

#[test]
fn a_failing_case_is_made_smaller() {
    let report = runner::run(201, WITHIN, Some(Mutant::AckBeforeCommit), |_| {});
    let (case, violation) = report.failures.first().unwrap();
    let smaller = shrink(*case, Some(Mutant::AckBeforeCommit), violation.rule);
    assert!(smaller.clients == 1 && smaller.seconds <= 5, "{smaller}");
    assert_eq!(smaller.kinds.iter().count(), 0, "it needs no fault: {smaller}");
}
