//! What the frames of one client cost, and what becomes of a client that goes on above its limits.

use everwire_protocol::{Code, Idle, Ping};
use everwire_server::accounts::costs;

use super::{world::Driven, *};

/// How often the store was asked to open a channel.
fn openings(world: &World) -> usize {
    world.asked.iter().filter(|(_, output)| matches!(output, Output::Open { .. })).count()
}

fn repeated(frames: &[ClientFrame]) -> Vec<ClientFrame> {
    frames.iter().cycle().take(200).cloned().collect()
}

/// Repeats a batch until the connection ends. Returns how often it was taken.
fn flood(world: &mut World, client: usize, batch: &[ClientFrame]) -> usize {
    for count in 0..10_000 {
        world.say(client, batch);
        world.run();
        if world.connections[client].ended.is_some() {
            return count;
        }
    }
    panic!("nobody stopped it");
}

#[test]
fn a_client_that_comes_back_with_everything_it_may_have_is_not_refused() {
    let mut world = World::new();
    let client = world.open();
    let mut first = vec![world.hello(client, "a"), subscribe("private-user.a")];
    first.extend((1..256).map(|n| subscribe(&format!("news-{n}"))));
    for _ in 0..2 {
        world.say(client, &first);
        world.run();
        let marks: Vec<ClientFrame> = (0..256)
            .map(|n| {
                let channel = if n == 0 { channel("private-user.a") } else { channel("everyone") };
                everwire_protocol::Mark { channel, epoch: "e".into(), delivered: n, read: n, run: None }
                    .into()
            })
            .collect();
        world.say(client, &marks);
        world.say(client, &(1..=32).map(|n| send(n, "news-1")).collect::<Vec<_>>());
        world.run();
        let frames = world.take(client);
        assert!(!kinds(&frames).contains(&"unsubscribed"), "{:?}", kinds(&frames));
        // The second time `hello` is one too many.
        first.remove(0);
        assert_eq!(errors(&frames), Vec::<&Error>::new());
    }
    assert_eq!(world.connections[client].ended, None);
}

#[test]
fn a_channel_is_opened_once_at_a_time_however_often_it_is_asked_for() {
    let mut world = World::new();
    let client = world.connect("a");
    world.say(client, &[subscribe("private-user.a")]);
    let mut batch = vec![subscribe("private-user.a"); 50];
    batch.extend([unsubscribe("private-user.a"), subscribe("private-user.a"), subscribe("news")]);
    world.say(client, &batch);
    assert_eq!(openings(&world), 2);
    world.run();
    let frames = world.take(client);
    let channels: Vec<_> = subscribed(&frames).iter().map(|frame| frame.channel.to_string()).collect();
    // The last wish counts, and it alone.
    assert_eq!(channels, ["news", "private-user.a"]);
    world.store("private-user.a", 1);
    world.run();
    assert_eq!(offsets(&world.take(client)), [1]);
}

#[test]
fn who_leaves_while_a_channel_is_being_opened_has_left() {
    let mut world = World::new();
    let client = world.connect("a");
    world.say(client, &[subscribe("news"), unsubscribe("news"), subscribe("news"), unsubscribe("news")]);
    world.run();
    assert_eq!(kinds(&world.take(client)), ["unsubscribed", "unsubscribed"]);
    world.store("news", 1);
    world.run();
    assert_eq!(kinds(&world.take(client)), Vec::<&str>::new());
    assert_eq!(world.hub.subscribers(&channel("news")), 0);
}

#[test]
fn few_channels_are_opened_at_the_same_time() {
    let mut world = World::new();
    let client = world.connect("a");
    world.say(client, &(0..256).map(|n| subscribe(&n.to_string())).collect::<Vec<_>>());
    assert_eq!(openings(&world), 64);
    world.run();
    assert_eq!(subscribed(&world.take(client)).len(), 256);
}

