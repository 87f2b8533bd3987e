//! Subscriptions, replay and gaps.

use everwire_protocol::{ErrorCode, Gap, GapReason, OwnMark, ServerFrame};
use everwire_server::model::paging::{Listed, MemberPage};

use super::*;

/// What was refused: the channel, the code, and when to subscribe again.
fn refusals(frames: &[ServerFrame]) -> Vec<(&str, ErrorCode, Option<u32>)> {
    let ended = frames.iter().filter_map(|frame| match frame {
        ServerFrame::Unsubscribed(u) => {
            Some((u.channel.as_str(), u.code.as_ref()?.listed()?, u.retry_after_ms))
        }
        _ => None,
    });
    ended.collect()
}

fn epoch(world: &World, name: &str) -> String {
    world.logs.log(&channel(name)).epoch.to_string()
}

#[test]
fn a_client_that_comes_back_gets_what_it_missed_and_then_what_comes() {
    let mut world = World::new();
    world.store("news", 5);
    let client = world.connect("a");
    world.say(client, &[resume("news", &epoch(&world, "news"), 2)]);
    world.run();
    world.store("news", 2);
    world.run();
    let frames = world.take(client);
    let first = subscribed(&frames)[0];
    assert_eq!((first.offset, first.head, &first.gap), (2, 5, &None));
    assert_eq!(offsets(&frames), [3, 4, 5, 6, 7]);
}

/// A frame that resumes from a position that has moved in this run.
fn resume_in(world: &World, run: &str, offset: u64) -> ClientFrame {
    let ClientFrame::Subscribe(frame) = resume("news", &epoch(world, "news"), offset) else { unreachable!() };
    Subscribe { run: Some(run.into()), ..frame }.into()
}

#[test]
fn a_restored_copy_is_a_gap_exactly_for_those_who_have_seen_more_and_a_planned_restart_is_none() {
    let mut world = World::new();
    world.store("news", 5);
    let (mut copy, run) = (world.logs.clone(), world.logs.run());
    world.store("news", 5);
    // The original restarts, twice.
    for later in ["second", "third"] {
        world.logs.begin_run(later.into());
    }
    world.store("news", 2);
    for (run, offset) in [(&*run, 10), (&*run, 3), ("second", 10), ("third", 12)] {
        let client = world.connect("a");
        world.say(client, &[resume_in(&world, run, offset)]);
        world.run();
        let frames = world.take(client);
        assert_eq!((subscribed(&frames)[0].offset, &subscribed(&frames)[0].gap), (offset, &None), "{run}");
    }
    // The copy is restored, and continues beyond where the original was.
    copy.begin_run("of the copy".into());
    world.logs = copy;
    let told = |world: &mut World, run: &str, offset| {
        let client = world.connect("a");
        world.say(client, &[resume_in(world, run, offset)]);
        world.run();
        let gap = subscribed(&world.take(client))[0].gap.clone();
        gap.map(|gap| (gap.from, gap.to, gap.reason))
    };
    assert_eq!(told(&mut world, &run, 10), Some((11, 5, GapReason::Epoch)), "nothing was sent yet");
    world.store("news", 7);
    assert_eq!(told(&mut world, &run, 10), Some((11, 12, GapReason::Epoch)), "6 to 10 are others now");
    assert_eq!(told(&mut world, &run, 6), Some((7, 12, GapReason::Epoch)));
    assert_eq!(told(&mut world, &run, 5), None, "everything up to 5 is in the copy");
    assert_eq!(told(&mut world, "of the copy", 8), None);
    assert_eq!(told(&mut world, "second", 4), Some((5, 12, GapReason::Epoch)), "a run that the copy has not");
    assert_eq!(told(&mut world, "second", 0), None, "nothing was seen");
}

