//! Promise 12: a lost response loses nothing, and one ordered POST at a time.

use everwire_client_core::{Config, Input, Output, RequestId};
use everwire_protocol::{ClientFrame, ErrorCode, Polled, ServerFrame, Unsubscribed, Uuid, Welcome};

use crate::harness::{
    Harness, Progress, ack, channel, config, error, ids, message, polled, subscribed, wants_request, welcome,
};

fn connected() -> Harness {
    let mut harness = Harness::new(Config { websocket: false, ..config() });
    harness.subscribe("news");
    harness.tell(Input::Start);
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 0, 0)]);
    harness
}

/// The poll that is wanted now, with its `poll` frame and the position of its first subscription.
fn wants_poll(harness: &mut Harness) -> (RequestId, everwire_protocol::Poll, Option<u64>) {
    harness.pass_until(8_000, wants_request);
    let (request, frames, _) = harness.wants_request();
    let ClientFrame::Poll(poll) = frames[1].clone() else { panic!("{frames:?}") };
    let offset = frames.iter().find_map(|frame| match frame {
        ClientFrame::Subscribe(s) => s.offset,
        _ => None,
    });
    (request, poll, offset)
}

#[test]
fn promise_12_each_poll_carries_what_came_before() {
    let mut harness = connected();
    let (request, poll, offset) = wants_poll(&mut harness);
    assert_eq!((poll.ack, poll.hold_ms, offset), (1, 25_000, Some(0)));
    assert_eq!(poll.connection.map(|c| c.as_u128()), Some(9));
    harness.responds(request, &[polled(2), message("news", 1)]);
    let (_, poll, offset) = wants_poll(&mut harness);
    assert_eq!((poll.ack, offset), (2, Some(1)));
}

#[test]
fn promise_12_a_lost_response_is_asked_for_again_by_the_same_ack() {
    let mut harness = connected();
    let (request, ..) = wants_poll(&mut harness);
    harness.tell(Input::RequestFailed { request, status: 0, reason: "lost".into() });
    let (request, poll, offset) = wants_poll(&mut harness);
    assert_eq!((poll.ack, offset), (1, Some(0)));
    harness.responds(request, &[polled(2), message("news", 1), message("news", 2)]);
    harness.responds(request, &[polled(2), message("news", 1), message("news", 2)]);
    assert_eq!(harness.delivered.len(), 2, "a response that comes twice counts once");
}

#[test]
fn promise_12_an_older_response_that_is_repeated_takes_no_acknowledgement_back() {
    let mut harness = connected();
    let (request, ..) = wants_poll(&mut harness);
    harness.responds(request, &[polled(2), message("news", 1)]);
    let (request, ..) = wants_poll(&mut harness);
    harness.responds(request, &[polled(3), message("news", 2)]);
    let (request, ..) = wants_poll(&mut harness);
    harness.responds(request, &[polled(2), message("news", 1)]);
    let (_, poll, offset) = wants_poll(&mut harness);
    assert_eq!((poll.ack, offset), (3, Some(2)));
    assert_eq!(harness.delivered.len(), 2);
}

fn polled_of(seq: u64, connection: u128) -> ServerFrame {
    Polled { seq, connection: Some(Uuid::from_u128(connection)) }.into()
}

#[test]
fn promise_12_nothing_of_a_repeated_response_counts() {
    let first = [polled(1), welcome(9), subscribed("news", "a", 0, 1), message("news", 1)];
    // An older one; one that is not due yet; one of another connection, whether it is due or not; and the first of all, with its welcome.
    let repeated: [&[ServerFrame]; 6] = [
        &[polled(2), message("news", 3)],
        &[polled(4), message("news", 3)],
        &[polled_of(3, 77), message("news", 3)],
        &[polled_of(2, 77), message("news", 3)],
        &[polled_of(3, 77), error(ErrorCode::Banned, None, None)],
        &first,
    ];
    for frames in repeated {
        let mut harness = connected();
        let (request, ..) = wants_poll(&mut harness);
        harness.responds(request, &[polled_of(2, 9), message("news", 1), message("news", 2)]);
        let (request, ..) = wants_poll(&mut harness);
        harness.responds(request, frames);
        let (request, poll, offset) = wants_poll(&mut harness);
        assert_eq!(
            (poll.connection.map(|c| c.as_u128()), poll.ack, offset),
            (Some(9), 2, Some(2)),
            "{frames:?}"
        );
        assert_eq!(harness.delivered.len(), 2, "{frames:?}");
        harness.responds(request, &[polled_of(3, 9), message("news", 3)]);
        assert_eq!(harness.delivered.len(), 3, "{frames:?}");
        assert_eq!(wants_poll(&mut harness).1.ack, 3);
    }
}