#[test]
fn floods_are_refused_with_the_time_to_wait_and_then_closed_with_the_time_to_return() {
    let token: ClientFrame = everwire_protocol::Token { token: "a:9999999999999".into() }.into();
    let floods: [(&str, Vec<ClientFrame>); 6] = [
        ("subscribe", vec![subscribe("news"); 200]),
        ("presence", repeated(&[subscribe("presence-hall"), unsubscribe("presence-hall")])),
        ("ping", vec![Ping { nonce: None }.into(); 200]),
        ("idle", repeated(&[Idle { idle: true }.into(), Idle { idle: false }.into()])),
        ("token", vec![token; 200]),
        ("refused sends", (1..=200).map(|n| send(n, "everyone")).collect()),
    ];
    for (name, batch) in floods {
        let mut world = World::new();
        let other = world.connect("b");
        let client = world.connect("a");
        let batches = flood(&mut world, client, &batch);
        assert!((4..60).contains(&batches), "{name}: closed after {batches} batches");
        assert_eq!(world.ended(client), Some(CloseCode::RateLimited), "{name}");
        let frames = world.take(client);
        let [.., ServerFrame::Error(error), ServerFrame::Goaway(goaway)] = &frames[..] else {
            panic!("{name}: {:?}", kinds(&frames[frames.len().saturating_sub(3)..]));
        };
        assert_eq!((error.code.listed(), error.retry), (Some(ErrorCode::RateLimited), true), "{name}");
        assert!(error.retry_after_ms >= Some(10_000) && goaway.delay_ms >= 10_000, "{name}");
        world.say(other, &[Ping { nonce: Some(7) }.into()]);
        assert_eq!(kinds(&world.take(other)), ["pong"], "{name}");
    }
}

#[test]
fn a_refused_subscription_says_when_it_can_be_repeated_and_then_works() {
    let mut world = World::new();
    let client = world.connect("a");
    for _ in 0..40 {
        world.say(client, &vec![subscribe("private-user.a"); 5]);
        world.run();
    }
    let frames = world.take(client);
    let refused = frames.iter().find_map(|frame| match frame {
        ServerFrame::Unsubscribed(frame) => {
            Some((frame.code.as_ref().and_then(Code::listed), frame.retry_after_ms))
        }
        _ => None,
    });
    let Some((Some(ErrorCode::RateLimited), Some(wait))) = refused else { panic!("{refused:?}") };
    assert_eq!(world.connections[client].ended, None);
    world.pass(u64::from(wait) + 1_000);
    world.say(client, &[subscribe("private-user.a")]);
    world.run();
    assert_eq!(kinds(&world.take(client)), ["subscribed"]);
}

#[test]
fn polls_that_do_not_wait_are_answered_as_often_as_they_can_be_paid_for() {
    let mut world = World::new();
    let client = world.poller();
    let request = world.poll(client, "a", (None, 0, 0), &[subscribe("news")]);
    world.run();
    let [_, ServerFrame::Welcome(welcome), ServerFrame::Subscribed(news)] =
        world.response(client, request).unwrap()
    else {
        panic!()
    };
    let set = [resume("news", &news.epoch, 0)];
    let (connection, mut ack, mut answered) = (welcome.connection, 1, 0);
    let end = world.now + 60_000;
    while world.now < end {
        let request = world.poll(client, "a", (Some(connection), ack, 0), &set);
        world.run();
        while world.response(client, request).is_none() {
            world.pass(1);
        }
        ack += 1;
        answered += 1;
        assert_eq!(world.connections[client].ended, None, "whoever waits for the answer is not closed");
    }
    assert!((3_000..6_000).contains(&answered), "{answered} in a minute");
}

#[test]
fn a_session_that_connects_again_and_again_is_told_to_wait() {
    let mut world = World::new();
    let session = world.new_id();
    let mut refused = 0;
    for _ in 0..200 {
        let client = world.open_as(session);
        world.say(client, &[world.hello(client, "a")]);
        world.run();
        refused += usize::from(world.ended(client) == Some(CloseCode::RateLimited));
        world.pass(20);
    }
    assert!((40..80).contains(&refused), "{refused}");
    world.pass(30_000);
    let client = world.open_as(session);
    world.say(client, &[world.hello(client, "a")]);
    world.run();
    assert_eq!(kinds(&world.take(client)), ["welcome"]);
}

/// Spends all that a connection may spend.
fn exhaust(world: &mut World, client: usize, frame: &ClientFrame) {
    while !errors(&world.take(client)).iter().any(|error| error.code == ErrorCode::RateLimited) {
        world.say(client, &vec![frame.clone(); 200]);
    }
    world.take(client);
}

