//! How connections end and begin again: which error a close code means, what a page that comes back starts with, and that
//! what belongs to an earlier socket, request or token ends nothing that is in use.

use everwire_client_core::{Config, Event, Heard, Input, Output, SocketId, Source, Status};
use everwire_protocol::{Activity, CloseCode, ErrorCode, Ping, ServerFrame, Signalled, Statuses, Welcome};

use crate::harness::{Harness, config, id, message, polled, subscribed, wants_request, welcome};

fn wants_socket(output: &Output) -> bool {
    matches!(output, Output::OpenWebSocket(_))
}

/// Loses the connection and is welcomed by another one.
fn reconnect(harness: &mut Harness, old: SocketId) -> SocketId {
    harness.closes(old, 1006);
    harness.pass_until(20_001, wants_socket);
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    socket
}

#[test]
fn a_terminal_close_code_tells_the_application_the_same_as_the_error_would() {
    for (code, expected) in [
        (CloseCode::Banned, ErrorCode::Banned),
        (CloseCode::SessionMismatch, ErrorCode::SessionMismatch),
        (CloseCode::UnsupportedVersion, ErrorCode::UnsupportedVersion),
        (CloseCode::Unauthorized, ErrorCode::Unauthorized),
    ] {
        let (mut harness, socket, _) = Harness::connected(&[]);
        harness.closes(socket, code.as_u16());
        let ends = harness.events().into_iter().find_map(|event| match event {
            Event::State { status: Status::Closed, code, .. } => code,
            _ => None,
        });
        assert_eq!(ends, Some(expected));
    }
}

#[test]
fn a_page_that_comes_back_has_not_failed_yet() {
    let mut harness = Harness::started(Config { polling: false, ..config() });
    for _ in 0..8 {
        let socket = harness.wants_websocket();
        harness.closes(socket, 1006);
        harness.pass_until(20_001, wants_socket);
    }
    harness.tell(Input::PageHide);
    harness.outputs.clear();
    harness.tell(Input::PageShow);
    let attempt = harness.events().into_iter().find_map(|event| match event {
        Event::State { attempt, .. } => Some(attempt),
        _ => None,
    });
    assert_eq!(attempt, Some(0));
    let socket = harness.wants_websocket();
    harness.closes(socket, 1006);
    assert!(harness.pass_until(1_000, wants_socket) <= 1_000, "the first retry comes soon");
}

#[test]
fn the_state_counts_the_attempts_that_failed() {
    let mut harness = Harness::started(Config { polling: false, ..config() });
    for failed in 1..=4 {
        let socket = harness.wants_websocket();
        harness.outputs.clear();
        harness.closes(socket, 1006);
        let attempts = harness.events().into_iter().find_map(|event| match event {
            Event::State { status: Status::Waiting, attempt, retry_in: Some(_), .. } => Some(attempt),
            _ => None,
        });
        assert_eq!(attempts, Some(failed));
        harness.pass_until(20_001, wants_socket);
    }
}

#[test]
fn what_is_said_of_an_earlier_socket_ends_nothing() {
    let (mut harness, old, handles) = Harness::connected(&["news"]);
    let socket = reconnect(&mut harness, old);
    harness.says(socket, &[subscribed("news", "a", 0, 1)]);
    harness.outputs.clear();
    harness.closes(old, 1006);
    harness.tell(Input::Violation { source: Source::WebSocket(old), message: "rubbish".into() });
    harness.says(old, &[message("news", 1), welcome(3)]);
    // A driver may pass on an entry by itself, because that is the hot path.
    harness.core.begin_batch(harness.now, Source::WebSocket(old));
    assert!(!harness.core.accept(handles[0], 1, 1));
    harness.core.end_batch();
    harness.pass(1_000);
    assert_eq!(harness.delivered, []);
    assert_eq!(harness.outputs, []);
    harness.says(socket, &[message("news", 1)]);
    assert_eq!(harness.delivered, [("news".to_owned(), 1)]);
}

#[test]
fn a_response_to_an_earlier_poll_begins_and_ends_nothing() {
    let mut harness = Harness::new(Config { websocket: false, ..config() });
    harness.subscribe("news");
    harness.tell(Input::Start);
    let (first, ..) = harness.wants_request();
    harness.responds(first, &[polled(1), welcome(9), subscribed("news", "a", 0, 0)]);
    harness.pass_until(9_000, wants_request);
    let (held, ..) = harness.wants_request();
    harness.outputs.clear();
    harness.responds(first, &[polled(7), welcome(3), message("news", 1)]);
    harness.tell(Input::RequestFailed { request: first, status: 0, reason: "lost".into() });
    assert_eq!((&harness.outputs[..], &harness.delivered[..]), (&[][..], &[][..]));
    harness.responds(held, &[polled(2), message("news", 1)]);
    assert_eq!(harness.delivered.len(), 1);
}

#[test]
fn a_welcome_in_answer_to_a_post_does_not_name_the_connection_of_the_polls() {
    let mut harness = Harness::started(Config { websocket: false, ..config() });
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9)]);
    harness.pass_until(9_000, wants_request);
    let (held, ..) = harness.wants_request();
    harness.send(1, "news");
    let (post, ..) = harness.wants_request();
    let ServerFrame::Welcome(frame) = welcome(3) else { unreachable!() };
    harness.responds(post, &[Welcome { hold_ms: 0, ..frame }.into(), crate::harness::ack(1, 1)]);
    harness.responds(held, &[polled(2)]);
    harness.pass_until(9_000, wants_request);
    let (_, frames, _) = harness.wants_request();
    let poll = frames.iter().find_map(|frame| match frame {
        everwire_protocol::ClientFrame::Poll(poll) => Some(poll.clone()),
        _ => None,
    });
    assert_eq!(poll.unwrap().connection.map(|connection| connection.as_u128()), Some(9));
}

