//! Promise 11: polling where WebSocket does not work, and back.

use everwire_client_core::{Config, Input, Memory, Output, Status, Transport};
use everwire_protocol::{ClientFrame, GapReason, Unsubscribed};

use crate::harness::{
    HOUR, Harness, ack, channel, config, message, polled, polled_in_turn, subscribed, subscribed_with_gap,
    wants_request, welcome,
};

fn wants_socket(output: &Output) -> bool {
    matches!(output, Output::OpenWebSocket(_))
}

/// Connected by polling, because WebSocket stays silent; the held poll is answered once.
fn polling(harness: &mut Harness) {
    harness.pass_until(2_500, wants_request);
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 0, 0)]);
}

#[test]
fn promise_11_polling_starts_beside_a_websocket_that_is_silent_for_2_5_s() {
    let mut harness = Harness::new(config());
    harness.subscribe("news");
    harness.tell(Input::Start);
    harness.wants_websocket();
    let took = harness.pass_until(2_600, wants_request);
    assert!((2_500..2_600).contains(&took), "{took}");
    let (request, frames, _) = harness.wants_request();
    assert!(
        matches!(&frames[..], [ClientFrame::Hello(_), ClientFrame::Poll(p), ClientFrame::Subscribe(_)] if p.ack == 0)
    );
    harness.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 0, 0)]);
    let (status, transport, reason) = harness.state().unwrap();
    assert_eq!((status, transport), (Status::Connected, Some(Transport::Polling)));
    assert_eq!(reason, "WebSocket does not answer");
}

#[test]
fn promise_11_a_websocket_that_answers_late_takes_over_without_loss() {
    let mut harness = Harness::new(config());
    harness.subscribe("news");
    harness.tell(Input::Start);
    let socket = harness.wants_websocket();
    polling(&mut harness);
    let (poll, ..) = harness.wants_request();
    harness.responds(poll, &[polled(2), message("news", 1)]);
    harness.send(1, "news");
    // Late, but before the ten seconds are over. Its first batch knows an older position than polling has by now.
    harness.tell(Input::WebSocketOpened(socket));
    let (old_poll, ..) = harness.wants_request();
    harness.sent();
    harness.outputs.clear();
    harness
        .says(socket, &[welcome(10), subscribed("news", "a", 0, 2), message("news", 1), message("news", 2)]);
    assert_eq!(harness.delivered, [("news".to_owned(), 1), ("news".to_owned(), 2)]);
    assert_eq!(harness.state().unwrap().1, Some(Transport::WebSocket));
    assert!(harness.outputs.iter().any(|o| matches!(o, Output::Abort(_))), "the poll is given up");
    assert_eq!(harness.sent_ids(), [1], "what has no ack goes out again");
    harness.responds(old_poll, &[polled(3), message("news", 3), ack(1, 3)]);
    assert_eq!(harness.delivered.len(), 2, "what the old transport still brings does not count");
}

#[test]
fn promise_11_websocket_is_given_up_at_10_s_and_probed_again() {
    let mut harness = Harness::new(config());
    harness.subscribe("news");
    harness.tell(Input::Start);
    let silent = harness.wants_websocket();
    polling(&mut harness);
    harness.outputs.clear();
    harness.pass_until(10_000, |o| *o == Output::CloseWebSocket { socket: silent, code: 4013 });
    assert!(harness.outputs.iter().any(|o| matches!(o, Output::Remember(Some(_)))), "and that is remembered");
    let mut waits = Vec::new();
    for _ in 0..5 {
        let from = harness.now.mono;
        // Polling continues meanwhile.
        while !harness.outputs.iter().any(wants_socket) {
            if harness.outputs.iter().any(wants_request) {
                let (request, frames, _) = harness.wants_request();
                harness.step(20_000);
                harness.responds(request, &[polled_in_turn(&frames)]);
            }
            harness.pass(100);
        }
        let probe = harness.wants_websocket();
        waits.push((harness.now.mono - from) / 1_000);
        harness.closes(probe, 1006);
    }
    for (wait, expected) in waits.iter().zip([30, 120, 300, 600, 1_800]) {
        assert!(wait.abs_diff(expected) <= 21, "{waits:?}");
    }
}

