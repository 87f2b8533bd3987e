//! Promises 9 and 10: liveness by wall clock, and waking.

use everwire_client_core::{Config, Input, Output, SocketId, Status};
use everwire_protocol::{ClientFrame, Ping, Pong};

use crate::harness::{HOUR, Harness, config, message};

fn wants_socket(output: &Output) -> bool {
    matches!(output, Output::OpenWebSocket(_))
}

/// How long after now the socket is replaced, with no answer from the server.
fn replaced_after(harness: &mut Harness, socket: SocketId) -> u64 {
    assert!(matches!(harness.sent()[..], [ClientFrame::Ping(_)]), "it asks");
    harness.outputs.clear();
    let took = harness.pass_until(4_500, wants_socket);
    assert!(
        harness.outputs.iter().any(|o| matches!(o, Output::CloseWebSocket { socket: l, .. } if *l == socket))
    );
    took
}

#[test]
fn promise_9_silence_for_35_s_is_death_and_any_frame_is_life() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    for offset in 1..20 {
        harness.pass(34_000);
        harness.says(socket, &[message("news", offset)]);
    }
    assert!(!harness.outputs.iter().any(wants_socket));
    harness.outputs.clear();
    let took = harness.pass_until(37_000, |o| matches!(o, Output::CloseWebSocket { .. }));
    assert!((34_900..=35_100).contains(&took), "{took}");
}

#[test]
fn promise_9_a_ping_is_answered_with_its_nonce() {
    let (mut harness, socket, _) = Harness::connected(&[]);
    harness.says(socket, &[Ping { nonce: Some(5) }.into()]);
    assert_eq!(harness.sent(), [Pong { nonce: Some(5) }.into()]);
}

#[test]
fn promise_9_a_late_timer_gives_the_messages_behind_it_a_chance() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    harness.tell(Input::Visible(false));
    // Throttled: the timer of second 35 fires at 59. Not long enough a sleep for the clocks to differ.
    harness.step(59_000);
    harness.tell(Input::Timeout);
    harness.says(socket, &[message("news", 1)]);
    harness.pass(5_000);
    assert!(!harness.outputs.iter().any(|o| matches!(o, Output::CloseWebSocket { .. })));
    assert_eq!(harness.delivered.len(), 1);
}

#[test]
fn promise_10_every_kind_of_waking_replaces_a_dead_socket_within_4_s() {
    let wakings: [fn(&mut Harness); 6] = [
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
        let (mut harness, socket, _) = Harness::connected(&["news"]);
        waking(&mut harness);
        let took = replaced_after(&mut harness, socket);
        assert!(took <= 3_300, "waking {which}: {took} ms");
    }
}

#[test]
fn promise_10_a_live_socket_stays() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    harness.tell(Input::Online);
    harness.pass(1_000);
    harness.says(socket, &[Pong::default().into()]);
    harness.pass(20_000);
    assert!(!harness.outputs.iter().any(|o| matches!(o, Output::CloseWebSocket { .. })));
}

#[test]
fn promise_10_a_page_that_is_put_away_lets_go_and_comes_back_at_once() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    harness.tell(Input::PageHide);
    assert!(
        harness.outputs.iter().any(|o| matches!(o, Output::CloseWebSocket { socket: l, .. } if *l == socket))
    );
    assert_eq!(harness.core.poll_timeout(), None, "nothing happens in the cache");
    harness.send(1, "news");
    harness.outputs.clear();
    harness.step(HOUR);
    harness.tell(Input::PageShow);
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    assert_eq!(harness.sent_ids(), [1]);
}

#[test]
fn promise_10_waking_while_waiting_tries_at_once_but_not_in_showers() {
    let mut harness = Harness::started(Config { polling: false, ..config() });
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    harness.closes(socket, 1006);
    let mut tries = 0;
    // After the first seconds it is not the backoff that makes the tries come often.
    let start = harness.now.mono + 6_000;
    while harness.now.mono < start + 10_000 {
        harness.tell(Input::Visible(false));
        harness.tell(Input::Visible(true));
        harness.pass(50);
        if harness.outputs.iter().any(wants_socket) {
            let socket = harness.wants_websocket();
            harness.closes(socket, 1006);
            tries += usize::from(harness.now.mono > start);
        }
    }
    assert!((5..=11).contains(&tries), "{tries} tries in ten seconds");
}

#[test]
fn without_a_network_the_state_says_so_and_trying_goes_on() {
    let (mut harness, socket, _) = Harness::connected(&[]);
    harness.tell(Input::Offline);
    harness.closes(socket, 1006);
    assert_eq!(harness.status(), Status::Offline);
    harness.outputs.clear();
    // Browsers are wrong about this at times.
    harness.pass_until(1_001, wants_socket);
}

#[test]
fn promise_10_after_offline_and_online_the_socket_is_replaced_at_once() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    harness.tell(Input::Offline);
    harness.pass(1_000);
    harness.outputs.clear();
    harness.tell(Input::Online);
    assert!(
        harness.outputs.iter().any(|o| matches!(o, Output::CloseWebSocket { socket: l, .. } if *l == socket))
    );
    let took = harness.pass_until(300, wants_socket);
    assert!(took <= 260, "{took}");
}

#[test]
fn promise_10_a_socket_that_was_heard_between_offline_and_online_stays() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    harness.tell(Input::Offline);
    harness.pass(100);
    harness.says(socket, &[Pong::default().into()]);
    harness.tell(Input::Online);
    harness.pass(100);
    harness.says(socket, &[Pong::default().into()]);
    harness.pass(20_000);
    assert!(!harness.outputs.iter().any(|o| matches!(o, Output::CloseWebSocket { .. })));
}

#[test]
fn promise_10_waking_again_does_not_give_a_dead_socket_more_time() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    harness.tell(Input::Offline);
    let pings = |harness: &mut Harness| harness.sent().len();
    assert_eq!(pings(&mut harness), 1);
    harness.pass(2_000);
    harness.tell(Input::PageShow);
    assert_eq!(pings(&mut harness), 0, "one probe at a time");
    let took =
        harness.pass_until(2_000, |o| matches!(o, Output::CloseWebSocket { socket: s, .. } if *s == socket));
    assert!((900..=1_100).contains(&took), "{took}");
}

#[test]
fn promise_10_a_probe_whose_timer_is_late_gives_the_messages_behind_it_a_chance() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    harness.tell(Input::Online);
    // The page is frozen before the answer is read.
    harness.step(20_000);
    harness.tell(Input::Timeout);
    harness.says(socket, &[Pong::default().into()]);
    harness.pass(5_000);
    assert!(!harness.outputs.iter().any(|o| matches!(o, Output::CloseWebSocket { .. })));
}

#[test]
fn promise_10_online_again_while_waiting_opens_one_socket_and_not_before_its_time() {
    for seed in 0..20 {
        let mut harness = Harness::new(Config { polling: false, seed, ..config() });
        harness.tell(Input::Start);
        // Refused often enough for the pause to be longer than a second.
        for _ in 0..8 {
            harness.pass_until(20_001, wants_socket);
            let socket = harness.wants_websocket();
            harness.closes(socket, 1006);
        }
        let refused = harness.now.mono;
        harness.tell(Input::Online);
        assert!(!harness.outputs.iter().any(wants_socket), "{seed}: the last was refused just now");
        harness.pass_until(1_260, wants_socket);
        harness.wants_websocket();
        harness.pass(2_000);
        assert!(!harness.outputs.iter().any(wants_socket), "{seed}");
        assert!(harness.now.mono - refused >= 2_250, "{seed}");
    }
}
