//! Promise 13: what the server says of a token that it has accepted, which is when the next one is asked for; and a token that never
//! changes.

use everwire_client_core::{Config, Event, Input, Output, SocketId, Status};
use everwire_protocol::{ClientFrame, ErrorCode, Ping, ServerFrame, TokenAccepted, Welcome};

use crate::harness::{HOUR, Harness, config, error, polled, wants_request, welcome};

fn wants_token(output: &Output) -> bool {
    *output == Output::FetchToken
}

fn accepted(ms: u64) -> ServerFrame {
    TokenAccepted { expires_in_ms: Some(ms) }.into()
}

fn welcome_for(ms: u64) -> ServerFrame {
    let ServerFrame::Welcome(frame) = welcome(9) else { unreachable!() };
    Welcome { token_expires_in_ms: Some(ms), ..frame }.into()
}

/// Connected by WebSocket with the token "one", which is good for this long.
fn connected(ms: u64) -> (Harness, SocketId) {
    let mut harness = Harness::started(Config { token: true, ..config() });
    harness.tell(Input::Token("one".into()));
    let socket = harness.opens_websocket();
    harness.says(socket, &[welcome_for(ms)]);
    harness.outputs.clear();
    (harness, socket)
}

/// How long it takes until the next token is asked for, in ms, while the server says something now and then.
fn until_wanted(harness: &mut Harness, socket: SocketId, most: u64) -> Option<u64> {
    let start = harness.now.mono;
    while harness.now.mono < start + most {
        harness.pass(500);
        if harness.outputs.iter().any(wants_token) {
            harness.outputs.clear();
            return Some(harness.now.mono - start);
        }
        harness.says(socket, &[Ping::default().into()]);
    }
    None
}

#[test]
fn promise_13_a_token_that_was_accepted_is_replaced_in_time_without_a_reconnect() {
    let (mut harness, socket) = connected(100_000);
    for n in 0..5 {
        let took = until_wanted(&mut harness, socket, 80_000).unwrap();
        assert!((69_000..72_000).contains(&took), "{took}");
        harness.tell(Input::Token(format!("next {n}")));
        assert!(matches!(&harness.sent()[..], [.., ClientFrame::Token(_)]));
        harness.says(socket, &[accepted(100_000)]);
    }
    assert_eq!(harness.state(), None, "it has stayed connected");
}

#[test]
fn promise_13_a_token_that_does_not_expire_is_not_replaced() {
    let (mut harness, socket) = connected(60_000);
    assert!(until_wanted(&mut harness, socket, 40_000).is_some());
    harness.tell(Input::Token("for ever".into()));
    harness.says(socket, &[TokenAccepted { expires_in_ms: None }.into()]);
    assert_eq!(until_wanted(&mut harness, socket, HOUR), None);
}

#[test]
fn promise_13_the_same_token_again_is_not_asked_for_in_ever_shorter_times() {
    let (mut harness, socket) = connected(40_000);
    let mut asked = Vec::new();
    let start = harness.now.mono;
    while let Some(took) = until_wanted(&mut harness, socket, 60_000) {
        asked.push(took);
        harness.tell(Input::Token("one".into()));
        let left = (start + 40_000).saturating_sub(harness.now.mono);
        harness.says(socket, &[accepted(left)]);
        if harness.now.mono > start + 50_000 {
            break;
        }
    }
    assert!(asked.len() >= 3 && asked[1..].iter().all(|took| *took >= 10_000), "{asked:?}");
}

#[test]
fn promise_13_by_polling_the_life_of_a_token_counts_from_the_first_poll_that_carries_it() {
    let mut harness = Harness::started(Config { token: true, websocket: false, ..config() });
    harness.tell(Input::Token("one".into()));
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome_for(60_000)]);
    harness.outputs.retain(|output| !wants_token(output));
    harness.pass_until(8_000, wants_request);
    let (held, _, token) = harness.wants_request();
    assert_eq!(token.as_deref(), Some("one"));
    harness.pass(24_000);
    harness.responds(held, &[polled(2), error(ErrorCode::Unavailable, None, None)]);
    harness.pass_until(8_000, wants_request);
    let (held, ..) = harness.wants_request();
    harness.pass_until(8_000, wants_token);
    harness.outputs.clear();
    harness.tell(Input::Token("two".into()));
    // What is said of the first token is not about the second.
    harness.responds(held, &[polled(3), accepted(1_000)]);
    harness.pass_until(8_000, wants_request);
    let (held, _, token) = harness.wants_request();
    assert_eq!(token.as_deref(), Some("two"));
    harness.pass(3_000);
    assert!(!harness.outputs.iter().any(wants_token));
    harness.responds(held, &[polled(4), accepted(50_000)]);
    let (mut took, mut seq) = (0, 4);
    while !harness.outputs.iter().any(wants_token) && took < 40_000 {
        took += harness.pass_until(8_000, |output| wants_request(output) || wants_token(output));
        if !harness.outputs.iter().any(wants_token) {
            let (request, ..) = harness.wants_request();
            harness.pass(1_000);
            took += 1_000;
            seq += 1;
            harness.responds(request, &[polled(seq)]);
        }
    }
    assert!((18_000..30_000).contains(&took), "{took}");
}

fn constant() -> (Harness, SocketId) {
    let mut harness = Harness::started(Config { token: true, constant_token: true, ..config() });
    harness.tell(Input::Token("only".into()));
    let socket = harness.opens_websocket();
    harness.outputs.clear();
    (harness, socket)
}

#[test]
fn promise_13_a_token_that_never_changes_ends_the_client_when_it_is_refused() {
    for wait in [0, 20_000] {
        let (mut harness, socket) = constant();
        if wait > 0 {
            harness.says(socket, &[welcome_for(HOUR)]);
            harness.pass(wait);
        }
        harness.says(socket, &[error(ErrorCode::Unauthorized, None, None)]);
        assert_eq!(harness.status(), Status::Closed, "after {wait} ms");
    }
}

#[test]
fn promise_13_a_token_that_never_changes_is_tried_again_when_the_time_is_wrong() {
    let (mut harness, mut socket) = constant();
    for _ in 0..4 {
        harness.says(socket, &[error(ErrorCode::TokenExpired, None, None)]);
        assert_eq!(harness.status(), Status::Waiting);
        let told = |event: &Event| matches!(event, Event::Error { code: ErrorCode::TokenExpired, .. });
        assert!(harness.events().iter().any(told));
        harness.pass_until(20_001, wants_token);
        harness.tell(Input::Token("only".into()));
        socket = harness.opens_websocket();
        harness.outputs.clear();
    }
    harness.says(socket, &[welcome_for(60_000)]);
    assert_eq!(harness.status(), Status::Connected);
    assert_eq!(until_wanted(&mut harness, socket, 65_000), None, "another one would be the same");
}
