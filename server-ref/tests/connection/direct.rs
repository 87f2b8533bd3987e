//! Direct delivery: whoever publishes writes to the socket, unless something waits that has to come first.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Wake, Waker},
};

use everwire_protocol::Member;
use everwire_server::{
    connection::{
        BatchEncoder, Binding,
        shared::{BatchWriter, SharedConnection},
    },
    model::log::{Entry, Log},
};

use super::*;

/// A socket: what was written, and how much more it takes.
#[derive(Debug)]
struct Socket {
    written: Vec<String>,
    room: usize,
    broken: bool,
}

impl BatchWriter for Socket {
    fn write(&mut self, frames: Vec<Arc<str>>, _: &mut BatchEncoder) -> bool {
        assert!(!self.broken, "a bug");
        self.written.push(batch_text(&frames));
        self.room = self.room.saturating_sub(1);
        self.room > 0
    }
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A subscriber of `news`, and the hub.
struct Subscriber {
    hub: Hub,
    shared: Arc<SharedConnection<Socket>>,
    sender: MailboxSender,
    mailbox: MailboxReceiver,
    wakes: Arc<Wakes>,
    offset: u64,
}

fn news() -> Channel {
    "news".parse().unwrap()
}

impl Subscriber {
    fn new() -> Self {
        let (settings, id) = (Arc::<Settings>::default(), Uuid::from_u128(1));
        let access: Arc<dyn Access> = Arc::new(TestRules(Rules { dev: true, ..Rules::default() }));
        let limits = settings.limits.clone();
        let connection = Connection::new(START, Transport::WebSocket, id, settings, access);
        let (sender, mailbox) = mailbox(100);
        let socket = Socket { written: Vec::new(), room: usize::MAX, broken: false };
        let shared = SharedConnection::new(connection, socket, &sender);
        let hub = Hub::new(10_000);
        let subscriber = Self { hub, shared, sender, mailbox, wakes: Arc::default(), offset: 0 };
        subscriber.handle(Input::Writable);
        let session = Uuid::from_u128(2);
        let hello = format!(
            r#"[{{"type":"hello","version":1,"session":"{session}","guest":{{"user":"a","name":"A"}}}},
                {{"type":"subscribe","channel":"news"}}]"#
        );
        subscriber.handle(Input::Batch(decode(&hello, &limits)));
        subscriber.carry_out();
        assert!(subscriber.take_written().concat().contains("subscribed"));
        subscriber.shared.register(&Waker::from(subscriber.wakes.clone()));
        subscriber
    }

    fn handle(&self, input: Input) {
        self.shared.lock().connection.handle(START, input);
    }

    /// What the driver does with outputs.
    fn carry_out(&self) {
        loop {
            let outputs = self.shared.take_outputs(START).outputs;
            if outputs.is_empty() {
                return;
            }
            for output in outputs {
                match output {
                    Output::Bind { .. } => self.handle(Input::Bound(Binding::Yours)),
                    Output::Open { key, .. } => {
                        let member = Member { user: "a".into(), name: None, status: None };
                        self.hub.subscribe(&news(), (Uuid::from_u128(1), key), &self.sender, member);
                        let log = Log { epoch: "e".into(), head: 0, trimmed: 0 };
                        let (channel, found) = (news(), Ok(Opened::bare(log)));
                        self.handle(Input::Opened { key, channel, found });
                    }
                    Output::Leave { channel, .. } => {
                        self.hub.leave(START, &channel, Uuid::from_u128(1), true);
                    }
                    _ => {}
                }
            }
        }
    }

    /// The driver runs. Returns whether there was mail.
    fn run(&mut self) -> bool {
        self.shared.register(&Waker::from(self.wakes.clone()));
        let context = Context::from_waker(Waker::noop());
        let any = self.shared.handle_mail(&context, || START, &mut self.mailbox);
        self.carry_out();
        any
    }

    fn publish(&mut self, count: u64) -> Flushes {
        let entries: Vec<_> = (0..count)
            .map(|_| {
                self.offset += 1;
                let text = format!("<{}>", self.offset).into();
                let (channel, epoch) = (news(), "e".into());
                Arc::new(Entry { channel, epoch, offset: self.offset, at: 0, plain: true, text })
            })
            .collect();
        let mut flushes = Flushes::default();
        self.hub.publish(START, &entries, &mut flushes);
        flushes
    }

    fn take_written(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.lock().writer.written)
    }

    fn wakes(&self) -> usize {
        self.wakes.0.load(Ordering::Relaxed)
    }
}

