//! A database that is copied, and restored while clients have seen more: they are told, and a planned restart tells nothing.

use std::{fs, sync::Arc};

use everwire_protocol::{ClientFrame, Gap, GapReason, Subscribe, Subscribed};
use everwire_server::{
    connection::ReceivedMark,
    model::identity::{Identity, Payer},
};

use super::kit::{Client, channel, new_id, program::Program, resume, serve, subscribe, text_of};

fn stop(mut program: Program) {
    program.signal("TERM");
    assert!(program.ended().success());
}

/// Resumes `news` from a position and the run in which it has moved.
async fn resumed(server: &Program, epoch: &str, offset: u64, run: &str) -> (Client, Subscribed) {
    let mut client = Client::connect(server.address, "a").await;
    let ClientFrame::Subscribe(frame) = resume("news", epoch, offset) else { unreachable!() };
    let answer = client.join(Subscribe { run: Some(run.into()), ..frame }.into()).await;
    (client, answer)
}

#[tokio::test]
async fn after_a_copied_file_was_restored_nothing_is_skipped_silently() {
    let directory = tempfile::tempdir().unwrap();
    let (database, copy) = (directory.path().join("everwire.db"), directory.path().join("copy.db"));
    let server = Program::start(&database, &[]);
    let (mut a, welcome) = Client::connect_as(server.address, "a", new_id()).await;
    let epoch = a.join(subscribe("news")).await.epoch;
    for n in 1..=5 {
        a.chat("news", &n.to_string()).await;
    }
    let first = welcome.run;
    stop(server);
    fs::copy(&database, &copy).unwrap();

    // A planned restart: the client that was at 5 gets what follows.
    let server = Program::start(&database, &[]);
    let (mut a, answer) = resumed(&server, &epoch, 5, &first).await;
    assert_eq!((answer.offset, answer.gap, answer.epoch.as_str()), (5, None, epoch.as_str()));
    let (_, welcome) = Client::connect_as(server.address, "b", new_id()).await;
    let second = welcome.run;
    assert_ne!(first, second);
    for n in 6..=10 {
        a.chat("news", &n.to_string()).await;
    }
    let (_, answer) = resumed(&server, &epoch, 10, &second).await;
    assert_eq!(answer.gap, None);
    stop(server);

    // The copy replaces the file. Seven messages are sent before the client comes back.
    fs::copy(&copy, &database).unwrap();
    let server = Program::start(&database, &[]);
    let mut b = Client::connect(server.address, "b").await;
    assert_eq!(b.join(subscribe("news")).await.head, 5);
    for n in 1..=7 {
        b.chat("news", &format!("new {n}")).await;
    }
    let (mut a, answer) = resumed(&server, &epoch, 10, &second).await;
    assert_eq!(answer.gap, Some(Gap { from: 11, to: 12, reason: GapReason::Epoch }));
    b.chat("news", "after").await;
    assert_eq!(a.message().await.offset, 13);
    // Who has seen nothing that the copy lacks loses nothing, and gets the new messages.
    let (mut c, answer) = resumed(&server, &epoch, 5, &first).await;
    assert_eq!((answer.offset, answer.gap), (5, None));
    let message = c.message().await;
    assert_eq!((message.offset, text_of(&message).as_str()), (6, "new 1"));
    stop(server);
}

#[tokio::test]
async fn a_mark_of_a_history_that_was_lost_does_not_count_in_the_restored_one() {
    let served = serve(|_| {}).await;
    let (address, node) = (served.server.address(), served.server.node());
    let (mut a, welcome) = Client::connect_as(address, "a", new_id()).await;
    let epoch = a.join(subscribe("private-list")).await.epoch;
    a.chat("private-list", "1").await;
    let who = Identity {
        user: "a".into(),
        name: None,
        grants: Arc::default(),
        expires_at: None,
        token: None,
        payer: Payer::User("a".into()),
    };
    for (run, read) in [("9-lost", 0), (&*welcome.run, 1)] {
        let (channel, who, epoch) = (channel("private-list"), who.clone(), Some(epoch.clone()));
        let mark = ReceivedMark { channel, who, epoch, run: Some(run.into()), delivered: 1, read: 1 };
        node.receive(mark).await.unwrap();
        let mark = node.mark(&"private-list".parse().unwrap(), "a").await.unwrap();
        assert_eq!(mark.map_or(0, |mark| mark.read), read, "{run}");
    }
    served.server.stop().await;
}
