//! Promises 6 and 15: typing, in both directions, and other things that are gone when missed.

use everwire_client_core::{Event, Heard, Input, Output, typist};
use everwire_protocol::{ClientFrame, ServerFrame, UserTyping};

use crate::harness::{Harness, ack, channel, id, polled, subscribed, wants_request, welcome};

/// What was announced about typing since the last look.
fn announced(harness: &mut Harness) -> Vec<bool> {
    let typing = harness.sent().into_iter().filter_map(|frame| match frame {
        ClientFrame::Typing(t) => Some(t.typing),
        _ => None,
    });
    typing.collect()
}

fn typed(user: &str, typing: bool) -> ServerFrame {
    UserTyping { channel: channel("news"), user: user.into(), name: None, typing }.into()
}

fn quiet(harness: &mut Harness) -> Vec<u32> {
    let quiet = harness.events().into_iter().filter_map(|event| match event {
        Event::TypingExpired { typist, .. } => Some(typist),
        _ => None,
    });
    quiet.collect()
}

#[test]
fn promise_15_typing_is_announced_at_the_first_key_repeated_at_most_every_3_s_and_withdrawn_3_s_after_the_last()
 {
    let (mut harness, _, handles) = Harness::connected(&["news"]);
    harness.key(handles[0]);
    assert_eq!(announced(&mut harness), [true], "at the first key");
    for _ in 0..29 {
        harness.pass(100);
        harness.key(handles[0]);
    }
    assert!(announced(&mut harness).is_empty(), "not again within 3 s");
    harness.pass(100);
    harness.key(handles[0]);
    assert_eq!(announced(&mut harness), [true], "again after 3 s");
    harness.pass(2_900);
    assert!(announced(&mut harness).is_empty());
    harness.pass(200);
    assert_eq!(announced(&mut harness), [false], "withdrawn after a pause");
    harness.pass(60_000);
    assert!(announced(&mut harness).is_empty(), "once");
}

#[test]
fn promise_15_typing_is_withdrawn_at_once_on_send_and_when_told() {
    let (mut harness, _, handles) = Harness::connected(&["news"]);
    harness.key(handles[0]);
    harness.outputs.clear();
    harness.send(1, "news");
    let sent = harness.sent();
    assert!(matches!(&sent[..], [ClientFrame::Typing(t), ClientFrame::Send(_)] if !t.typing), "{sent:?}");
    harness.pass(10_000);
    assert!(announced(&mut harness).is_empty(), "nothing more to withdraw");
    harness.key(handles[0]);
    harness.core.typing(harness.now, handles[0], false);
    harness.core.typing(harness.now, handles[0], false);
    harness.tell(Input::Timeout);
    assert_eq!(announced(&mut harness), [true, false]);
    harness.key(handles[0]);
    harness.core.unsubscribe(harness.now, handles[0]);
    harness.tell(Input::Timeout);
    assert_eq!(announced(&mut harness), [true, false], "leaving withdraws too");
}

#[test]
fn promise_15_receivers_take_typing_back_by_themselves_after_6_s() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    harness.says(socket, &[typed("bob", true), typed("cy", true), typed("dan", true)]);
    harness.pass(3_000);
    harness.says(socket, &[typed("bob", true), typed("dan", false)]);
    harness.pass(2_900);
    assert!(quiet(&mut harness).is_empty());
    harness.pass(200);
    assert_eq!(quiet(&mut harness), [typist("cy")], "bob has announced it again, dan withdrawn it");
    harness.pass(3_000);
    assert_eq!(quiet(&mut harness), [typist("bob")]);
    // Also if the connection is gone in the meantime.
    harness.says(socket, &[typed("bob", true)]);
    harness.closes(socket, 1006);
    harness.pass(6_100);
    assert_eq!(quiet(&mut harness), [typist("bob")]);
}

