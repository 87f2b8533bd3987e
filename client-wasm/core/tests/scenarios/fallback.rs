//! Promise 11: polling where WebSocket does not work, and back.

use everwire_client_core::{Config, Event, Input, Memory, Output, Status, Transport};
use everwire_protocol::{ClientFrame, GapReason, Unsubscribed};

use crate::bench::{
    Bench, HOUR, ack, channel, config, message, polled, subscribed, subscribed_with_gap, wants_request,
    welcome,
};

fn wants_socket(output: &Output) -> bool {
    matches!(output, Output::OpenWebSocket(_))
}

/// Connected by polling, because WebSocket stays silent; the held poll is answered once.
fn polling(bench: &mut Bench) {
    bench.pass_until(2_500, wants_request);
    let (request, ..) = bench.wants_request();
    bench.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 0, 0)]);
}

#[test]
fn promise_11_polling_starts_beside_a_websocket_that_is_silent_for_2_5_s() {
    let mut bench = Bench::new(config());
    bench.subscribe("news");
    bench.tell(Input::Start);
    bench.wants_websocket();
    let took = bench.pass_until(2_600, wants_request);
    assert!((2_500..2_600).contains(&took), "{took}");
    let (request, frames, _) = bench.wants_request();
    assert!(
        matches!(&frames[..], [ClientFrame::Hello(_), ClientFrame::Poll(p), ClientFrame::Subscribe(_)] if p.ack == 0)
    );
    bench.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 0, 0)]);
    let (status, transport, reason) = bench.state().unwrap();
    assert_eq!((status, transport), (Status::Connected, Some(Transport::Polling)));
    assert_eq!(reason, "WebSocket gives no answer");
}

#[test]
fn promise_11_a_websocket_that_answers_late_takes_over_without_loss() {
    let mut bench = Bench::new(config());
    bench.subscribe("news");
    bench.tell(Input::Start);
    let link = bench.wants_websocket();
    polling(&mut bench);
    let (poll, ..) = bench.wants_request();
    bench.responds(poll, &[polled(2), message("news", 1)]);
    bench.send(1, "news");
    // Late, but before the ten seconds are over. Its first batch knows an older position than polling has by now.
    bench.tell(Input::WebSocketOpened(link));
    let (old_poll, ..) = bench.wants_request();
    bench.sent();
    bench.outputs.clear();
    bench.says(link, &[welcome(10), subscribed("news", "a", 0, 2), message("news", 1), message("news", 2)]);
    assert_eq!(bench.delivered, [("news".to_owned(), 1), ("news".to_owned(), 2)]);
    assert_eq!(bench.state().unwrap().1, Some(Transport::WebSocket));
    assert!(bench.outputs.iter().any(|o| matches!(o, Output::Abort(_))), "the poll is given up");
    assert_eq!(bench.sent_ids(), [1], "what has no ack goes out again");
    bench.responds(old_poll, &[polled(3), message("news", 3), ack(1, 3)]);
    assert_eq!(bench.delivered.len(), 2, "what the old transport still brings does not count");
}

#[test]
fn promise_11_websocket_is_given_up_at_10_s_and_probed_again() {
    let mut bench = Bench::new(config());
    bench.subscribe("news");
    bench.tell(Input::Start);
    let silent = bench.wants_websocket();
    polling(&mut bench);
    bench.outputs.clear();
    bench.pass_until(10_000, |o| *o == Output::CloseWebSocket { link: silent, code: 4013 });
    assert!(bench.outputs.iter().any(|o| matches!(o, Output::Remember(Some(_)))), "and that is remembered");
    let mut waits = Vec::new();
    for _ in 0..5 {
        let from = bench.now.mono;
        // Polling goes on all the while.
        while !bench.outputs.iter().any(wants_socket) {
            if bench.outputs.iter().any(wants_request) {
                let (request, ..) = bench.wants_request();
                bench.step(20_000);
                bench.responds(request, &[polled(2)]);
            }
            bench.pass(100);
        }
        let probe = bench.wants_websocket();
        waits.push((bench.now.mono - from) / 1_000);
        bench.closes(probe, 1006);
    }
    for (wait, expected) in waits.iter().zip([30, 120, 300, 600, 1_800]) {
        assert!(wait.abs_diff(expected) <= 21, "{waits:?}");
    }
}

