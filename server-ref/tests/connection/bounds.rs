//! The bounds of a connection, each at the last value that is within and at the first that is not; and what a driver reads
//! from a connection to keep to its own.

use everwire_protocol::{Bye, Code, ErrorCode, Goaway, Ping, Token, limits::MAX_TOKEN_BYTES};

use everwire_server::model::address::AddressKey;

use super::*;

const DRAIN_MS: u64 = 5_000;

#[test]
fn a_connection_that_cannot_send_its_last_frames_is_given_up_when_their_time_is_over() {
    type End = fn(&mut World, usize);
    let ends: [(&str, End); 4] = [
        ("replaced", |world, client| world.input(client, Input::End(CloseCode::Replaced))),
        ("rubbish", |world, client| (0..10).for_each(|_| world.say_text(client, "rubbish"))),
        ("bye", |world, client| world.say(client, &[Bye {}.into()])),
        ("goaway", |world, client| {
            world.input(client, Input::Goaway(Goaway { delay_ms: 1, spread_ms: 2, reason: "stop".into() }));
        }),
    ];
    for (name, end) in ends {
        let mut world = World::new();
        let client = world.connect("a");
        world.connections[client].reads = false;
        world.say(client, &[Ping { nonce: None }.into()]);
        end(&mut world, client);
        world.pass(DRAIN_MS - 1);
        assert_eq!(world.connections[client].ended, None, "{name}");
        world.pass(1);
        assert_eq!(world.connections[client].ended, Some(None), "{name}");
    }
}

#[test]
fn nothing_is_read_from_a_client_while_its_session_is_looked_up_or_after_it_has_failed() {
    let mut world = World::new();
    let client = world.open();
    assert!(world.machine(client).wants_batch());
    world.say(client, &[world.hello(client, "a")]);
    assert!(!world.machine(client).wants_batch());
    world.run();
    assert!(world.machine(client).wants_batch());
    world.connections[client].reads = false;
    (0..10).for_each(|_| world.say_text(client, "rubbish"));
    assert!(!world.machine(client).wants_batch());
    assert!(!world.machine(client).is_over(), "its last frames are on their way");
}

#[test]
fn a_connection_knows_its_user_its_session_and_what_waits_for_the_network() {
    let mut world = World::new();
    let client = world.open();
    assert_eq!((world.machine(client).user(), world.machine(client).session()), (None, Uuid::nil()));
    world.say(client, &[world.hello(client, "a")]);
    world.run();
    let session = world.connections[client].session;
    assert_eq!((world.machine(client).user(), world.machine(client).session()), (Some("a"), session));
    world.connections[client].reads = false;
    let ping = ClientFrame::from(Ping { nonce: None });
    world.say(client, std::slice::from_ref(&ping));
    assert_eq!((world.machine(client).queued(), world.machine(client).queued_bytes()), (0, 0));
    world.say(client, &[ping.clone(), ping.clone(), ping]);
    let pongs = 3 * r#"{"type":"pong"}"#.len();
    assert_eq!((world.machine(client).queued(), world.machine(client).queued_bytes()), (3, pongs));
}

#[test]
fn no_ping_is_queued_behind_what_the_network_does_not_take() {
    let mut world = World::with(Settings { write_timeout_ms: 50_000, ..Settings::default() });
    let client = world.connect("a");
    world.connections[client].reads = false;
    world.say(client, &[Ping { nonce: None }.into()]);
    world.pass(25_000);
    assert_eq!(world.machine(client).queued(), 0);
    world.connections[client].reads = true;
    world.write(client);
    world.take(client);
    world.pass(1);
    assert_eq!(kinds(&world.take(client)), ["ping"]);
}

#[test]
fn a_token_may_be_as_long_as_the_protocol_says_and_no_longer() {
    for (bytes, welcome) in
        [(MAX_TOKEN_BYTES - 1, true), (MAX_TOKEN_BYTES, true), (MAX_TOKEN_BYTES + 1, false)]
    {
        let mut world = World::new();
        let client = world.open();
        let token = format!("{:x<bytes$}", format!("a:{}:", START + 60_000));
        world.say(client, &[world.hello_with(client, &token)]);
        world.run();
        let frames = world.take(client);
        assert_eq!(kinds(&frames), [if welcome { "welcome" } else { "error" }], "{bytes}");
        if !welcome {
            let error = errors(&frames)[0];
            assert_eq!(
                (&error.code, &*error.message),
                (&ErrorCode::Unauthorized.into(), "The token is too long.")
            );
        }
    }
}

#[test]
fn a_ban_ends_the_connection_at_once_and_a_name_stays_free_of_it() {
    let mut world = World::new();
    let watcher = world.connect("w");
    world.say(watcher, &[subscribe("presence-room")]);
    let client = world.open();
    let (at, room) = (START + 60_000, subscribe("presence-room"));
    world.say(client, &[world.hello_with(client, &format!("a:{at}:")), room]);
    world.run();
    world.input(client, Input::CheckIdentity);
    assert_eq!(world.ended(client), None, "another user was banned");
    world.say(client, &[Token { token: format!("a:{at}:banned") }.into()]);
    world.take(client);
    world.take(watcher);
    world.input(client, Input::CheckIdentity);
    assert_eq!(world.ended(client), Some(CloseCode::Banned));
    assert_eq!(errors(&world.take(client))[0].code, ErrorCode::Banned);
    world.pass(1_000);
    assert_eq!(kinds(&world.take(watcher)), ["member_left"], "without the time to come back");
}

