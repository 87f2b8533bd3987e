//! The rules one by one, and drawn at random beside tungstenite, which decodes the same bytes.

use std::io::{self, Read, Write};

use proptest::{collection::vec, prelude::*, sample::select};
use tungstenite::protocol::{Role, WebSocket, WebSocketConfig};

use super::*;

const MOST: usize = 100_000;

/// The bytes in which a frame gives the length of its payload, besides the seven bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Shortest,
    Two,
    Eight,
}

fn frame_with(first: u8, mask: Option<[u8; 4]>, length: Length, payload: &[u8]) -> Vec<u8> {
    let bytes = payload.len();
    let seven = match (length, bytes) {
        (Length::Shortest, 0..126) => bytes as u8,
        (Length::Shortest | Length::Two, 0..=0xffff) => 126,
        _ => 127,
    };
    let mut frame = vec![first, seven | if mask.is_some() { 0x80 } else { 0 }];
    match seven {
        126 => frame.extend_from_slice(&(bytes as u16).to_be_bytes()),
        127 => frame.extend_from_slice(&(bytes as u64).to_be_bytes()),
        _ => {}
    }
    frame.extend(mask.into_iter().flatten());
    let mask = mask.unwrap_or_default();
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    frame_with(first, Some([7, 0x80, 0, 255]), Length::Shortest, payload)
}

/// Decodes the input in pieces of these sizes, over and over.
fn decode_in(input: &[u8], sizes: &[usize]) -> (Vec<Message>, Option<Invalid>) {
    let (mut decoder, mut messages) = (Decoder::new(MOST), Vec::new());
    let (mut rest, mut sizes) = (input, sizes.iter().cycle());
    while !rest.is_empty() {
        let (mut piece, behind) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
        rest = behind;
        loop {
            match decoder.next(&mut piece) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(invalid) => {
                    assert_eq!(decoder.next(&mut &input[..]), Err(invalid), "it stays invalid");
                    return (messages, Some(invalid));
                }
            }
        }
        assert!(piece.is_empty());
    }
    assert!(decoder.message.capacity() == 0 || decoder.kind.is_some(), "no buffer without a message");
    assert!(decoder.control.capacity() == 0 || decoder.frame.is_some(), "no buffer without a frame");
    (messages, None)
}

fn decode(input: &[u8], size: usize) -> Result<Vec<Message>, Invalid> {
    match decode_in(input, &[size]) {
        (messages, None) => Ok(messages),
        (_, Some(invalid)) => Err(invalid),
    }
}

fn text(text: &str) -> Message {
    Message::Text(text.into())
}

#[test]
fn messages_of_all_lengths_arrive_in_whatever_pieces() {
    let texts = [String::new(), "é".repeat(10), "x".repeat(125), "y".repeat(126), "z".repeat(66_000)];
    let input: Vec<u8> = texts.iter().flat_map(|text| frame(0x81, text.as_bytes())).collect();
    for size in [1, 2, 3, 5, 7, 4_096, input.len()] {
        assert_eq!(decode(&input, size).unwrap(), texts.clone().map(Message::Text), "{size}");
    }
}

/// RFC 6455 demands the shortest encoding of a sender, and nothing of a receiver.
#[test]
fn a_length_may_be_longer_than_it_has_to_be() {
    for length in [Length::Shortest, Length::Two, Length::Eight] {
        let input = frame_with(0x81, Some([1, 2, 3, 4]), length, b"abc");
        for size in [1, 3, 100] {
            assert_eq!(decode(&input, size), Ok(vec![text("abc")]), "{length:?}");
        }
    }
}

#[test]
fn a_message_may_be_fragmented_and_control_frames_may_come_in_between() {
    let input = [
        frame(0x01, "a\u{e9}".as_bytes().split_at(2).0),
        frame(0x89, b"ping"),
        frame(0x00, b"\xa9"),
        frame(0x8a, b"pong"),
        frame(0x00, b""),
        frame(0x80, b"b"),
        frame(0x82, b"\xff"),
        frame(0x88, b"\x03\xe8bye"),
        frame(0x88, b""),
    ];
    let expected = [
        Message::Ping(b"ping".into()),
        Message::Pong,
        text("a\u{e9}b"),
        Message::Binary,
        Message::Close(Some(1000)),
        Message::Close(None),
    ];
    for size in [1, 6, 1_000] {
        assert_eq!(decode(&input.concat(), size).unwrap(), expected, "{size}");
    }
}

