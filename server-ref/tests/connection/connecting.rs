//! Hello, liveness, bad frames, slow readers and the end.

use everwire_protocol::{ErrorCode, Goaway, Ping, Pong, Token};

use super::*;

fn only_error(frames: &[ServerFrame]) -> ErrorCode {
    let errors = errors(frames);
    assert_eq!(errors.len(), 1, "{frames:?}");
    errors[0].code.listed().unwrap()
}

#[test]
fn nothing_is_handled_before_hello_and_hello_comes_once() {
    let mut world = World::new();
    let client = world.open();
    world.say(client, &[send(1, "news")]);
    world.say(
        client,
        &[world.hello(client, "a"), ClientFrame::Ping(Ping { nonce: Some(7) }), world.hello(client, "a")],
    );
    world.run();
    let frames = world.take(client);
    assert_eq!(kinds(&frames), ["error", "welcome", "pong", "error"]);
    assert!(errors(&frames).iter().all(|error| error.code == ErrorCode::Unexpected));
    assert_eq!(frames[2], ServerFrame::Pong(Pong { nonce: Some(7) }));
    assert_eq!(world.logs.log(&channel("news")).head, 0);
}

#[test]
fn a_welcome_says_who_and_how_long() {
    let mut world = World::new();
    let client = world.open();
    world.say(client, &[world.hello_with(client, &format!("a:{}", START + 60_000))]);
    world.run();
    let frames = world.take(client);
    let ServerFrame::Welcome(welcome) = &frames[0] else { panic!("{frames:?}") };
    assert_eq!((welcome.user.as_str(), welcome.token_expires_in_ms), ("a", Some(60_000)));
    assert_eq!((welcome.connection, welcome.server_time), (world.connections[client].id, START));
}

#[test]
fn who_is_not_let_in_is_told_why() {
    let mut world = World::new();
    let owner = world.connect("a");
    let session = world.connections[owner].session;
    let (version, nobody, late, other) = (world.open(), world.open(), world.open(), world.open_as(session));
    let hello = |world: &World, index: usize| Hello {
        version: 1,
        versions: None,
        features: None,
        session: world.connections[index].session,
        token: None,
        guest: None,
        client: None,
    };
    let newer = Hello { version: 2, ..hello(&world, version) };
    world.say(version, &[newer.into()]);
    world.say(nobody, &[hello(&world, nobody).into(), subscribe("news")]);
    let expired = Hello { token: Some("c:1".into()), ..hello(&world, late) };
    world.say(late, &[expired.into(), subscribe("news")]);
    world.say(other, &[world.hello(other, "b"), subscribe("news")]);
    world.run();
    for (client, code, close) in [
        (version, ErrorCode::UnsupportedVersion, CloseCode::UnsupportedVersion),
        (nobody, ErrorCode::Unauthorized, CloseCode::Unauthorized),
        (late, ErrorCode::TokenExpired, CloseCode::TokenExpired),
        (other, ErrorCode::SessionMismatch, CloseCode::SessionMismatch),
    ] {
        let frames = world.take(client);
        assert_eq!((only_error(&frames), world.ended(client)), (code, Some(close)));
        assert_eq!(errors(&frames)[0].re.as_deref(), Some("hello"), "{code:?}");
    }
    assert_eq!(world.ended(owner), None);
    // The token of another user, on a connection that is open.
    world.say(owner, &[Token { token: format!("b:{}:", START + 60_000) }.into()]);
    world.run();
    let frames = world.take(owner);
    assert_eq!(
        (only_error(&frames), world.ended(owner)),
        (ErrorCode::SessionMismatch, Some(CloseCode::SessionMismatch))
    );
    assert_eq!(errors(&frames)[0].re.as_deref(), Some("token"));
}

#[test]
fn a_socket_that_says_nothing_is_closed() {
    let mut world = World::new();
    let client = world.open();
    world.pass(4_999);
    assert_eq!(world.ended(client), None);
    world.pass(1);
    assert_eq!(world.ended(client), Some(CloseCode::HelloTimeout));
}

