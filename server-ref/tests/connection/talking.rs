//! Ephemeral frames, requests, receipts, limits, and the end of a membership.

use everwire_protocol::{
    Action,
    ErrorCode::{self, Deferred, Forbidden, InvalidFrame, InvalidPayload, RateLimited},
    Idle, Limits, Mark,
};

use super::*;
use everwire_server::accounts::{Bucket, Rates};

fn codes(frames: &[ServerFrame]) -> Vec<ErrorCode> {
    errors(frames).iter().filter_map(|error| error.code.listed()).collect()
}

/// A client that is subscribed to channels.
fn joined(world: &mut World, user: &str, names: &[&str]) -> usize {
    let client = world.connect(user);
    world.say(client, &names.iter().map(|name| subscribe(name)).collect::<Vec<_>>());
    world.run();
    world.take(client);
    client
}

fn paced(sends: Option<u32>, signals: u32, requests: u32) -> World {
    let bucket = |burst| Bucket { per_second: 1, burst };
    let rates = Rates::new(sends, bucket(signals), bucket(requests));
    let access = Arc::new(TestRules(Rules { dev: true, rates, ..Rules::default() }));
    World { access, ..World::new() }
}

#[test]
fn typing_reaches_all_other_users_who_are_subscribed_and_no_connection_of_the_own() {
    let mut world = World::new();
    let [one, two] = [0, 1].map(|_| joined(&mut world, "a", &["news"]));
    let other = joined(&mut world, "b", &["news"]);
    let elsewhere = joined(&mut world, "c", &["sport"]);
    world.say(one, &[typing("news", true), typing("news", false)]);
    world.run();
    assert!([one, two, elsewhere].into_iter().all(|client| world.take(client).is_empty()));
    let heard: Vec<_> = world
        .take(other)
        .into_iter()
        .map(|frame| match frame {
            ServerFrame::UserTyping(typed) => (typed.user, typed.name, typed.typing),
            frame => panic!("{frame:?}"),
        })
        .collect();
    let a = |typing| ("a".to_owned(), Some("A".to_owned()), typing);
    assert_eq!(heard, [a(true), a(false)]);
}

#[test]
fn a_signal_reaches_the_others_or_the_one_connection_that_it_is_for() {
    let mut world = World::new();
    let [one, two, three] = ["a", "a", "b"].map(|user| joined(&mut world, user, &["news"]));
    world.say(one, &[signal("news", "wave", None)]);
    world.run();
    assert!(world.take(one).is_empty());
    let from = Some(world.connections[one].id);
    for client in [two, three] {
        let [ServerFrame::Signalled(signal)] = &world.take(client)[..] else { panic!("one signal") };
        assert_eq!((&*signal.event, signal.user.as_deref(), signal.from), ("wave", Some("a"), from));
        assert_eq!((signal.channel.clone(), signal.at), (Some(channel("news")), START));
    }
    world.say(three, &[signal("news", "answer", from), signal("news", "nobody", Some(Uuid::from_u128(99)))]);
    world.run();
    assert_eq!(kinds(&world.take(one)), ["signalled"]);
    assert!(world.take(two).is_empty() && world.take(three).is_empty());
}

#[test]
fn who_may_not_send_may_not_signal_and_bad_events_are_refused() {
    let mut world = World::new();
    let client = world.connect("a");
    let refused = [
        signal("everyone", "x", None),
        typing("private-user.b", true),
        signal("news", "everwire.chat", None),
        signal("news", "notification", None),
        signal("news", "", None),
    ];
    world.say(client, &refused);
    world.run();
    let frames = world.take(client);
    assert_eq!(codes(&frames), [Forbidden, Forbidden, Forbidden, InvalidPayload, InvalidFrame]);
    let about: Vec<_> = errors(&frames).iter().map(|error| error.channel.clone().unwrap()).collect();
    assert_eq!(about, ["everyone", "private-user.b", "news", "news", "news"].map(channel));
    assert!(errors(&frames)[0].message.contains("everyone"), "the message names the channel too");
}

#[test]
fn what_is_gone_when_missed_is_dropped_first_for_who_reads_slowly_and_nothing_else_is() {
    let mut world = World::with(Settings { queue_frames: 40, ..Settings::default() });
    let slow = joined(&mut world, "a", &["news"]);
    let other = world.connect("b");
    world.connections[slow].reads = false;
    // The network accepts only one batch.
    world.store("news", 1);
    world.run();
    world.say(other, &vec![typing("news", true); 100]);
    world.run();
    world.store("news", 40);
    world.run();
    assert_eq!(world.ended(slow), None);
    world.connections[slow].reads = true;
    world.write(slow);
    world.run();
    let frames = world.take(slow);
    assert_eq!(offsets(&frames), up_to(41));
    assert_eq!(codes(&frames), []);
    assert!(kinds(&frames).iter().all(|kind| *kind == "message"), "{:?}", kinds(&frames));
}

