//! Promise 13: tokens.

use everwire_client_core::{Config, Event, Input, Output, SocketId, Status};
use everwire_protocol::{ClientFrame, CloseCode, ErrorCode, ServerFrame, Welcome};

use crate::harness::{HOUR, Harness, config, error, polled, welcome};

fn wants_token(output: &Output) -> bool {
    *output == Output::FetchToken
}

fn wants_socket(output: &Output) -> bool {
    matches!(output, Output::OpenWebSocket(_))
}

fn with_token() -> Harness {
    Harness::started(Config { token: true, ..config() })
}

fn welcome_for(ms: u64) -> ServerFrame {
    let ServerFrame::Welcome(w) = welcome(1) else { unreachable!() };
    Welcome { token_expires_in_ms: Some(ms), ..w }.into()
}

fn token_of_hello(harness: &mut Harness) -> Option<String> {
    harness.sent().into_iter().find_map(|frame| match frame {
        ClientFrame::Hello(hello) => hello.token,
        _ => None,
    })
}

/// Connected with the token "one", which is good for this long.
fn connected(ms: u64) -> (Harness, SocketId) {
    let mut harness = with_token();
    harness.tell(Input::Token("one".into()));
    let socket = harness.opens_websocket();
    harness.says(socket, &[welcome_for(ms)]);
    harness.outputs.clear();
    (harness, socket)
}

#[test]
fn promise_13_the_token_is_asked_for_once_and_travels_in_hello() {
    let mut harness = with_token();
    assert_eq!(harness.outputs.iter().filter(|o| wants_token(o)).count(), 1);
    assert!(!harness.outputs.iter().any(wants_socket), "no connection without a token");
    for input in [Input::Online, Input::Visible(false), Input::Visible(true)] {
        harness.tell(input);
    }
    assert_eq!(harness.outputs.iter().filter(|o| wants_token(o)).count(), 1, "once at a time");
    harness.tell(Input::Token("one".into()));
    harness.opens_websocket();
    assert_eq!(token_of_hello(&mut harness).as_deref(), Some("one"));
}

#[test]
fn promise_13_polls_carry_it_in_a_header_and_not_in_hello() {
    let mut harness = Harness::started(Config { token: true, websocket: false, ..config() });
    harness.tell(Input::Token("one".into()));
    let (request, frames, token) = harness.wants_request();
    assert_eq!(token.as_deref(), Some("one"));
    assert!(matches!(&frames[0], ClientFrame::Hello(hello) if hello.token.is_none()));
    harness.responds(request, &[polled(1), welcome(9)]);
    let (_, _, token) = harness.wants_request();
    assert_eq!(token.as_deref(), Some("one"));
}

#[test]
fn promise_13_a_reconnect_makes_no_extra_call() {
    let (mut harness, socket) = connected(HOUR);
    harness.closes(socket, 1001);
    harness.pass_until(1_001, wants_socket);
    assert!(!harness.outputs.iter().any(wants_token));
    harness.opens_websocket();
    assert_eq!(token_of_hello(&mut harness).as_deref(), Some("one"));
}

#[test]
fn promise_13_a_new_one_is_asked_for_30_s_before_the_old_one_expires() {
    let (mut harness, socket) = connected(100_000);
    let took = loop {
        harness.pass(1_000);
        harness.says(socket, &[everwire_protocol::Ping::default().into()]);
        if harness.outputs.iter().any(wants_token) {
            break harness.now.mono;
        }
    };
    assert!((70_000..=73_000).contains(&(took - 1_000)), "{took}");
    harness.sent();
    harness.tell(Input::Token("two".into()));
    assert!(matches!(&harness.sent()[..], [ClientFrame::Token(t)] if t.token == "two"));
}

#[test]
fn promise_13_after_sleep_a_new_token_comes_before_the_reconnect() {
    let (mut harness, socket) = connected(60_000);
    harness.now.wall += HOUR;
    harness.tell(Input::Timeout);
    harness.closes(socket, 1006);
    harness.outputs.clear();
    harness.pass(5_000);
    assert!(!harness.outputs.iter().any(wants_socket), "the old one is known to be stale");
    harness.tell(Input::Token("two".into()));
    harness.opens_websocket();
    assert_eq!(token_of_hello(&mut harness).as_deref(), Some("two"));
}