#[test]
fn a_silent_server_pings_and_a_silent_client_is_dropped() {
    let mut world = World::new();
    let client = world.connect("a");
    world.pass(24_999);
    assert_eq!(kinds(&world.take(client)), Vec::<&str>::new());
    world.pass(1);
    assert_eq!(kinds(&world.take(client)), ["ping"]);
    world.say(client, &[ClientFrame::Pong(Pong { nonce: None })]);
    world.pass(59_999);
    assert_eq!((kinds(&world.take(client)), world.ended(client)), (vec!["ping", "ping"], None));
    world.pass(1);
    assert_eq!(world.ended(client), Some(CloseCode::HeartbeatTimeout));
}

#[test]
fn any_frame_counts_as_life_on_both_sides() {
    let mut world = World::new();
    let client = world.connect("a");
    world.say(client, &[subscribe("news")]);
    for _ in 0..10 {
        world.pass(20_000);
        world.store("news", 1);
        world.run();
        world.say_text(client, "[]");
    }
    let frames = world.take(client);
    assert_eq!((offsets(&frames).len(), kinds(&frames).contains(&"ping")), (10, false));
}

#[test]
fn ten_bad_batches_or_frames_end_a_connection_and_harm_nobody_else() {
    let mut world = World::new();
    let (bad, good) = (world.connect("a"), world.connect("b"));
    world.say(good, &[subscribe("news")]);
    world.run();
    world.take(good);
    let id = "01900000-0000-7000-8000-000000000001";
    world.say_text(bad, "rubbish");
    world.say_text(bad, "[1]");
    world.say_text(bad, r#"[{"type":"telepathy"},{"type":"telepathy"},{"type":"ping","nonce":1}]"#);
    world.say_text(bad, &format!(r#"[{{"type":"send","id":"{id}","channel":"news"}}]"#));
    world.say_text(bad, r#"[{"type":"subscribe","channel":"two words"}]"#);
    world.say_text(bad, &format!("[{}]", "[".repeat(40) + &"]".repeat(40)));
    world.say_text(bad, &"x".repeat(70_000));
    let frames = world.take(bad);
    let codes: Vec<_> = errors(&frames).iter().filter_map(|error| error.code.listed()).collect();
    assert_eq!(
        codes,
        [
            ErrorCode::InvalidBatch,
            ErrorCode::InvalidFrame,
            ErrorCode::UnknownType,
            ErrorCode::UnknownType,
            ErrorCode::InvalidFrame,
            ErrorCode::InvalidChannel,
            ErrorCode::InvalidFrame,
            ErrorCode::TooLarge,
        ]
    );
    assert!(kinds(&frames).contains(&"pong"), "the good frame of a batch with bad ones is handled");
    assert_eq!(errors(&frames)[4].id.map(|id| id.to_string()).as_deref(), Some(id));
    assert_eq!(errors(&frames)[4].channel, Some(channel("news")));
    for _ in 0..4 {
        assert_eq!(world.ended(bad), None);
        world.say_text(bad, "rubbish");
    }
    assert_eq!(world.ended(bad), Some(CloseCode::ProtocolViolation));
    world.store("news", 1);
    world.run();
    assert_eq!((offsets(&world.take(good)), world.ended(good)), (vec![1], None));
}

#[test]
fn a_slow_reader_is_told_and_dropped_and_resumes_from_its_position() {
    let settings = Settings { queue_frames: 600, ..Settings::default() };
    let mut world = World::with(settings);
    let (slow, fast) = (world.connect("a"), world.connect("b"));
    world.say(slow, &[subscribe("news")]);
    world.say(fast, &[subscribe("news")]);
    world.run();
    world.take(slow);
    world.connections[slow].reads = false;
    for n in [1, 300, 300, 150] {
        world.store("news", n);
        world.run();
    }
    let session = world.machine(slow);
    assert!(session.queued() <= 601);
    world.write(slow);
    world.write(slow);
    let frames = world.take(slow);
    assert_eq!(
        (offsets(&frames), errors(&frames)[0].code.listed()),
        (vec![1], Some(ErrorCode::SlowConsumer))
    );
    assert_eq!(world.ended(slow), Some(CloseCode::SlowConsumer));
    assert_eq!(offsets(&world.take(fast)).len(), 751);
    let again = world.connect("a");
    let epoch = world.logs.log(&channel("news")).epoch.to_string();
    world.say(again, &[resume("news", &epoch, 1)]);
    world.run();
    assert_eq!(offsets(&world.take(again)), (2..=751).collect::<Vec<_>>());
}

#[test]
fn a_reader_that_takes_nothing_is_dropped_in_bounded_time() {
    let mut world = World::new();
    let client = world.connect("a");
    world.say(client, &[subscribe("news")]);
    world.run();
    world.connections[client].reads = false;
    world.store("news", 1);
    world.pass(20_000);
    assert_eq!(world.connections[client].ended, Some(None));
}

#[test]
fn an_expired_token_ends_the_connection_unless_a_new_one_comes() {
    let mut world = World::new();
    let (late, renewed, other) = (world.open(), world.open(), world.open());
    for client in [late, renewed, other] {
        world.say(client, &[world.hello_with(client, &format!("a:{}", START + 20_000))]);
    }
    world.run();
    let token = |token: String| ClientFrame::Token(Token { token });
    world.pass(15_000);
    world.say(renewed, &[token(format!("a:{}", START + 3_600_000))]);
    world.say(other, &[token(format!("b:{}", START + 3_600_000))]);
    assert_eq!(world.ended(other), Some(CloseCode::SessionMismatch));
    world.pass(14_999);
    assert_eq!(world.ended(late), None);
    world.pass(1);
    assert_eq!((world.ended(late), world.ended(renewed)), (Some(CloseCode::TokenExpired), None));
}

#[test]
fn a_new_connection_of_a_session_replaces_the_older_one() {
    let mut world = World::new();
    let first = world.connect("a");
    let second = world.open_as(world.connections[first].session);
    world.say(second, &[world.hello(second, "a")]);
    world.run();
    assert_eq!((world.ended(first), world.ended(second)), (Some(CloseCode::Replaced), None));
}

#[test]
fn a_planned_stop_says_goaway_stores_what_came_and_closes() {
    let mut world = World::new();
    let (client, silent) = (world.connect("a"), world.open());
    world.say(client, &[send(1, "news")]);
    let goaway = Goaway { delay_ms: 1, spread_ms: 2, reason: "restart".into() };
    world.input(client, Input::Goaway(goaway.clone()));
    world.input(silent, Input::Goaway(goaway));
    assert_eq!((world.ended(client), world.ended(silent)), (None, Some(CloseCode::GoingAway)));
    world.run();
    assert_eq!(kinds(&world.take(client)), ["goaway", "ack"]);
    assert_eq!(world.ended(client), Some(CloseCode::GoingAway));
}

#[test]
fn a_planned_stop_does_not_wait_for_ever() {
    let mut world = World::new();
    let client = world.connect("a");
    world.connections[client].reads = false;
    world.input(client, Input::Goaway(Goaway { delay_ms: 1, spread_ms: 2, reason: "restart".into() }));
    world.pass(5_000);
    assert_eq!(world.connections[client].ended, Some(None));
}

#[test]
fn the_code_with_which_a_connection_ended_stays_known() {
    let mut world = World::new();
    let (poller, _) = world.polling("b", &[]);
    for client in [world.connect("a"), poller] {
        assert_eq!(world.machine(client).ended_with(), None);
        world.input(client, Input::End(CloseCode::Banned));
        assert_eq!(world.machine(client).ended_with(), Some(CloseCode::Banned));
    }
    let left = world.connect("c");
    world.say(left, &[everwire_protocol::Bye {}.into()]);
    assert_eq!(world.machine(left).ended_with(), world.ended(left));
}
