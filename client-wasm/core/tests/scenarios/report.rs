//! Promise 20: the report says where the connection stands, and what happened last.

use everwire_client_core::{Config, Event, Input, Output};
use everwire_protocol::Ping;

use crate::harness::{Harness, config, polled, welcome};

fn wants_socket(output: &Output) -> bool {
    matches!(output, Output::OpenWebSocket(_))
}

#[test]
fn promise_20_the_report_names_the_state_and_what_came_before_it() {
    let mut harness = Harness::new(Config { token: true, ..config() });
    assert!(harness.core.report().contains("\ntransport none\nsubscriptions 0\noutbox 0\nfailures 0\n"));
    harness.subscribe("news");
    harness.subscribe("sport");
    for n in 1..=3 {
        harness.send(n, "news");
    }
    harness.tell(Input::Start);
    harness.tell(Input::Token("secret".into()));
    for _ in 0..2 {
        harness.pass_until(2_000, wants_socket);
        let socket = harness.opens_websocket();
        harness.closes(socket, 4013);
    }
    let report = harness.core.report();
    assert!(report.starts_with("session 00000000-0000-0000-0000-000000000001\n"), "{report}");
    assert!(report.contains("\ntransport none\nsubscriptions 2\noutbox 3\nfailures 2\n"), "{report}");
    harness.pass_until(4_000, wants_socket);
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    let report = harness.core.report();
    assert!(report.contains("\ntransport WebSocket\n"), "{report}");
    for line in [" > hello\n", " > subscribe\n", " > send\n", " < welcome\n", " connected: WebSocket works\n"]
    {
        assert!(report.contains(line), "{line:?} is missing in {report}");
    }
    assert!(!report.contains("secret"), "{report}");
}

#[test]
fn promise_20_the_report_is_bounded_and_keeps_what_came_last() {
    let mut harness = Harness::started(Config { websocket: false, ..config() });
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9)]);
    assert!(harness.core.report().contains("\ntransport HTTP polling\n"));
    let (mut harness, socket, _) = Harness::connected(&[]);
    for _ in 0..300 {
        harness.says(socket, &[Ping::default().into()]);
    }
    harness.tell(Input::Close);
    let report = harness.core.report();
    let (_, lines) = report.split_once("\n\n").unwrap();
    assert_eq!(lines.lines().count(), 200);
    assert!(lines.lines().last().is_some_and(|last| last.contains(" closed: ")), "{report}");
}

#[test]
fn with_debug_each_line_of_the_log_is_an_event() {
    for debug in [false, true] {
        let mut harness = Harness::started(Config { debug, ..config() });
        let heard = harness
            .events()
            .iter()
            .any(|event| matches!(event, Event::Log(line) if line.contains("starting")));
        assert_eq!(heard, debug);
    }
}