#[test]
fn each_reason_for_a_gap_is_said_and_what_follows_is_delivered() {
    let settings = Settings { replay_limit: 20, ..Settings::default() };
    for (offset, other_epoch, trim, expected, follows) in [
        (4, false, 6, Some((5, 6, GapReason::Trimmed)), 7),
        (3, false, 0, Some((4, 30, GapReason::TooFar)), 31),
        (3, true, 0, Some((4, 30, GapReason::Epoch)), 31),
        (31, false, 0, Some((32, 30, GapReason::Epoch)), 31),
        (30, false, 0, None, 31),
        (10, false, 0, None, 11),
    ] {
        // Where the log was trimmed, little enough is left to be replayed.
        let mut world = World::with(settings.clone());
        world.store("news", if trim > 0 { 20 } else { 30 });
        world.logs.trim(&channel("news"), trim);
        let client = world.connect("a");
        let epoch = if other_epoch { "another".into() } else { epoch(&world, "news") };
        world.say(client, &[resume("news", &epoch, offset)]);
        world.run();
        world.store("news", 1);
        world.run();
        let frames = world.take(client);
        let gap = expected.map(|(from, to, reason)| Gap { from, to, reason });
        assert_eq!(subscribed(&frames)[0].gap, gap, "from {offset}");
        let head = world.logs.log(&channel("news")).head;
        assert_eq!(offsets(&frames), (follows..=head).collect::<Vec<_>>(), "from {offset}");
    }
}

#[test]
fn a_replay_of_many_pages_meets_the_live_end_without_hole_or_double_while_messages_keep_being_stored() {
    let mut world = World::new();
    world.store("news", 900);
    let client = world.connect("a");
    world.connections[client].reads = false;
    world.say(client, &[resume("news", &epoch(&world, "news"), 0)]);
    for _ in 0..2_000 {
        world.store("news", 1);
        while world.mail(client) {}
        world.answer(0);
        if world.now.is_multiple_of(3) {
            world.write(client);
        }
        world.now += 1;
        if world.logs.log(&channel("news")).head >= 1_500 {
            break;
        }
    }
    world.connections[client].reads = true;
    world.write(client);
    world.run();
    let frames = world.take(client);
    assert_eq!(subscribed(&frames).len(), 1);
    assert_eq!(offsets(&frames), up_to(1_500));
}

#[test]
fn while_a_client_catches_up_no_more_than_a_page_waits_for_it() {
    let mut world = World::new();
    world.store("news", 900);
    let client = world.connect("a");
    world.connections[client].reads = false;
    world.say(client, &[resume("news", &epoch(&world, "news"), 0)]);
    world.run();
    world.store("news", 90);
    world.run();
    let session = world.machine(client);
    assert!(session.queued() <= 2 * 256, "{} frames wait", session.queued());
}

#[test]
fn a_log_that_is_trimmed_faster_than_it_is_read_is_a_gap() {
    let mut world = World::new();
    world.store("news", 600);
    let client = world.connect("a");
    world.connections[client].reads = false;
    world.say(client, &[resume("news", &epoch(&world, "news"), 0)]);
    world.run();
    world.logs.trim(&channel("news"), 590);
    world.connections[client].reads = true;
    for _ in 0..10 {
        world.write(client);
        world.run();
    }
    let frames = world.take(client);
    let answers = subscribed(&frames);
    let gap = answers[1].gap.clone().unwrap();
    assert_eq!((gap.to, gap.reason), (590, GapReason::Trimmed));
    let mut expected: Vec<_> = (1..gap.from).collect();
    expected.extend(591..=600);
    assert_eq!(offsets(&frames), expected);
}

#[test]
fn a_log_that_is_replaced_while_it_is_subscribed_to_is_a_gap() {
    let mut world = World::new();
    world.store("news", 5);
    let client = world.connect("a");
    world.say(client, &[subscribe("news")]);
    world.run();
    world.logs = Logs::new(2, 1000);
    world.store("news", 2);
    world.run();
    let frames = world.take(client);
    let answers = subscribed(&frames);
    assert_eq!(answers[1].epoch, epoch(&world, "news"));
    assert_eq!(answers[1].gap.as_ref().map(|gap| gap.reason), Some(GapReason::Epoch));
    world.store("news", 1);
    world.run();
    assert_eq!(offsets(&world.take(client)), [3]);
}

#[test]
fn an_entry_that_the_hub_lost_is_read_from_the_store() {
    let mut world = World::new();
    let client = world.connect("a");
    world.say(client, &[subscribe("news")]);
    world.run();
    world.hub = Hub::new(0);
    world.store("news", 3);
    let last = world.logs.page(&channel("news"), 2, PAGE).entries[0].clone();
    world.input(client, Input::Entry(last));
    world.run();
    assert_eq!(offsets(&world.take(client)), [1, 2, 3]);
}

const PAGE: everwire_server::model::log::PageBounds =
    everwire_server::model::log::PageBounds { entries: 10, bytes: 10_000 };

