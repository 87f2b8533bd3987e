//! Promises 9 and 10: liveness by wall clock, and waking.

use everwire_client_core::{Config, Input, LinkId, Output, Status};
use everwire_protocol::{ClientFrame, Ping, Pong};

use crate::bench::{Bench, HOUR, config, message};

fn wants_socket(output: &Output) -> bool {
    matches!(output, Output::OpenWebSocket(_))
}

/// How long after now the socket is replaced, with no answer from the server.
fn replaced_after(bench: &mut Bench, link: LinkId) -> u64 {
    assert!(matches!(bench.sent()[..], [ClientFrame::Ping(_)]), "it asks");
    bench.outputs.clear();
    let took = bench.pass_until(4_500, wants_socket);
    assert!(bench.outputs.iter().any(|o| matches!(o, Output::CloseWebSocket { link: l, .. } if *l == link)));
    took
}

#[test]
fn promise_9_silence_for_35_s_is_death_and_any_frame_is_life() {
    let (mut bench, link, _) = Bench::connected(&["news"]);
    for offset in 1..20 {
        bench.pass(34_000);
        bench.says(link, &[message("news", offset)]);
    }
    assert!(!bench.outputs.iter().any(wants_socket));
    bench.outputs.clear();
    let took = bench.pass_until(37_000, |o| matches!(o, Output::CloseWebSocket { .. }));
    assert!((34_900..=35_100).contains(&took), "{took}");
}

#[test]
fn promise_9_a_ping_is_answered_with_its_nonce() {
    let (mut bench, link, _) = Bench::connected(&[]);
    bench.says(link, &[Ping { nonce: Some(5) }.into()]);
    assert_eq!(bench.sent(), [Pong { nonce: Some(5) }.into()]);
}

#[test]
fn promise_9_a_late_timer_gives_the_messages_behind_it_a_chance() {
    let (mut bench, link, _) = Bench::connected(&["news"]);
    bench.tell(Input::Visible(false));
    // Throttled: the timer of second 35 fires at 59. Not long enough a sleep for the clocks to differ.
    bench.step(59_000);
    bench.tell(Input::Timeout);
    bench.says(link, &[message("news", 1)]);
    bench.pass(5_000);
    assert!(!bench.outputs.iter().any(|o| matches!(o, Output::CloseWebSocket { .. })));
    assert_eq!(bench.delivered.len(), 1);
}

#[test]
fn promise_10_every_kind_of_waking_replaces_a_dead_socket_within_4_s() {
    let wakings: [fn(&mut Bench); 6] = [
        |b| b.tell(Input::Online),
        |b| b.tell(Input::Offline),
        |b| {
            b.tell(Input::Visible(false));
            b.tell(Input::Visible(true));
        },
        |b| b.tell(Input::PageShow),
        // The machine slept: only the wall clock knows.
        |b| {
            b.now.wall += HOUR;
            b.tell(Input::Timeout);
        },
        |b| {
            b.now.wall += 6_000;
            b.pass(1_000);
        },
    ];
    for (which, waking) in wakings.iter().enumerate() {
        let (mut bench, link, _) = Bench::connected(&["news"]);
        waking(&mut bench);
        let took = replaced_after(&mut bench, link);
        assert!(took <= 3_300, "waking {which}: {took} ms");
    }
}

#[test]
fn promise_10_a_live_socket_stays() {
    let (mut bench, link, _) = Bench::connected(&["news"]);
    bench.tell(Input::Online);
    bench.pass(1_000);
    bench.says(link, &[Pong::default().into()]);
    bench.pass(20_000);
    assert!(!bench.outputs.iter().any(|o| matches!(o, Output::CloseWebSocket { .. })));
}

#[test]
fn promise_10_a_page_that_is_put_away_lets_go_and_comes_back_at_once() {
    let (mut bench, link, _) = Bench::connected(&["news"]);
    bench.tell(Input::PageHide);
    assert!(bench.outputs.iter().any(|o| matches!(o, Output::CloseWebSocket { link: l, .. } if *l == link)));
    assert_eq!(bench.core.poll_timeout(), None, "nothing happens in the cache");
    bench.send(1, "news");
    bench.outputs.clear();
    bench.step(HOUR);
    bench.tell(Input::PageShow);
    let link = bench.opens_websocket();
    bench.welcome_websocket(link);
    assert_eq!(bench.sent_ids(), [1]);
}

#[test]
fn promise_10_waking_while_waiting_tries_at_once_but_not_in_showers() {
    let mut bench = Bench::started(Config { polling: false, ..config() });
    let link = bench.opens_websocket();
    bench.welcome_websocket(link);
    bench.closes(link, 1006);
    let mut tries = 0;
    // After the first seconds it is not the backoff that makes the tries come often.
    let start = bench.now.mono + 6_000;
    while bench.now.mono < start + 10_000 {
        bench.tell(Input::Visible(false));
        bench.tell(Input::Visible(true));
        bench.pass(50);
        if bench.outputs.iter().any(wants_socket) {
            let link = bench.wants_websocket();
            bench.closes(link, 1006);
            tries += usize::from(bench.now.mono > start);
        }
    }
    assert!((5..=11).contains(&tries), "{tries} tries in ten seconds");
}

#[test]
fn without_a_network_the_state_says_so_and_trying_goes_on() {
    let (mut bench, link, _) = Bench::connected(&[]);
    bench.tell(Input::Offline);
    bench.closes(link, 1006);
    assert_eq!(bench.status(), Status::Offline);
    bench.outputs.clear();
    // Browsers are wrong about this at times.
    bench.pass_until(1_001, wants_socket);
}

#[test]
fn promise_10_after_offline_and_online_the_socket_is_replaced_at_once() {
    let (mut bench, link, _) = Bench::connected(&["news"]);
    bench.tell(Input::Offline);
    bench.pass(1_000);
    bench.outputs.clear();
    bench.tell(Input::Online);
    assert!(bench.outputs.iter().any(|o| matches!(o, Output::CloseWebSocket { link: l, .. } if *l == link)));
    let took = bench.pass_until(300, wants_socket);
    assert!(took <= 260, "{took}");
}

#[test]
fn promise_10_a_socket_that_was_heard_between_offline_and_online_stays() {
    let (mut bench, link, _) = Bench::connected(&["news"]);
    bench.tell(Input::Offline);
    bench.pass(100);
    bench.says(link, &[Pong::default().into()]);
    bench.tell(Input::Online);
    bench.pass(100);
    bench.says(link, &[Pong::default().into()]);
    bench.pass(20_000);
    assert!(!bench.outputs.iter().any(|o| matches!(o, Output::CloseWebSocket { .. })));
}
