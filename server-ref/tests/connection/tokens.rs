//! What a client learns of a new token: that it counts, and for how long. By polling it is told in the response to the first poll
//! whose header has it.

use everwire_protocol::{ClientFrame, Token, TokenAccepted};
use everwire_server::connection::PollInput;

use super::*;

const HOUR: u64 = 3_600_000;

fn for_ann(lives: u64, grants: &str) -> String {
    format!("ann:{}:{grants}", START + lives)
}

fn world() -> World {
    World { access: Arc::new(TestRules(Rules::default())), ..World::new() }
}

fn accepted(frames: &[ServerFrame]) -> Vec<Option<u64>> {
    frames
        .iter()
        .filter_map(|frame| match frame {
            ServerFrame::TokenAccepted(TokenAccepted { expires_in_ms }) => Some(*expires_in_ms),
            _ => None,
        })
        .collect()
}

#[test]
fn a_token_that_is_accepted_is_answered_before_what_follows_from_it() {
    let mut world = world();
    let client = world.open();
    world.say(client, &[world.hello_with(client, &for_ann(HOUR, "private-a"))]);
    world.say(client, &[subscribe("private-a")]);
    world.run();
    world.take(client);
    world.pass(1_000);
    world.say(client, &[Token { token: for_ann(2 * HOUR, "private-b") }.into()]);
    let frames = world.take(client);
    assert_eq!(kinds(&frames), ["token_accepted", "unsubscribed"]);
    assert_eq!(accepted(&frames), [Some(2 * HOUR - 1_000)]);
    world.say(client, &[Token { token: "bob:1:x".into() }.into()]);
    let frames = world.take(client);
    assert_eq!(kinds(&frames), ["error"], "one that is refused is not accepted");
}

/// A poll with this token: the frames of its response.
fn poll(world: &mut World, client: usize, token: &str, ack: u64) -> Vec<ServerFrame> {
    let ClientFrame::Hello(hello) = world.hello_with(client, token) else { unreachable!() };
    let request = u64::try_from(world.new_id().as_u128()).unwrap();
    let connection = (ack > 0).then_some(world.connections[client].id);
    let poll = everwire_protocol::Poll { connection, ack, hold_ms: 0 };
    let now = world.now;
    world.polling_of(client).handle(now, PollInput::Request { request, hello, poll, frames: Vec::new() });
    world.drain(client);
    world.run();
    world.response(client, request).unwrap().to_vec()
}

#[test]
fn by_polling_another_token_in_the_header_is_told_once() {
    let mut world = world();
    let client = world.poller();
    let (one, two) = (for_ann(HOUR, "private-a"), for_ann(2 * HOUR, "private-a"));
    assert_eq!(kinds(&poll(&mut world, client, &one, 0)), ["polled", "welcome"]);
    assert_eq!(kinds(&poll(&mut world, client, &one, 1)), ["polled"]);
    let frames = poll(&mut world, client, &two, 2);
    assert_eq!((kinds(&frames), accepted(&frames)), (vec!["polled", "token_accepted"], vec![Some(2 * HOUR)]));
    assert_eq!(kinds(&poll(&mut world, client, &two, 3)), ["polled"]);
    let refused = poll(&mut world, client, "bob:99999999999999:x", 4);
    assert_eq!(kinds(&refused), ["error"]);
}

#[test]
fn every_response_names_its_connection() {
    let mut world = world();
    let client = world.poller();
    for ack in 0..3 {
        let frames = poll(&mut world, client, &for_ann(HOUR, "private-a"), ack);
        let ServerFrame::Polled(polled) = &frames[0] else { panic!("{frames:?}") };
        assert_eq!((polled.seq, polled.connection), (ack + 1, Some(world.connections[client].id)));
    }
}
