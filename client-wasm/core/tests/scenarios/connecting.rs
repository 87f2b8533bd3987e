//! Promises 7 and 8: backoff, its reset, planned restarts, and what ends a connection for good.

use everwire_client_core::{Event, Input, Output, Status};
use everwire_protocol::{ClientFrame, CloseCode, ErrorCode, Goaway};

use crate::bench::{Bench, HOUR, config, error, message, subscribed, welcome};

fn wants_socket(output: &Output) -> bool {
    matches!(output, Output::OpenWebSocket(_))
}

/// Without polling, so that only the backoff shows.
fn websocket_only() -> everwire_client_core::Config {
    everwire_client_core::Config { polling: false, ..config() }
}

#[test]
fn the_first_batch_is_hello_and_all_subscriptions_with_positions() {
    let mut bench = Bench::new(config());
    bench.subscribe("news");
    let position = everwire_client_core::Position { epoch: "a".into(), offset: 41 };
    bench.core.subscribe(bench.now, "private-chat.7", None, Some(position)).unwrap();
    bench.tell(Input::Start);
    bench.opens_websocket();
    let sent = bench.sent();
    assert!(matches!(&sent[0], ClientFrame::Hello(h) if h.version == 1));
    let ClientFrame::Subscribe(second) = &sent[2] else { panic!("{sent:?}") };
    assert_eq!((second.epoch.as_deref(), second.offset), (Some("a"), Some(41)));
    assert_eq!(sent.len(), 3);
}

#[test]
fn promise_7_the_first_retry_comes_within_a_second_and_it_never_gives_up() {
    let mut bench = Bench::started(websocket_only());
    let link = bench.wants_websocket();
    bench.outputs.clear();
    bench.closes(link, 1006);
    assert_eq!(bench.status(), Status::Waiting);
    assert!(bench.pass_until(1_000, wants_socket) <= 1_000);
    let mut longest = 0;
    let end = bench.now.mono + 24 * HOUR;
    let mut tries = 0;
    while bench.now.mono < end {
        let link = bench.wants_websocket();
        bench.outputs.clear();
        bench.closes(link, 1006);
        let wait = bench.pass_until(20_001, wants_socket);
        assert!(wait >= 250);
        longest = longest.max(wait);
        tries += 1;
    }
    assert!(longest > 18_000, "the cap is reached: {longest}");
    assert!(tries > 6_000, "a day of tries: {tries}");
}

#[test]
fn promise_7_while_hidden_the_cap_is_a_minute() {
    let mut bench = Bench::new(everwire_client_core::Config { hidden: true, ..websocket_only() });
    bench.tell(Input::Start);
    let mut longest = 0;
    for _ in 0..200 {
        let link = bench.wants_websocket();
        bench.closes(link, 1006);
        longest = longest.max(bench.pass_until(60_001, wants_socket));
    }
    assert!(longest > 50_000, "{longest}");
}

#[test]
fn promise_7_backoff_is_reset_only_by_ten_seconds_and_a_useful_frame() {
    // How long after several failures the next wait may be, for a connection that lived so and so.
    let longest_after = |up_for: u64, useful: bool| {
        let mut longest = 0;
        for seed in 0..60 {
            let mut bench = Bench::new(everwire_client_core::Config { seed, ..websocket_only() });
            bench.subscribe("news");
            bench.tell(Input::Start);
            for _ in 0..8 {
                let link = bench.wants_websocket();
                bench.closes(link, 1006);
                bench.pass_until(20_001, wants_socket);
            }
            let link = bench.opens_websocket();
            bench.says(link, &[welcome(1)]);
            if useful {
                bench.says(link, &[subscribed("news", "a", 0, 0)]);
            }
            bench.pass(up_for);
            bench.closes(link, 1006);
            longest = longest.max(bench.pass_until(20_001, wants_socket));
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
        let mut bench = Bench::new(everwire_client_core::Config { seed, ..websocket_only() });
        bench.tell(Input::Start);
        let link = bench.opens_websocket();
        bench.says(link, &[welcome(1)]);
        bench.says(link, &[Goaway { delay_ms: 2_000, spread_ms: 10_000, reason: "restart".into() }.into()]);
        let told = bench.now.mono;
        bench.pass(500);
        bench.closes(link, CloseCode::GoingAway.as_u16());
        bench.pass_until(12_000, wants_socket);
        returns.push(bench.now.mono - told);
    }
    assert!(returns.iter().all(|ms| (2_000..=12_010).contains(ms)), "{returns:?}");
    let early = returns.iter().filter(|ms| **ms < 7_000).count();
    assert!((70..130).contains(&early), "spread evenly: {early} of 200 in the first half");
}

#[test]
fn promise_8_a_server_that_does_not_close_is_left_after_the_delay() {
    let mut bench = Bench::started(websocket_only());
    let link = bench.opens_websocket();
    bench.says(link, &[welcome(1)]);
    bench.says(link, &[Goaway { delay_ms: 2_000, spread_ms: 1_000, reason: "restart".into() }.into()]);
    bench.outputs.clear();
    bench.pass_until(2_001, |o| matches!(o, Output::CloseWebSocket { .. }));
}

#[test]
fn promise_13_terminal_refusals_stop_the_client_and_are_visible() {
    for code in ErrorCode::ALL.iter().copied().filter(|c| c.terminal()) {
        let mut bench = Bench::started(config());
        let link = bench.opens_websocket();
        bench.says(link, &[error(code, None, None)]);
        let events = bench.events();
        assert!(
            events.iter().any(
                |e| matches!(e, Event::State { status: Status::Closed, code: Some(c), .. } if *c == code)
            ),
            "{events:?}"
        );
        bench.outputs.clear();
        bench.pass(HOUR);
        assert_eq!(bench.outputs, [], "{code:?} is the end");
        assert_eq!(bench.core.poll_timeout(), None);
    }
}

#[test]
fn terminal_close_codes_stop_the_client_and_all_others_do_not() {
    for code in CloseCode::ALL.iter().map(|c| c.as_u16()).chain([1006, 1011, 4999]) {
        let mut bench = Bench::started(config());
        let link = bench.opens_websocket();
        bench.outputs.clear();
        bench.closes(link, code);
        let terminal = CloseCode::from_u16(code).is_some_and(CloseCode::terminal);
        assert_eq!(bench.core.poll_timeout().is_none(), terminal, "{code}");
    }
}

#[test]
fn promise_10_a_connection_that_the_application_closed_stays_closed() {
    let (mut bench, link, _) = Bench::connected(&["news"]);
    bench.tell(Input::Close);
    assert!(matches!(bench.sent()[..], [ClientFrame::Bye(_)]), "it says bye");
    bench.outputs.clear();
    for input in
        [Input::Online, Input::Visible(false), Input::Visible(true), Input::PageHide, Input::PageShow]
    {
        bench.tell(input);
    }
    bench.closes(link, 1000);
    bench.says(link, &[message("news", 1)]);
    bench.pass(HOUR);
    assert_eq!(bench.outputs, []);
    assert_eq!(bench.delivered, []);
}