#[test]
fn promise_11_a_probe_that_works_brings_websocket_back() {
    let mut harness = Harness::new(Config { memory: Some(remembered()), ..config() });
    harness.subscribe("news");
    harness.tell(Input::Start);
    assert!(!harness.outputs.iter().any(wants_socket), "what worked is remembered");
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 0, 0)]);
    harness.tell(Input::Online);
    let socket = harness.opens_websocket();
    harness.outputs.clear();
    harness.says(socket, &[welcome(10), subscribed("news", "a", 0, 0)]);
    assert_eq!(harness.state().unwrap().1, Some(Transport::WebSocket));
    assert!(harness.outputs.contains(&Output::Remember(None)), "and what was remembered is forgotten");
    harness.closes(socket, 1001);
    harness.outputs.clear();
    harness.pass_until(1_001, wants_socket);
}

fn remembered() -> Memory {
    Memory { polling_until: 1_700_000_000_000 + 60_000 }
}

/// What worked elsewhere may not work here: the page has been carried to a network that passes WebSockets, and no requests.
#[test]
fn promise_11_where_websocket_was_given_up_it_is_tried_again_after_two_polls_without_a_welcome() {
    let mut harness = Harness::started(Config { memory: Some(remembered()), ..config() });
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9)]);
    // The connection that worked ends.
    for _ in 0..2 {
        harness.pass_until(20_000, wants_request);
        let (request, ..) = harness.wants_request();
        harness.tell(Input::RequestFailed { request, status: 403, reason: "a proxy".into() });
    }
    assert_eq!(harness.status(), Status::Waiting);
    harness.outputs.clear();
    polling_fails(&mut harness);
    polling_fails(&mut harness);
    harness.pass_until(20_001, wants_socket);
    assert!(!harness.outputs.iter().any(wants_request));
    // Unless that fails as well.
    let socket = harness.wants_websocket();
    harness.closes(socket, 1006);
    polling_fails(&mut harness);
    polling_fails(&mut harness);
    harness.pass_until(20_001, wants_socket);
    let socket = harness.opens_websocket();
    harness.outputs.clear();
    harness.welcome_websocket(socket);
    assert_eq!(harness.state().unwrap().1, Some(Transport::WebSocket));
    assert!(harness.outputs.contains(&Output::Remember(None)), "and what was remembered is forgotten");
}

#[test]
fn promise_11_a_memory_that_is_over_or_impossible_is_ignored() {
    for polling_until in [1_700_000_000_000 - 1, 1_700_000_000_000 + 2 * HOUR] {
        let mut harness = Harness::started(Config { memory: Some(Memory { polling_until }), ..config() });
        harness.wants_websocket();
    }
}

#[test]
fn promise_11_a_welcomed_socket_that_dies_young_is_followed_by_polling_after_the_backoff() {
    let mut harness = Harness::started(config());
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    harness.pass(800);
    harness.outputs.clear();
    harness.closes(socket, 1006);
    assert!(!harness.outputs.iter().any(wants_request), "a server may have ended with all its connections");
    harness.pass_until(1_001, wants_request);
    assert!(!harness.outputs.iter().any(wants_socket));
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9)]);
    assert_eq!(harness.state().unwrap().1, Some(Transport::Polling));
    let remembered = |output: &Output| matches!(output, Output::Remember(Some(_)));
    assert!(!harness.outputs.iter().any(remembered), "one may be an accident");
}

/// What cut the WebSocket off may have cut the requests off as well, and only a new connection gets through: a browser sends a poll over one that it
/// has kept open.
#[test]
fn promise_11_a_websocket_is_tried_beside_a_first_poll_that_has_no_answer_for_2_5_s() {
    let mut harness = Harness::started(config());
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    harness.outputs.clear();
    harness.closes(socket, 1006);
    harness.pass_until(1_001, wants_request);
    let (silent, ..) = harness.wants_request();
    let took = harness.pass_until(2_600, wants_socket);
    assert!((2_500..2_600).contains(&took), "{took}");
    let socket = harness.opens_websocket();
    harness.outputs.clear();
    harness.welcome_websocket(socket);
    assert_eq!(harness.state().unwrap().1, Some(Transport::WebSocket));
    assert!(harness.outputs.contains(&Output::Abort(silent)));
}

#[test]
fn promise_11_where_websocket_was_given_up_none_is_tried_beside_a_poll() {
    let mut harness = Harness::started(Config { memory: Some(remembered()), ..config() });
    harness.wants_request();
    harness.pass(9_000);
    assert!(!harness.outputs.iter().any(wants_socket));
}

/// It was in doubt before it ended, because the page woke.
#[test]
fn promise_10_a_young_socket_that_ends_while_it_is_probed_says_nothing_against_websocket() {
    let mut harness = Harness::started(config());
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    harness.tell(Input::Visible(false));
    harness.tell(Input::Visible(true));
    harness.outputs.clear();
    harness.closes(socket, 1006);
    harness.pass_until(1_001, wants_socket);
    assert!(!harness.outputs.iter().any(wants_request));
}

