//! Connections by polling: responses that are lost, sets of subscriptions, held requests.

use everwire_protocol::{ErrorCode, Goaway, Polled};

use super::*;

const HOLD: u32 = 25_000;

impl World {
    /// A polling client that was welcomed and has acknowledged nothing.
    pub fn polling(&mut self, user: &str, frames: &[ClientFrame]) -> (usize, Option<Uuid>) {
        let index = self.poller();
        let request = self.poll(index, user, (None, 0, HOLD), frames);
        self.run();
        let response = self.response(index, request).unwrap();
        assert_eq!(kinds(response)[..2], ["polled", "welcome"]);
        (index, Some(self.connections[index].id))
    }
}

/// A subscription of a set, where its client stands.
fn at(name: &str, offset: u64) -> ClientFrame {
    let epoch = Logs::new(1, 1).log(&channel(name)).epoch;
    resume(name, &epoch, offset)
}

fn seq(frames: &[ServerFrame]) -> u64 {
    match frames.first() {
        Some(ServerFrame::Polled(Polled { seq, .. })) => *seq,
        other => panic!("not a response to a poll: {other:?}"),
    }
}

#[test]
fn the_first_response_has_the_welcome_the_subscriptions_and_the_replay() {
    let mut world = World::new();
    world.store("news", 3);
    let client = world.poller();
    let epoch = world.logs.log(&channel("news")).epoch.to_string();
    let request = world.poll(client, "a", (None, 0, HOLD), &[resume("news", &epoch, 1), subscribe("sport")]);
    assert!(world.response(client, request).is_none());
    world.run();
    let response = world.response(client, request).unwrap();
    let mut rest = kinds(response)[2..].to_vec();
    rest.sort_unstable();
    assert_eq!(rest, ["message", "message", "subscribed", "subscribed"]);
    assert_eq!((seq(response), offsets(response)), (1, vec![2, 3]));
}

#[test]
fn a_poll_is_held_until_something_comes_or_its_time_is_over() {
    let mut world = World::new();
    let (client, id) = world.polling("a", &[subscribe("news")]);
    let second = world.poll(client, "a", (id, 1, HOLD), &[at("news", 0)]);
    world.pass(24_999);
    assert!(world.response(client, second).is_none());
    world.store("news", 1);
    world.run();
    let response = world.response(client, second).unwrap();
    assert_eq!((seq(response), offsets(response)), (2, vec![1]));
    let third = world.poll(client, "a", (id, 2, 3_000), &[at("news", 1)]);
    world.pass(2_999);
    assert!(world.response(client, third).is_none());
    world.pass(1);
    assert_eq!(kinds(world.response(client, third).unwrap()), ["polled"]);
}

#[test]
fn a_lost_response_is_sent_again_and_nothing_is_lost_or_doubled() {
    let mut world = World::new();
    let (client, id) = world.polling("a", &[subscribe("news")]);
    let lost = world.poll(client, "a", (id, 1, HOLD), &[at("news", 0)]);
    world.store("news", 2);
    world.run();
    let lost = world.response(client, lost).unwrap().to_vec();
    world.store("news", 1);
    world.run();
    let again = world.poll(client, "a", (id, 1, HOLD), &[at("news", 0)]);
    assert_eq!(world.response(client, again).unwrap(), lost);
    let next = world.poll(client, "a", (id, 2, HOLD), &[at("news", 2)]);
    let next = world.response(client, next).unwrap();
    assert_eq!((seq(next), offsets(next)), (3, vec![3]));
}

#[test]
fn the_first_response_can_be_lost_too() {
    let mut world = World::new();
    let (client, id) = world.polling("a", &[subscribe("news")]);
    let again = world.poll(client, "a", (id, 0, HOLD), &[subscribe("news")]);
    assert_eq!(kinds(world.response(client, again).unwrap()), ["polled", "welcome", "subscribed"]);
}