#[test]
fn whatever_the_protocol_forbids_is_refused() {
    for (what, input) in [
        ("no mask", frame_with(0x81, None, Length::Shortest, b"abcdefgh")),
        ("a bit of an extension", frame(0xc1, b"a")),
        ("another bit of an extension", frame(0xa1, b"a")),
        ("the third bit of an extension", frame(0x91, b"a")),
        ("an unknown opcode", frame(0x83, b"a")),
        ("an unknown control frame", frame(0x8b, b"a")),
        ("a continuation of nothing", frame(0x80, b"a")),
        ("a message within another", [frame(0x01, b"a"), frame(0x81, b"a")].concat()),
        ("a continuation of what is complete", [frame(0x81, b"a"), frame(0x80, b"a")].concat()),
        ("a fragmented ping", frame(0x09, b"a")),
        ("a long ping", frame(0x89, &[0; MAX_CONTROL + 1])),
        ("text that is no text", frame(0x81, b"\xff")),
        ("text that ends within a character", frame(0x81, b"\xc3")),
        ("half a code", frame(0x88, b"\x03")),
        ("a reason that is no text", frame(0x88, b"\x03\xe8\xff")),
    ] {
        for size in [1, 1_000] {
            assert_eq!(decode(&input, size), Err(Invalid::Protocol), "{what}");
        }
    }
}

#[test]
fn the_code_of_a_close_frame_is_one_that_may_be_sent() {
    for (code, expected) in [
        (999, 1002),
        (1000, 1000),
        (1004, 1002),
        (1005, 1002),
        (1006, 1002),
        (1011, 1011),
        (1015, 1002),
        (2999, 1002),
        (3000, 3000),
        (4999, 4999),
        (5000, 1002),
    ] {
        let input = frame(0x88, &u16::to_be_bytes(code));
        assert_eq!(decode(&input, 3), Ok(vec![Message::Close(Some(expected))]), "{code}");
    }
}

#[test]
fn a_message_that_is_too_large_is_refused_before_it_has_arrived() {
    let large = frame(0x81, &vec![b'x'; MOST + 1]);
    let fragments = [frame(0x01, &vec![b'x'; MOST]), frame(0x80, b"x")].concat();
    let endless = [0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    for input in [&large[..14], &fragments, &endless] {
        assert_eq!(decode(input, 7), Err(Invalid::TooLarge));
    }
    assert_eq!(decode(&frame(0x81, &vec![b'x'; MOST]), 999).unwrap().len(), 1);
}

#[test]
fn nothing_is_allocated_for_what_has_not_arrived() {
    let mut decoder = Decoder::new(MOST);
    assert_eq!(decoder.next(&mut &frame(0x81, &vec![b'x'; MOST])[..20]), Ok(None));
    assert!(decoder.message.capacity() < 100, "{}", decoder.message.capacity());
}

#[test]
fn the_headers_of_all_frames_are_counted_and_nothing_else() {
    let input = [
        frame(0x01, b"abc"),
        frame(0x00, &[b'x'; 200]),
        frame(0x89, b"ping"),
        frame(0x00, b""),
        frame(0x80, &vec![b'y'; 70_000]),
    ];
    let (input, mut decoder) = (input.concat(), Decoder::new(MOST));
    let mut framing = Vec::new();
    let mut rest = &input[..];
    while !rest.is_empty() {
        decoder.next(&mut rest).unwrap();
        framing.push(decoder.take_framing());
    }
    assert_eq!(framing, [6 + 8 + 6, 6 + 14]);
}

/// A message and the places where it is cut into fragments, with a ping or a pong after some of them.
#[derive(Debug, Clone)]
struct Story {
    text: Option<String>,
    cuts: Vec<(usize, Option<Between>)>,
    length: Length,
    mask: [u8; 4],
}

/// What comes between two fragments.
#[derive(Debug, Clone)]
struct Between {
    ping: bool,
    payload: Vec<u8>,
}

impl Story {
    fn encode(&self) -> (Vec<u8>, Vec<Message>) {
        let payload = self.text.as_ref().map_or(&b"\xff\x00"[..], |text| text.as_bytes());
        let (mut bytes, mut expected) = (Vec::new(), Vec::new());
        let (mut rest, mut opcode) = (payload, if self.text.is_some() { 1 } else { 2 });
        for (cut, between) in &self.cuts {
            let (piece, behind) = rest.split_at(*cut % (rest.len() + 1));
            bytes.extend(frame_with(opcode, Some(self.mask), self.length, piece));
            (rest, opcode) = (behind, 0);
            if let Some(Between { ping, payload }) = between {
                bytes.extend(frame(if *ping { 0x89 } else { 0x8a }, payload));
                expected.push(if *ping { Message::Ping(payload.clone()) } else { Message::Pong });
            }
        }
        bytes.extend(frame_with(0x80 | opcode, Some(self.mask), self.length, rest));
        expected.push(self.text.clone().map_or(Message::Binary, Message::Text));
        (bytes, expected)
    }
}

fn lengths() -> impl Strategy<Value = Length> {
    select(vec![Length::Shortest, Length::Shortest, Length::Two, Length::Eight])
}

fn stories() -> impl Strategy<Value = Vec<Story>> {
    let text = prop_oneof![
        4 => ".{0,20}",
        1 => select(vec![125, 126, 127, 65_535, 65_536]).prop_map(|bytes| "x".repeat(bytes)),
    ];
    let between = (any::<bool>(), vec(any::<u8>(), 0..=MAX_CONTROL));
    let between = between.prop_map(|(ping, payload)| Between { ping, payload });
    let cuts = vec((any::<usize>(), prop::option::of(between)), 0..4);
    let story = (prop::option::weighted(0.8, text), cuts, lengths(), any::<[u8; 4]>());
    vec(story.prop_map(|(text, cuts, length, mask)| Story { text, cuts, length, mask }), 1..5)
}

/// Frames of any kind, most of which are invalid where they come.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        8 => select(vec![0x00, 0x80, 0x80, 0x01, 0x81, 0x02, 0x82, 0x88, 0x89, 0x8a]),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        4 => "[ -~é€]{0,12}".prop_map(String::into_bytes),
        2 => vec(any::<u8>(), 0..8),
        1 => select(vec![125, 126, MOST, MOST + 1]).prop_map(|bytes| vec![b'x'; bytes]),
        1 => any::<u16>().prop_map(|code| code.to_be_bytes().into()),
    ];
    let mask = prop::option::weighted(0.95, any::<[u8; 4]>());
    let frame = (first, mask, lengths(), payload);
    let frame = frame.prop_map(|(first, mask, length, payload)| frame_with(first, mask, length, &payload));
    vec(frame, 1..6).prop_map(|frames| frames.concat())
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![1_usize..20, Just(4_096)], 1..4)
}

