//! Promise 11: what counts for and against WebSocket, over several of them.

use everwire_client_core::{Config, Input, Memory, Output, Transport};
use everwire_protocol::{ClientFrame, CloseCode, Ping};

use crate::harness::{Harness, ack, config, polled, polled_in_turn, subscribed, wants_request, welcome};

fn wants_socket(output: &Output) -> bool {
    matches!(output, Output::OpenWebSocket(_))
}

/// A WebSocket that is welcomed, lives this long and then dies without a word.
fn dies_after(harness: &mut Harness, ms: u64) {
    harness.pass_until(20_001, wants_socket);
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    harness.pass(ms);
    harness.outputs.clear();
    harness.closes(socket, 1006);
    if !gave_up(harness) {
        polling_fails(harness);
    }
}

/// If the next attempt begins with polling, that does not work, either.
fn polling_fails(harness: &mut Harness) {
    harness.pass_until(20_001, |output| wants_request(output) || wants_socket(output));
    if harness.outputs.iter().any(wants_request) {
        let (request, ..) = harness.wants_request();
        harness.tell(Input::RequestFailed { request, status: 0, reason: "lost".into() });
    }
}

/// What was remembered last: whether WebSocket does not work here.
fn gave_up(harness: &Harness) -> bool {
    harness.core.report().contains("WebSocket does not work here")
}

#[test]
fn promise_11_a_websocket_that_proved_itself_and_was_closed_by_the_server_clears_the_count() {
    let mut harness = Harness::started(config());
    dies_after(&mut harness, 50);
    dies_after(&mut harness, 50);
    harness.pass_until(20_001, wants_socket);
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    harness.pass(10_500);
    harness.closes(socket, CloseCode::GoingAway.as_u16());
    dies_after(&mut harness, 50);
    assert!(!gave_up(&harness), "the third in a row was stable");
    dies_after(&mut harness, 50);
    assert!(!gave_up(&harness));
    dies_after(&mut harness, 50);
    assert!(gave_up(&harness));
}

#[test]
fn promise_11_a_websocket_that_brought_an_ack_counts_half() {
    let mut harness = Harness::started(config());
    for n in 1..=6 {
        assert!(!gave_up(&harness), "after {n} of them");
        harness.pass_until(20_001, wants_socket);
        let socket = harness.opens_websocket();
        harness.welcome_websocket(socket);
        harness.send(n, "news");
        harness.says(socket, &[ack(n, 1)]);
        harness.outputs.clear();
        harness.closes(socket, 1006);
        polling_fails(&mut harness);
    }
    assert!(gave_up(&harness));
}

#[test]
fn promise_11_what_came_by_a_websocket_before_it_was_welcomed_does_not_speak_for_it() {
    let mut harness = Harness::started(config());
    for n in 1..=3 {
        assert!(!gave_up(&harness), "after {n} of them");
        harness.pass_until(20_001, wants_socket);
        let socket = harness.opens_websocket();
        harness.says(socket, &[ack(n, 1)]);
        harness.outputs.clear();
        harness.closes(socket, 1006);
        if n < 3 {
            // Polling does not answer either.
            let (request, ..) = harness.wants_request();
            harness.tell(Input::RequestFailed { request, status: 0, reason: "lost".into() });
        }
    }
    assert!(gave_up(&harness));
}

#[test]
fn promise_11_a_probe_that_dies_young_after_three_others_is_the_last_for_a_while() {
    let memory = Some(Memory { polling_until: 1_700_000_000_000 + 60_000 });
    let mut harness = Harness::started(Config { memory, ..config() });
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9)]);
    for _ in 0..2 {
        harness.tell(Input::Online);
        dies_after(&mut harness, 50);
        // It had been in use, and what comes next is the ordinary choice.
        harness.pass_until(20_001, |output| wants_socket(output) || wants_request(output));
        if harness.outputs.iter().any(wants_request) {
            let (request, ..) = harness.wants_request();
            harness.responds(request, &[polled(1), welcome(9)]);
        }
    }
    harness.tell(Input::Online);
    dies_after(&mut harness, 50);
    harness.outputs.clear();
    harness.pass_until(20_001, |output| wants_socket(output) || wants_request(output));
    assert!(harness.outputs.iter().any(wants_request), "three that died young, whatever was in between");
}