#[test]
fn promise_11_a_young_socket_that_the_network_took_along_says_nothing_against_websocket() {
    let mut harness = Harness::started(config());
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    harness.tell(Input::Offline);
    harness.outputs.clear();
    harness.closes(socket, 1006);
    harness.pass_until(1_001, wants_socket);
    assert!(!harness.outputs.iter().any(wants_request));
}

#[test]
fn promise_11_a_socket_that_dies_old_is_followed_by_another_one() {
    let mut harness = Harness::started(config());
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    harness.pass(10_000);
    harness.outputs.clear();
    harness.closes(socket, 1006);
    harness.pass_until(1_001, wants_socket);
    assert!(!harness.outputs.iter().any(wants_request));
}

/// The next attempt begins with polling, which does not work either.
fn polling_fails(harness: &mut Harness) {
    harness.pass_until(20_001, wants_request);
    assert!(!harness.outputs.iter().any(wants_socket), "polling comes first");
    let (request, ..) = harness.wants_request();
    harness.tell(Input::RequestFailed { request, status: 0, reason: "no network".into() });
}

#[test]
fn promise_11_three_sockets_that_open_and_die_are_enough() {
    let mut harness = Harness::started(config());
    for round in 0..3 {
        harness.pass_until(20_001, wants_socket);
        let socket = harness.opens_websocket();
        harness.welcome_websocket(socket);
        harness.pass(800);
        harness.outputs.clear();
        harness.closes(socket, 1006);
        if round < 2 {
            polling_fails(&mut harness);
        }
    }
    harness.pass_until(20_001, wants_request);
    assert!(!harness.outputs.iter().any(wants_socket), "polling only");
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9)]);
    assert_eq!(harness.state().unwrap().2, "WebSocket does not work here");
    assert!(harness.outputs.iter().any(|o| matches!(o, Output::Remember(Some(_)))));
}

#[test]
fn promise_11_a_socket_that_never_opened_does_not_count_among_the_three() {
    let mut harness = Harness::started(config());
    let mut died = 0;
    for opens in [true, false, true, true] {
        harness.pass_until(20_001, wants_socket);
        assert!(!harness.outputs.iter().any(wants_request), "not yet three that opened");
        if opens {
            died += 1;
            let socket = harness.opens_websocket();
            harness.welcome_websocket(socket);
            harness.pass(300);
            harness.outputs.clear();
            harness.closes(socket, 1006);
            if died < 3 {
                polling_fails(&mut harness);
            }
        } else {
            let socket = harness.wants_websocket();
            harness.pass(300);
            harness.outputs.clear();
            harness.closes(socket, 1006);
        }
    }
    harness.pass_until(20_001, wants_request);
    assert!(!harness.outputs.iter().any(wants_socket), "polling only");
}

#[test]
fn promise_11_a_socket_that_dies_between_open_and_welcome_is_polled_at_once_and_given_up_after_three() {
    let mut harness = Harness::started(config());
    let socket = harness.opens_websocket();
    harness.outputs.clear();
    harness.closes(socket, 1006);
    assert!(harness.outputs.iter().any(wants_request), "polling is tried without a pause");
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9)]);
    assert_eq!(harness.state().unwrap().2, "WebSocket does not answer");
    let remembered = |output: &Output| matches!(output, Output::Remember(Some(_)));
    assert!(!harness.outputs.iter().any(remembered), "one may be an accident");
    for (round, wait) in [30_000, 120_000].into_iter().enumerate() {
        let from = harness.now.mono;
        while !harness.outputs.iter().any(wants_socket) {
            if harness.outputs.iter().any(wants_request) {
                let (request, frames, _) = harness.wants_request();
                harness.step(20_000);
                harness.responds(request, &[polled_in_turn(&frames)]);
            }
            harness.pass(100);
        }
        assert!((wait..wait + 21_000).contains(&(harness.now.mono - from)), "the next try is a probe");
        let probe = harness.opens_websocket();
        harness.closes(probe, 1006);
        assert_eq!(harness.outputs.iter().any(remembered), round == 1, "only after the third");
    }
}

