//! Promises 6 and 15: typing, in both directions, and other things that are gone when missed.

use everwire_client_core::{Event, Input, Output, typist};
use everwire_protocol::{ClientFrame, ServerFrame, UserTyping};

use crate::bench::{Bench, ack, channel, id, polled, subscribed, wants_request, welcome};

/// What was said about typing since the last look.
fn said(bench: &mut Bench) -> Vec<bool> {
    let typing = bench.sent().into_iter().filter_map(|frame| match frame {
        ClientFrame::Typing(t) => Some(t.typing),
        _ => None,
    });
    typing.collect()
}

fn typed(user: &str, typing: bool) -> ServerFrame {
    UserTyping { channel: channel("news"), user: user.into(), name: None, typing }.into()
}

fn quiet(bench: &mut Bench) -> Vec<u32> {
    let quiet = bench.events().into_iter().filter_map(|event| match event {
        Event::Quiet { typist, .. } => Some(typist),
        _ => None,
    });
    quiet.collect()
}

#[test]
fn promise_15_typing_is_announced_at_the_first_key_repeated_at_most_every_3_s_and_withdrawn_3_s_after_the_last()
 {
    let (mut bench, _, handles) = Bench::connected(&["news"]);
    bench.key(handles[0]);
    assert_eq!(said(&mut bench), [true], "at the first key");
    for _ in 0..29 {
        bench.pass(100);
        bench.key(handles[0]);
    }
    assert!(said(&mut bench).is_empty(), "not again within 3 s");
    bench.pass(100);
    bench.key(handles[0]);
    assert_eq!(said(&mut bench), [true], "again after 3 s");
    bench.pass(2_900);
    assert!(said(&mut bench).is_empty());
    bench.pass(200);
    assert_eq!(said(&mut bench), [false], "withdrawn after a pause");
    bench.pass(60_000);
    assert!(said(&mut bench).is_empty(), "once");
}

#[test]
fn promise_15_typing_is_withdrawn_at_once_on_send_and_when_told() {
    let (mut bench, _, handles) = Bench::connected(&["news"]);
    bench.key(handles[0]);
    bench.outputs.clear();
    bench.send(1, "news");
    let sent = bench.sent();
    assert!(matches!(&sent[..], [ClientFrame::Typing(t), ClientFrame::Send(_)] if !t.typing), "{sent:?}");
    bench.pass(10_000);
    assert!(said(&mut bench).is_empty(), "nothing more to withdraw");
    bench.key(handles[0]);
    bench.core.typing(bench.now, handles[0], false);
    bench.core.typing(bench.now, handles[0], false);
    bench.tell(Input::Timeout);
    assert_eq!(said(&mut bench), [true, false]);
    bench.key(handles[0]);
    bench.core.unsubscribe(bench.now, handles[0]);
    bench.tell(Input::Timeout);
    assert_eq!(said(&mut bench), [true, false], "leaving withdraws too");
}

#[test]
fn promise_15_receivers_take_typing_back_by_themselves_after_6_s() {
    let (mut bench, link, _) = Bench::connected(&["news"]);
    bench.says(link, &[typed("bob", true), typed("cy", true), typed("dan", true)]);
    bench.pass(3_000);
    bench.says(link, &[typed("bob", true), typed("dan", false)]);
    bench.pass(2_900);
    assert!(quiet(&mut bench).is_empty());
    bench.pass(200);
    assert_eq!(quiet(&mut bench), [typist("cy")], "bob has announced it again, dan withdrawn it");
    bench.pass(3_000);
    assert_eq!(quiet(&mut bench), [typist("bob")]);
    // Also if the connection is gone in the meantime.
    bench.says(link, &[typed("bob", true)]);
    bench.closes(link, 1006);
    bench.pass(6_100);
    assert_eq!(quiet(&mut bench), [typist("bob")]);
}

#[test]
fn promise_6_typing_while_offline_is_dropped() {
    let (mut bench, link, handles) = Bench::connected(&["news"]);
    bench.key(handles[0]);
    bench.closes(link, 1006);
    bench.outputs.clear();
    for _ in 0..5 {
        bench.key(handles[0]);
    }
    bench.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let link = bench.opens_websocket();
    bench.welcome_websocket(link);
    bench.says(link, &[subscribed("news", "a", 0, 0)]);
    bench.pass(10_000);
    assert!(said(&mut bench).is_empty(), "nothing is said of keys that were pressed before");
    bench.key(handles[0]);
    assert_eq!(said(&mut bench), [true], "the next key is");
}

#[test]
fn promise_6_what_is_ephemeral_goes_now_or_never() {
    let (mut bench, link, _) = Bench::connected(&["news"]);
    let cursor = r#"{"type":"signal","channel":"news","event":"cursor","data":1}"#;
    assert!(bench.core.ask(bench.now, None, cursor.into(), Some(3_000)).unwrap());
    bench.tell(Input::Timeout);
    assert!(matches!(&bench.sent()[..], [ClientFrame::Signal(s)] if s.event == "cursor"));
    bench.closes(link, 1006);
    assert!(!bench.core.ask(bench.now, None, cursor.into(), Some(3_000)).unwrap());
    bench.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let link = bench.opens_websocket();
    bench.welcome_websocket(link);
    assert!(!bench.sent().iter().any(|frame| matches!(frame, ClientFrame::Signal(_))));
}

