//! Promise 13: tokens.

use everwire_client_core::{Config, Event, Input, LinkId, Output, Status};
use everwire_protocol::{ClientFrame, CloseCode, ErrorCode, ServerFrame, Welcome};

use crate::bench::{Bench, HOUR, config, error, polled, welcome};

fn wants_token(output: &Output) -> bool {
    *output == Output::FetchToken
}

fn wants_socket(output: &Output) -> bool {
    matches!(output, Output::OpenWebSocket(_))
}

fn with_token() -> Bench {
    Bench::started(Config { token: true, ..config() })
}

fn welcome_for(ms: u64) -> ServerFrame {
    let ServerFrame::Welcome(w) = welcome(1) else { unreachable!() };
    Welcome { token_expires_in_ms: Some(ms), ..w }.into()
}

fn token_of_hello(bench: &mut Bench) -> Option<String> {
    bench.sent().into_iter().find_map(|frame| match frame {
        ClientFrame::Hello(hello) => hello.token,
        _ => None,
    })
}

/// Connected with the token "one", which is good for this long.
fn connected(ms: u64) -> (Bench, LinkId) {
    let mut bench = with_token();
    bench.tell(Input::Token("one".into()));
    let link = bench.opens_websocket();
    bench.says(link, &[welcome_for(ms)]);
    bench.outputs.clear();
    (bench, link)
}

#[test]
fn promise_13_the_token_is_asked_for_once_and_travels_in_hello() {
    let mut bench = with_token();
    assert_eq!(bench.outputs.iter().filter(|o| wants_token(o)).count(), 1);
    assert!(!bench.outputs.iter().any(wants_socket), "no connection without a token");
    for input in [Input::Online, Input::Visible(false), Input::Visible(true)] {
        bench.tell(input);
    }
    assert_eq!(bench.outputs.iter().filter(|o| wants_token(o)).count(), 1, "once at a time");
    bench.tell(Input::Token("one".into()));
    bench.opens_websocket();
    assert_eq!(token_of_hello(&mut bench).as_deref(), Some("one"));
}

#[test]
fn promise_13_polls_carry_it_in_a_header_and_not_in_hello() {
    let mut bench = Bench::started(Config { token: true, websocket: false, ..config() });
    bench.tell(Input::Token("one".into()));
    let (request, frames, token) = bench.wants_request();
    assert_eq!(token.as_deref(), Some("one"));
    assert!(matches!(&frames[0], ClientFrame::Hello(hello) if hello.token.is_none()));
    bench.responds(request, &[polled(1), welcome(9)]);
    let (_, _, token) = bench.wants_request();
    assert_eq!(token.as_deref(), Some("one"));
}

#[test]
fn promise_13_a_reconnect_makes_no_extra_call() {
    let (mut bench, link) = connected(HOUR);
    bench.closes(link, 1006);
    bench.pass_until(1_001, wants_socket);
    assert!(!bench.outputs.iter().any(wants_token));
    bench.opens_websocket();
    assert_eq!(token_of_hello(&mut bench).as_deref(), Some("one"));
}

#[test]
fn promise_13_a_new_one_is_asked_for_30_s_before_the_old_one_expires() {
    let (mut bench, link) = connected(100_000);
    let took = loop {
        bench.pass(1_000);
        bench.says(link, &[everwire_protocol::Ping::default().into()]);
        if bench.outputs.iter().any(wants_token) {
            break bench.now.mono;
        }
    };
    assert!((70_000..=73_000).contains(&(took - 1_000)), "{took}");
    bench.sent();
    bench.tell(Input::Token("two".into()));
    assert!(matches!(&bench.sent()[..], [ClientFrame::Token(t)] if t.token == "two"));
}

#[test]
fn promise_13_after_sleep_a_new_token_comes_before_the_reconnect() {
    let (mut bench, link) = connected(60_000);
    bench.now.wall += HOUR;
    bench.tell(Input::Timeout);
    bench.closes(link, 1006);
    bench.outputs.clear();
    bench.pass(5_000);
    assert!(!bench.outputs.iter().any(wants_socket), "the old one is known to be stale");
    bench.tell(Input::Token("two".into()));
    bench.opens_websocket();
    assert_eq!(token_of_hello(&mut bench).as_deref(), Some("two"));
}

#[test]
fn promise_13_a_fresh_token_that_is_refused_is_the_end_and_a_stale_one_is_replaced() {
    let mut bench = with_token();
    bench.tell(Input::Token("bad".into()));
    let link = bench.opens_websocket();
    bench.says(link, &[error(ErrorCode::Unauthorized, None, None)]);
    assert_eq!(bench.status(), Status::Closed);

    let (mut bench, link) = connected(HOUR);
    bench.says(link, &[everwire_protocol::Ping::default().into()]);
    bench.pass(20_000);
    bench.closes(link, CloseCode::Unauthorized.as_u16());
    assert_eq!(bench.status(), Status::Waiting);
    bench.pass_until(1_001, wants_token);
    bench.tell(Input::Token("two".into()));
    let link = bench.opens_websocket();
    bench.says(link, &[error(ErrorCode::Unauthorized, None, None)]);
    assert_eq!(bench.status(), Status::Closed, "the new one was no better");
}

#[test]
fn promise_13_a_callback_that_fails_or_hangs_is_called_again() {
    let mut bench = with_token();
    bench.outputs.clear();
    bench.tell(Input::TokenFailed("no network".into()));
    assert_eq!(bench.status(), Status::Waiting);
    bench.pass_until(1_001, wants_token);
    bench.outputs.clear();
    // Now it never answers.
    bench.pass_until(60_000, wants_token);
}