#[test]
fn a_frame_for_this_connection_alone_is_delivered_once_it_is_welcomed() {
    let mut world = World::new();
    let client = world.open();
    let direct = || Input::Direct(r#"{"type":"done","id":"00000000-0000-0000-0000-000000000007"}"#.into());
    world.input(client, direct());
    world.say(client, &[world.hello(client, "a")]);
    world.run();
    assert_eq!(kinds(&world.take(client)), ["welcome"]);
    world.input(client, direct());
    assert_eq!(kinds(&world.take(client)), ["done"]);
}

#[test]
fn ephemeral_frames_are_dropped_beyond_a_quarter_of_the_queue() {
    let typing_bytes = r#"{"type":"user_typing","channel":"news","user":"b","name":"B","typing":true}"#.len();
    let default = Settings::default();
    let frames = Settings { queue_frames: 40, ..default.clone() };
    // The one that exceeds the quarter is the last.
    let bytes = Settings { queue_bytes: 4 * (10 * typing_bytes), ..default };
    for (what, settings) in [("frames", frames), ("bytes", bytes)] {
        let mut world = World::with(settings);
        let slow = world.connect("a");
        world.say(slow, &[subscribe("news")]);
        world.run();
        world.connections[slow].reads = false;
        world.say(slow, &[Ping { nonce: None }.into()]);
        let other = world.connect("b");
        world.say(other, &vec![typing("news", true); 30]);
        world.run();
        assert_eq!(world.machine(slow).queued(), 11, "{what}");
    }
}

#[test]
fn a_subscription_that_is_refused_for_good_leaves_at_once_and_otherwise_after_a_while() {
    for (code, waits) in [(ErrorCode::Forbidden, 1_000), (ErrorCode::Unavailable, 10_000)] {
        let mut world = World::new();
        let watcher = world.connect("w");
        world.say(watcher, &[subscribe("presence-room")]);
        let client = world.connect("a");
        world.say(client, &[subscribe("presence-room")]);
        world.answer_opening(|_| Err(Refusal::of(code)));
        world.run();
        world.take(watcher);
        world.pass(waits - 1);
        assert!(world.take(watcher).is_empty(), "{code:?}");
        world.pass(1);
        assert_eq!(kinds(&world.take(watcher)), ["member_left"], "{code:?}");
    }
}

#[test]
fn a_token_that_is_revoked_while_a_channel_is_opened_ends_the_connection_and_not_the_subscription() {
    let refused = |grants: &str| {
        let mut world = World::new();
        let client = world.open();
        world.say(client, &[world.hello_with(client, &format!("a:{}:", START + 60_000))]);
        world.run();
        world.say(client, &[subscribe("news")]);
        world.say(client, &[Token { token: format!("a:{}:{grants}", START + 60_000) }.into()]);
        world.take(client);
        world.answer_opening(|_| Err(Refusal::of(ErrorCode::Banned)));
        let frames = world.take(client);
        let unsubscribed = frames.iter().find_map(|frame| match frame {
            ServerFrame::Unsubscribed(u) => {
                Some((u.code.as_ref().and_then(Code::listed), u.retry_after_ms.is_some()))
            }
            _ => None,
        });
        (unsubscribed, world.ended(client))
    };
    assert_eq!(refused("banned"), (None, Some(CloseCode::Banned)));
    let again = Some((Some(ErrorCode::Unavailable), true));
    assert_eq!(refused(""), (again, None), "another token has come since: the client asks again");
}

#[test]
fn guests_of_an_address_have_not_signed_in() {
    let address = Some(AddressKey::of([192, 0, 2, 7].into()));
    for (address, token, signed_in) in
        [(address, false, false), (None, false, true), (address, true, true), (None, true, true)]
    {
        let world = World::new();
        let (session, now) = (Uuid::from_u128(1), world.now);
        let guest = (!token).then(|| Guest { user: "a".into(), name: "A".into() });
        let token = token.then(|| format!("a:{}", now + 60_000));
        let hello = Hello { version: 1, versions: None, features: None, session, token, guest, client: None };
        let (settings, access) = (world.settings.clone(), world.access.clone());
        let mut socket = Connection::new(now, Transport::WebSocket, session, settings, access.clone())
            .from_address(address);
        assert!(!socket.has_signed_in(), "before hello");
        socket.handle(now, Input::Batch(Ok(vec![Ok(hello.clone().into())])));
        socket.handle(now, Input::Bound(Binding::Yours));
        let mut polling = Polling::new(now, session, world.settings.clone(), access).from_address(address);
        let poll = everwire_protocol::Poll { connection: None, ack: 0, hold_ms: 0 };
        polling.handle(now, PollInput::Request { request: 1, hello, poll, frames: Vec::new() });
        polling.handle(now, PollInput::Connection(Input::Bound(Binding::Yours)));
        let found = (socket.has_signed_in(), polling.connection().has_signed_in());
        assert_eq!(found, (signed_in, signed_in), "{address:?}");
    }
}