#[test]
fn a_newer_poll_ends_the_older_with_an_empty_batch() {
    let mut world = World::new();
    let (client, id) = world.polling("a", &[]);
    let older = world.poll(client, "a", (id, 1, HOLD), &[]);
    let newer = world.poll(client, "a", (id, 1, HOLD), &[]);
    assert_eq!(world.response(client, older), Some(&[][..]));
    assert!(world.response(client, newer).is_none());
}

#[test]
fn a_request_that_was_overtaken_changes_nothing() {
    let mut world = World::new();
    let (client, id) = world.polling("a", &[subscribe("news")]);
    for ack in 1..=2 {
        world.poll(client, "a", (id, ack, HOLD), &[at("news", ack - 1)]);
        world.store("news", 1);
        world.run();
    }
    let held = world.poll(client, "a", (id, 3, HOLD), &[at("news", 2)]);
    let stale = world.poll(client, "a", (id, 1, HOLD), &[]);
    assert_eq!(world.response(client, stale), Some(&[][..]));
    world.store("news", 1);
    world.run();
    assert_eq!(offsets(world.response(client, held).unwrap()), [3]);
}

#[test]
fn the_subscriptions_of_a_poll_are_the_whole_set() {
    let mut world = World::new();
    let (client, id) =
        world.polling("a", &[subscribe("news"), subscribe("sport"), subscribe("private-secret")]);
    let set = [at("sport", 0), subscribe("weather"), subscribe("private-secret")];
    let request = world.poll(client, "a", (id, 1, HOLD), &set);
    world.run();
    assert_eq!(
        kinds(world.response(client, request).unwrap()),
        ["polled", "subscribed"],
        "news ended silently"
    );
    let set = [at("sport", 0), at("weather", 0), subscribe("private-secret")];
    let request = world.poll(client, "a", (id, 2, HOLD), &set);
    world.run();
    assert!(world.response(client, request).is_none(), "nothing new is answered again");
    world.store("news", 1);
    world.store("weather", 1);
    world.run();
    assert_eq!(messages(world.response(client, request).unwrap()).count(), 1);
}

#[test]
fn a_subscription_that_the_client_began_anew_is_answered() {
    let mut world = World::new();
    world.store("news", 5);
    let (client, id) = world.polling("a", &[subscribe("news")]);
    let epoch = world.logs.log(&channel("news")).epoch.to_string();
    let goes_on = world.poll(client, "a", (id, 1, HOLD), &[resume("news", &epoch, 5)]);
    world.run();
    assert!(world.response(client, goes_on).is_none());
    let again = world.poll(client, "a", (id, 1, HOLD), &[resume("news", &epoch, 2)]);
    world.run();
    let response = world.response(client, again).unwrap();
    assert_eq!((subscribed(response)[0].offset, offsets(response)), (2, vec![3, 4, 5]));
}

#[test]
fn what_is_queued_but_not_fetched_does_not_count_as_received() {
    let mut world = World::new();
    let (client, id) = world.polling("a", &[subscribe("news")]);
    world.store("news", 3);
    world.run();
    let epoch = world.logs.log(&channel("news")).epoch.to_string();
    let request = world.poll(client, "a", (id, 1, HOLD), &[resume("news", &epoch, 0)]);
    world.run();
    let response = world.response(client, request).unwrap();
    assert_eq!((subscribed(response).len(), offsets(response)), (0, vec![1, 2, 3]));
}

#[test]
fn another_user_or_nobody_cannot_poll_a_connection() {
    let mut world = World::new();
    let (client, id) = world.polling("a", &[subscribe("news")]);
    let held = world.poll(client, "a", (id, 1, HOLD), &[at("news", 0)]);
    for (user, code) in [("b", ErrorCode::SessionMismatch), ("", ErrorCode::Unauthorized)] {
        let request = world.poll(client, user, (id, 1, HOLD), &[]);
        assert_eq!(errors(world.response(client, request).unwrap())[0].code, code);
    }
    world.store("news", 1);
    world.run();
    assert_eq!(offsets(world.response(client, held).unwrap()), [1]);
}