#[test]
fn promise_11_what_is_remembered_ends_in_half_an_hour() {
    let mut harness = Harness::started(config());
    let silent = harness.wants_websocket();
    harness.pass_until(2_600, wants_request);
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9)]);
    harness.pass_until(10_000, |output| *output == Output::CloseWebSocket { socket: silent, code: 4013 });
    let until = harness.outputs.iter().find_map(|output| match output {
        Output::Remember(Some(memory)) => Some(memory.polling_until),
        _ => None,
    });
    assert_eq!(until, Some(harness.now.wall + 30 * 60_000));
    assert!(harness.core.report().contains("transport HTTP polling"));
}

#[test]
fn promise_11_a_websocket_that_failed_before_polling_began_leaves_the_attempt_to_polling() {
    let mut harness = Harness::started(config());
    let socket = harness.wants_websocket();
    harness.pass_until(2_600, wants_request);
    let (request, ..) = harness.wants_request();
    harness.closes(socket, 1006);
    assert!(!harness.outputs.iter().any(wants_socket), "polling is still being tried");
    harness.tell(Input::RequestFailed { request, status: 0, reason: "lost".into() });
    // Only now has the attempt failed, and the next begins with both.
    harness.pass_until(1_001, wants_socket);
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    assert_eq!(harness.state().unwrap().1, Some(Transport::WebSocket));
    // A poll that fails beside a WebSocket that is still being opened ends nothing.
    let mut harness = Harness::started(config());
    let socket = harness.wants_websocket();
    harness.pass_until(2_600, wants_request);
    let (request, ..) = harness.wants_request();
    harness.tell(Input::RequestFailed { request, status: 0, reason: "lost".into() });
    harness.tell(Input::WebSocketOpened(socket));
    harness.welcome_websocket(socket);
    assert_eq!(harness.state().unwrap().1, Some(Transport::WebSocket));
    harness.says(socket, &[Ping::default().into()]);
}

#[test]
fn promise_11_a_socket_that_worked_and_falls_silent_says_nothing_against_websocket() {
    let mut harness = Harness::started(config());
    for _ in 0..4 {
        harness.pass_until(20_001, wants_socket);
        let socket = harness.opens_websocket();
        harness.welcome_websocket(socket);
        harness.outputs.clear();
        harness.pass_until(40_000, |output| *output == Output::CloseWebSocket { socket, code: 4013 });
        assert!(!harness.outputs.iter().any(wants_request), "it is only silent");
        assert_eq!(harness.state().unwrap().2, "nothing was received for too long");
    }
    assert!(!gave_up(&harness));
}

#[test]
fn promise_11_sockets_that_open_and_are_never_welcomed_count_like_those_that_die_at_once() {
    let mut harness = Harness::started(config());
    // Polling fails as well: it speaks neither for nor against them.
    let poll_fails = |harness: &mut Harness| {
        let (request, ..) = harness.wants_request();
        harness.tell(Input::RequestFailed { request, status: 0, reason: "lost".into() });
    };
    for n in 0..3 {
        assert!(!gave_up(&harness), "after {n} of them");
        harness.pass_until(20_001, wants_socket);
        let socket = harness.opens_websocket();
        harness.pass_until(2_600, wants_request);
        poll_fails(&mut harness);
        harness.outputs.clear();
        harness.pass_until(10_000, |output| *output == Output::CloseWebSocket { socket, code: 4013 });
        poll_fails(&mut harness);
    }
    assert!(gave_up(&harness));
}

