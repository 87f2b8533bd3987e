//! A POST that only sends: a connection of its own, which subscribes to nothing and replaces no other.

use everwire_protocol::{Bye, ErrorCode, Idle, Unsubscribe};

use super::*;

#[test]
fn a_post_sends_and_what_concerns_its_session_is_passed_on() {
    let mut world = World::new();
    let leave = Unsubscribe { channel: channel("sport") };
    let idle = ClientFrame::from(Idle { idle: false });
    let frames =
        world.post("a", &[send(1, "news"), leave.into(), idle.clone(), idle, ClientFrame::from(Bye {})]);
    let mut answers = kinds(&frames);
    answers.sort_unstable();
    assert_eq!(answers, ["ack", "unsubscribed"], "no welcome");
    assert_eq!(world.forwarded, [Some(channel("sport")), None]);
    // What the session said before, only its connection knows.
    assert_eq!(world.idle, [false, false]);
}

#[test]
fn a_post_cannot_subscribe_and_is_told_so_by_an_error() {
    let mut world = World::new();
    for frame in [
        r#"{"type":"subscribe","channel":"news"}"#,
        r#"{"type":"subscribe","channel":"news","epoch":"a","offset":-1}"#,
        r#"{"type":"hello"}"#,
        r#"{"type":"poll","ack":0,"hold_ms":0}"#,
    ] {
        let frames = world.post_text("a", &format!("{frame}]"));
        assert_eq!(kinds(&frames), ["error"], "{frame}");
        let code = errors(&frames)[0].code.listed();
        assert!(matches!(code, Some(ErrorCode::Unexpected | ErrorCode::InvalidFrame)), "{frame}: {code:?}");
    }
    assert_eq!(world.hub.subscribers(&channel("news")), 0);
}

#[test]
fn what_a_websocket_says_is_passed_on_to_nobody() {
    let mut world = World::new();
    let client = world.connect("a");
    world.say(client, &[Unsubscribe { channel: channel("sport") }.into(), ClientFrame::from(Bye {})]);
    world.run();
    assert!(world.forwarded.is_empty());
    assert_eq!(world.ended(client), Some(CloseCode::Normal));
}
