//! POSTs that fail, are not answered, or are answered in part: what they held is sent again, in order, and receiving goes on.

use everwire_client_core::{Config, Input, Output, RequestId, Status};
use everwire_protocol::{ClientFrame, ErrorCode};

use crate::harness::{Harness, Progress, ack, config, error, ids, polled, wants_request, welcome};

/// Connected by polling, with a poll held, and nothing to send.
fn polling(config: Config) -> (Harness, RequestId) {
    let mut harness = Harness::started(Config { websocket: false, ..config });
    if harness.outputs.contains(&Output::FetchToken) {
        harness.tell(Input::Token("one".into()));
    }
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9)]);
    harness.pass_until(9_000, wants_request);
    let (held, ..) = harness.wants_request();
    harness.outputs.clear();
    (harness, held)
}

/// The next request that sends, with the messages in it; polls in between are left without an answer.
fn next_post(harness: &mut Harness, most: u64) -> (RequestId, Vec<u128>) {
    let end = harness.now.mono + most;
    loop {
        harness.pass_until(end - harness.now.mono, wants_request);
        let (request, frames, _) = harness.wants_request();
        if !frames.iter().any(|frame| matches!(frame, ClientFrame::Poll(_))) {
            return (request, ids(&frames));
        }
    }
}

#[test]
fn promise_4_a_post_without_an_answer_is_waited_for_and_then_sent_again() {
    let (mut harness, _) = polling(config());
    harness.send(1, "news");
    let (post, sent) = next_post(&mut harness, 1);
    assert_eq!(sent, [1]);
    // A probe by polling, and no second copy.
    let took = harness.pass_until(11_000, wants_request);
    assert!((9_900..=10_100).contains(&took), "{took}");
    let (probe, frames, _) = harness.wants_request();
    assert!(matches!(frames[1], ClientFrame::Poll(_)), "{frames:?}");
    harness.responds(probe, &[polled(2)]);
    assert!(!harness.outputs.contains(&Output::Abort(post)));
    let started = harness.now.mono;
    // First without content, to see whether anything gets through.
    let (check, sent) = next_post(&mut harness, 26_000);
    let took = harness.now.mono - started;
    assert!((24_900..=25_700).contains(&took), "{took}");
    assert_eq!(sent, []);
    assert!(harness.outputs.contains(&Output::Abort(post)));
    harness.responds(check, &[]);
    let (_, sent) = next_post(&mut harness, 1_000);
    assert_eq!(sent, [1]);
    assert!(harness.core.report().contains("\ntransport HTTP polling\n"), "receiving goes on");
}

#[test]
fn promise_10_a_post_from_before_a_sleep_does_not_hold_up_what_is_sent_after_it() {
    let (mut harness, _) = polling(config());
    harness.send(1, "news");
    let (post, sent) = next_post(&mut harness, 1);
    assert_eq!(sent, [1]);
    harness.now.wall += 70_000;
    harness.tell(Input::Timeout);
    // Its timer is late, so it gets the second that every deadline gets then.
    let (check, sent) = next_post(&mut harness, 2_000);
    assert_eq!(sent, []);
    assert!(harness.outputs.contains(&Output::Abort(post)));
    harness.responds(check, &[]);
    let (_, sent) = next_post(&mut harness, 1_000);
    assert_eq!(sent, [1]);
}

#[test]
fn promise_7_posts_that_fail_in_a_row_come_further_and_further_apart() {
    let (mut harness, _) = polling(config());
    harness.send(1, "news");
    let mut waits = Vec::new();
    for _ in 0..8 {
        let (request, _) = next_post(&mut harness, 60_000);
        harness.tell(Input::RequestFailed { request, status: 503, reason: "busy".into() });
        waits.push(harness.now.mono);
    }
    let waits: Vec<u64> = waits.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits[0] <= 500, "{waits:?}");
    assert!(waits[1..].iter().all(|wait| *wait >= 250), "{waits:?}");
    assert!(waits[4..].iter().any(|wait| *wait > 4_000), "{waits:?}");
}

#[test]
fn promise_4_what_a_post_leaves_unanswered_is_sent_again_and_what_it_answers_is_not() {
    let (mut harness, _) = polling(config());
    harness.send(1, "news");
    let (post, _) = next_post(&mut harness, 1);
    for n in 2..=3 {
        harness.send(n, "news");
    }
    harness.responds(post, &[ack(1, 1)]);
    let (post, sent) = next_post(&mut harness, 1);
    assert_eq!(sent, [2, 3]);
    harness.responds(post, &[ack(2, 2)]);
    let (post, sent) = next_post(&mut harness, 1_000);
    assert_eq!(sent, [3]);
    harness.responds(post, &[ack(3, 3)]);
    harness.pass(5_000);
    assert!(harness.core.report().contains("\noutbox 0\n"));
}

#[test]
fn promise_13_what_a_post_refuses_is_the_token_that_it_was_sent_with() {
    let (mut harness, held) = polling(Config { token: true, ..config() });
    harness.send(1, "news");
    let (post, _) = next_post(&mut harness, 1);
    // Long after it was requested: the first refusal is worth a new token, at once.
    harness.pass(9_000);
    harness.step(2_000);
    harness.responds(post, &[error(ErrorCode::Unauthorized, None, None)]);
    let (status, _, reason) = harness.state().unwrap();
    assert_eq!(
        (status, reason.as_str()),
        (Status::Waiting, "the token is no longer accepted; asking for a new one")
    );
    assert!(harness.outputs.contains(&Output::Abort(held)));
}

#[test]
fn a_post_under_way_is_looked_at_when_its_answer_is_due() {
    let (mut harness, _) = polling(config());
    harness.send(1, "news");
    next_post(&mut harness, 1);
    assert_eq!(harness.core.poll_timeout(), Some(1_000), "only the clocks are compared before that");
}

#[test]
fn promise_22_what_passed_once_is_not_blocked_whatever_happened_before() {
    let (mut harness, _) = polling(config());
    harness.send(1, "news");
    // The connection breaks, and works without the message: a little short of a proof that something blocks it.
    let breaks = |harness: &mut Harness| {
        let (request, sent) = next_post(harness, 60_000);
        assert_eq!(sent, [1]);
        harness.tell(Input::RequestFailed { request, status: 0, reason: "lost".into() });
        let (check, sent) = next_post(harness, 60_000);
        assert_eq!(sent, []);
        harness.responds(check, &[]);
    };
    (0..7).for_each(|_| breaks(&mut harness));
    // It passes, and the server asks to wait.
    let (post, sent) = next_post(&mut harness, 60_000);
    assert_eq!(sent, [1]);
    harness.responds(post, &[error(ErrorCode::RateLimited, Some(1), Some(100))]);
    (0..7).for_each(|_| breaks(&mut harness));
    let (post, sent) = next_post(&mut harness, 60_000);
    assert_eq!(sent, [1]);
    harness.responds(post, &[ack(1, 1)]);
    assert_eq!(harness.sendings().last(), Some(&(1, Progress::Stored)));
}
