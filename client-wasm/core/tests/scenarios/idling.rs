//! A client that has nothing to do does nothing: it asks for few timers, and sends nothing of its own.

use everwire_client_core::{Config, Input};
use everwire_protocol::{Ping, Receipt};

use crate::harness::{Harness, ack, channel, config, message, polled, subscribed, wants_request, welcome};

/// How often the core is called within this time, if it is called when it asks to be.
fn calls(harness: &mut Harness, ms: u64) -> u32 {
    let end = harness.now.mono + ms;
    let mut calls = 0;
    while let Some(wait) = harness.core.poll_timeout().filter(|wait| harness.now.mono + wait <= end) {
        harness.step(wait.max(1));
        harness.tell(Input::Timeout);
        calls += 1;
        assert!(calls < 1_000, "called in a loop");
    }
    harness.now.mono = end;
    calls
}

#[test]
fn a_page_that_nobody_looks_at_is_hardly_woken_and_one_that_is_looked_at_once_a_second() {
    let (mut harness, socket, handles) = Harness::connected(&["news"]);
    harness.send(1, "news");
    harness.key(handles[0]);
    harness.says(socket, &[ack(1, 1), message("news", 1)]);
    // What was done leaves nothing behind that has to be looked after.
    harness.pass(20_000);
    harness.says(socket, &[Ping::default().into()]);
    harness.sent();
    let looked_at = calls(&mut harness, 20_000);
    assert!((19..=21).contains(&looked_at), "{looked_at}");
    harness.tell(Input::Visible(false));
    harness.says(socket, &[Ping::default().into()]);
    harness.sent();
    assert!(harness.core.poll_timeout().is_some_and(|wait| wait > 30_000), "nothing is due but its silence");
    let hidden = calls(&mut harness, 30_000);
    assert!(hidden <= 1, "{hidden}");
    assert_eq!(harness.sent(), []);
}

#[test]
fn a_page_that_was_visible_and_stays_so_does_not_probe() {
    let (mut harness, _, _) = Harness::connected(&[]);
    harness.tell(Input::Visible(true));
    assert_eq!(harness.sent(), [], "nothing has changed");
    harness.tell(Input::Visible(false));
    assert_eq!(harness.sent(), []);
    harness.tell(Input::Visible(true));
    assert_eq!(harness.sent(), [Ping::default().into()]);
}

#[test]
fn a_websocket_that_works_is_not_joined_by_polling() {
    let mut harness = Harness::started(config());
    let socket = harness.opens_websocket();
    harness.pass(1_000);
    harness.welcome_websocket(socket);
    harness.pass(10_000);
    assert!(!harness.outputs.iter().any(wants_request));
}

#[test]
fn online_again_leaves_a_websocket_alone_that_was_never_in_doubt() {
    let (mut harness, _, _) = Harness::connected(&[]);
    harness.tell(Input::Online);
    assert_eq!(harness.sent(), [Ping::default().into()], "a probe is enough");
    // By polling, as configured, it opens no WebSocket either.
    let mut harness = Harness::started(Config { websocket: false, ..config() });
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9)]);
    harness.tell(Input::Online);
    harness.pass(3_000);
    assert!(
        !harness
            .outputs
            .iter()
            .any(|output| matches!(output, everwire_client_core::Output::OpenWebSocket(_)))
    );
}

#[test]
fn receipts_of_others_lead_to_no_marks() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    let receipt =
        Receipt { channel: channel("news"), user: "bob".into(), delivered: 9, read: 9, unread: None };
    harness.says(socket, &[receipt.into(), message("news", 1)]);
    harness.pass(3_000);
    assert_eq!(harness.sent(), []);
    harness.says(socket, &[subscribed("news", "a", 1, 1)]);
    harness.pass(3_000);
    assert_eq!(harness.sent(), []);
}