#[test]
fn a_repeated_response_is_a_failure_and_two_in_a_row_end_the_connection() {
    let mut harness = connected();
    for _ in 0..2 {
        let (request, ..) = wants_poll(&mut harness);
        harness.outputs.clear();
        harness.responds(request, &[polled(1), message("news", 1)]);
    }
    assert_eq!(harness.status(), everwire_client_core::Status::Waiting);
}

#[test]
fn promise_12_another_node_goes_on_from_the_positions() {
    let mut harness = connected();
    let (request, ..) = wants_poll(&mut harness);
    harness.responds(request, &[polled(2), message("news", 1)]);
    let (request, ..) = wants_poll(&mut harness);
    // It has never met this session: a new connection, whose responses are counted from 1.
    harness.responds(request, &[polled(1), welcome(77), subscribed("news", "a", 1, 2), message("news", 2)]);
    let (_, poll, offset) = wants_poll(&mut harness);
    assert_eq!((poll.connection.map(|c| c.as_u128()), poll.ack, offset), (Some(77), 1, Some(2)));
    assert_eq!(harness.delivered.len(), 2);
}

#[test]
fn a_subscription_that_is_refused_temporarily_is_left_out_of_the_set_until_the_server_says() {
    let mut harness = connected();
    let (request, ..) = wants_poll(&mut harness);
    let refused = Unsubscribed {
        channel: channel("news"),
        code: Some(ErrorCode::Unavailable.into()),
        message: None,
        retry_after_ms: Some(3_000),
    };
    harness.responds(request, &[polled(2), refused.into()]);
    let (request, poll, offset) = wants_poll(&mut harness);
    assert_eq!((poll.ack, offset), (2, None));
    let took = harness.pass_until(3_100, wants_request);
    assert!((2_900..3_100).contains(&took), "{took}");
    let (again, frames, _) = harness.wants_request();
    assert!(matches!(&frames[1], ClientFrame::Poll(poll) if poll.connection.is_some()), "{frames:?}");
    assert!(matches!(&frames[2..], [ClientFrame::Subscribe(s)] if s.offset == Some(0)), "{frames:?}");
    assert_ne!(again, request);
    harness.responds(again, &[polled(3), subscribed("news", "a", 0, 1), message("news", 1)]);
    assert_eq!(harness.delivered.len(), 1);
}

#[test]
fn promise_12_a_held_poll_is_given_up_at_35_s() {
    let mut harness = connected();
    let (request, ..) = wants_poll(&mut harness);
    let took = harness.pass_until(36_000, |o| *o == Output::Abort(request));
    assert!((34_900..35_100).contains(&took), "{took}");
}

#[test]
fn promise_12_one_post_at_a_time_in_order() {
    let mut harness = connected();
    wants_poll(&mut harness);
    harness.send(1, "news");
    harness.send(2, "news");
    harness.send(3, "news");
    let (post, frames, _) = harness.wants_request();
    assert_eq!(ids(&frames), [1]);
    assert!(!harness.outputs.iter().any(wants_request), "the next waits for the answer");
    harness.responds(post, &[ack(1, 1)]);
    let (post, frames, _) = harness.wants_request();
    assert_eq!(ids(&frames), [2, 3]);
    // Lost on the way, in one direction or the other.
    harness.tell(Input::RequestFailed { request: post, status: 0, reason: "lost".into() });
    harness.send(4, "news");
    harness.pass_until(1_001, wants_request);
    let (post, frames, _) = harness.wants_request();
    assert_eq!(ids(&frames), [2], "alone, in case that something between refuses one of them");
    harness.responds(post, &[ack(2, 2)]);
    let (post, frames, _) = harness.wants_request();
    assert_eq!(ids(&frames), [3, 4], "the same ids, in the same order");
    harness.responds(post, &[ack(3, 3), ack(4, 4)]);
    let stored = harness.sendings().into_iter().filter(|(_, s)| *s == Progress::Stored).map(|(n, _)| n);
    assert_eq!(stored.collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn promise_12_a_server_that_cannot_hold_is_polled_every_5_s() {
    let mut harness = Harness::started(Config { websocket: false, ..config() });
    let (request, ..) = harness.wants_request();
    let ServerFrame::Welcome(w) = welcome(9) else { unreachable!() };
    harness.responds(request, &[polled(1), Welcome { hold_ms: 0, ..w }.into()]);
    for seq in 2..5 {
        let took = harness.pass_until(5_100, wants_request);
        assert!((4_900..=5_100).contains(&took), "{took}");
        let (request, ..) = harness.wants_request();
        harness.responds(request, &[polled(seq)]);
    }
}

#[test]
fn a_server_that_answers_at_once_with_nothing_is_not_asked_in_a_loop() {
    let mut harness = connected();
    let (mut request, ..) = wants_poll(&mut harness);
    let start = harness.now.mono;
    for seq in 2..12 {
        harness.responds(request, &[polled(seq)]);
        (request, ..) = wants_poll(&mut harness);
    }
    assert!(harness.now.mono - start >= 70_000);
}

#[test]
fn a_new_subscription_makes_a_new_poll_and_several_make_one() {
    let mut harness = connected();
    let (held, ..) = wants_poll(&mut harness);
    harness.subscribe("sport");
    harness.subscribe("weather");
    harness.pass_until(100, wants_request);
    assert!(harness.outputs.contains(&Output::Abort(held)));
    let (_, frames, _) = harness.wants_request();
    let channels = frames.iter().filter(|f| matches!(f, ClientFrame::Subscribe(_))).count();
    assert_eq!(channels, 3);
    assert!(!harness.outputs.iter().any(wants_request));
}

#[test]
fn a_channel_left_and_entered_again_begins_a_new_connection() {
    let mut harness = connected();
    wants_poll(&mut harness);
    let handle = harness.core.subscribe(harness.now, "news", None, None).unwrap();
    harness.core.unsubscribe(harness.now, handle);
    harness.subscribe("news");
    let (_, poll, offset) = wants_poll(&mut harness);
    assert_eq!((poll.connection, offset), (None, None));
}

#[test]
fn two_polls_that_fail_end_the_connection() {
    let mut harness = connected();
    for _ in 0..2 {
        let (request, ..) = wants_poll(&mut harness);
        harness.outputs.clear();
        harness.tell(Input::RequestFailed { request, status: 0, reason: "HTTP status 502".into() });
    }
    let (status, _, reason) = harness.state().unwrap();
    assert_eq!(status, everwire_client_core::Status::Waiting);
    assert_eq!(reason, "polling failed: HTTP status 502");
}

#[test]
fn promise_10_a_dead_poll_is_replaced_within_4_s_of_waking() {
    for seed in 0..50 {
        let mut harness = Harness::new(Config { websocket: false, seed, ..config() });
        harness.subscribe("news");
        harness.tell(Input::Start);
        let (request, ..) = harness.wants_request();
        harness.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 0, 0)]);
        let _dead = wants_poll(&mut harness);
        harness.tell(Input::Online);
        let (_probe, poll, _) = wants_poll(&mut harness);
        assert_eq!(poll.hold_ms, 0, "it asks to be answered at once");
        harness.outputs.clear();
        let took = harness.pass_until(4_000, wants_request);
        // What remains of the 4 s is for the request itself.
        assert!(took <= 3_300, "{seed}: {took}");
    }
}