#[test]
fn promise_6_typing_while_offline_is_dropped() {
    let (mut harness, socket, handles) = Harness::connected(&["news"]);
    harness.key(handles[0]);
    harness.closes(socket, 1006);
    harness.outputs.clear();
    for _ in 0..5 {
        harness.key(handles[0]);
    }
    harness.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    harness.says(socket, &[subscribed("news", "a", 0, 0)]);
    harness.pass(10_000);
    assert!(announced(&mut harness).is_empty(), "earlier keystrokes are not announced");
    harness.key(handles[0]);
    assert_eq!(announced(&mut harness), [true], "the next key is");
}

#[test]
fn promise_6_what_is_ephemeral_goes_now_or_never() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    let cursor = r#"{"type":"signal","channel":"news","event":"cursor","data":1}"#;
    assert!(harness.core.send_ephemeral(harness.now, cursor.into()).unwrap());
    harness.tell(Input::Timeout);
    assert!(matches!(&harness.sent()[..], [ClientFrame::Signal(s)] if s.event == "cursor"));
    harness.closes(socket, 1006);
    assert!(!harness.core.send_ephemeral(harness.now, cursor.into()).unwrap());
    harness.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    assert!(!harness.sent().iter().any(|frame| matches!(frame, ClientFrame::Signal(_))));
}

#[test]
fn promise_6_by_polling_what_is_ephemeral_waits_for_the_running_post_but_not_past_its_use() {
    let mut harness =
        Harness::started(everwire_client_core::Config { websocket: false, ..crate::harness::config() });
    let (request, ..) = harness.wants_request();
    let handle = harness.subscribe("news");
    harness.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 0, 0)]);
    harness.pass_until(2_000, wants_request);
    let _held = harness.wants_request();
    harness.send(1, "news");
    let (post, ..) = harness.wants_request();
    harness.key(handle);
    assert!(!harness.outputs.iter().any(wants_request), "one POST at a time");
    harness.responds(post, &[ack(1, 1)]);
    let (post, frames, _) = harness.wants_request();
    assert!(matches!(frames.last(), Some(ClientFrame::Typing(t)) if t.typing));
    let cursor = r#"{"type":"signal","channel":"news","event":"cursor","data":1}"#;
    assert!(harness.core.send_ephemeral(harness.now, cursor.into()).unwrap());
    harness.pass(3_500);
    harness.responds(post, &[]);
    let (_, frames, _) = harness.wants_request();
    assert!(frames.iter().any(|f| matches!(f, ClientFrame::Typing(t) if !t.typing)), "{frames:?}");
    assert!(!frames.iter().any(|f| matches!(f, ClientFrame::Signal(_))), "it is too late for the cursor");
}

#[test]
fn promise_6_by_polling_typing_that_waited_in_a_frozen_page_is_not_announced_when_it_wakes() {
    let config = everwire_client_core::Config { websocket: false, ..crate::harness::config() };
    let mut harness = Harness::new(config);
    let handle = harness.subscribe("news");
    harness.tell(Input::Start);
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 0, 0)]);
    let _held = harness.wants_request();
    harness.send(1, "news");
    let (post, ..) = harness.wants_request();
    harness.key(handle);
    // No timer runs, and the first thing that the page finds is the answer.
    harness.step(4_500);
    harness.responds(post, &[ack(1, 1)]);
    let requests = harness.outputs.iter().filter_map(|output| match output {
        Output::Request { body, .. } => Some(body.as_str()),
        _ => None,
    });
    assert!(!requests.collect::<String>().contains(r#""typing":true"#));
}

#[test]
fn a_question_is_asked_again_until_it_is_answered() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    let question = r#"{"type":"get_status","id":"00000000-0000-0000-0000-000000000007","users":["bob"]}"#;
    harness.core.request(harness.now, id(7), question.into(), 30_000).unwrap();
    harness.tell(Input::Timeout);
    let asks = |harness: &mut Harness| {
        harness.sent().iter().filter(|f| matches!(f, ClientFrame::GetStatus(_))).count()
    };
    assert_eq!(asks(&mut harness), 1);
    harness.pass(1_000);
    assert_eq!(asks(&mut harness), 0, "once on each connection");
    harness.closes(socket, 1006);
    harness.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    assert_eq!(asks(&mut harness), 1);
    harness.says(socket, &[everwire_protocol::Statuses { id: id(7), statuses: Vec::new() }.into()]);
    harness.pass(60_000);
    assert!(harness.sendings().is_empty(), "it was answered, and does not fail");
}

