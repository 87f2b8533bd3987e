//! Promises 7 and 8: backoff, its reset, planned restarts, and what ends a connection for good.

use everwire_client_core::{Event, Input, Output, Status};
use everwire_protocol::{ClientFrame, CloseCode, ErrorCode, Goaway, ServerFrame, Welcome};

use crate::harness::{HOUR, Harness, config, error, message, subscribed, wants_request, welcome};

fn wants_socket(output: &Output) -> bool {
    matches!(output, Output::OpenWebSocket(_))
}

/// Without polling, so that only the backoff shows.
fn websocket_only() -> everwire_client_core::Config {
    everwire_client_core::Config { polling: false, ..config() }
}

#[test]
fn the_first_batch_is_hello_and_all_subscriptions_with_positions() {
    let mut harness = Harness::new(config());
    harness.subscribe("news");
    let position = everwire_client_core::Position { epoch: "a".into(), offset: 41, run: "1-a".into() };
    harness.core.subscribe(harness.now, "private-chat.7", None, Some(position)).unwrap();
    harness.tell(Input::Start);
    harness.opens_websocket();
    let sent = harness.sent();
    assert!(matches!(&sent[0], ClientFrame::Hello(h) if h.version == 1));
    let ClientFrame::Subscribe(second) = &sent[2] else { panic!("{sent:?}") };
    assert_eq!((second.epoch.as_deref(), second.offset), (Some("a"), Some(41)));
    assert_eq!(second.run.as_deref(), Some("1-a"));
    assert_eq!(sent.len(), 3);
}

#[test]
fn promise_7_the_first_retry_comes_within_a_second_and_it_never_gives_up() {
    let mut harness = Harness::started(websocket_only());
    let socket = harness.wants_websocket();
    harness.outputs.clear();
    harness.closes(socket, 1006);
    assert_eq!(harness.status(), Status::Waiting);
    assert!(harness.pass_until(1_000, wants_socket) <= 1_000);
    let mut longest = 0;
    let end = harness.now.mono + 24 * HOUR;
    let mut tries = 0;
    while harness.now.mono < end {
        let socket = harness.wants_websocket();
        harness.outputs.clear();
        harness.closes(socket, 1006);
        let wait = harness.pass_until(20_001, wants_socket);
        assert!(wait >= 250);
        longest = longest.max(wait);
        tries += 1;
    }
    assert!(longest > 18_000, "the cap is reached: {longest}");
    assert!(tries > 6_000, "a day of tries: {tries}");
}

#[test]
fn promise_7_while_hidden_the_cap_is_a_minute() {
    let mut harness = Harness::new(everwire_client_core::Config { hidden: true, ..websocket_only() });
    harness.tell(Input::Start);
    let mut longest = 0;
    for _ in 0..200 {
        let socket = harness.wants_websocket();
        harness.closes(socket, 1006);
        longest = longest.max(harness.pass_until(60_001, wants_socket));
    }
    assert!(longest > 50_000, "{longest}");
}

#[test]
fn promise_7_backoff_is_reset_only_by_ten_seconds_and_a_useful_frame() {
    // How long after several failures the next wait may be, for a connection that lived so and so.
    let longest_after = |up_for: u64, useful: bool| {
        let mut longest = 0;
        for seed in 0..60 {
            let mut harness = Harness::new(everwire_client_core::Config { seed, ..websocket_only() });
            harness.subscribe("news");
            harness.tell(Input::Start);
            for _ in 0..8 {
                let socket = harness.wants_websocket();
                harness.closes(socket, 1006);
                harness.pass_until(20_001, wants_socket);
            }
            let socket = harness.opens_websocket();
            harness.says(socket, &[welcome(1)]);
            if useful {
                harness.says(socket, &[subscribed("news", "a", 0, 0)]);
            }
            harness.pass(up_for);
            harness.closes(socket, 1006);
            longest = longest.max(harness.pass_until(20_001, wants_socket));
        }
        longest
    };
    assert!(longest_after(11_000, true) <= 1_000, "as if nothing had been");
    assert!(longest_after(9_000, true) > 5_000, "too short to prove anything");
    assert!(longest_after(11_000, false) > 5_000, "a welcome alone is no use");
}

#[test]
fn promise_8_goaway_is_followed_by_the_delay_and_a_part_of_the_spread() {
    let mut returns = Vec::new();
    for seed in 0..200 {
        let mut harness = Harness::new(everwire_client_core::Config { seed, ..websocket_only() });
        harness.tell(Input::Start);
        let socket = harness.opens_websocket();
        harness.says(socket, &[welcome(1)]);
        harness
            .says(socket, &[Goaway { delay_ms: 2_000, spread_ms: 10_000, reason: "restart".into() }.into()]);
        let told = harness.now.mono;
        harness.pass(500);
        harness.closes(socket, CloseCode::GoingAway.as_u16());
        harness.pass_until(12_000, wants_socket);
        returns.push(harness.now.mono - told);
    }
    assert!(returns.iter().all(|ms| (2_000..=12_010).contains(ms)), "{returns:?}");
    let early = returns.iter().filter(|ms| **ms < 7_000).count();
    assert!((70..130).contains(&early), "spread evenly: {early} of 200 in the first half");
}