#[test]
fn a_channel_left_and_entered_again_while_the_first_poll_is_under_way_begins_anew_too() {
    let mut harness = Harness::new(Config { websocket: false, ..config() });
    let handle = harness.subscribe("news");
    harness.tell(Input::Start);
    let (request, ..) = harness.wants_request();
    harness.core.unsubscribe(harness.now, handle);
    harness.core.subscribe(harness.now, "news", Some(5), None).unwrap();
    harness.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 7, 7)]);
    harness.pass_until(2_000, wants_request);
    let (_, frames, _) = harness.wants_request();
    assert!(matches!(&frames[1], ClientFrame::Poll(poll) if poll.connection.is_none()), "{frames:?}");
    assert!(matches!(&frames[2], ClientFrame::Subscribe(s) if s.recent == Some(5)), "{frames:?}");
}

#[test]
fn a_channel_left_while_the_first_poll_is_under_way_and_entered_again_after_it_begins_anew_too() {
    let mut harness = Harness::new(Config { websocket: false, ..config() });
    let handle = harness.subscribe("news");
    harness.tell(Input::Start);
    let (request, ..) = harness.wants_request();
    harness.core.unsubscribe(harness.now, handle);
    harness.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 7, 7)]);
    // The poll that would say that the channel was left never arrives.
    let (request, poll, _) = wants_poll(&mut harness);
    assert_eq!(poll.connection.map(|c| c.as_u128()), Some(9));
    harness.tell(Input::RequestFailed { request, status: 0, reason: "lost".into() });
    harness.core.subscribe(harness.now, "news", Some(5), None).unwrap();
    let (_, poll, offset) = wants_poll(&mut harness);
    assert_eq!((poll.connection, offset), (None, None));
}

#[test]
fn a_refusal_in_the_first_response_is_not_taken_for_one_of_a_channel_entered_since() {
    let mut harness = Harness::new(Config { websocket: false, ..config() });
    let handle = harness.subscribe("news");
    harness.tell(Input::Start);
    let (request, ..) = harness.wants_request();
    harness.core.unsubscribe(harness.now, handle);
    harness.core.subscribe(harness.now, "news", Some(5), None).unwrap();
    let code = Some(ErrorCode::Forbidden.into());
    let refused = Unsubscribed { channel: channel("news"), code, message: None, retry_after_ms: None };
    harness.responds(request, &[polled(1), welcome(9), refused.into()]);
    harness.pass_until(2_000, wants_request);
    let (_, frames, _) = harness.wants_request();
    assert!(matches!(&frames[2], ClientFrame::Subscribe(s) if s.recent == Some(5)), "{frames:?}");
}
