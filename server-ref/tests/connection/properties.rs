//! What holds whatever a client says, and in whatever order things happen.

use proptest::prelude::*;

use super::*;

/// A text that is a batch, or nearly one.
fn texts() -> impl Strategy<Value = String> {
    let name =
        prop_oneof![Just("news"), Just("presence-room"), Just("private-secret"), Just("two words"), Just("")];
    let frame = (0..14_u8, name, any::<u8>()).prop_map(|(kind, name, n)| {
        let id = Uuid::from_u128(u128::from(n % 8));
        match kind {
            0 => format!(
                r#"{{"type":"hello","version":1,"session":"{id}","guest":{{"user":"u{n}","name":"n"}}}}"#
            ),
            1 => format!(r#"{{"type":"hello","version":{n},"session":"{id}"}}"#),
            2 => format!(r#"{{"type":"subscribe","channel":"{name}"}}"#),
            3 => format!(
                r#"{{"type":"subscribe","channel":"{name}","epoch":"x","offset":{}}}"#,
                u64::MAX - u64::from(n)
            ),
            4 => format!(r#"{{"type":"subscribe","channel":"{name}","recent":{n},"offset":1}}"#),
            5 => format!(r#"{{"type":"unsubscribe","channel":"{name}"}}"#),
            6 => format!(r#"{{"type":"send","id":"{id}","channel":"{name}","data":{n}}}"#),
            7 => format!(r#"{{"type":"send","id":"{id}","channel":"{name}","event":"","data":null}}"#),
            8 => format!(r#"{{"type":"token","token":"a:{n}"}}"#),
            9 => format!(r#"{{"type":"ping","nonce":{n}}}"#),
            10 => format!(r#"{{"type":"poll","ack":{n},"hold_ms":{n}}}"#),
            11 => r#"{"type":"pong"}"#.into(),
            12 => r#"{"type":"bye"}"#.into(),
            _ => r#"{"type":7}"#.into(),
        }
    });
    let batch = prop::collection::vec(frame, 0..8).prop_map(|frames| format!("[{}]", frames.join(",")));
    prop_oneof![8 => batch, 1 => ".{0,40}"]
}

/// Something that happens.
#[derive(Debug, Clone)]
enum Event {
    Store(u8),
    Answer(u8),
    MailboxMessage,
    Write,
    Trim(u8),
    Fail(bool),
    Unsubscribe,
    Resume,
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (1..40_u8).prop_map(Event::Store),
        12 => any::<u8>().prop_map(Event::Answer),
        12 => Just(Event::MailboxMessage),
        6 => Just(Event::Write),
        1 => any::<u8>().prop_map(Event::Trim),
        1 => any::<bool>().prop_map(Event::Fail),
        1 => Just(Event::Unsubscribe),
        1 => Just(Event::Resume),
    ]
}

/// The rules for a client of the protocol: what it has delivered, and whether anything broke them.
struct Listener {
    position: Option<(String, u64)>,
    /// The subscription was asked for and has not been answered.
    asked: bool,
}

impl Listener {
    fn hear(&mut self, frames: Vec<ServerFrame>) {
        for frame in frames {
            match frame {
                ServerFrame::Subscribed(answer) => {
                    if let (Some((epoch, offset)), None) = (&self.position, &answer.gap) {
                        assert_eq!((epoch, *offset), (&answer.epoch, answer.offset), "no gap, no jump");
                    }
                    self.position = Some((answer.epoch, answer.offset));
                    self.asked = false;
                }
                ServerFrame::Message(message) if !self.asked => {
                    let (_, offset) = self.position.as_mut().expect("subscribed comes first");
                    assert_eq!(message.offset, *offset + 1, "in order, no hole, no double");
                    *offset = message.offset;
                }
                ServerFrame::Error(error) if error.code == everwire_protocol::ErrorCode::Unavailable => {
                    self.asked = true;
                }
                _ => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_batch_makes_a_session_panic_or_answer_without_end(
        texts in prop::collection::vec((texts(), 0..40_000_u64), 1..12),
    ) {
        let mut world = World::new();
        let watcher = world.connect("watcher");
        world.say(watcher, &[subscribe("news")]);
        let client = world.open();
        for (text, ms) in texts {
            if world.connections[client].ended.is_none() {
                world.say_text(client, &text);
            }
            world.pass(ms);
        }
        if world.ended(watcher).is_none() {
            world.say_text(watcher, "[]");
            world.store("news", 1);
            world.run();
            prop_assert!(messages(&world.take(watcher)).count() >= 1);
        }
    }

    #[test]
    fn no_poll_makes_a_connection_panic_or_leaves_a_request_unanswered(
        polls in prop::collection::vec((texts(), 0..3_u64, 0..30_000_u64, any::<bool>()), 1..12),
    ) {
        let mut world = World::new();
        let client = world.poller();
        let id = Some(world.connections[client].id);
        let mut requests = Vec::new();
        for (text, ack, ms, known) in polls {
            if world.connections[client].ended.is_some() {
                break;
            }
            let frames = decode(&text, &world.settings.limits).unwrap_or_default();
            let frames: Vec<_> = frames.into_iter().filter_map(Result::ok).collect();
            requests.push(world.poll(client, "a", (id.filter(|_| known), ack, 25_000), &frames));
            world.pass(ms);
        }
        world.pass(60_000);
        for request in requests {
            prop_assert!(world.response(client, request).is_some());
        }
    }

    #[test]
    fn in_whatever_order_things_happen_a_subscriber_gets_everything_once_and_in_order_or_a_gap(
        events in prop::collection::vec(events(), 1..300),
    ) {
        play(events);
    }
}

#[test]
fn who_asks_again_before_the_answer_is_read_gets_the_answer_to_the_last_question_alone() {
    use Event::{Answer, MailboxMessage, Resume, Write};
    let answer = Answer(0);
    play([
        answer.clone(),
        MailboxMessage,
        answer.clone(),
        MailboxMessage,
        Resume,
        Write,
        answer.clone(),
        answer.clone(),
        MailboxMessage,
        MailboxMessage,
        answer,
        MailboxMessage,
        Resume,
    ]);
}

fn play(events: impl IntoIterator<Item = Event>) {
    let settings = Settings { replay_limit: 700, ..Settings::default() };
    let mut world = World::with(settings);
    world.store("news", 300);
    let client = world.connect("a");
    world.connections[client].reads = false;
    let mut listener = Listener { position: None, asked: true };
    let epoch = world.logs.log(&channel("news")).epoch.to_string();
    world.say(client, &[resume("news", &epoch, 0)]);
    for event in events {
        match event {
            Event::Store(n) => {
                let works = std::mem::replace(&mut world.store_works, true);
                world.store("news", u64::from(n));
                world.store_works = works;
            }
            Event::Answer(n) => world.answer(usize::from(n) % world.asked.len().max(1)),
            Event::MailboxMessage => {
                world.mail(client);
            }
            Event::Write => world.write(client),
            Event::Trim(n) => {
                let log = world.logs.log(&channel("news"));
                world.logs.trim(&channel("news"), log.head.saturating_sub(u64::from(n)));
            }
            Event::Fail(works) => world.store_works = works,
            Event::Unsubscribe => {
                let frame = everwire_protocol::Unsubscribe { channel: channel("news") };
                world.say(client, &[frame.into()]);
                listener.hear(world.take(client));
                listener.asked = true;
            }
            Event::Resume => {
                listener.hear(world.take(client));
                let (epoch, offset) = listener.position.clone().unwrap_or((epoch.clone(), 0));
                world.say(client, &[resume("news", &epoch, offset)]);
                listener.asked = true;
            }
        }
        listener.hear(world.take(client));
    }
    // All faults stop.
    world.store_works = true;
    world.connections[client].reads = true;
    world.write(client);
    world.pass(2_000);
    listener.hear(world.take(client));
    let (epoch, offset) = listener.position.clone().unwrap_or((epoch, 0));
    world.say(client, &[resume("news", &epoch, offset)]);
    listener.asked = true;
    world.pass(2_000);
    listener.hear(world.take(client));
    assert!(!listener.asked);
    assert_eq!(listener.position.map(|(_, offset)| offset), Some(world.logs.log(&channel("news")).head));
}