#[test]
fn promise_11_a_socket_that_was_cut_off_after_ten_seconds_had_worked() {
    for (lived, more) in [(9_999, 2), (10_000, 3)] {
        let mut harness = Harness::started(config());
        dies_after(&mut harness, lived);
        for n in 0..more {
            assert!(!gave_up(&harness), "{lived}: after {n} more");
            dies_after(&mut harness, 50);
        }
        assert!(gave_up(&harness), "{lived}");
    }
}

/// A WebSocket dies between open and welcome, and polling takes its place. Returns how long it takes until WebSocket is
/// tried again.
fn tried_again_after(harness: &mut Harness) -> u64 {
    harness.pass_until(20_001, wants_socket);
    let socket = harness.opens_websocket();
    harness.outputs.clear();
    harness.closes(socket, 1006);
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9)]);
    let from = harness.now.mono;
    loop {
        harness.pass_until(130_000, |output| wants_socket(output) || wants_request(output));
        if harness.outputs.iter().any(wants_socket) {
            return harness.now.mono - from;
        }
        let (request, frames, _) = harness.wants_request();
        harness.pass(1_000);
        harness.responds(request, &[polled_in_turn(&frames)]);
    }
}

#[test]
fn promise_11_a_probe_that_worked_begins_the_probes_anew() {
    let mut harness = Harness::started(config());
    for _ in 0..3 {
        let took = tried_again_after(&mut harness);
        assert!((30_000..=31_100).contains(&took), "{took}");
        let socket = harness.opens_websocket();
        harness.welcome_websocket(socket);
        harness.pass(11_000);
        harness.closes(socket, CloseCode::GoingAway.as_u16());
    }
}

#[test]
fn promise_11_a_probe_that_worked_and_dies_young_is_counted_with_those_before_it() {
    let mut harness = Harness::started(config());
    tried_again_after(&mut harness);
    dies_after(&mut harness, 50);
    assert!(!gave_up(&harness), "two");
    dies_after(&mut harness, 50);
    assert!(gave_up(&harness), "three");
}

#[test]
fn a_client_without_polling_never_polls_whatever_becomes_of_its_sockets() {
    let mut harness = Harness::started(Config { polling: false, ..config() });
    for _ in 0..8 {
        harness.pass_until(20_001, wants_socket);
        let socket = harness.opens_websocket();
        harness.welcome_websocket(socket);
        harness.closes(socket, 1006);
        assert!(!harness.outputs.iter().any(wants_request));
    }
}

#[test]
fn promise_11_each_probe_asks_for_the_subscriptions_though_an_earlier_one_did() {
    let memory = Some(Memory { polling_until: 1_700_000_000_000 + 60_000 });
    let mut harness = Harness::new(Config { memory, ..config() });
    harness.subscribe("news");
    harness.tell(Input::Start);
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 0, 0)]);
    for _ in 0..2 {
        harness.tell(Input::Online);
        let socket = harness.opens_websocket();
        assert!(matches!(&harness.sent()[..], [ClientFrame::Hello(_), ClientFrame::Subscribe(_)]));
        harness.closes(socket, 1006);
    }
}

#[test]
fn an_answer_on_a_websocket_to_an_earlier_position_is_followed_by_the_last_or_asked_for_again() {
    let mut harness = Harness::new(config());
    harness.subscribe("news");
    harness.tell(Input::Start);
    let socket = harness.wants_websocket();
    harness.pass_until(2_600, wants_request);
    let (request, ..) = harness.wants_request();
    harness.tell(Input::WebSocketOpened(socket));
    // Asked from no position; polling then brings one, and after the switch it is asked from there as well.
    harness.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 5, 5)]);
    harness.welcome_websocket(socket);
    harness.sent();
    harness.says(socket, &[subscribed("news", "b", 2, 2)]);
    let asked = |harness: &mut Harness| {
        harness.sent().iter().filter(|f| matches!(f, ClientFrame::Subscribe(_))).count()
    };
    let at_once = asked(&mut harness);
    harness.pass(9_900);
    harness.says(socket, &[Ping::default().into()]);
    harness.pass(300);
    let later = asked(&mut harness);
    assert_eq!(at_once + later, 1, "at once {at_once}, later {later}");
}
