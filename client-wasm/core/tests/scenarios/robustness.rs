//! The core does not trust the server: no input makes it panic, hang or grow.

use everwire_client_core::{Input, Output, Source};
use everwire_protocol::Uuid;
use proptest::prelude::*;

use crate::harness::{Harness, config};

#[test]
fn rubbish_ends_the_transport_and_not_the_client() {
    for rubbish in ["", "{}", "[1]", "null", "[[[[", "[{\"type\":\"message\"}]", "[{\"type\":7}]"] {
        let (mut harness, socket, _) = Harness::connected(&["news"]);
        harness.hears(Source::WebSocket(socket), rubbish);
        assert!(harness.outputs.iter().any(|o| matches!(o, Output::CloseWebSocket { .. })), "{rubbish}");
        harness.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    }
}

#[test]
fn frames_of_unknown_types_are_ignored() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    harness.hears(
        Source::WebSocket(socket),
        r#"[{"type":"from_the_future","x":1},{"type":"ping","nonce":3,"new":{}}]"#,
    );
    assert_eq!(harness.sent().len(), 1);
}

fn frame() -> impl Strategy<Value = String> {
    let channel = prop_oneof![Just("news"), Just("sport"), Just("presence-x")];
    let number = prop_oneof![0..6_u64, Just((1 << 53) - 1), any::<u64>()];
    let uuid = (0..6_u128).prop_map(|n| Uuid::from_u128(n).to_string());
    let code = prop_oneof![
        Just("unauthorized"),
        Just("forbidden"),
        Just("rate_limited"),
        Just("deferred"),
        Just("slow_consumer")
    ];
    (channel, number.clone(), number, uuid, code, 0..13_u8).prop_map(|(channel, a, b, id, code, which)| match which {
        0 => format!(
            r#"{{"type":"welcome","version":1,"session":"{id}","connection":"{id}","run":"1","user":"u","server_time":{a},"ping_interval_ms":{},"hold_ms":{},"token_expires_in_ms":{b},"limits":{{"payload_bytes":{},"batch_bytes":9,"batch_frames":1,"subscriptions":1}}}}"#,
            a as u32, b as u32, b as u32
        ),
        1 | 2 => format!(r#"{{"type":"subscribed","channel":"{channel}","epoch":"{}","offset":{a},"head":{b}}}"#, b % 3),
        3 => format!(
            r#"{{"type":"subscribed","channel":"{channel}","epoch":"{}","offset":{a},"head":{b},"gap":{{"from":{b},"to":{a},"reason":"trimmed"}}}}"#,
            b % 3
        ),
        4 | 5 => format!(
            r#"{{"type":"message","channel":"{channel}","offset":{a},"id":"{id}","user":"u","at":{b},"data":null}}"#
        ),
        6 => format!(r#"{{"type":"ack","id":"{id}","channel":"{channel}","offset":{a},"at":{b}}}"#),
        7 => format!(r#"{{"type":"error","code":"{code}","message":"m","retry":{},"id":"{id}"}}"#, a % 2 == 0),
        8 => format!(
            r#"{{"type":"error","code":"{code}","message":"m","retry":{},"channel":"{channel}","retry_after_ms":{}}}"#,
            a % 2 == 0, b as u32
        ),
        9 => format!(r#"{{"type":"polled","seq":{a}}}"#),
        10 => r#"{"type":"ping"}"#.to_owned(),
        11 => format!(r#"{{"type":"goaway","delay_ms":{},"spread_ms":{},"reason":"r"}}"#, a as u32, b as u32),
        _ => format!(r#"{{"type":"unsubscribed","channel":"{channel}"}}"#),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Any frames in any order, over either transport, mixed with the life of a page.
    #[test]
    fn no_sequence_of_frames_breaks_the_core(
        steps in proptest::collection::vec((proptest::collection::vec(frame(), 0..4), 0..14_u8, 0..40_000_u64), 1..40),
    ) {
        let mut harness = Harness::new(config());
        let mut sends = 100;
        let mut high = std::collections::HashMap::new();
        harness.subscribe("news");
        harness.subscribe("presence-x");
        harness.tell(Input::Start);
        for (frames, what, wait) in steps {
            match what {
                0 => harness.tell(Input::Online),
                1 => harness.tell(Input::Offline),
                2 => harness.tell(Input::Visible(wait % 2 == 0)),
                3 => harness.tell(Input::PageHide),
                4 => harness.tell(Input::PageShow),
                5 => { let _ = harness.core.subscribe(harness.now, "sport", Some(3), None); }
                6 => { harness.now.wall += wait * 100; }
                7 | 8 => {
                    sends += 1;
                    let data = everwire_protocol::Payload::from_value("x").unwrap();
                    let _ = harness.core.send(harness.now, Uuid::from_u128(sends % 6), "news", None, data);
                }
                _ => {}
            }
            let text = format!("[{}]", frames.join(","));
            let open: Vec<_> = harness.outputs.iter().filter_map(|o| match o {
                Output::OpenWebSocket(socket) => Some(*socket),
                _ => None,
            }).collect();
            let asked: Vec<_> = harness.outputs.iter().filter_map(|o| match o {
                Output::Request { request, .. } => Some(*request),
                _ => None,
            }).collect();
            if let Some(socket) = open.last() {
                if what == 13 { harness.closes(*socket, 1006); } else { harness.tell(Input::WebSocketOpened(*socket)); }
                harness.hears(Source::WebSocket(*socket), &text);
            }
            if let Some(request) = asked.last() {
                if what == 12 {
                    harness.tell(Input::RequestFailed { request: *request, status: 0, reason: "r".into() });
                } else {
                    harness.hears(Source::Response(*request), &text);
                }
            }
            harness.pass(wait);
            // Between two gaps or epochs a position never goes back: checked by the oracle of the simulation; here it
            // is enough that what is delivered in one batch is ascending.
            for (channel, offset) in harness.delivered.drain(..) {
                high.insert(channel, offset);
            }
        }
        // Still alive and able to end.
        harness.tell(Input::Close);
        prop_assert_eq!(harness.core.poll_timeout(), None);
    }
}