/// Bytes that are read; what is written is lost.
struct Wire<'a>(&'a [u8]);

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What tungstenite reads, up to a close frame, and whether it found anything wrong.
fn decode_by_library(input: &[u8]) -> (Vec<Message>, bool) {
    let config = WebSocketConfig::default().max_message_size(Some(MOST)).max_frame_size(Some(MOST));
    let mut socket = WebSocket::from_raw_socket(Wire(input), Role::Server, Some(config));
    let mut messages = Vec::new();
    loop {
        use tungstenite::{Error, Message as Theirs, error::ProtocolError};
        messages.push(match socket.read() {
            Ok(Theirs::Text(text)) => Message::Text(text.as_str().into()),
            Ok(Theirs::Binary(_)) => Message::Binary,
            Ok(Theirs::Ping(payload)) => Message::Ping(payload.to_vec()),
            Ok(Theirs::Pong(_)) => Message::Pong,
            Ok(Theirs::Close(frame)) => {
                messages.push(Message::Close(frame.map(|frame| frame.code.into())));
                return (messages, false);
            }
            Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => return (messages, false),
            Err(Error::Protocol(_) | Error::Capacity(_) | Error::Utf8(_)) => return (messages, true),
            other => panic!("{other:?}"),
        });
    }
}

/// Compares both on the same input. Returns whether each found something wrong, unless the client closed before that. They may find
/// it at different times: tungstenite checks the text of each fragment, and headers only when their frame has arrived.
fn compare(input: &[u8], sizes: &[usize]) -> Result<Option<(bool, bool)>, TestCaseError> {
    let (mut ours, invalid) = decode_in(input, sizes);
    let (theirs, wrong) = decode_by_library(input);
    let close = ours.iter().position(|message| matches!(message, Message::Close(_)));
    if let Some(close) = close {
        // What comes behind it is not looked at.
        ours.truncate(close + 1);
    }
    if !wrong && (invalid.is_none() || close.is_some()) {
        prop_assert_eq!(ours, theirs);
    } else {
        let is_control = |message: &Message| !matches!(message, Message::Text(_) | Message::Binary);
        prop_assert!(ours.iter().skip(theirs.len()).all(is_control), "{ours:?} {theirs:?}");
        prop_assert!(theirs.iter().skip(ours.len()).all(is_control), "{ours:?} {theirs:?}");
        let both = ours.len().min(theirs.len());
        prop_assert_eq!(&ours[..both], &theirs[..both]);
    }
    Ok(close.is_none().then_some((invalid.is_some(), wrong)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn valid_messages_are_decoded_however_they_are_cut(stories in stories(), sizes in sizes()) {
        let (mut input, mut expected) = (Vec::new(), Vec::new());
        for story in &stories {
            let (bytes, messages) = story.encode();
            input.extend(bytes);
            expected.extend(messages);
        }
        prop_assert_eq!(decode_in(&input, &sizes), (expected, None));
        compare(&input, &sizes)?;
    }

    #[test]
    fn a_changed_byte_means_the_same_as_to_the_library(
        stories in stories(),
        at in any::<prop::sample::Index>(),
        change in 1_u8..,
        sizes in sizes(),
    ) {
        let mut input: Vec<u8> = stories.iter().flat_map(|story| story.encode().0).collect();
        let at = at.index(input.len().min(64));
        input[at] ^= change;
        compare(&input, &sizes)?;
    }

    #[test]
    fn frames_of_any_kind_mean_the_same_as_to_the_library(mut input in frames(), sizes in sizes()) {
        // The end of what is incomplete: text that is invalid is noticed by both.
        input.extend(frame(0x80, b""));
        if let Some((ours, theirs)) = compare(&input, &sizes)? {
            prop_assert_eq!(ours, theirs);
        }
        // Whatever it is, the pieces in which it arrives make no difference.
        prop_assert_eq!(decode_in(&input, &sizes), decode_in(&input, &[input.len()]));
    }
}