/// The next token is asked for within this time, comes, and is refused.
fn refuses_next(harness: &mut Harness, within: u64) {
    harness.pass_until(within, wants_token);
    harness.outputs.clear();
    harness.tell(Input::Token("bad".into()));
    let socket = harness.opens_websocket();
    harness.says(socket, &[error(ErrorCode::Unauthorized, None, None)]);
}

#[test]
fn promise_31_fresh_tokens_that_are_refused_over_some_seconds_are_the_end() {
    for seed in 0..20 {
        let mut harness = Harness::started(Config { token: true, seed, ..config() });
        let start = harness.now.mono;
        refuses_next(&mut harness, 0);
        assert_eq!(harness.status(), Status::Waiting, "what the application has in store may be stale");
        refuses_next(&mut harness, 2_001);
        assert_eq!(harness.status(), Status::Waiting);
        refuses_next(&mut harness, 4_501);
        assert_eq!(harness.status(), Status::Closed);
        let ended = |event: &Event| matches!(event, Event::Error { code: ErrorCode::Unauthorized, .. });
        assert!(harness.events().iter().any(ended));
        assert!((4_000..=7_000).contains(&(harness.now.mono - start)));
    }
}

#[test]
fn promise_31_fresh_tokens_are_given_four_seconds_to_the_millisecond() {
    for (after, status) in [(3_999, Status::Waiting), (4_000, Status::Closed)] {
        let mut harness = with_token();
        refuses_next(&mut harness, 0);
        let first = harness.now.mono;
        harness.pass_until(2_001, wants_token);
        harness.step(first + after - harness.now.mono);
        refuses_next(&mut harness, 0);
        assert_eq!(harness.status(), status, "{after}");
    }
}

#[test]
fn promise_31_refusals_that_are_a_minute_apart_are_no_series() {
    for (after, status) in [(59_999, Status::Closed), (60_000, Status::Waiting)] {
        let mut harness = with_token();
        refuses_next(&mut harness, 0);
        // The page was asleep meanwhile.
        harness.step(after);
        harness.tell(Input::Timeout);
        refuses_next(&mut harness, 0);
        assert_eq!(harness.status(), status, "{after}");
    }
}

#[test]
fn promise_31_a_good_token_that_comes_late_connects_and_ends_the_series() {
    let mut harness = with_token();
    for _ in 0..4 {
        refuses_next(&mut harness, 20_000);
        assert_eq!(harness.status(), Status::Waiting);
        harness.pass_until(2_001, wants_token);
        harness.tell(Input::Token("good".into()));
        let socket = harness.opens_websocket();
        harness.says(socket, &[welcome_for(HOUR)]);
        assert_eq!(harness.status(), Status::Connected);
        harness.outputs.clear();
        harness.closes(socket, CloseCode::TokenExpired.as_u16());
    }
}

#[test]
fn promise_31_a_client_without_tokens_that_is_refused_is_told_at_once() {
    let mut harness = Harness::started(config());
    let socket = harness.opens_websocket();
    harness.says(socket, &[error(ErrorCode::Unauthorized, None, None)]);
    assert_eq!(harness.status(), Status::Closed);
}

#[test]
fn promise_13_a_stale_token_that_is_refused_is_replaced() {
    let (mut harness, socket) = connected(HOUR);
    harness.says(socket, &[everwire_protocol::Ping::default().into()]);
    harness.pass(20_000);
    harness.closes(socket, CloseCode::Unauthorized.as_u16());
    assert_eq!(harness.status(), Status::Waiting);
    refuses_next(&mut harness, 1_001);
    refuses_next(&mut harness, 2_001);
    refuses_next(&mut harness, 4_501);
    assert_eq!(harness.status(), Status::Closed, "the new ones were no better");
}

