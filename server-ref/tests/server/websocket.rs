//! The server over real WebSockets: what a client is promised.

use everwire_protocol::ServerFrame;

use super::kit::{self, Client, channel, new_id, send, serve, subscribe, text_of};

#[tokio::test]
async fn a_message_is_acked_and_reaches_every_subscriber_once_with_the_id_of_its_sender() {
    let served = serve(|_| {}).await;
    let mut a = Client::connect(served.address(), "a").await;
    let mut b = Client::connect(served.address(), "b").await;
    let (at_a, at_b) = (a.join(subscribe("news")).await, b.join(subscribe("news")).await);
    assert_eq!((at_a.offset, at_a.head, &at_a.gap), (0, 0, &None));
    assert_eq!(at_a.epoch, at_b.epoch);
    let id = new_id();
    a.say(&[send(id, "news", "hello")]).await;
    let ServerFrame::Ack(ack) = a.next().await else { panic!("the ack comes before the echo") };
    assert_eq!((ack.id, ack.offset, ack.channel), (id, 1, channel("news")));
    for client in [&mut a, &mut b] {
        let message = client.message().await;
        assert_eq!((message.id, message.offset, message.at), (id, 1, ack.at));
        assert_eq!((message.user.as_str(), message.name.as_deref()), ("a", Some("A")));
        assert_eq!(text_of(&message), "hello");
        assert_eq!(client.settle().await, []);
    }
    served.server.stop().await;
}

#[tokio::test]
async fn the_first_batch_may_hold_everything() {
    let served = serve(|_| {}).await;
    let mut a = Client::open(served.address()).await;
    let id = new_id();
    a.say(&[kit::hello("a", new_id()), subscribe("news"), send(id, "news", "hello")]).await;
    a.welcome().await;
    let (mut subscribed, mut acked) = (None, false);
    while !acked || subscribed.is_none() {
        match a.next().await {
            ServerFrame::Subscribed(s) => subscribed = Some(s),
            ServerFrame::Ack(_) => acked = true,
            ServerFrame::Message(_) => {}
            other => panic!("{other:?}"),
        }
    }
    served.server.stop().await;
}
