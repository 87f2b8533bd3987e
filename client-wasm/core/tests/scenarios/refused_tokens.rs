//! Promise 13 by polling: a poll and a POST may carry different tokens, and a refusal is about the one that its own request
//! carried.

use everwire_client_core::{Config, Input, Output, RequestId, Status};
use everwire_protocol::{ClientFrame, ErrorCode, ServerFrame, Welcome};

use crate::harness::{Harness, ack, config, error, polled, wants_request, welcome};

/// The next request, whether it is a poll, and its token.
fn next(harness: &mut Harness) -> (RequestId, bool, String) {
    harness.pass_until(20, wants_request);
    let (request, frames, token) = harness.wants_request();
    (request, matches!(frames.get(1), Some(ClientFrame::Poll(_))), token.unwrap())
}

/// Polling with the token "one", which a poll that is under way carries.
fn polling() -> (Harness, RequestId) {
    let mut harness = Harness::started(Config { token: true, websocket: false, ..config() });
    harness.tell(Input::Token("one".into()));
    let (request, ..) = harness.wants_request();
    let ServerFrame::Welcome(frame) = welcome(9) else { unreachable!() };
    harness.responds(request, &[polled(1), Welcome { token_expires_in_ms: Some(60_000), ..frame }.into()]);
    let (held, poll, token) = next(&mut harness);
    assert!(poll && token == "one");
    harness.outputs.clear();
    (harness, held)
}

/// The same, with a POST under way as well, when the token is replaced by "two": returns the POST with the old token and
/// a poll with the new one.
fn replaced() -> (Harness, RequestId, RequestId) {
    let (mut harness, held) = polling();
    harness.pass_until(30_001, |output| *output == Output::FetchToken);
    harness.send(1, "news");
    let (post, poll, token) = next(&mut harness);
    assert!(!poll && token == "one");
    harness.tell(Input::Token("two".into()));
    harness.responds(held, &[polled(2), error(ErrorCode::Unavailable, None, None)]);
    let (held, poll, token) = next(&mut harness);
    assert!(poll && token == "two");
    (harness, post, held)
}

/// The server refuses the token of this request: what the client makes of it.
fn refuses(mut harness: Harness, request: RequestId) -> String {
    harness.responds(request, &[error(ErrorCode::Unauthorized, None, None)]);
    let (status, _, reason) = harness.state().unwrap();
    assert_eq!(status, Status::Waiting);
    reason
}

const EARLIER: &str = "the token was replaced in the meantime";
const FRESH: &str = "the server does not accept the token; asking for another: ";

#[test]
fn promise_13_a_poll_that_is_refused_is_about_its_own_token_whatever_posts_have_carried() {
    let (harness, held) = polling();
    let reason = refuses(harness, held);
    assert!(reason.starts_with(FRESH), "{reason}");
    let (harness, _, held) = replaced();
    let reason = refuses(harness, held);
    assert!(reason.starts_with(FRESH), "{reason}");
}

#[test]
fn promise_13_a_post_that_is_refused_is_about_its_own_token_whatever_polls_have_carried() {
    let (harness, post, _) = replaced();
    assert_eq!(refuses(harness, post), EARLIER);
    let (mut harness, post, _) = replaced();
    harness.send(2, "news");
    harness.responds(post, &[ack(1, 1)]);
    let (post, poll, token) = next(&mut harness);
    assert!(!poll && token == "two");
    let reason = refuses(harness, post);
    assert!(reason.starts_with(FRESH), "{reason}");
}

fn wants_token(output: &Output) -> bool {
    *output == Output::FetchToken
}

/// A page whose WebSockets never open, when a poll comes at last: a server that was down has let many attempts pass.
fn polls_at_last(harness: &mut Harness) -> RequestId {
    let mut refused = 0;
    loop {
        harness
            .pass_until(25_000, |output| matches!(output, Output::OpenWebSocket(_) | Output::Request { .. }));
        if harness.outputs.iter().any(wants_request) {
            let (request, ..) = harness.wants_request();
            if refused >= 16 {
                return request;
            }
            harness.tell(Input::RequestFailed { request, status: 502, reason: "down".into() });
        } else {
            let socket = harness.wants_websocket();
            harness.closes(socket, 1006);
            refused += 1;
        }
    }
}

#[test]
fn promise_13_a_wrong_token_ends_a_client_whose_websockets_never_open() {
    let mut harness = Harness::started(Config { token: true, ..config() });
    harness.tell(Input::Token("one".into()));
    let mut request = polls_at_last(&mut harness);
    let begin = harness.now.mono;
    // The first one has lain about; the others are as fresh as they can be.
    for round in 0..4 {
        assert_ne!(harness.status(), Status::Closed, "{round}");
        harness.outputs.clear();
        harness.responds(request, &[error(ErrorCode::Unauthorized, None, None)]);
        if harness.status() == Status::Closed {
            break;
        }
        harness.pass_until(5_000, wants_token);
        harness.tell(Input::Token(format!("wrong {round}")));
        request = harness.wants_request().0;
    }
    assert_eq!(harness.status(), Status::Closed);
    let took = harness.now.mono - begin;
    assert!(took < 10_000, "{took}");
}

#[test]
fn promise_13_where_websockets_never_open_another_token_is_tried_at_once() {
    for code in [ErrorCode::Unauthorized, ErrorCode::TokenExpired] {
        let mut harness = Harness::started(Config { token: true, ..config() });
        harness.tell(Input::Token("one".into()));
        let request = polls_at_last(&mut harness);
        harness.outputs.clear();
        harness.responds(request, &[error(code, None, None)]);
        harness.pass_until(1_001, wants_token);
        harness.tell(Input::Token("two".into()));
        let (request, _, token) = harness.wants_request();
        assert_eq!(token.as_deref(), Some("two"), "{code:?}");
        harness.responds(request, &[polled(1), welcome(9)]);
        assert_eq!(harness.status(), Status::Connected, "{code:?}");
    }
}
