//! Property tests of the codec: what is written is read back the same, and nothing that can arrive makes it panic or
//! exceed its bounds.

mod strategies;

use everwire_protocol::{
    BatchError, ClientFrame, Code, CoreFrame, ErrorCode, FrameError, GapReason, ServerFrame,
    batch::encode_frame,
    batch::{Bounds, Frame, decode, encode},
    strict::FlawKind,
};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

/// Bounds that no generated batch meets, for the tests that are about something else.
const WIDE: Bounds = Bounds { bytes: 1 << 24, frames: 1000, depth: 100 };

fn round_trips<F: Frame + Clone + PartialEq + std::fmt::Debug>(frames: &[F]) -> Result<(), TestCaseError> {
    let text = encode(frames);
    let read = decode::<F>(&text, &WIDE).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let expected: Vec<Result<F, FrameError>> = frames.iter().cloned().map(Ok).collect();
    prop_assert_eq!(read, expected);
    prop_assert!(serde_json::from_str::<Value>(&text).is_ok(), "any JSON parser reads it too");
    Ok(())
}

/// Whatever the text is: an answer, within the bounds, about the right places, and stable when written again.
fn is_answered<F: Frame + Clone + PartialEq + std::fmt::Debug>(
    text: &str,
    bounds: &Bounds,
) -> Result<(), TestCaseError> {
    match decode::<F>(text, bounds) {
        Err(BatchError::TooLarge { bytes, max }) => {
            prop_assert!(bytes == text.len() && max == bounds.bytes && bytes > max);
        }
        Err(BatchError::TooManyFrames { frames, max, .. }) => {
            prop_assert!(frames > max && max == bounds.frames);
        }
        Err(BatchError::NotAnArray(reason)) => prop_assert!(!reason.is_empty()),
        Ok(frames) => {
            prop_assert!(text.len() <= bounds.bytes && frames.len() <= bounds.frames);
            if let Ok(Value::Array(values)) = serde_json::from_str::<Value>(text) {
                for (frame, value) in frames.iter().zip(&values) {
                    prop_assert!(frame.is_err() || depth(value) < bounds.depth);
                }
            }
            for (place, frame) in frames.iter().enumerate() {
                if let Err(
                    FrameError::NotAFrame { index, .. }
                    | FrameError::UnknownType { index, .. }
                    | FrameError::Malformed { index, .. }
                    | FrameError::Misshapen { index, .. }
                    | FrameError::Flawed { index, .. },
                ) = frame
                {
                    prop_assert_eq!(*index, place);
                }
            }
            round_trips(&frames.into_iter().flatten().collect::<Vec<_>>())?;
        }
    }
    Ok(())
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// A small damage to a text, as a faulty or hostile peer would do it.
#[derive(Debug, Clone)]
enum Damage {
    Cut(Index),
    Remove(Index),
    Insert(Index, char),
    Repeat(Index, Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let json =
        prop_oneof![Just('['), Just(']'), Just('{'), Just('}'), Just('"'), Just('\\'), Just(','), Just(':')];
    let character = prop_oneof![json, any::<char>(), prop::char::range('0', '9')];
    prop_oneof![
        any::<Index>().prop_map(Damage::Cut),
        any::<Index>().prop_map(Damage::Remove),
        (any::<Index>(), character).prop_map(|(at, character)| Damage::Insert(at, character)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Damage::Repeat(from, to)),
    ]
}

fn damaged(text: &str, damages: &[Damage]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for damage in damages {
        let end = text.len() + 1;
        match damage {
            Damage::Cut(at) => text.truncate(at.index(end)),
            Damage::Remove(at) if !text.is_empty() => {
                text.remove(at.index(text.len()));
            }
            Damage::Remove(_) => {}
            Damage::Insert(at, character) => text.insert(at.index(end), *character),
            Damage::Repeat(from, to) => {
                let (from, to) = (from.index(end), to.index(end));
                text.extend_from_within(from.min(to)..from.max(to));
            }
        }
    }
    text.into_iter().collect()
}

fn bounds() -> impl Strategy<Value = Bounds> {
    let tight = (0_usize..400, 0_usize..6, 0_usize..6).prop_map(|(bytes, frames, depth)| Bounds {
        bytes,
        frames,
        depth,
    });
    prop_oneof![Just(Bounds::default()), tight]
}

#[test]
fn there_is_a_strategy_for_every_frame() {
    assert_eq!(
        strategies::client().into_iter().map(|(kind, _)| kind).collect::<Vec<_>>(),
        ClientFrame::TYPES
    );
    assert_eq!(
        strategies::server().into_iter().map(|(kind, _)| kind).collect::<Vec<_>>(),
        ServerFrame::TYPES
    );
}

#[test]
fn encode_then_decode_is_identity_for_every_frame_alone() {
    let mut runner = proptest::test_runner::TestRunner::default();
    for (kind, strategy) in strategies::client() {
        runner
            .run(&strategy, |frame| {
                prop_assert_eq!(frame.kind(), kind);
                if CoreFrame::TYPES.contains(&kind) {
                    let text = encode_frame(&frame);
                    let core = decode::<CoreFrame>(&format!("[{text}]"), &Bounds::default()).unwrap();
                    prop_assert_eq!(core[0].as_ref().unwrap().to_json(), text);
                }
                round_trips(&[frame])
            })
            .unwrap();
    }
    for (kind, strategy) in strategies::server() {
        runner
            .run(&strategy, |frame| {
                prop_assert_eq!(frame.kind(), kind);
                round_trips(&[frame])
            })
            .unwrap();
    }
}

proptest! {
    #[test]
    fn encode_then_decode_is_identity_for_batches(
        client in prop::collection::vec(strategies::any_client(), 0..8),
        server in prop::collection::vec(strategies::any_server(), 0..8),
    ) {
        round_trips(&client)?;
        round_trips(&server)?;
    }

    #[test]
    fn arbitrary_text_is_answered(text in any::<String>(), bounds in bounds()) {
        is_answered::<ClientFrame>(&text, &bounds)?;
        is_answered::<ServerFrame>(&text, &bounds)?;
    }

    #[test]
    fn arbitrary_bytes_that_are_text_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        is_answered::<ClientFrame>(&text, &Bounds::default())?;
    }

    #[test]
    fn arbitrary_json_is_answered(text in strategies::json(), bounds in bounds()) {
        for text in [text.clone(), format!("[{text}]"), format!(r#"[{{"type":{text}}}]"#)] {
            is_answered::<ClientFrame>(&text, &bounds)?;
            is_answered::<ServerFrame>(&text, &bounds)?;
        }
    }

    #[test]
    fn damaged_batches_are_answered(
        client in prop::collection::vec(strategies::any_client(), 1..4),
        server in prop::collection::vec(strategies::any_server(), 1..4),
        damages in prop::collection::vec(damage(), 1..5),
        bounds in bounds(),
    ) {
        is_answered::<ClientFrame>(&damaged(&encode(&client), &damages), &bounds)?;
        is_answered::<ServerFrame>(&damaged(&encode(&server), &damages), &bounds)?;
    }

    #[test]
    fn one_bad_frame_spares_its_neighbours(
        before in prop::collection::vec(strategies::any_client(), 0..4),
        bad in prop_oneof![Just("null"), Just("{}"), Just(r#"{"type":"token"}"#), Just(r#"{"type":"nothing"}"#)],
        after in prop::collection::vec(strategies::any_client(), 0..4),
    ) {
        let mut parts: Vec<String> = before.iter().map(everwire_protocol::batch::encode_frame).collect();
        parts.push(bad.to_owned());
        parts.extend(after.iter().map(everwire_protocol::batch::encode_frame));
        let read = decode::<ClientFrame>(&format!("[{}]", parts.join(",")), &WIDE).unwrap();
        prop_assert!(read[before.len()].is_err());
        let good: Vec<_> = read.into_iter().flatten().collect();
        prop_assert_eq!(good, [before, after].concat());
    }

    #[test]
    fn whatever_a_newer_server_says_where_a_list_may_grow_is_read(
        code in strategies::word(),
        reason in strategies::word(),
        retry in any::<bool>(),
    ) {
        let error = json!({ "type": "error", "code": code, "message": "No.", "retry": retry });
        let ended = json!({ "type": "unsubscribed", "channel": "news", "code": code });
        let gap = json!({ "from": 1, "to": 2, "reason": reason });
        let subscribed =
            json!({ "type": "subscribed", "channel": "news", "epoch": "a", "offset": 2, "head": 2, "gap": gap });
        let text = json!([error, ended, subscribed]).to_string();
        let read = decode::<ServerFrame>(&text, &WIDE).unwrap();
        let [Ok(ServerFrame::Error(error)), Ok(ServerFrame::Unsubscribed(ended)), Ok(ServerFrame::Subscribed(subscribed))] =
            &read[..]
        else {
            return Err(TestCaseError::fail(format!("{read:?}")));
        };
        prop_assert_eq!((error.code.as_str(), error.retry), (&*code, retry));
        prop_assert_eq!(ended.code.as_ref().map(Code::as_str), Some(&*code));
        let known = ErrorCode::ALL.iter().any(|listed| listed.as_str() == code);
        prop_assert!(known || !error.code.terminal());
        let listed = ["trimmed", "epoch", "too_far"].iter().position(|known| **known == *reason);
        let expected = [GapReason::Trimmed, GapReason::Epoch, GapReason::TooFar][listed.unwrap_or(0)];
        prop_assert_eq!(subscribed.gap.as_ref().map(|gap| gap.reason), Some(expected));
    }

    #[test]
    fn nesting_is_counted_outside_of_texts_only(levels in 1_usize..80, text in "[\\[\\]{}\"\\\\a]{0,40}") {
        let text = serde_json::to_string(&text).unwrap();
        let batch = format!("{}{text}{}", "[".repeat(levels), "]".repeat(levels));
        let read = decode::<ClientFrame>(&batch, &Bounds::default()).unwrap();
        let too_deep = matches!(
            &read[0],
            Err(FrameError::Flawed { flaw, .. }) if matches!(flaw.kind, FlawKind::TooDeep(_))
        );
        prop_assert_eq!(too_deep, levels > Bounds::default().depth);
    }
}