#[test]
fn promise_11_a_probe_that_works_brings_websocket_back() {
    let mut bench = Bench::new(Config { memory: Some(remembered()), ..config() });
    bench.subscribe("news");
    bench.tell(Input::Start);
    assert!(!bench.outputs.iter().any(wants_socket), "what worked is remembered");
    let (request, ..) = bench.wants_request();
    bench.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 0, 0)]);
    bench.tell(Input::Online);
    let link = bench.opens_websocket();
    bench.outputs.clear();
    bench.says(link, &[welcome(10), subscribed("news", "a", 0, 0)]);
    assert_eq!(bench.state().unwrap().1, Some(Transport::WebSocket));
    assert!(bench.outputs.contains(&Output::Remember(None)), "and what was remembered is forgotten");
    bench.closes(link, 1006);
    bench.outputs.clear();
    bench.pass_until(1_001, wants_socket);
}

fn remembered() -> Memory {
    Memory { polling_until: 1_700_000_000_000 + 60_000 }
}

#[test]
fn promise_11_a_memory_that_is_over_or_impossible_is_ignored() {
    for polling_until in [1_700_000_000_000 - 1, 1_700_000_000_000 + 2 * HOUR] {
        let mut bench = Bench::started(Config { memory: Some(Memory { polling_until }), ..config() });
        bench.wants_websocket();
    }
}

#[test]
fn promise_11_three_sockets_that_open_and_die_are_enough() {
    let mut bench = Bench::started(config());
    for round in 0..3 {
        bench.pass_until(20_001, wants_socket);
        let link = bench.opens_websocket();
        bench.welcome_websocket(link);
        bench.pass(800);
        bench.outputs.clear();
        bench.closes(link, 1006);
        if round < 2 {
            assert!(!bench.outputs.iter().any(wants_request), "a server may have restarted");
        }
    }
    bench.pass_until(20_001, wants_request);
    assert!(!bench.outputs.iter().any(wants_socket), "polling only");
    let (request, ..) = bench.wants_request();
    bench.responds(request, &[polled(1), welcome(9)]);
    assert_eq!(bench.state().unwrap().2, "WebSocket does not work here");
    assert!(bench.outputs.iter().any(|o| matches!(o, Output::Remember(Some(_)))));
}

#[test]
fn promise_11_a_socket_that_never_opened_does_not_count_among_the_three() {
    let mut bench = Bench::started(config());
    for opens in [true, false, true, true] {
        bench.pass_until(20_001, wants_socket);
        assert!(!bench.outputs.iter().any(wants_request), "not yet three that opened");
        if opens {
            let link = bench.opens_websocket();
            bench.welcome_websocket(link);
            bench.pass(300);
            bench.outputs.clear();
            bench.closes(link, 1006);
        } else {
            let link = bench.wants_websocket();
            bench.pass(300);
            bench.outputs.clear();
            bench.closes(link, 1006);
        }
    }
    bench.pass_until(20_001, wants_request);
    assert!(!bench.outputs.iter().any(wants_socket), "polling only");
}

#[test]
fn promise_11_a_socket_that_dies_between_open_and_welcome_is_polled_at_once_and_given_up_after_three() {
    let mut bench = Bench::started(config());
    let link = bench.opens_websocket();
    bench.outputs.clear();
    bench.closes(link, 1006);
    assert!(bench.outputs.iter().any(wants_request), "polling is tried without a pause");
    let (request, ..) = bench.wants_request();
    bench.responds(request, &[polled(1), welcome(9)]);
    assert_eq!(bench.state().unwrap().2, "WebSocket gives no answer");
    let remembered = |output: &Output| matches!(output, Output::Remember(Some(_)));
    assert!(!bench.outputs.iter().any(remembered), "one may be an accident");
    for (round, wait) in [30_000, 120_000].into_iter().enumerate() {
        let from = bench.now.mono;
        while !bench.outputs.iter().any(wants_socket) {
            if bench.outputs.iter().any(wants_request) {
                let (request, ..) = bench.wants_request();
                bench.step(20_000);
                bench.responds(request, &[polled(2)]);
            }
            bench.pass(100);
        }
        assert!((wait..wait + 21_000).contains(&(bench.now.mono - from)), "the next try is a probe");
        let probe = bench.opens_websocket();
        bench.closes(probe, 1006);
        assert_eq!(bench.outputs.iter().any(remembered), round == 1, "only after the third");
    }
}