#[test]
fn a_question_without_an_answer_fails_in_time() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    harness.core.request(harness.now, id(7), r#"{"type":"ping"}"#.into(), 5_000).unwrap();
    harness.closes(socket, 1006);
    let failed = |o: &Output| matches!(o, Output::Event(Event::Sending { error: Some((code, _)), .. }) if code.as_str() == "timeout");
    let took = harness.pass_until(6_000, failed);
    assert!((4_900..5_100).contains(&took), "{took}");
    harness.core.request(harness.now, id(8), r#"{"type":"ping"}"#.into(), 5_000).unwrap();
    harness.tell(Input::Close);
    assert!(harness.sendings().iter().any(|(n, _)| *n == 8), "the end is an answer too");
}

#[test]
fn what_lasts_is_told_again_to_every_connection() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    let idle =
        |harness: &mut Harness| harness.sent().iter().filter(|f| matches!(f, ClientFrame::Idle(_))).count();
    harness.core.send_always(harness.now, r#"{"type":"idle","idle":true}"#.into()).unwrap();
    harness.tell(Input::Timeout);
    assert_eq!(idle(&mut harness), 1);
    harness.closes(socket, 1006);
    harness.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    assert_eq!(idle(&mut harness), 1);
}

#[test]
fn promise_15_who_typed_in_a_channel_that_was_left_is_not_taken_back_there() {
    let (mut harness, socket, handles) = Harness::connected(&["news", "sport"]);
    let in_sport = UserTyping { channel: channel("sport"), user: "bob".into(), name: None, typing: true };
    harness.says(socket, &[typed("bob", true), in_sport.into()]);
    harness.core.unsubscribe(harness.now, handles[0]);
    harness.pass(7_000);
    let expired = harness.events().into_iter().filter_map(|event| match event {
        Event::TypingExpired { handle, .. } => Some(handle),
        _ => None,
    });
    assert_eq!(expired.collect::<Vec<_>>(), [handles[1]]);
}

#[test]
fn promise_3_who_types_in_a_subscription_that_is_not_confirmed_is_not_heard() {
    let (mut harness, socket, handles) = Harness::connected(&["news"]);
    harness.closes(socket, 1006);
    harness.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    harness.heard.clear();
    harness.says(socket, &[typed("bob", true)]);
    assert_eq!(harness.heard, []);
    harness.pass(7_000);
    assert!(!harness.events().iter().any(|event| matches!(event, Event::TypingExpired { .. })));
    harness.says(socket, &[subscribed("news", "a", 0, 0)]);
    harness.heard.clear();
    harness.says(socket, &[typed("bob", true), typed("bob", false)]);
    assert_eq!(harness.heard, [Heard::UserTyping(handles[0], true), Heard::UserTyping(handles[0], false)]);
}

#[test]
fn what_lasts_replaces_what_lasted_before_and_nothing_else() {
    let (mut harness, socket, _) = Harness::connected(&[]);
    let idle = |idle| format!(r#"{{"type":"idle","idle":{idle}}}"#);
    let question = r#"{"type":"get_status","id":"00000000-0000-0000-0000-000000000007","users":["bob"]}"#;
    harness.core.request(harness.now, id(7), question.into(), 60_000).unwrap();
    for value in [true, false, true, false] {
        harness.core.send_always(harness.now, idle(value)).unwrap();
    }
    harness.closes(socket, 1006);
    harness.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let socket = harness.opens_websocket();
    harness.sent();
    harness.welcome_websocket(socket);
    let sent = harness.sent();
    assert!(
        matches!(&sent[..], [ClientFrame::GetStatus(_), ClientFrame::Idle(last)] if !last.idle),
        "{sent:?}"
    );
}

#[test]
fn promise_15_users_have_numbers_of_their_own() {
    let numbers: std::collections::BTreeSet<u32> = (0..1_000).map(|n| typist(&format!("user-{n}"))).collect();
    assert_eq!(numbers.len(), 1_000);
}