#[test]
fn what_is_published_together_is_written_as_one_batch_and_wakes_nobody() {
    let mut subscriber = Subscriber::new();
    let (first, second) = (subscriber.publish(2), subscriber.publish(1));
    assert!(second.is_empty(), "it is in the first list already");
    assert_eq!((subscriber.take_written().len(), first.flush(START)), (0, 3));
    assert_eq!(subscriber.take_written(), ["[<1>,<2>,<3>]"]);
    assert_eq!(subscriber.publish(1).flush(START), 1);
    assert_eq!(subscriber.take_written(), ["[<4>]"]);
    assert_eq!((subscriber.wakes(), subscriber.run()), (0, false));
}

#[test]
fn nothing_is_delivered_before_mail_that_came_first() {
    let mut subscriber = Subscriber::new();
    subscriber.sender.input(Input::Direct("<mail>".into()));
    assert!(subscriber.publish(1).is_empty() && subscriber.publish(1).is_empty());
    assert!(subscriber.take_written().is_empty());
    assert!(subscriber.run());
    assert_eq!(subscriber.take_written(), ["[<mail>,<1>,<2>]"]);
    assert_eq!(subscriber.publish(1).flush(START), 1);
    assert_eq!(subscriber.take_written(), ["[<3>]"]);
}

#[test]
fn what_is_queued_is_sent_before_mail_that_comes_later() {
    let mut subscriber = Subscriber::new();
    let flushes = subscriber.publish(1);
    subscriber.sender.input(Input::Direct("<mail>".into()));
    assert!(subscriber.publish(1).is_empty());
    assert!(subscriber.run());
    assert_eq!((subscriber.take_written(), flushes.flush(START)), (vec!["[<1>,<mail>,<2>]".into()], 0));
}

#[test]
fn an_entry_after_the_end_of_a_permission_is_not_delivered() {
    let mut subscriber = Subscriber::new();
    subscriber.sender.input(Input::ChatDeleted { channel: news(), key: 1 });
    assert!(subscriber.publish(1).is_empty());
    subscriber.run();
    assert!(subscriber.publish(1).is_empty());
    let written = subscriber.take_written().concat();
    assert!(written.contains("unsubscribed") && !written.contains('<'), "{written}");
}

#[test]
fn a_connection_that_somebody_works_on_gets_mail_and_a_flush_is_left_to_its_driver() {
    let mut subscriber = Subscriber::new();
    let flushes = subscriber.publish(1);
    let shared = subscriber.shared.clone();
    let lock = shared.lock();
    assert!(subscriber.publish(1).is_empty());
    assert_eq!((flushes.flush(START), subscriber.wakes()), (0, 1));
    drop(lock);
    assert!(subscriber.run());
    assert_eq!(subscriber.take_written(), ["[<1>,<2>]"]);
}

#[test]
fn a_socket_that_is_full_gets_nothing_more_until_its_driver_has_written_the_rest() {
    let mut subscriber = Subscriber::new();
    subscriber.shared.lock().writer.room = 1;
    assert_eq!((subscriber.publish(1).flush(START), subscriber.wakes()), (1, 1));
    assert!(subscriber.publish(1).is_empty() && subscriber.publish(1).is_empty());
    assert_eq!(subscriber.take_written(), ["[<1>]"]);
    assert!(!subscriber.run(), "none of it is mail");
    assert!(subscriber.take_written().is_empty());
    subscriber.shared.lock().writer.room = usize::MAX;
    subscriber.handle(Input::Writable);
    subscriber.run();
    assert_eq!(subscriber.take_written(), ["[<2>,<3>]"]);
}

#[test]
fn a_connection_that_falls_behind_directly_ends_as_it_does_by_mail() {
    let mut subscriber = Subscriber::new();
    subscriber.shared.lock().writer.room = 1;
    subscriber.publish(1).flush(START);
    let most = Settings::default().queue_frames as u64;
    assert!(subscriber.publish(most).is_empty());
    assert_eq!(subscriber.wakes(), 1);
    subscriber.run();
    assert!(subscriber.publish(1).is_empty());
    assert_eq!(subscriber.wakes(), 2, "only the driver can end it");
}

#[test]
fn a_panic_while_something_is_delivered_ends_the_driver_and_not_the_publisher() {
    let (mut broken, mut other) = (Subscriber::new(), Subscriber::new());
    broken.shared.lock().writer.broken = true;
    assert_eq!((broken.publish(1).flush(START), other.publish(1).flush(START)), (0, 1));
    assert_eq!(broken.wakes(), 1);
    assert!(broken.publish(1).is_empty(), "nothing is delivered to it any more");
    broken.shared.lock().writer.broken = false;
    assert!(catch_unwind(AssertUnwindSafe(|| broken.run())).is_err());
    assert!(broken.take_written().is_empty());
    assert!(!other.run() && !other.take_written().is_empty());
}