/// Connected by WebSocket alone. A new token has been requested in good time, and has not come yet.
fn waiting_for_a_token() -> (Harness, SocketId) {
    let mut harness = Harness::started(Config { token: true, polling: false, ..config() });
    harness.tell(Input::Token("one".into()));
    let socket = harness.opens_websocket();
    let ServerFrame::Welcome(frame) = welcome(1) else { unreachable!() };
    harness.says(socket, &[Welcome { token_expires_in_ms: Some(60_000), ..frame }.into()]);
    harness.outputs.clear();
    while !harness.outputs.contains(&Output::FetchToken) {
        harness.pass(10_000);
        harness.says(socket, &[Ping::default().into()]);
    }
    harness.outputs.clear();
    (harness, socket)
}

#[test]
fn a_token_that_comes_between_two_attempts_does_not_cut_the_pause_short() {
    let (mut harness, socket) = waiting_for_a_token();
    harness.closes(socket, 1006);
    harness.outputs.clear();
    harness.tell(Input::Token("two".into()));
    assert_eq!(harness.outputs, []);
    harness.pass_until(1_001, wants_socket);
}

#[test]
fn a_token_that_comes_or_fails_while_a_websocket_is_being_opened_leaves_it_alone() {
    for answer in [Input::Token("two".into()), Input::TokenFailed("no".into())] {
        let (mut harness, socket) = waiting_for_a_token();
        harness.closes(socket, 1006);
        harness.pass_until(1_001, wants_socket);
        let socket = harness.wants_websocket();
        harness.tell(answer);
        assert!(!harness.outputs.iter().any(wants_socket), "one WebSocket at a time");
        assert_eq!(harness.status(), Status::Connecting, "the token in use is good for another while");
        harness.tell(Input::WebSocketOpened(socket));
        harness.welcome_websocket(socket);
        assert_eq!(harness.status(), Status::Connected);
    }
}

#[test]
fn a_memory_that_ends_now_is_over() {
    let now = 1_700_000_000_000;
    for (polling_until, polls) in
        [(now, false), (now + 1, true), (now + 30 * 60_000, true), (now + 30 * 60_000 + 1, false)]
    {
        let memory = Some(everwire_client_core::Memory { polling_until });
        let harness = Harness::started(Config { memory, ..config() });
        assert_eq!(harness.outputs.iter().any(wants_request), polls, "{polling_until}");
    }
}

#[test]
fn what_is_for_the_user_alone_is_heard_by_the_transport_in_use_only() {
    let (mut harness, socket, _) = Harness::connected(&[]);
    let data = || everwire_protocol::Payload::from_value("x").unwrap();
    let signalled = Signalled {
        channel: None,
        event: "call".into(),
        data: data(),
        user: None,
        name: None,
        from: None,
        at: 0,
    };
    let ServerFrame::Message(message) = message("private-chat.7", 1) else { unreachable!() };
    let frames: [ServerFrame; 2] = [signalled.into(), Activity { message }.into()];
    harness.says(socket, &frames);
    assert_eq!(harness.heard, [Heard::Signalled(None), Heard::Activity]);
    harness.heard.clear();
    // Not yet welcomed: what comes by it does not count.
    harness.closes(socket, 1006);
    harness.pass_until(20_001, wants_socket);
    let socket = harness.opens_websocket();
    harness.says(socket, &frames);
    assert_eq!(harness.heard, []);
}

#[test]
fn an_answer_is_heard_once_and_only_if_it_was_requested() {
    let (mut harness, socket, _) = Harness::connected(&[]);
    let answer = || Statuses { id: id(7), statuses: Vec::new() }.into();
    harness.says(socket, &[answer()]);
    assert_eq!(harness.heard, []);
    let question = r#"{"type":"get_status","id":"00000000-0000-0000-0000-000000000007","users":["bob"]}"#;
    harness.core.request(harness.now, id(7), question.into(), 30_000).unwrap();
    harness.says(socket, &[answer(), answer()]);
    assert_eq!(harness.heard, [Heard::Answered]);
}

#[test]
fn without_a_network_the_reason_names_it() {
    let (mut harness, socket, _) = Harness::connected(&[]);
    harness.closes(socket, 1001);
    assert!(harness.state().unwrap().2.starts_with("WebSocket to "), "{:?}", harness.state());
    harness.pass_until(20_001, wants_socket);
    harness.tell(Input::Offline);
    let socket = harness.wants_websocket();
    harness.closes(socket, 1006);
    let (status, _, reason) = harness.state().unwrap();
    assert!(status == Status::Offline && reason.starts_with("no network: "), "{status:?}: {reason}");
}

#[test]
fn a_batch_from_the_server_may_be_of_any_size() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    let frames: Vec<_> = (1..=2_000).map(|offset| message("news", offset)).collect();
    harness.says(socket, &frames);
    assert_eq!(harness.delivered.len(), 2_000);
}