#[test]
fn promise_6_by_polling_what_is_ephemeral_waits_for_the_running_post_but_not_past_its_use() {
    let mut bench =
        Bench::started(everwire_client_core::Config { websocket: false, ..crate::bench::config() });
    let (request, ..) = bench.wants_request();
    let handle = bench.subscribe("news");
    bench.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 0, 0)]);
    bench.pass_until(2_000, wants_request);
    let _held = bench.wants_request();
    bench.send(1, "news");
    let (post, ..) = bench.wants_request();
    bench.key(handle);
    assert!(!bench.outputs.iter().any(wants_request), "one POST at a time");
    bench.responds(post, &[ack(1, 1)]);
    let (post, frames, _) = bench.wants_request();
    assert!(matches!(frames.last(), Some(ClientFrame::Typing(t)) if t.typing));
    let cursor = r#"{"type":"signal","channel":"news","event":"cursor","data":1}"#;
    assert!(bench.core.ask(bench.now, None, cursor.into(), Some(3_000)).unwrap());
    bench.pass(3_500);
    bench.responds(post, &[]);
    let (_, frames, _) = bench.wants_request();
    assert!(frames.iter().any(|f| matches!(f, ClientFrame::Typing(t) if !t.typing)), "{frames:?}");
    assert!(!frames.iter().any(|f| matches!(f, ClientFrame::Signal(_))), "it is too late for the cursor");
}

#[test]
fn promise_6_by_polling_typing_that_waited_in_a_frozen_page_is_not_announced_when_it_wakes() {
    let config = everwire_client_core::Config { websocket: false, ..crate::bench::config() };
    let mut bench = Bench::new(config);
    let handle = bench.subscribe("news");
    bench.tell(Input::Start);
    let (request, ..) = bench.wants_request();
    bench.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 0, 0)]);
    let _held = bench.wants_request();
    bench.send(1, "news");
    let (post, ..) = bench.wants_request();
    bench.key(handle);
    // No timer runs, and the first thing that the page finds is the answer.
    bench.step(4_500);
    bench.responds(post, &[ack(1, 1)]);
    let requests = bench.outputs.iter().filter_map(|output| match output {
        Output::Request { body, .. } => Some(body.as_str()),
        _ => None,
    });
    assert!(!requests.collect::<String>().contains(r#""typing":true"#));
}

#[test]
fn a_question_is_asked_again_until_it_is_answered() {
    let (mut bench, link, _) = Bench::connected(&["news"]);
    let question = r#"{"type":"get_status","id":"00000000-0000-0000-0000-000000000007","users":["bob"]}"#;
    bench.core.ask(bench.now, Some(id(7)), question.into(), Some(30_000)).unwrap();
    bench.tell(Input::Timeout);
    let asks =
        |bench: &mut Bench| bench.sent().iter().filter(|f| matches!(f, ClientFrame::GetStatus(_))).count();
    assert_eq!(asks(&mut bench), 1);
    bench.pass(1_000);
    assert_eq!(asks(&mut bench), 0, "once on each connection");
    bench.closes(link, 1006);
    bench.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let link = bench.opens_websocket();
    bench.welcome_websocket(link);
    assert_eq!(asks(&mut bench), 1);
    bench.says(link, &[everwire_protocol::Statuses { id: id(7), statuses: Vec::new() }.into()]);
    bench.pass(60_000);
    assert!(bench.sendings().is_empty(), "it was answered, and does not fail");
}

#[test]
fn a_question_without_an_answer_fails_in_time() {
    let (mut bench, link, _) = Bench::connected(&["news"]);
    bench.core.ask(bench.now, Some(id(7)), r#"{"type":"ping"}"#.into(), Some(5_000)).unwrap();
    bench.closes(link, 1006);
    let failed = |o: &Output| matches!(o, Output::Event(Event::Sending { error: Some((code, _)), .. }) if code.as_str() == "timeout");
    let took = bench.pass_until(6_000, failed);
    assert!((4_900..5_100).contains(&took), "{took}");
    bench.core.ask(bench.now, Some(id(8)), r#"{"type":"ping"}"#.into(), Some(5_000)).unwrap();
    bench.tell(Input::Close);
    assert!(bench.sendings().iter().any(|(n, _)| *n == 8), "the end is an answer too");
}

#[test]
fn what_lasts_is_told_again_to_every_connection() {
    let (mut bench, link, _) = Bench::connected(&["news"]);
    let idle = |bench: &mut Bench| bench.sent().iter().filter(|f| matches!(f, ClientFrame::Idle(_))).count();
    bench.core.ask(bench.now, None, r#"{"type":"idle","idle":true}"#.into(), None).unwrap();
    bench.tell(Input::Timeout);
    assert_eq!(idle(&mut bench), 1);
    bench.closes(link, 1006);
    bench.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let link = bench.opens_websocket();
    bench.welcome_websocket(link);
    assert_eq!(idle(&mut bench), 1);
}