#[test]
fn promise_11_refused_upgrades_lead_to_polling_within_5_s() {
    for seed in 0..50 {
        let mut bench = Bench::new(Config { seed, ..config() });
        bench.tell(Input::Start);
        let start = bench.now.mono;
        while !bench.outputs.iter().any(wants_request) {
            if bench.outputs.iter().any(wants_socket) {
                let link = bench.wants_websocket();
                bench.closes(link, 1006);
            } else {
                bench.pass(10);
            }
        }
        assert!(bench.now.mono - start < 2_000, "{} ms", bench.now.mono - start);
        let (request, ..) = bench.wants_request();
        bench.responds(request, &[polled(1), welcome(9)]);
        assert!(
            bench.outputs.iter().any(|o| matches!(o, Output::Remember(Some(_)))),
            "what worked is remembered"
        );
    }
}

#[test]
fn promise_11_a_page_that_wakes_where_upgrades_are_refused_polls_at_the_next_refusal() {
    let mut bench = Bench::started(config());
    // Without any network for a while, so that polls are tried seldom.
    let mut refused = 0;
    while refused < 9 {
        if bench.outputs.iter().any(wants_socket) {
            let link = bench.wants_websocket();
            bench.closes(link, 1006);
            refused += 1;
        }
        if bench.outputs.iter().any(wants_request) {
            let (request, ..) = bench.wants_request();
            bench.tell(Input::RequestFailed { request, reason: "no network".into() });
        }
        bench.pass(10);
    }
    bench.tell(Input::Online);
    bench.outputs.clear();
    bench.pass_until(1_001, wants_socket);
    let link = bench.wants_websocket();
    bench.closes(link, 1006);
    assert!(bench.outputs.iter().any(wants_request));
}

#[test]
fn only_the_transports_that_are_allowed_are_used() {
    let mut bench = Bench::started(Config { websocket: false, ..config() });
    let (request, ..) = bench.wants_request();
    bench.responds(request, &[polled(1), welcome(9)]);
    assert_eq!(bench.state().unwrap().2, "HTTP polling, as configured");
    bench.pass(HOUR);
    assert!(!bench.outputs.iter().any(wants_socket));
    let mut bench = Bench::started(Config { polling: false, ..config() });
    bench.wants_websocket();
    bench.pass(HOUR);
    assert!(!bench.outputs.iter().any(wants_request));
}

#[test]
fn promise_11_what_a_late_websocket_skips_or_takes_back_is_asked_for_again() {
    for (answer, what) in [
        (subscribed("news", "a", 5, 5), "skips 3 to 5"),
        (subscribed("news", "a", 0, 1), "takes back 1 and 2"),
        (subscribed("news", "b", 0, 0), "knows another log"),
    ] {
        let mut bench = Bench::new(config());
        bench.subscribe("news");
        bench.tell(Input::Start);
        let link = bench.opens_websocket();
        // It has asked without a position; then polling is faster.
        polling(&mut bench);
        let (poll, ..) = bench.wants_request();
        bench.responds(poll, &[polled(2), message("news", 1), message("news", 2)]);
        bench.outputs.clear();
        bench.says(link, &[welcome(10), answer]);
        let gaps = bench.outputs.iter().filter(|o| matches!(o, Output::Event(Event::Gap { .. }))).count();
        assert_eq!(gaps, 0, "{what}: nothing is known to be missing");
        let sent = bench.sent();
        let asked = sent.iter().find_map(|frame| match frame {
            ClientFrame::Subscribe(s) => Some((s.epoch.as_deref(), s.offset)),
            _ => None,
        });
        assert_eq!(asked, Some((Some("a"), Some(2))), "{what}");
        // Entries of the first answer do not count; those of the second do.
        let rest = [message("news", 6), subscribed("news", "a", 2, 6), message("news", 3)];
        bench.says(link, &rest);
        assert_eq!(bench.delivered.last(), Some(&("news".to_owned(), 3)), "{what}");
    }
}