#[test]
fn promise_13_a_callback_that_fails_or_hangs_is_called_again() {
    let mut harness = with_token();
    harness.outputs.clear();
    harness.tell(Input::TokenFailed("no network".into()));
    assert_eq!(harness.status(), Status::Waiting);
    harness.pass_until(1_001, wants_token);
    harness.outputs.clear();
    // Now it never answers.
    harness.pass_until(60_000, wants_token);
}

#[test]
fn a_token_that_expired_while_connected_leads_to_a_new_one() {
    let (mut harness, socket) = connected(HOUR);
    harness.closes(socket, CloseCode::TokenExpired.as_u16());
    harness.pass_until(1_001, wants_token);
}

#[test]
fn promise_13_a_token_that_lay_about_while_the_page_was_frozen_is_replaced() {
    let mut harness = with_token();
    // The callback had its answer long ago; the page hears of it only now, when it has expired.
    harness.step(25_000);
    harness.tell(Input::Token("old".into()));
    let socket = harness.opens_websocket();
    harness.says(socket, &[error(ErrorCode::Unauthorized, None, None)]);
    assert_eq!(harness.status(), Status::Waiting);
    harness.pass_until(1_001, wants_token);
}

#[test]
fn promise_13_a_refusal_of_the_token_before_is_not_the_end() {
    let mut harness = Harness::started(Config { token: true, websocket: false, ..config() });
    harness.tell(Input::Token("one".into()));
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome_for(60_000)]);
    // The machine slept: the poll goes out before the callback has answered.
    harness.outputs.clear();
    harness.now.wall += HOUR;
    harness.tell(Input::Timeout);
    let (request, _, token) = harness.wants_request();
    assert_eq!(token.as_deref(), Some("one"));
    assert!(harness.outputs.iter().any(wants_token));
    harness.tell(Input::Token("two".into()));
    harness.responds(request, &[error(ErrorCode::Unauthorized, None, None)]);
    assert_eq!(harness.status(), Status::Waiting);
    harness.outputs.clear();
    harness.pass_until(1_001, |output| matches!(output, Output::Request { .. }));
    let (_, _, token) = harness.wants_request();
    assert_eq!(token.as_deref(), Some("two"));
}

#[test]
fn promise_13_a_callback_that_was_given_up_does_not_replace_its_successors_token() {
    let mut harness = with_token();
    // The first never answers in time; the second does.
    harness.outputs.clear();
    harness.pass_until(60_000, wants_token);
    harness.tell(Input::Token("two".into()));
    let socket = harness.opens_websocket();
    harness.says(socket, &[welcome_for(HOUR)]);
    harness.sent();
    harness.tell(Input::Token("one".into()));
    assert!(harness.sent().is_empty(), "the older token is not told to the server");
    harness.closes(socket, 1001);
    harness.pass_until(1_001, wants_socket);
    harness.opens_websocket();
    assert_eq!(token_of_hello(&mut harness).as_deref(), Some("two"));
}

#[test]
fn promise_13_a_late_answer_to_an_earlier_call_that_is_refused_is_not_the_end() {
    let mut harness = with_token();
    // The first call is given up, the second brings a token.
    harness.outputs.clear();
    harness.pass_until(60_000, wants_token);
    harness.tell(Input::Token("two".into()));
    let socket = harness.opens_websocket();
    harness.says(socket, &[welcome_for(60_000)]);
    // The machine sleeps until that has expired. A third call; then the first one's answer comes.
    harness.outputs.clear();
    harness.now.wall += HOUR;
    harness.tell(Input::Timeout);
    harness.closes(socket, 1006);
    harness.pass_until(1_001, wants_token);
    harness.tell(Input::Token("one".into()));
    harness.pass_until(1_001, wants_socket);
    let socket = harness.opens_websocket();
    harness.outputs.clear();
    harness.says(socket, &[error(ErrorCode::Unauthorized, None, None)]);
    for within in [1_001, 2_001, 4_501] {
        assert_eq!(harness.status(), Status::Waiting);
        refuses_next(&mut harness, within);
    }
    assert_eq!(harness.status(), Status::Closed, "nothing is left that could be to blame but the token");
}