#[test]
fn promise_11_refused_upgrades_lead_to_polling_within_5_s() {
    for seed in 0..50 {
        let mut harness = Harness::new(Config { seed, ..config() });
        harness.tell(Input::Start);
        let start = harness.now.mono;
        while !harness.outputs.iter().any(wants_request) {
            if harness.outputs.iter().any(wants_socket) {
                let socket = harness.wants_websocket();
                harness.closes(socket, 1006);
            } else {
                harness.pass(10);
            }
        }
        assert!(harness.now.mono - start < 2_000, "{} ms", harness.now.mono - start);
        let (request, ..) = harness.wants_request();
        harness.responds(request, &[polled(1), welcome(9)]);
        assert!(
            harness.outputs.iter().any(|o| matches!(o, Output::Remember(Some(_)))),
            "what worked is remembered"
        );
    }
}

#[test]
fn promise_11_a_page_that_wakes_where_upgrades_are_refused_polls_at_the_next_refusal() {
    let mut harness = Harness::started(config());
    // Without any network for a while, so that polls are tried seldom.
    let mut refused = 0;
    while refused < 9 {
        if harness.outputs.iter().any(wants_socket) {
            let socket = harness.wants_websocket();
            harness.closes(socket, 1006);
            refused += 1;
        }
        if harness.outputs.iter().any(wants_request) {
            let (request, ..) = harness.wants_request();
            harness.tell(Input::RequestFailed { request, status: 0, reason: "no network".into() });
        }
        harness.pass(10);
    }
    harness.tell(Input::Online);
    harness.outputs.clear();
    harness.pass_until(1_001, wants_socket);
    let socket = harness.wants_websocket();
    harness.closes(socket, 1006);
    assert!(harness.outputs.iter().any(wants_request));
}

#[test]
fn only_the_transports_that_are_allowed_are_used() {
    let mut harness = Harness::started(Config { websocket: false, ..config() });
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9)]);
    assert_eq!(harness.state().unwrap().2, "HTTP polling, as configured");
    harness.pass(HOUR);
    assert!(!harness.outputs.iter().any(wants_socket));
    let mut harness = Harness::started(Config { polling: false, ..config() });
    harness.wants_websocket();
    harness.pass(HOUR);
    assert!(!harness.outputs.iter().any(wants_request));
}

#[test]
fn promise_11_what_a_late_websocket_skips_or_takes_back_is_asked_for_again() {
    for (answer, what) in [
        (subscribed("news", "a", 5, 5), "skips 3 to 5"),
        (subscribed("news", "a", 0, 1), "takes back 1 and 2"),
        (subscribed("news", "b", 0, 0), "knows another log"),
    ] {
        let mut harness = Harness::new(config());
        harness.subscribe("news");
        harness.tell(Input::Start);
        let socket = harness.opens_websocket();
        // It has asked without a position; then polling is faster.
        polling(&mut harness);
        let (poll, ..) = harness.wants_request();
        harness.responds(poll, &[polled(2), message("news", 1), message("news", 2)]);
        harness.outputs.clear();
        harness.says(socket, &[welcome(10), answer]);
        assert!(!harness.has_gaps(), "{what}: nothing is known to be missing");
        let sent = harness.sent();
        let asked = sent.iter().find_map(|frame| match frame {
            ClientFrame::Subscribe(s) => Some((s.epoch.as_deref(), s.offset)),
            _ => None,
        });
        assert_eq!(asked, Some((Some("a"), Some(2))), "{what}");
        // Entries of the first answer do not count; those of the second do.
        let rest = [message("news", 6), subscribed("news", "a", 2, 6), message("news", 3)];
        harness.says(socket, &rest);
        assert_eq!(harness.delivered.last(), Some(&("news".to_owned(), 3)), "{what}");
    }
}

#[test]
fn an_answer_to_an_earlier_subscription_is_not_taken_for_one_to_the_present() {
    let mut harness = Harness::new(Config { websocket: false, ..config() });
    let old = harness.subscribe("news");
    harness.tell(Input::Start);
    let (request, ..) = harness.wants_request();
    harness.core.unsubscribe(harness.now, old);
    harness.core.subscribe(harness.now, "news", Some(10), None).unwrap();
    harness.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 7, 7), message("news", 8)]);
    assert!(harness.delivered.is_empty());
    harness.pass(20);
    let (request, frames, _) = harness.wants_request();
    assert!(frames.iter().any(|f| matches!(f, ClientFrame::Subscribe(s) if s.recent == Some(10))));
    harness.responds(request, &[polled(1), welcome(10), subscribed("news", "a", 0, 8), message("news", 1)]);
    assert_eq!(harness.delivered, [("news".to_owned(), 1)]);
}