#[test]
fn questions_are_answered_by_their_id_and_a_repetition_is_harmless() {
    let mut world = World::new();
    let client = world.connect("a");
    world.say(client, &[history(7, "news"), history(8, "news"), history(7, "news")]);
    assert_eq!(world.asked.len(), 2);
    world.answer(1);
    world.store_works = false;
    world.run();
    let frames = world.take(client);
    assert_eq!(kinds(&frames), ["done", "error"]);
    let (ServerFrame::Done(done), ServerFrame::Error(error)) = (&frames[0], &frames[1]) else { panic!() };
    assert_eq!((done.id, error.id), (Uuid::from_u128(8), Some(Uuid::from_u128(7))));
    assert_eq!(
        (&error.code, error.retry, error.retry_after_ms),
        (&ErrorCode::Unavailable.into(), true, Some(1_000))
    );
    // It may be asked again.
    world.store_works = true;
    world.say(client, &[history(7, "news")]);
    world.run();
    assert_eq!(kinds(&world.take(client)), ["done"]);
}

#[test]
fn questions_that_may_not_be_asked_or_are_too_many_are_refused_by_their_id() {
    let mut world = World::with(Settings { waiting_requests: 1, ..Settings::default() });
    let client = world.connect("a");
    let both = |id: u128| -> ClientFrame {
        let (id, channel) = (Uuid::from_u128(id), channel("news"));
        History { id, channel, before: Some(1), after: Some(1), limit: None }.into()
    };
    world.say(client, &[history(1, "private-user.b"), history(2, "news"), both(3), history(4, "news")]);
    let frames = world.take(client);
    let refused: Vec<_> =
        errors(&frames).iter().map(|e| (e.id.unwrap().as_u128(), e.code.listed().unwrap())).collect();
    assert_eq!(refused[0], (1, Forbidden));
    // While one is under way, no other is taken; what is no question is refused as such.
    assert_eq!(refused[1..], [(3, InvalidFrame), (4, RateLimited)]);
    let told: Vec<_> = errors(&frames).iter().map(|e| (e.channel.clone(), e.retry_after_ms)).collect();
    let wait = (None, Some(world.settings.retry_after_ms));
    assert_eq!(told, [(Some(channel("private-user.b")), None), (Some(channel("news")), None), wait]);
    world.run();
    world.take(client);
    world.say(client, &[both(5)]);
    let frames = world.take(client);
    assert_eq!(
        (codes(&frames), errors(&frames)[0].channel.clone()),
        (vec![InvalidFrame], Some(channel("news")))
    );
    for (before, after) in [(Some(1), None), (None, Some(1))] {
        let (id, channel) = (world.new_id(), channel("news"));
        world.say(client, &[History { id, channel, before, after, limit: None }.into()]);
        world.run();
        assert_eq!(kinds(&world.take(client)), ["done"], "one of the two is fine");
    }
}