#[test]
fn a_refused_subscription_does_not_touch_the_others() {
    let settings = Settings::default();
    let limits = everwire_protocol::Limits { subscriptions: 2, ..settings.limits.clone() };
    let mut world = World::with(Settings { limits, ..settings });
    let client = world.connect("a");
    let half = ClientFrame::Subscribe(Subscribe {
        channel: channel("half"),
        epoch: Some("a".into()),
        offset: None,
        run: None,
        recent: None,
        undelivered: None,
    });
    world.say(
        client,
        &[
            subscribe("private-secret"),
            subscribe("news"),
            half,
            subscribe("sport"),
            subscribe("one-too-many"),
            subscribe("news"),
        ],
    );
    world.run();
    let frames = world.take(client);
    assert_eq!(
        refusals(&frames),
        [
            ("private-secret", ErrorCode::Forbidden, None),
            ("half", ErrorCode::InvalidFrame, None),
            ("one-too-many", ErrorCode::TooManySubscriptions, None),
        ]
    );
    assert!(errors(&frames).is_empty(), "an error ends no subscription");
    world.store("news", 1);
    world.store("sport", 1);
    world.run();
    assert_eq!(messages(&world.take(client)).count(), 2);
}

#[test]
fn a_subscribe_that_cannot_be_read_is_refused_and_ends_what_was_subscribed() {
    let mut world = World::new();
    let client = world.connect("a");
    world.say(client, &[subscribe("news")]);
    world.run();
    world.take(client);
    world.say_text(client, r#"[{"type":"subscribe","channel":"news","epoch":"a","offset":-1}]"#);
    world.store("news", 1);
    world.run();
    let frames = world.take(client);
    assert_eq!(kinds(&frames), ["unsubscribed"]);
    assert_eq!(refusals(&frames), [("news", ErrorCode::InvalidFrame, None)]);
}

#[test]
fn nothing_comes_after_unsubscribe_and_it_is_answered_every_time() {
    let mut world = World::new();
    world.store("news", 600);
    let client = world.connect("a");
    world.connections[client].reads = false;
    world.say(client, &[resume("news", &epoch(&world, "news"), 0), subscribe("sport")]);
    world.run();
    world.take(client);
    let leave = ClientFrame::Unsubscribe(everwire_protocol::Unsubscribe { channel: channel("news") });
    world.say(client, &[leave.clone(), leave]);
    world.store("news", 5);
    world.store("sport", 1);
    world.connections[client].reads = true;
    world.write(client);
    world.run();
    let frames = world.take(client);
    assert_eq!(kinds(&frames).iter().filter(|kind| **kind == "unsubscribed").count(), 2);
    assert!(messages(&frames).all(|message| message.channel.as_str() == "sport"));
    assert_eq!(messages(&frames).count(), 1);
}

#[test]
fn a_store_that_cannot_read_refuses_a_subscription_and_resumes_a_replay_by_itself() {
    let mut world = World::new();
    world.store("news", 600);
    let client = world.connect("a");
    world.store_works = false;
    world.say(client, &[resume("news", &epoch(&world, "news"), 0)]);
    world.run();
    let frames = world.take(client);
    let retry_after_ms = Some(Settings::default().retry_after_ms);
    assert_eq!(refusals(&frames), [("news", ErrorCode::Unavailable, retry_after_ms)]);
    assert_eq!(kinds(&frames), ["unsubscribed"], "an error ends no subscription");
    world.store_works = true;
    world.say(client, &[resume("news", &epoch(&world, "news"), 0)]);
    world.mail(client);
    world.answer(0);
    world.mail(client);
    world.store_works = false;
    world.pass(5_000);
    assert!(offsets(&world.take(client)).is_empty());
    world.store_works = true;
    world.pass(1_000);
    assert_eq!(offsets(&world.take(client)), up_to(600));
}

#[test]
fn members_are_listed_and_changes_follow_without_a_hole() {
    let mut world = World::new();
    let a = world.connect("a");
    world.say(a, &[subscribe("presence-room")]);
    world.run();
    let frames = world.take(a);
    let members =
        |s: &Subscribed| s.members.as_ref().unwrap().iter().map(|m| m.user.clone()).collect::<Vec<_>>();
    assert_eq!(members(subscribed(&frames)[0]), ["a"]);
    let b = world.connect("b");
    world.say(b, &[subscribe("presence-room")]);
    // Another comes after b is listed, and before b has its list.
    let c = world.connect("c");
    world.say(c, &[subscribe("presence-room")]);
    world.run();
    let frames = world.take(b);
    let mut seen = members(subscribed(&frames)[0]);
    seen.extend(frames.iter().filter_map(|frame| match frame {
        ServerFrame::MemberJoined(joined) => Some(joined.member.user.clone()),
        _ => None,
    }));
    seen.sort();
    assert_eq!(seen, ["a", "b", "c"]);
    world.take(a);
    world.input(b, Input::Gone);
    world.pass(9_999);
    assert_eq!(kinds(&world.take(a)), Vec::<&str>::new());
    world.say(c, &[ClientFrame::Bye(everwire_protocol::Bye {})]);
    world.pass(1);
    assert_eq!(kinds(&world.take(a)), ["member_left"], "b, after the grace");
    world.pass(999);
    assert_eq!(kinds(&world.take(a)), ["member_left"], "c, a second after the good-bye");
}

#[test]
fn undelivered_begins_after_the_users_own_mark_wherever_it_is_in_the_list() {
    let mut world = World::new();
    world.store("private-user.a", 9);
    let client = world.connect("a");
    let ClientFrame::Subscribe(wish) = subscribe("private-user.a") else { unreachable!() };
    world.say(client, &[Subscribe { undelivered: Some(true), ..wish }.into()]);
    let mark =
        |user: &str, delivered| everwire_protocol::UserReceipt { user: user.into(), delivered, read: 0 };
    world.answer_opening(|opened| {
        // The user is not in the first page.
        let receipts = Some(Listed { items: vec![mark("0", 7), mark("1", 5)], more: true });
        Ok(Opened { own_mark: Some(OwnMark { delivered: 3, read: 0 }), receipts, ..opened })
    });
    world.run();
    assert_eq!(offsets(&world.take(client)), [4, 5, 6, 7, 8, 9]);
}

#[test]
fn an_entry_that_arrives_twice_costs_the_store_nothing() {
    let mut world = World::new();
    let client = world.connect("a");
    world.say(client, &[subscribe("news")]);
    world.run();
    world.store("news", 2);
    world.run();
    let last = world.logs.page(&channel("news"), 1, PAGE).entries[0].clone();
    world.input(client, Input::Entry(last));
    assert!(world.asked.is_empty(), "{:?}", world.asked);
    assert_eq!(offsets(&world.take(client)), [1, 2]);
}

#[test]
fn what_is_only_passed_on_is_not_kept_for_a_subscription_that_is_opening_and_what_is_told_is() {
    let mut world = World::new();
    let client = world.connect("a");
    world.say(client, &[subscribe("news")]);
    for ephemeral in [true, false] {
        let text = if ephemeral { r#"{"type":"pong","nonce":1}"# } else { r#"{"type":"pong","nonce":2}"# };
        let (channel, text) = (channel("news"), text.into());
        let broadcast = everwire_server::model::broadcast::Broadcast { channel, text, ephemeral };
        world.input(client, Input::Broadcast(Arc::new(broadcast)));
    }
    world.run();
    let frames = world.take(client);
    assert_eq!(kinds(&frames), ["subscribed", "pong"]);
    assert!(matches!(&frames[1], ServerFrame::Pong(pong) if pong.nonce == Some(2)), "{frames:?}");
}

#[test]
fn changes_of_members_that_the_list_contains_are_not_told_again() {
    let mut world = World::new();
    let client = world.connect("a");
    let change = |version: u64| {
        let text = format!(r#"{{"type":"pong","nonce":{version}}}"#).into();
        let channel = channel("presence-room");
        Input::Presence(Arc::new(everwire_server::model::broadcast::PresenceChange {
            channel,
            version,
            text,
        }))
    };
    world.say(client, &[subscribe("presence-room")]);
    (1..=5).for_each(|version| world.input(client, change(version)));
    world.answer_opening(|opened| {
        Ok(Opened { members: Some(MemberPage { version: 3, ..MemberPage::default() }), ..opened })
    });
    (2..=4).for_each(|version| world.input(client, change(version)));
    let versions: Vec<_> = world
        .take(client)
        .iter()
        .filter_map(|frame| if let ServerFrame::Pong(pong) = frame { pong.nonce } else { None })
        .collect();
    assert_eq!(versions, [4, 5, 4]);
}