#[test]
fn a_token_that_expired_while_connected_leads_to_a_new_one() {
    let (mut bench, link) = connected(HOUR);
    bench.closes(link, CloseCode::TokenExpired.as_u16());
    bench.pass_until(1_001, wants_token);
}

#[test]
fn promise_13_a_token_that_lay_about_while_the_page_was_frozen_is_replaced() {
    let mut bench = with_token();
    // The callback had its answer long ago; the page hears of it only now, when it has expired.
    bench.step(25_000);
    bench.tell(Input::Token("old".into()));
    let link = bench.opens_websocket();
    bench.says(link, &[error(ErrorCode::Unauthorized, None, None)]);
    assert_eq!(bench.status(), Status::Waiting);
    bench.pass_until(1_001, wants_token);
}

#[test]
fn promise_13_a_refusal_of_the_token_before_is_not_the_end() {
    let mut bench = Bench::started(Config { token: true, websocket: false, ..config() });
    bench.tell(Input::Token("one".into()));
    let (request, ..) = bench.wants_request();
    bench.responds(request, &[polled(1), welcome_for(60_000)]);
    // The machine slept: the poll goes out before the callback has answered.
    bench.outputs.clear();
    bench.now.wall += HOUR;
    bench.tell(Input::Timeout);
    let (request, _, token) = bench.wants_request();
    assert_eq!(token.as_deref(), Some("one"));
    assert!(bench.outputs.iter().any(wants_token));
    bench.tell(Input::Token("two".into()));
    bench.responds(request, &[error(ErrorCode::Unauthorized, None, None)]);
    assert_eq!(bench.status(), Status::Waiting);
    bench.outputs.clear();
    bench.pass_until(1_001, |output| matches!(output, Output::Request { .. }));
    let (_, _, token) = bench.wants_request();
    assert_eq!(token.as_deref(), Some("two"));
}

#[test]
fn promise_13_a_callback_that_was_given_up_does_not_replace_its_successors_token() {
    let mut bench = with_token();
    // The first never answers in time; the second does.
    bench.outputs.clear();
    bench.pass_until(60_000, wants_token);
    bench.tell(Input::Token("two".into()));
    let link = bench.opens_websocket();
    bench.says(link, &[welcome_for(HOUR)]);
    bench.sent();
    bench.tell(Input::Token("one".into()));
    assert!(bench.sent().is_empty(), "the older token is not told to the server");
    bench.closes(link, 1006);
    bench.pass_until(1_001, wants_socket);
    bench.opens_websocket();
    assert_eq!(token_of_hello(&mut bench).as_deref(), Some("two"));
}

#[test]
fn promise_13_a_late_answer_to_an_earlier_call_that_is_refused_is_not_the_end() {
    let mut bench = with_token();
    // The first call is given up, the second brings a token.
    bench.outputs.clear();
    bench.pass_until(60_000, wants_token);
    bench.tell(Input::Token("two".into()));
    let link = bench.opens_websocket();
    bench.says(link, &[welcome_for(60_000)]);
    // The machine sleeps until that has expired. A third call; then the first one's answer comes.
    bench.outputs.clear();
    bench.now.wall += HOUR;
    bench.tell(Input::Timeout);
    bench.closes(link, 1006);
    bench.pass_until(1_001, wants_token);
    bench.tell(Input::Token("one".into()));
    bench.pass_until(1_001, wants_socket);
    let link = bench.opens_websocket();
    bench.outputs.clear();
    bench.says(link, &[error(ErrorCode::Unauthorized, None, None)]);
    assert_eq!(bench.status(), Status::Waiting);
    bench.pass_until(1_001, wants_token);
    bench.tell(Input::Token("three".into()));
    let link = bench.opens_websocket();
    bench.says(link, &[error(ErrorCode::Unauthorized, None, None)]);
    assert_eq!(bench.status(), Status::Closed, "nothing is left that could be to blame but the token");
}

#[test]
fn promise_31_a_fresh_token_that_has_expired_is_replaced_however_often() {
    let mut bench = with_token();
    for round in 0..5 {
        bench.tell(Input::Token(format!("late {round}")));
        bench.pass_until(1_001, wants_socket);
        let link = bench.opens_websocket();
        bench.outputs.clear();
        bench.says(link, &[error(ErrorCode::TokenExpired, None, None)]);
        assert_eq!(bench.status(), Status::Waiting);
        let told = |event: &Event| matches!(event, Event::Error { code: ErrorCode::TokenExpired, .. });
        assert!(bench.events().iter().any(told));
        // The pause grows: an application whose clock is wrong is not a flood.
        bench.pass_until(20_001, wants_token);
    }
    bench.tell(Input::Token("good".into()));
    let link = bench.opens_websocket();
    bench.says(link, &[welcome_for(HOUR)]);
    assert_eq!(bench.status(), Status::Connected);
}

#[test]
fn promise_31_polling_with_a_token_that_has_expired_goes_on_with_the_next() {
    let mut bench = Bench::started(Config { token: true, websocket: false, ..config() });
    bench.tell(Input::Token("late".into()));
    let (request, ..) = bench.wants_request();
    bench.outputs.clear();
    bench.responds(request, &[error(ErrorCode::TokenExpired, None, None)]);
    bench.pass_until(1_001, wants_token);
    bench.tell(Input::Token("good".into()));
    let (_, _, token) = bench.wants_request();
    assert_eq!(token.as_deref(), Some("good"));
}
