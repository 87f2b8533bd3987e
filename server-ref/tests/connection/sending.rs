//! Sends, acks and the order of deferred sends.

use everwire_protocol::{ErrorCode, Payload};

use super::*;

fn codes(frames: &[ServerFrame]) -> Vec<(u128, ErrorCode)> {
    errors(frames).iter().map(|error| (error.id.unwrap().as_u128(), error.code.listed().unwrap())).collect()
}

#[test]
fn the_ack_comes_after_the_store_has_answered_and_before_the_echo() {
    let mut world = World::new();
    let client = world.connect("a");
    world.say(client, &[subscribe("news"), send(1, "news")]);
    world.answer(0);
    while world.mail(client) {}
    assert_eq!(acks(&world.take(client)).len(), 0);
    world.run();
    assert_eq!(kinds(&world.take(client)), ["ack", "message"]);
}

#[test]
fn every_copy_gets_the_same_ack_and_is_stored_once() {
    let mut world = World::new();
    let client = world.connect("a");
    world.say(client, &[send(1, "news"), send(1, "news")]);
    world.run();
    world.now += 1_000;
    world.say(client, &[send(1, "news"), send(1, "sport"), send(2, "news")]);
    world.run();
    let frames = world.take(client);
    let acks = acks(&frames);
    assert!(acks[..3].iter().all(|ack| *ack == acks[0]), "{acks:?}");
    assert_eq!((acks[0].offset, acks[3].offset), (1, 2));
    assert_eq!(codes(&frames), [(1, ErrorCode::IdReused)]);
}

#[test]
fn when_the_store_fails_everything_later_is_deferred_until_the_refused_id_comes_again() {
    let mut world = World::new();
    let client = world.connect("a");
    world.say(client, &[subscribe("news")]);
    world.run();
    world.take(client);
    world.store_works = false;
    world.say(client, &[send(1, "news"), send(2, "sport")]);
    world.say(client, &[send(3, "news")]);
    world.run();
    world.store_works = true;
    world.say(client, &[send(4, "news")]);
    world.run();
    let frames = world.take(client);
    let expected = [
        (1, ErrorCode::Unavailable),
        (2, ErrorCode::Deferred),
        (3, ErrorCode::Deferred),
        (4, ErrorCode::Deferred),
    ];
    assert_eq!(codes(&frames), expected);
    assert!(errors(&frames).iter().all(|error| error.retry));
    let wait = Some(world.settings.retry_after_ms);
    let told: Vec<_> = errors(&frames).iter().map(|error| error.retry_after_ms).collect();
    assert_eq!(told, [wait, wait, wait, None]);
    assert_eq!(world.logs.log(&channel("news")).head, 0);
    world.say(client, &[send(1, "news"), send(2, "sport"), send(3, "news"), send(4, "news")]);
    world.run();
    let ids: Vec<_> = messages(&world.take(client)).map(|message| message.id.as_u128()).collect();
    assert_eq!(ids, [1, 3, 4]);
}

#[test]
fn a_new_connection_of_the_session_is_not_deferred() {
    let mut world = World::new();
    let first = world.connect("a");
    world.store_works = false;
    world.say(first, &[send(1, "news"), send(2, "news")]);
    world.run();
    world.store_works = true;
    let session = world.connections[first].session;
    let second = world.open_as(session);
    world.say(second, &[world.hello(second, "a"), send(2, "news")]);
    world.run();
    assert_eq!(acks(&world.take(second)).len(), 1);
    assert_eq!(world.ended(first), Some(CloseCode::Replaced));
}

#[test]
fn what_cannot_be_sent_is_refused_with_its_id_and_holds_up_nothing() {
    let mut world = World::new();
    let client = world.connect("a");
    let large = Payload::from_value(&"x".repeat(40_000)).unwrap();
    let send_with = |id: u128, name: &str, event: Option<String>, data: &Payload| {
        ClientFrame::Send(Send {
            id: Uuid::from_u128(id),
            channel: channel(name),
            event,
            data: data.clone(),
            action: None,
            target: None,
        })
    };
    let small = Payload::from_value("x").unwrap();
    world.say(
        client,
        &[
            send(1, "private-secret"),
            send(2, "presence-users"),
            send_with(3, "news", None, &large),
            send_with(4, "news", Some(String::new()), &small),
            send_with(5, "news", Some("e".repeat(101)), &small),
            send_with(6, "news", Some("e".repeat(100)), &small),
        ],
    );
    world.run();
    let frames = world.take(client);
    let expected = [
        (3, ErrorCode::TooLarge),
        (4, ErrorCode::InvalidFrame),
        (5, ErrorCode::InvalidFrame),
        // These could be copies, which the store knows.
        (1, ErrorCode::Forbidden),
        (2, ErrorCode::Forbidden),
    ];
    assert_eq!(codes(&frames), expected);
    assert_eq!(acks(&frames).len(), 1);
    let named = ["news", "news", "news", "private-secret", "presence-users"];
    for (error, name) in errors(&frames).into_iter().zip(named) {
        assert_eq!((error.re.as_deref(), &error.channel), (Some("send"), &Some(channel(name))));
    }
    let too_large = &errors(&frames)[0].message;
    assert!(too_large.contains("32768") && too_large.contains("40002"), "{too_large}");
}

#[test]
fn a_client_that_sends_more_than_can_be_stored_is_not_read_from() {
    let settings = Settings { waiting_sends: 100, ..Settings::default() };
    let mut world = World::with(settings);
    let client = world.connect("a");
    let sends: Vec<_> = (1..=100).map(|id| send(id, "news")).collect();
    let wants = |world: &World| world.machine(client).wants_batch();
    assert!(wants(&world));
    world.say(client, &sends);
    assert!(!wants(&world));
    world.run();
    assert!(wants(&world));
    assert_eq!(acks(&world.take(client)).len(), 100);
}

#[test]
fn what_was_sent_before_bye_is_stored() {
    let mut world = World::new();
    let client = world.connect("a");
    world.say(client, &[send(1, "news"), ClientFrame::Bye(everwire_protocol::Bye {})]);
    world.run();
    assert_eq!(acks(&world.take(client)).len(), 1);
    assert_eq!(world.ended(client), Some(CloseCode::Normal));
}

#[test]
fn what_waits_behind_a_group_is_dropped_when_the_connection_fails_and_the_group_is_stored() {
    let mut world = World::new();
    let client = world.connect("a");
    world.connections[client].reads = false;
    world.say(client, &[ClientFrame::Ping(everwire_protocol::Ping { nonce: None })]);
    world.say(client, &(1..=70).map(|id| send(id, "news")).collect::<Vec<_>>());
    world.input(client, Input::End(CloseCode::Replaced));
    assert!(!world.machine(client).is_settled(), "a group is on its way to the store");
    world.run();
    assert!(world.machine(client).is_settled(), "nothing else is");
    assert_eq!(world.logs.log(&channel("news")).head, 64, "one group, and nothing after it");
}
