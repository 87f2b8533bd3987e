//! When a poll is repeated, given up or left alone.

use everwire_client_core::{Config, Input, Output, RequestId};
use everwire_protocol::ClientFrame;

use crate::harness::{Harness, config, message, polled, subscribed, wants_request, welcome};

/// Polling, with a poll under way that the server may hold.
fn polling(seed: u64, share_polls: bool) -> (Harness, RequestId) {
    let mut harness = Harness::new(Config { websocket: false, seed, share_polls, ..config() });
    harness.subscribe("news");
    harness.tell(Input::Start);
    let (request, ..) = harness.wants_request();
    if share_polls {
        harness.tell(Input::PollSlot);
    }
    harness.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 0, 0)]);
    let (request, frames, _) = harness.wants_request();
    assert!(matches!(&frames[1], ClientFrame::Poll(poll) if poll.hold_ms == 25_000), "{frames:?}");
    harness.outputs.clear();
    (harness, request)
}

/// Whether the poll that is under way is left to itself for a second.
fn left_alone(harness: &mut Harness) -> bool {
    harness.pass(1_000);
    !harness.outputs.iter().any(|output| matches!(output, Output::Abort(_) | Output::Request { .. }))
}

#[test]
fn promise_9_a_late_timer_gives_the_response_behind_it_a_chance() {
    let (mut harness, request) = polling(1, false);
    harness.tell(Input::Visible(false));
    harness.pass_until(20, wants_request);
    let (held, ..) = harness.wants_request();
    assert_ne!(held, request);
    harness.outputs.clear();
    // Throttled: what should have happened after 10 seconds happens after 59.
    harness.step(59_000);
    harness.tell(Input::Timeout);
    assert!(!harness.outputs.contains(&Output::Abort(held)));
    harness.responds(held, &[polled(2), message("news", 1)]);
    assert_eq!(harness.delivered.len(), 1);
}

#[test]
fn promise_7_polls_that_break_together_are_not_repeated_together() {
    let waits: Vec<u64> = (0..200)
        .map(|seed| {
            let (mut harness, request) = polling(seed, false);
            harness.tell(Input::RequestFailed { request, status: 502, reason: "HTTP status 502".into() });
            harness.pass_until(1_001, wants_request)
        })
        .collect();
    let early = waits.iter().filter(|wait| **wait < 500).count();
    assert!((70..130).contains(&early), "over a second, evenly: {early} of 200 in the first half");
}

#[test]
fn promise_10_a_probe_that_breaks_is_repeated_at_once() {
    for seed in 0..50 {
        let (mut harness, _) = polling(seed, false);
        harness.tell(Input::Online);
        let (request, frames, _) = harness.wants_request();
        assert!(matches!(&frames[1], ClientFrame::Poll(poll) if poll.hold_ms == 0), "{frames:?}");
        harness.tell(Input::RequestFailed { request, status: 502, reason: "HTTP status 502".into() });
        let wait = harness.pass_until(1_001, wants_request);
        assert!(wait <= 250, "{seed}: {wait}");
    }
}

#[test]
fn promise_26_a_slot_that_is_granted_again_leaves_the_poll_alone_that_is_held() {
    let (mut harness, _) = polling(1, true);
    harness.tell(Input::PollSlot);
    assert!(left_alone(&mut harness));
}

#[test]
fn a_page_that_is_seen_or_hidden_as_before_polls_as_before() {
    let (mut harness, _) = polling(1, true);
    harness.tell(Input::Visible(true));
    assert!(left_alone(&mut harness));
    assert!(!harness.outputs.contains(&Output::PollSlot(false)), "it still needs its slot");
    harness.tell(Input::Visible(false));
    harness.pass_until(20, wants_request);
    harness.outputs.clear();
    harness.tell(Input::Visible(false));
    assert!(left_alone(&mut harness));
}