#[test]
fn promise_31_a_fresh_token_that_has_expired_is_replaced_however_often() {
    let mut harness = with_token();
    for round in 0..5 {
        harness.tell(Input::Token(format!("late {round}")));
        harness.pass_until(1_001, wants_socket);
        let socket = harness.opens_websocket();
        harness.outputs.clear();
        harness.says(socket, &[error(ErrorCode::TokenExpired, None, None)]);
        assert_eq!(harness.status(), Status::Waiting);
        let told = |event: &Event| matches!(event, Event::Error { code: ErrorCode::TokenExpired, .. });
        assert!(harness.events().iter().any(told));
        // The pause grows: an application whose clock is wrong is not a flood.
        harness.pass_until(20_001, wants_token);
    }
    harness.tell(Input::Token("good".into()));
    let socket = harness.opens_websocket();
    harness.says(socket, &[welcome_for(HOUR)]);
    assert_eq!(harness.status(), Status::Connected);
}

#[test]
fn promise_31_polling_with_a_token_that_has_expired_goes_on_with_the_next() {
    let mut harness = Harness::started(Config { token: true, websocket: false, ..config() });
    harness.tell(Input::Token("late".into()));
    let (request, ..) = harness.wants_request();
    harness.outputs.clear();
    harness.responds(request, &[error(ErrorCode::TokenExpired, None, None)]);
    harness.pass_until(1_001, wants_token);
    harness.tell(Input::Token("good".into()));
    let (_, _, token) = harness.wants_request();
    assert_eq!(token.as_deref(), Some("good"));
}

/// How long it takes until a token is requested, while the server pings.
fn requested_after(harness: &mut Harness, socket: SocketId, most: u64) -> Option<u64> {
    let from = harness.now.mono;
    while harness.now.mono - from < most {
        if harness.outputs.iter().any(wants_token) {
            return Some(harness.now.mono - from);
        }
        harness.pass(100);
        harness.says(socket, &[everwire_protocol::Ping::default().into()]);
        harness.sent();
    }
    None
}

#[test]
fn promise_13_a_token_of_less_than_a_minute_is_replaced_at_half_time_and_a_callback_that_failed_rests() {
    let mut harness = with_token();
    // The application took its time, and the page was older still.
    harness.pass(20_000);
    harness.tell(Input::Token("one".into()));
    let socket = harness.opens_websocket();
    harness.says(socket, &[welcome_for(40_000)]);
    harness.outputs.clear();
    let took = requested_after(&mut harness, socket, 40_000).unwrap();
    assert!((19_900..20_200).contains(&took), "{took}");
    harness.outputs.clear();
    harness.tell(Input::TokenFailed("no".into()));
    let took = requested_after(&mut harness, socket, 40_000).unwrap();
    assert!((9_900..10_200).contains(&took), "{took}");
}

#[test]
fn a_client_without_a_callback_requests_no_token_whatever_the_server_says() {
    let (mut harness, socket, _) = Harness::connected(&[]);
    harness.says(socket, &[welcome_for(5_000)]);
    assert_eq!(requested_after(&mut harness, socket, 60_000), None);
}

#[test]
fn promise_13_while_the_callback_has_not_answered_nothing_else_is_waited_for() {
    let (mut harness, socket) = connected(60_000);
    harness.tell(Input::Visible(false));
    let _ = requested_after(&mut harness, socket, 40_000).unwrap();
    assert!(harness.core.poll_timeout().is_some_and(|wait| wait > 1_000));
}

#[test]
fn promise_13_a_token_that_was_sent_on_a_connection_is_the_one_that_a_refusal_there_is_about() {
    let (mut harness, socket) = connected(60_000);
    let _ = requested_after(&mut harness, socket, 40_000).unwrap();
    harness.tell(Input::Token("two".into()));
    // Sent on this connection: a refusal is about it, and it is fresh.
    assert!(harness.sent().iter().any(|frame| matches!(frame, ClientFrame::Token(_))));
    harness.closes(socket, CloseCode::Unauthorized.as_u16());
    let (status, _, reason) = harness.state().unwrap();
    assert!(status == Status::Waiting && reason.contains("asking for another"), "{status:?}: {reason}");
}