#[test]
fn what_was_left_on_a_websocket_that_failed_can_be_entered_again_by_polling() {
    let mut harness = Harness::new(config());
    let old = harness.subscribe("news");
    harness.tell(Input::Start);
    // It opens, and the channel is left on it, which will never be confirmed.
    let socket = harness.opens_websocket();
    polling(&mut harness);
    harness.core.unsubscribe(harness.now, old);
    harness.closes(socket, 1006);
    harness.pass(20);
    harness.outputs.clear();
    harness.subscribe("news");
    harness.pass(20);
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(10), subscribed("news", "a", 0, 1), message("news", 1)]);
    assert_eq!(harness.delivered, [("news".to_owned(), 1)]);
}

#[test]
fn what_was_asked_on_a_websocket_that_is_not_welcomed_yet_is_left_there_too() {
    let mut harness = Harness::new(config());
    let old = harness.subscribe("news");
    harness.tell(Input::Start);
    let socket = harness.opens_websocket();
    polling(&mut harness);
    // The log is trimmed faster than it is read: polling has to ask again.
    let (poll, ..) = harness.wants_request();
    let trimmed = subscribed_with_gap("news", "a", 5, 2, GapReason::Trimmed);
    harness.responds(poll, &[polled(2), message("news", 1), trimmed]);
    harness.sent();
    harness.core.unsubscribe(harness.now, old);
    harness.tell(Input::Timeout);
    assert!(matches!(&harness.sent()[..], [ClientFrame::Unsubscribe(_)]));
    harness.subscribe("news");
    harness.outputs.clear();
    let earlier = subscribed_with_gap("news", "a", 7, 1, GapReason::Trimmed);
    harness.says(socket, &[welcome(10), earlier, message("news", 8)]);
    assert_eq!(
        harness.delivered,
        [("news".to_owned(), 1)],
        "what was asked before does not begin the new one"
    );
    let left = Unsubscribed { channel: channel("news"), code: None, message: None, retry_after_ms: None };
    harness.says(socket, &[left.into(), subscribed("news", "a", 9, 9), message("news", 10)]);
    assert_eq!(harness.delivered.last(), Some(&("news".to_owned(), 10)));
}

#[test]
fn a_gap_of_an_earlier_question_is_not_declared_in_answer_to_the_last() {
    let mut harness = Harness::new(config());
    harness.subscribe("news");
    harness.tell(Input::Start);
    let socket = harness.opens_websocket();
    polling(&mut harness);
    let (poll, ..) = harness.wants_request();
    let messages: Vec<_> = (1..=9).map(|offset| message("news", offset)).collect();
    let frames: Vec<_> = std::iter::once(polled(2)).chain(messages).collect();
    harness.responds(poll, &frames);
    // The WebSocket was asked from the beginning. Its answer is older than what polling has brought.
    harness.says(socket, &[welcome(10), subscribed_with_gap("news", "a", 5, 1, GapReason::Trimmed)]);
    harness.sent();
    harness.outputs.clear();
    // The server reads on from there, and the log is trimmed again before the second question arrives.
    harness.says(socket, &[subscribed_with_gap("news", "a", 7, 6, GapReason::Trimmed)]);
    harness.says(socket, &[subscribed("news", "a", 9, 9), message("news", 10)]);
    assert!(!harness.has_gaps());
    assert_eq!(harness.delivered.last(), Some(&("news".to_owned(), 10)));
}

#[test]
fn promise_11_after_the_switch_nothing_counts_before_the_new_transport_has_confirmed_it() {
    let mut harness = Harness::new(config());
    harness.subscribe("news");
    harness.tell(Input::Start);
    let socket = harness.opens_websocket();
    polling(&mut harness);
    let (poll, ..) = harness.wants_request();
    harness.responds(poll, &[polled(2), message("news", 1)]);
    // The next offset, but not from a subscription that this connection has confirmed.
    harness.says(socket, &[welcome(10), message("news", 2)]);
    assert_eq!(harness.delivered.len(), 1);
    harness.says(socket, &[subscribed("news", "a", 1, 2), message("news", 2)]);
    assert_eq!(harness.delivered.len(), 2);
}

#[test]
fn what_a_websocket_was_not_asked_for_is_not_left_there() {
    let mut harness = Harness::started(Config { polling: false, ..config() });
    let socket = harness.opens_websocket();
    harness.sent();
    let old = harness.subscribe("news");
    harness.core.unsubscribe(harness.now, old);
    harness.tell(Input::Timeout);
    assert_eq!(harness.sent(), [], "the server knows nothing of it");
    harness.subscribe("news");
    harness.says(socket, &[welcome(10), subscribed("news", "a", 0, 0), message("news", 1)]);
    assert_eq!(harness.delivered.len(), 1, "no confirmation of the other is waited for");
}