#[test]
fn what_cannot_be_paid_for_is_refused_by_its_kind_and_what_ends_something_is_done() {
    let mut world = World::new();
    let client = world.connect("a");
    exhaust(&mut world, client, &Ping { nonce: None }.into());
    for (frame, kind) in [
        (Idle { idle: true }.into(), "idle"),
        (Ping { nonce: None }.into(), "ping"),
        (everwire_protocol::Token { token: "a:9999999999999".into() }.into(), "token"),
    ] {
        world.say(client, &[frame]);
        let frames = world.take(client);
        let error = errors(&frames)[0];
        assert_eq!((error.code.listed(), error.re.as_deref()), (Some(ErrorCode::RateLimited), Some(kind)));
        assert!(error.retry_after_ms > Some(0), "{kind}: {error:?}");
    }
    world.say(client, &[subscribe("news"), unsubscribe("sport")]);
    let frames = world.take(client);
    let [ServerFrame::Unsubscribed(news), ServerFrame::Unsubscribed(sport)] = &frames[..] else {
        panic!("{frames:?}")
    };
    assert_eq!((&news.code, news.retry_after_ms > Some(0)), (&Some(ErrorCode::RateLimited.into()), true));
    assert_eq!((&sport.code, sport.retry_after_ms), (&None, None));
    world.say(client, &[everwire_protocol::Bye {}.into()]);
    assert_eq!(world.ended(client), Some(CloseCode::Normal));
}

#[test]
fn what_a_post_cannot_pay_for_is_refused_by_an_error() {
    let mut world = World::new();
    let session = world.new_id();
    let post = world.open_by(Transport::Post, session);
    world.say(post, &[world.hello(post, "a")]);
    world.run();
    exhaust(&mut world, post, &Idle { idle: true }.into());
    for (frame, kind) in [(subscribe("news"), "subscribe"), (everwire_protocol::Bye {}.into(), "bye")] {
        world.say(post, &[frame]);
        let frames = world.take(post);
        assert_eq!(kinds(&frames), ["error"], "{kind}");
        assert_eq!(errors(&frames)[0].re.as_deref(), Some(kind));
    }
    assert!(!world.forwarded.contains(&None) && world.connections[post].ended.is_none());
}

#[test]
fn a_poll_is_answered_as_soon_as_it_can_be_paid_for_and_not_before() {
    // With a new response, and with one that was lost; how many subscriptions the poll repeats, and its price in ms.
    for (lost, hold_ms, repeats, price) in [(false, 0, 1, 16), (true, 20_000, 1, 16), (false, 0, 160, 55)] {
        let mut world = World::new();
        let client = world.poller();
        world.poll(client, "a", (None, 0, 0), &[subscribe("news")]);
        world.run();
        let id = Some(world.connections[client].id);
        // Idle and active in turn until there is nothing left, which the last answer says.
        let mut frames = repeated(&[Idle { idle: true }.into(), Idle { idle: false }.into()]);
        let news = resume("news", &world.logs.log(&channel("news")).epoch, 0);
        frames.push(news.clone());
        let mut ack = 1;
        loop {
            let request = world.poll(client, "a", (id, ack, 0), &frames);
            world.run();
            ack += 1;
            if !errors(world.response(client, request).unwrap()).is_empty() {
                break;
            }
        }
        let request = world.poll(client, "a", (id, ack - u64::from(lost), hold_ms), &vec![news; repeats]);
        let at = world.polling_of(client).poll_timeout().unwrap();
        let wait = at - world.now;
        assert!((price - 4..=price).contains(&wait), "lost: {lost}, {repeats}: {wait} ms");
        world.pass(at - world.now - 1);
        assert_eq!(world.response(client, request), None, "lost: {lost}");
        world.pass(1);
        assert!(world.response(client, request).is_some(), "lost: {lost}");
    }
}

#[test]
fn bytes_that_are_no_message_are_charged_however_few_come_at_once() {
    for bytes in [100, costs::FRAMING, 10_000] {
        let mut world = World::new();
        let (client, now) = (world.connect("a"), world.now);
        let Driven::Socket(connection) = &mut world.connections[client].driven else { panic!("polls") };
        let mut charged = 0;
        while connection.wants_batch() {
            connection.count_framing(now, bytes);
            charged += bytes;
        }
        let units = charged / costs::FRAMING;
        let burst = costs::CONNECTION.burst as usize;
        assert!((burst - 100..=burst + 20).contains(&units), "{units} units, by {bytes}");
        world.run();
        assert_eq!(world.ended(client), Some(CloseCode::RateLimited));
    }
}