#[test]
fn a_hello_that_is_refused_is_answered_with_the_error_alone() {
    let mut world = World::new();
    let client = world.poller();
    let request = world.poll(client, "", (None, 0, HOLD), &[subscribe("news")]);
    world.run();
    assert_eq!(kinds(world.response(client, request).unwrap()), ["error"]);
    assert_eq!(world.connections[client].ended, Some(None));
}

#[test]
fn a_connection_without_polls_ends_and_its_user_leaves_later() {
    let mut world = World::new();
    let other = world.connect("b");
    world.say(other, &[subscribe("presence-room")]);
    world.run();
    let (client, id) = world.polling("a", &[subscribe("presence-room")]);
    world.take(other);
    world.pass(9_000);
    world.poll(client, "a", (id, 1, 0), &[at("presence-room", 0)]);
    world.pass(9_999);
    assert_eq!(world.connections[client].ended, None);
    world.pass(1);
    assert_eq!(world.connections[client].ended, Some(None));
    world.say_text(other, "[]");
    world.pass(9_999);
    assert!(!kinds(&world.take(other)).contains(&"member_left"));
    world.pass(1);
    assert_eq!(kinds(&world.take(other)), ["member_left"]);
}

#[test]
fn a_held_poll_is_answered_when_its_session_moves_to_a_websocket() {
    let mut world = World::new();
    let (client, id) = world.polling("a", &[subscribe("news")]);
    let held = world.poll(client, "a", (id, 1, HOLD), &[at("news", 0)]);
    let socket = world.open_as(world.connections[client].session);
    world.say(socket, &[world.hello(socket, "a")]);
    world.run();
    assert_eq!(world.response(client, held), Some(&[][..]));
    assert_eq!((world.connections[client].ended, world.ended(socket)), (Some(None), None));
}

#[test]
fn a_held_poll_is_answered_with_goaway_when_the_server_stops() {
    let mut world = World::new();
    let (client, id) = world.polling("a", &[]);
    let held = world.poll(client, "a", (id, 1, HOLD), &[]);
    world.input(client, Input::Goaway(Goaway { delay_ms: 1, spread_ms: 2, reason: "restart".into() }));
    assert_eq!(kinds(world.response(client, held).unwrap()), ["polled", "goaway"]);
    assert_eq!(world.connections[client].ended, Some(None));
}

#[test]
fn where_requests_cannot_be_held_every_poll_is_answered_at_once() {
    let mut world = World::with(Settings { hold_ms: 0, ..Settings::default() });
    let (client, id) = world.polling("a", &[subscribe("news")]);
    let request = world.poll(client, "a", (id, 1, HOLD), &[at("news", 0)]);
    world.run();
    assert_eq!(kinds(world.response(client, request).unwrap()), ["polled"]);
    assert!(world.connections[client].ended.is_none());
}

#[test]
fn a_poll_whose_response_a_later_one_has_acknowledged_changes_nothing() {
    let mut world = World::new();
    let (client, id) = world.polling("a", &[subscribe("news")]);
    let poll = world.poll(client, "a", (id, 1, HOLD), &[at("news", 0)]);
    world.store("news", 1);
    world.run();
    assert_eq!(seq(world.response(client, poll).unwrap()), 2);
    let held = world.poll(client, "a", (id, 2, HOLD), &[at("news", 1)]);
    // The poll before arrives once more. Its client does not stand there any more.
    let copy = world.poll(client, "a", (id, 1, HOLD), &[at("news", 0)]);
    assert_eq!(world.response(client, copy), Some(&[][..]));
    world.store("news", 1);
    world.run();
    let response = world.response(client, held).unwrap();
    assert_eq!((seq(response), subscribed(response).len(), offsets(response)), (3, 0, vec![2]));
}

