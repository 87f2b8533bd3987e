//! Limits, to the byte: what is just allowed is sent, and what is one more is refused at once.

use everwire_client_core::{Config, Input, Output, Position};
use everwire_protocol::{ErrorCode, Limits, ServerFrame, Welcome, limits};

use crate::harness::{Harness, config, id, welcome};

fn text(bytes: usize) -> String {
    let frame = r#"{"type":"ping","more":""}"#;
    frame.replace("\"\"", &format!("\"{}\"", "x".repeat(bytes - frame.len())))
}

#[test]
fn a_frame_may_fill_a_batch_and_no_more() {
    let (mut harness, _, _) = Harness::connected(&[]);
    let most = limits::MAX_BATCH_BYTES - "[]".len();
    let (now, core) = (harness.now, &mut harness.core);
    assert_eq!(core.request(now, id(1), text(most), 1_000), Ok(()));
    assert_eq!(core.request(now, id(2), text(most + 1), 1_000), Err(ErrorCode::TooLarge));
    assert_eq!(core.request(now, id(2), text(most + 100), 1_000), Err(ErrorCode::TooLarge));
    assert_eq!(core.send_ephemeral(now, text(most)), Ok(true));
    assert_eq!(core.send_ephemeral(now, text(most + 1)), Err(ErrorCode::TooLarge));
    assert_eq!(core.send_always(now, text(most + 1)), Err(ErrorCode::TooLarge));
    harness.tell(Input::Close);
    assert_eq!(harness.core.request(harness.now, id(3), text(40), 1_000), Err(ErrorCode::Closed));
}

#[test]
fn a_message_may_be_as_large_as_the_largest_payload_and_what_is_around_it() {
    let (mut harness, _, _) = Harness::connected(&[]);
    let most = limits::MAX_PAYLOAD_BYTES + 512;
    let mut queue = |n, bytes| harness.core.queue(harness.now, id(n), "news", text(bytes), None);
    assert_eq!(queue(1, most), Ok(()));
    assert_eq!(queue(2, most + 1), Err(ErrorCode::TooLarge));
}

#[test]
fn there_are_as_many_subscriptions_as_the_server_allows_and_no_more() {
    let (mut harness, socket, _) = Harness::connected(&["a", "b"]);
    let ServerFrame::Welcome(frame) = welcome(9) else { unreachable!() };
    let limits = Limits { subscriptions: 3, ..frame.limits.clone() };
    harness.says(socket, &[Welcome { limits, ..frame }.into()]);
    let (now, core) = (harness.now, &mut harness.core);
    let third = core.subscribe(now, "c", None, None).unwrap();
    assert_eq!(core.subscribe(now, "d", None, None), Err(ErrorCode::TooManySubscriptions));
    assert_eq!(core.subscribe(now, "c", None, None), Ok(third), "one that there is already");
    core.unsubscribe(now, third);
    assert!(core.subscribe(now, "d", None, None).is_ok());
}

#[test]
fn a_position_ends_where_offsets_do() {
    let mut harness = Harness::new(config());
    let mut subscribe = |channel, offset| {
        let position = Some(Position { epoch: "a".into(), offset, run: String::new() });
        harness.core.subscribe(harness.now, channel, None, position).map(|_| ())
    };
    assert_eq!(subscribe("news", limits::MAX_OFFSET), Ok(()));
    assert_eq!(subscribe("sport", limits::MAX_OFFSET + 1), Err(ErrorCode::InvalidOption));
    assert_eq!(subscribe("sport", limits::MAX_OFFSET + 2), Err(ErrorCode::InvalidOption));
}

#[test]
fn before_the_server_knows_who_this_is_it_is_sent_little_and_the_rest_without_waiting() {
    let mut harness = Harness::new(config());
    for n in 0..limits::MAX_SUBSCRIPTIONS {
        harness.subscribe(&format!("{n}-{}", "x".repeat(100)));
    }
    harness.tell(Input::Start);
    harness.opens_websocket();
    let sent: Vec<&String> = harness
        .outputs
        .iter()
        .filter_map(|output| if let Output::SendWebSocket { text, .. } = output { Some(text) } else { None })
        .collect();
    assert!(sent[0].starts_with(r#"[{"type":"hello""#) && sent[0].len() <= limits::MAX_FIRST_BYTES);
    assert!(sent[0].len() > limits::MAX_FIRST_BYTES / 2, "it is used");
    let subscribes: usize = sent.iter().map(|text| text.matches(r#""type":"subscribe""#).count()).sum();
    assert_eq!((sent.len(), subscribes), (2, limits::MAX_SUBSCRIPTIONS));
}

#[test]
fn there_are_no_more_subscriptions_than_a_server_takes() {
    let mut harness = Harness::new(config());
    for n in 0..limits::MAX_SUBSCRIPTIONS {
        harness.subscribe(&format!("c{n}"));
    }
    let more = harness.core.subscribe(harness.now, "more", None, None);
    assert_eq!(more, Err(ErrorCode::TooManySubscriptions));
}

#[test]
fn a_token_that_is_empty_or_too_long_is_a_failure_of_the_callback() {
    for (length, fits) in [
        (0, false),
        (1, true),
        (limits::MAX_TOKEN_BYTES, true),
        (limits::MAX_TOKEN_BYTES + 1, false),
        (limits::MAX_TOKEN_BYTES + 9, false),
    ] {
        let mut harness = Harness::started(Config { token: true, ..config() });
        harness.tell(Input::Token("x".repeat(length)));
        let opened = harness.outputs.iter().any(|output| matches!(output, Output::OpenWebSocket(_)));
        assert_eq!(opened, fits, "{length}");
    }
}

#[test]
fn the_name_of_an_event_is_bounded() {
    let (mut harness, _, _) = Harness::connected(&[]);
    let mut send = |n, bytes| {
        let data = everwire_protocol::Payload::from_value("x").unwrap();
        harness.core.send(harness.now, id(n), "news", Some("x".repeat(bytes)), data)
    };
    assert_eq!(send(1, limits::MAX_EVENT_BYTES), Ok(()));
    assert_eq!(send(2, limits::MAX_EVENT_BYTES + 1), Err(ErrorCode::InvalidOption));
    assert_eq!(send(2, limits::MAX_EVENT_BYTES + 2), Err(ErrorCode::InvalidOption));
}