#[test]
fn a_deletion_brings_no_data() {
    let mut world = World::new();
    let client = world.connect("a");
    let delete = |id, text: &str| -> ClientFrame {
        let (id, data) = (Uuid::from_u128(id), Payload::from_text(text.into()).unwrap());
        let (action, target) = (Some(Action::Delete), Some(Uuid::from_u128(99)));
        Send { id, channel: channel("news"), event: None, data, action, target }.into()
    };
    world.say(client, &[send(99, "news")]);
    world.run();
    world.say(client, &[delete(1, r#"{"text":"hidden"}"#), delete(2, "null")]);
    world.run();
    let frames = world.take(client);
    let refused: Vec<_> =
        errors(&frames).iter().map(|e| (e.id.unwrap().as_u128(), e.code.listed().unwrap())).collect();
    assert_eq!(refused, [(1, ErrorCode::InvalidPayload)]);
}

#[test]
fn receipts_are_handed_over_where_they_are_kept() {
    let mut world = World::new();
    let client = world.connect("a");
    let receipt = |name: &str| {
        let (channel, epoch) = (channel(name), "a".into());
        ClientFrame::from(Mark { channel, epoch, delivered: 3, read: 0, run: None })
    };
    world.say(
        client,
        &[receipt("private-user.a"), receipt("everyone"), receipt("news"), receipt("private-user.b")],
    );
    for idle in [true, true, false] {
        world.say(client, &[Idle { idle }.into()]);
    }
    assert_eq!(world.idle, [true, false], "a repetition is nothing new");
    assert_eq!(codes(&world.take(client)), [ErrorCode::Forbidden; 2]);
    let kept: Vec<_> = world.receipts.iter().map(|receipt| receipt.channel.as_str()).collect();
    assert_eq!(kept, ["private-user.a", "everyone"]);
}

#[test]
fn who_sends_too_much_waits_and_the_order_stays() {
    let mut world = paced(Some(3), 10, 10);
    let [client, tab] = [0, 1].map(|_| world.connect("a"));
    world.say(tab, &[send(1, "news")]);
    world.say(client, &(2..=6).map(|n| send(n, "news")).collect::<Vec<_>>());
    world.run();
    let frames = world.take(client);
    let ids: Vec<_> = acks(&frames).iter().map(|ack| ack.id.as_u128()).collect();
    assert_eq!(ids, [2, 3]);
    assert_eq!(codes(&frames), [RateLimited, Deferred, Deferred]);
    assert_eq!(errors(&frames)[0].retry_after_ms, Some(60_000));
    // Deferred sends are not accepted before the refused one has arrived again, even when there is room.
    world.pass(59_999);
    world.say(client, &[send(4, "news")]);
    world.run();
    assert_eq!(errors(&world.take(client))[0].retry_after_ms, Some(1));
    world.now += 1;
    world.say(client, &[send(5, "news"), send(4, "news"), send(5, "news"), send(6, "news")]);
    world.run();
    let frames = world.take(client);
    assert_eq!(codes(&frames), [Deferred]);
    let ids: Vec<_> = acks(&frames).iter().map(|ack| ack.id.as_u128()).collect();
    assert_eq!(ids, [4, 5, 6]);
}

#[test]
fn signals_and_questions_beyond_the_pace_are_dropped_with_an_error() {
    let mut world = paced(None, 2, 2);
    let client = world.connect("a");
    world.say(client, &vec![typing("news", true); 3]);
    world.say(client, &[history(1, "news"), history(2, "news"), history(3, "news")]);
    world.run();
    let frames = world.take(client);
    assert_eq!(codes(&frames), [ErrorCode::RateLimited; 2]);
    assert!(errors(&frames)[0].message.contains("news"));
    assert_eq!(errors(&frames)[1].id, Some(Uuid::from_u128(3)));
    assert!(errors(&frames).iter().all(|error| error.retry_after_ms == Some(1_000)), "{frames:?}");
    world.pass(1_000);
    world.say(client, &[typing("news", true), history(3, "news")]);
    world.run();
    assert_eq!(kinds(&world.take(client)), ["done"]);
}

#[test]
fn limits_of_messages_are_told_and_kept() {
    let limits = Limits { text_characters: Some(3), payload_bytes: 10, ..Settings::default().limits };
    let mut world = World::with(Settings { limits, ..Settings::default() });
    let client = world.open();
    world.say(client, &[world.hello(client, "a")]);
    world.run();
    let ServerFrame::Welcome(welcome) = &world.take(client)[0] else { panic!("not welcomed") };
    assert_eq!((welcome.limits.text_characters, welcome.limits.payload_bytes), (Some(3), 10));
    let message = |id, data: &str| -> ClientFrame {
        let data = Payload::from_text(data.into()).unwrap();
        let (id, channel) = (Uuid::from_u128(id), channel("news"));
        Send { id, channel, event: None, data, action: None, target: None }.into()
    };
    world.say(client, &[message(1, r#""four""#), message(2, "[1,2,3,4,5,6]"), message(3, r#""abc""#)]);
    world.run();
    let frames = world.take(client);
    assert_eq!(codes(&frames), [ErrorCode::TooLarge; 2]);
    assert_eq!(acks(&frames)[0].id, Uuid::from_u128(3));
}

#[test]
fn the_end_of_a_membership_ends_the_subscription_between_what_came_before_and_after() {
    let mut world = World::new();
    let client = joined(&mut world, "a", &["private-chat.7", "news"]);
    let other = joined(&mut world, "b", &["private-chat.7"]);
    world.store("private-chat.7", 1);
    world.hub.remove_user(&channel("private-chat.7"), "a");
    world.store("private-chat.7", 1);
    world.run();
    let frames = world.take(client);
    // What was not sent yet is not sent any more; it may come before, but nothing after.
    assert_eq!(kinds(&frames).last(), Some(&"unsubscribed"));
    assert!(offsets(&frames).iter().all(|offset| *offset == 1));
    assert_eq!(offsets(&world.take(other)), [1, 2]);
    world.hub.remove_user(&channel("news"), "a");
    world.store("news", 1);
    world.run();
    assert_eq!(offsets(&world.take(client)), [1], "no chat, no membership to lose");
}

#[test]
fn who_says_good_bye_and_is_gone_leaves_without_the_grace() {
    let mut world = World::new();
    let watcher = joined(&mut world, "w", &["presence-room"]);
    let client = joined(&mut world, "a", &["presence-room", "news"]);
    world.take(watcher);
    // The network does not take what is being sent.
    world.connections[client].reads = false;
    world.store("news", 1);
    world.run();
    world.say(client, &[everwire_protocol::Bye {}.into()]);
    world.input(client, Input::Gone);
    world.pass(1_000);
    assert_eq!(kinds(&world.take(watcher)), ["member_left"]);
}