#[test]
fn what_waits_for_a_subscription_is_not_given_to_the_one_that_replaced_it() {
    let mut world = World::new();
    let (client, id) = world.polling("a", &[subscribe("news")]);
    // No poll is held when the log is replaced.
    world.logs = Logs::new(2, 1000);
    world.store("news", 7);
    world.run();
    // The poll without the channel was lost; the next has it again, for another subscription.
    let ClientFrame::Subscribe(again) = subscribe("news") else { unreachable!() };
    let again = Subscribe { recent: Some(2), ..again };
    let request = world.poll(client, "a", (id, 1, HOLD), &[again.into()]);
    world.run();
    let response = world.response(client, request).unwrap();
    let answers = subscribed(response);
    assert_eq!((answers.len(), answers[0].offset, answers[0].gap.clone()), (1, 5, None));
    assert_eq!(offsets(response), [6, 7]);
}

#[test]
fn a_subscription_that_the_server_ended_begins_anew_when_the_client_who_knows_of_it_wants_it() {
    let mut world = World::new();
    let (client, id) = world.polling("a", &[subscribe("private-chat.7"), subscribe("news")]);
    let set = [at("private-chat.7", 0), at("news", 0)];
    let held = world.poll(client, "a", (id, 1, HOLD), &set);
    world.hub.remove_user(&channel("private-chat.7"), "a");
    world.run();
    let response = world.response(client, held).unwrap();
    let ServerFrame::Unsubscribed(ended) = &response[1] else { panic!("{response:?}") };
    assert_eq!(
        (&ended.channel, &ended.code),
        (&channel("private-chat.7"), &Some(ErrorCode::Forbidden.into()))
    );
    // That response was lost: what the client says now is what it wanted before.
    let again = world.poll(client, "a", (id, 1, HOLD), &set);
    world.run();
    assert_eq!(world.response(client, again), world.response(client, held));
    assert_eq!(world.hub.subscribers(&channel("private-chat.7")), 0, "and begins nothing");
    // Now it knows, and wants the channel even so: perhaps it was invited once more.
    let wanted = world.poll(client, "a", (id, 2, HOLD), &[subscribe("private-chat.7"), at("news", 0)]);
    world.run();
    assert_eq!(subscribed(world.response(client, wanted).unwrap()).len(), 1);
}

#[test]
fn a_subscription_that_is_refused_until_later_begins_anew_when_the_set_has_it_again() {
    let mut world = World::new();
    let (client, id) = world.polling("a", &[subscribe("news")]);
    world.store_works = false;
    let both = [at("news", 0), subscribe("sport")];
    let first = world.poll(client, "a", (id, 1, HOLD), &both);
    world.run();
    let response = world.response(client, first).unwrap();
    let ServerFrame::Unsubscribed(refused) = &response[1] else { panic!("{response:?}") };
    assert_eq!((&refused.channel, &refused.code), (&channel("sport"), &Some(ErrorCode::Unavailable.into())));
    assert_eq!(refused.retry_after_ms, Some(Settings::default().retry_after_ms));
    world.store_works = true;
    // That response was lost: the same poll is answered with the same response.
    let lost = world.poll(client, "a", (id, 1, HOLD), &both);
    world.run();
    assert_eq!(world.response(client, lost), world.response(client, first));
    // While the client waits, the set is without the channel; then it has it again, on the same connection.
    let without = world.poll(client, "a", (id, 2, HOLD), &[at("news", 0)]);
    world.run();
    assert_eq!(world.response(client, without), None);
    let again = world.poll(client, "a", (id, 2, HOLD), &both);
    world.run();
    assert_eq!(subscribed(world.response(client, again).unwrap())[0].channel, channel("sport"));
}

#[test]
fn what_is_only_passed_on_travels_in_the_next_response_and_questions_are_answered_there() {
    let mut world = World::new();
    let (client, id) = world.polling("a", &[subscribe("news")]);
    let other = world.connect("b");
    world.say(other, &[typing("news", true)]);
    world.run();
    let poll = world.poll(client, "a", (id, 1, HOLD), &[at("news", 0), history(9, "news")]);
    world.run();
    assert_eq!(kinds(world.response(client, poll).unwrap()), ["polled", "user_typing", "done"]);
}