#[test]
fn promise_8_goaway_instead_of_a_welcome_says_when_to_come_back() {
    for polling in [false, true] {
        let mut returns = Vec::new();
        for seed in 0..50 {
            let config = everwire_client_core::Config { seed, polling, websocket: !polling, ..config() };
            let mut harness = Harness::started(config);
            let refusal = error(ErrorCode::RateLimited, None, None);
            let goaway = Goaway { delay_ms: 40_000, spread_ms: 10_000, reason: "too many sessions".into() };
            let told = harness.now.mono;
            if polling {
                let (poll, ..) = harness.wants_request();
                harness.responds(poll, &[refusal, goaway.into()]);
            } else {
                let socket = harness.opens_websocket();
                harness.says(socket, &[refusal, goaway.into()]);
                harness.closes(socket, CloseCode::RateLimited.as_u16());
            }
            harness.outputs.clear();
            harness.pass_until(60_000, |output| wants_socket(output) || wants_request(output));
            returns.push(harness.now.mono - told);
        }
        assert!(returns.iter().all(|ms| (40_000..=50_010).contains(ms)), "{returns:?}");
    }
}

#[test]
fn promise_8_a_server_that_does_not_close_is_left_after_the_delay() {
    let mut harness = Harness::started(websocket_only());
    let socket = harness.opens_websocket();
    harness.says(socket, &[welcome(1)]);
    harness.says(socket, &[Goaway { delay_ms: 2_000, spread_ms: 1_000, reason: "restart".into() }.into()]);
    harness.outputs.clear();
    harness.pass_until(2_001, |o| matches!(o, Output::CloseWebSocket { .. }));
}

#[test]
fn promise_13_terminal_refusals_stop_the_client_and_are_visible() {
    for code in ErrorCode::ALL.iter().copied().filter(|c| c.terminal()) {
        let mut harness = Harness::started(config());
        let socket = harness.opens_websocket();
        harness.says(socket, &[error(code, None, None)]);
        let events = harness.events();
        assert!(
            events.iter().any(
                |e| matches!(e, Event::State { status: Status::Closed, code: Some(c), .. } if *c == code)
            ),
            "{events:?}"
        );
        harness.outputs.clear();
        harness.pass(HOUR);
        assert_eq!(harness.outputs, [], "{code:?} is the end");
        assert_eq!(harness.core.poll_timeout(), None);
    }
}

#[test]
fn terminal_close_codes_stop_the_client_and_all_others_do_not() {
    for code in CloseCode::ALL.iter().map(|c| c.as_u16()).chain([1006, 1011, 4999]) {
        let mut harness = Harness::started(config());
        let socket = harness.opens_websocket();
        harness.outputs.clear();
        harness.closes(socket, code);
        let terminal = CloseCode::from_u16(code).is_some_and(CloseCode::terminal);
        assert_eq!(harness.core.poll_timeout().is_none(), terminal, "{code}");
    }
}

#[test]
fn promise_10_a_connection_that_the_application_closed_stays_closed() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    harness.tell(Input::Close);
    assert!(matches!(harness.sent()[..], [ClientFrame::Bye(_)]), "it says bye");
    harness.outputs.clear();
    for input in
        [Input::Online, Input::Visible(false), Input::Visible(true), Input::PageHide, Input::PageShow]
    {
        harness.tell(input);
    }
    harness.closes(socket, 1000);
    harness.says(socket, &[message("news", 1)]);
    harness.pass(HOUR);
    assert_eq!(harness.outputs, []);
    assert_eq!(harness.delivered, []);
}

#[test]
fn promise_7_what_a_connection_has_proven_does_not_excuse_the_attempts_after_it() {
    let mut harness = Harness::new(websocket_only());
    harness.subscribe("news");
    harness.tell(Input::Start);
    let socket = harness.opens_websocket();
    harness.says(socket, &[welcome(1), subscribed("news", "a", 0, 0)]);
    harness.pass(11_000);
    harness.closes(socket, 1006);
    for failed in 1..=5 {
        let attempts = harness.events().into_iter().rev().find_map(|event| match event {
            Event::State { status: Status::Waiting, attempt, .. } => Some(attempt),
            _ => None,
        });
        assert_eq!(attempts, Some(failed));
        harness.pass_until(20_001, wants_socket);
        let socket = harness.wants_websocket();
        harness.closes(socket, 1006);
    }
}

#[test]
fn the_run_of_the_store_is_that_of_the_last_welcome() {
    let mut harness = Harness::started(websocket_only());
    assert_eq!(harness.core.run(), "");
    for run in ["1-a", "2-b"] {
        harness.pass_until(1_001, wants_socket);
        let socket = harness.opens_websocket();
        let ServerFrame::Welcome(frame) = welcome(1) else { unreachable!() };
        harness.says(socket, &[Welcome { run: run.into(), ..frame }.into()]);
        assert_eq!(harness.core.run(), run);
        harness.closes(socket, CloseCode::GoingAway.as_u16());
        assert_eq!(harness.core.run(), run, "until there is another");
    }
}