#[test]
fn an_answer_to_an_earlier_subscription_is_not_taken_for_one_to_the_present() {
    let mut bench = Bench::new(Config { websocket: false, ..config() });
    let old = bench.subscribe("news");
    bench.tell(Input::Start);
    let (request, ..) = bench.wants_request();
    bench.core.unsubscribe(bench.now, old);
    bench.core.subscribe(bench.now, "news", Some(10), None).unwrap();
    bench.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 7, 7), message("news", 8)]);
    assert!(bench.delivered.is_empty());
    bench.pass(20);
    let (request, frames, _) = bench.wants_request();
    assert!(frames.iter().any(|f| matches!(f, ClientFrame::Subscribe(s) if s.recent == Some(10))));
    bench.responds(request, &[polled(2), subscribed("news", "a", 0, 8), message("news", 1)]);
    assert_eq!(bench.delivered, [("news".to_owned(), 1)]);
}

#[test]
fn what_was_left_on_a_websocket_that_failed_can_be_entered_again_by_polling() {
    let mut bench = Bench::new(config());
    let old = bench.subscribe("news");
    bench.tell(Input::Start);
    // It opens, and is told that the channel is left; nobody will ever confirm that.
    let link = bench.opens_websocket();
    polling(&mut bench);
    bench.core.unsubscribe(bench.now, old);
    bench.closes(link, 1006);
    bench.pass(20);
    bench.outputs.clear();
    bench.subscribe("news");
    bench.pass(20);
    let (request, ..) = bench.wants_request();
    bench.responds(request, &[polled(2), subscribed("news", "a", 0, 1), message("news", 1)]);
    assert_eq!(bench.delivered, [("news".to_owned(), 1)]);
}

#[test]
fn what_was_asked_on_a_websocket_that_is_not_welcomed_yet_is_left_there_too() {
    let mut bench = Bench::new(config());
    let old = bench.subscribe("news");
    bench.tell(Input::Start);
    let link = bench.opens_websocket();
    polling(&mut bench);
    // The log is trimmed faster than it is read: polling has to ask again.
    let (poll, ..) = bench.wants_request();
    let trimmed = subscribed_with_gap("news", "a", 5, 2, GapReason::Trimmed);
    bench.responds(poll, &[polled(2), message("news", 1), trimmed]);
    bench.sent();
    bench.core.unsubscribe(bench.now, old);
    bench.tell(Input::Timeout);
    assert!(matches!(&bench.sent()[..], [ClientFrame::Unsubscribe(_)]));
    bench.subscribe("news");
    bench.outputs.clear();
    let earlier = subscribed_with_gap("news", "a", 7, 1, GapReason::Trimmed);
    bench.says(link, &[welcome(10), earlier, message("news", 8)]);
    assert_eq!(bench.delivered, [("news".to_owned(), 1)], "what was asked before does not begin the new one");
    let left = Unsubscribed { channel: channel("news"), code: None, message: None };
    bench.says(link, &[left.into(), subscribed("news", "a", 9, 9), message("news", 10)]);
    assert_eq!(bench.delivered.last(), Some(&("news".to_owned(), 10)));
}

#[test]
fn a_gap_of_an_earlier_question_is_not_declared_in_answer_to_the_last() {
    let mut bench = Bench::new(config());
    bench.subscribe("news");
    bench.tell(Input::Start);
    let link = bench.opens_websocket();
    polling(&mut bench);
    let (poll, ..) = bench.wants_request();
    let messages: Vec<_> = (1..=9).map(|offset| message("news", offset)).collect();
    let frames: Vec<_> = std::iter::once(polled(2)).chain(messages).collect();
    bench.responds(poll, &frames);
    // The WebSocket was asked from the beginning. Its answer is older than what polling has brought.
    bench.says(link, &[welcome(10), subscribed_with_gap("news", "a", 5, 1, GapReason::Trimmed)]);
    bench.sent();
    bench.outputs.clear();
    // The server reads on from there, and the log is trimmed again before the second question arrives.
    bench.says(link, &[subscribed_with_gap("news", "a", 7, 6, GapReason::Trimmed)]);
    bench.says(link, &[subscribed("news", "a", 9, 9), message("news", 10)]);
    assert!(!bench.events().iter().any(|event| matches!(event, Event::Gap { .. })));
    assert_eq!(bench.delivered.last(), Some(&("news".to_owned(), 10)));
}