#[test]
fn a_refused_subscription_is_refused_again_after_the_set_was_without_it() {
    let mut world = World::new();
    let (client, id) = world.polling("a", &[subscribe("private-secret")]);
    for (ack, set, answer) in [
        (1, vec![subscribe("private-secret")], None),
        (1, vec![], None),
        (1, vec![subscribe("private-secret")], Some(vec!["polled", "unsubscribed"])),
    ] {
        let request = world.poll(client, "a", (id, ack, HOLD), &set);
        world.run();
        assert_eq!(world.response(client, request).map(kinds), answer);
    }
}

#[test]
fn a_held_poll_that_nothing_comes_for_is_answered_and_its_connection_goes_on() {
    let mut world = World::new();
    let (client, id) = world.polling("a", &[]);
    let held = world.poll(client, "a", (id, 1, HOLD), &[]);
    world.pass(24_999);
    assert_eq!(world.response(client, held), None);
    world.pass(1);
    assert_eq!(kinds(world.response(client, held).unwrap()), ["polled"]);
    assert_eq!(world.connections[client].ended, None);
}

#[test]
fn a_poll_that_is_abandoned_is_not_answered_and_the_connection_waits_for_the_next() {
    let mut world = World::new();
    let (client, id) = world.polling("a", &[subscribe("news")]);
    let held = world.poll(client, "a", (id, 1, HOLD), &[at("news", 0)]);
    let abandon = |world: &mut World, request| {
        let now = world.now;
        world.polling_of(client).handle(now, PollInput::Abandoned { request });
        world.drain(client);
    };
    world.pass(9_000);
    abandon(&mut world, held + 1_000);
    abandon(&mut world, held);
    world.store("news", 1);
    world.pass(9_999);
    assert_eq!((world.response(client, held), world.connections[client].ended), (None, None));
    let next = world.poll(client, "a", (id, 1, HOLD), &[at("news", 0)]);
    assert_eq!(offsets(world.response(client, next).unwrap()), [1]);
    let held = world.poll(client, "a", (id, 2, HOLD), &[at("news", 1)]);
    abandon(&mut world, held + 1_000);
    world.store("news", 1);
    world.run();
    assert_eq!(offsets(world.response(client, held).unwrap()), [2], "another poll was abandoned");
    world.pass(10_000);
    assert_eq!(world.connections[client].ended, Some(None));
}

#[test]
fn a_poll_waits_a_little_for_what_is_being_looked_up_and_then_is_answered_with_what_there_is() {
    // How long the poll may be held, whether something is queued for it, and when it is answered although the store is silent.
    for (hold_ms, queued, answered) in
        [(0, false, 1_000), (3_000, false, 3_000), (3_000, true, 1_000), (HOLD, true, 1_000)]
    {
        let mut world = World::new();
        let (client, id) = world.polling("a", &[subscribe("news")]);
        let request = world.poll(client, "a", (id, 1, hold_ms), &[at("news", 0), subscribe("sport")]);
        if queued {
            world.store("news", 1);
            // The mail arrives; the store answers nothing.
            world.mail(client);
        }
        assert_eq!(world.polling_of(client).poll_timeout(), Some(START + answered), "{hold_ms} {queued}");
        for (at, given) in [(answered - 1, false), (answered, true)] {
            world.now = START + at;
            let now = world.now;
            world.polling_of(client).handle_timeout(now);
            world.drain(client);
            assert_eq!(world.response(client, request).is_some(), given, "{hold_ms} {queued} {at}");
        }
    }
}

#[test]
fn while_its_session_is_looked_up_a_poll_waits_for_that_alone_and_frames_are_counted_when_they_leave() {
    let mut world = World::new();
    let client = world.poller();
    world.poll(client, "a", (None, 0, 0), &[]);
    assert_eq!(world.polling_of(client).poll_timeout(), None);
    assert_eq!(world.polling_of(client).take_packed(), 0);
    world.run();
    assert_eq!(world.polling_of(client).take_packed(), 2, "polled and welcome");
    let id = Some(world.connections[client].id);
    for ack in 1..=2 {
        world.poll(client, "a", (id, ack, 0), &[]);
    }
    assert_eq!(world.polling_of(client).take_packed(), 2, "since it was last asked");
}
