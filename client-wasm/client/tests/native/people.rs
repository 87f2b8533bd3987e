//! Presence, typing, receipts, status, chats, signals.

use everwire_client::{
    Client, Event, Notice, Subscribe,
    protocol::{
        ChatKind, CreateChat, GetStatus, Invite, ListChats, SetStatus, Status, StatusChoice, channels,
    },
};

use crate::kit::{guest, message, next, serve};

#[tokio::test]
async fn members_typists_and_signals_of_a_channel() {
    let server = serve(|_| {}).await;
    let (ada, bob) = (guest(&server.url(), "ada"), guest(&server.url(), "bob"));
    let (of_ada, of_bob) =
        (ada.channel::<u32>("presence-7").unwrap(), bob.channel::<u32>("presence-7").unwrap());
    let mut events = of_ada.subscribe(Subscribe::live()).await.unwrap();
    next(&mut events, |event| matches!(event, Event::Members).then_some(())).await;
    let mut others = of_bob.subscribe(Subscribe::live()).await.unwrap();
    next(&mut events, |event| matches!(event, Event::Joined(member) if member.user == "bob").then_some(()))
        .await;
    let users: Vec<_> = of_ada.members().into_iter().map(|member| member.user).collect();
    assert_eq!(users, ["ada", "bob"]);

    of_bob.typing();
    let typing = next(&mut events, |event| match event {
        Event::Typing { user, typing, .. } => Some((user, typing)),
        _ => None,
    })
    .await;
    assert_eq!(typing, ("bob".to_owned(), true));
    assert_eq!(of_ada.typists().len(), 1);
    of_bob.send(&1).await.unwrap();
    next(&mut events, |event| matches!(event, Event::Typing { typing: false, .. }).then_some(())).await;
    assert!(of_ada.typists().is_empty());

    assert!(of_ada.signal("wave", &"hello").unwrap());
    let signal = next(&mut others, |event| match event {
        Event::Signal(signal) => Some(signal),
        _ => None,
    })
    .await;
    assert_eq!((signal.event.as_str(), signal.data.read::<&str>().unwrap()), ("wave", "hello"));
    assert!(of_bob.signal_to(signal.from.unwrap(), "nod", &()).unwrap());
    next(&mut events, |event| matches!(event, Event::Signal(signal) if signal.event == "nod").then_some(()))
        .await;
    drop(others);
    next(&mut events, |event| matches!(event, Event::Left(member) if member.user == "bob").then_some(()))
        .await;
}

async fn own(client: &Client, user: &str) -> everwire_client::Subscription<()> {
    let name = channels::user_channel(user).unwrap();
    client.channel::<()>(name.as_str()).unwrap().subscribe(Subscribe::live()).await.unwrap()
}

#[tokio::test]
async fn chats_receipts_and_status() {
    let server = serve(|_| {}).await;
    let (ada, bob) = (guest(&server.url(), "ada"), guest(&server.url(), "bob"));
    let mut of_bob = own(&bob, "bob").await;
    let mut notices = bob.notices();
    let made = ada
        .request(|id| CreateChat {
            id,
            kind: ChatKind::Group,
            title: Some("Plans".into()),
            open: None,
            users: vec!["bob".into()],
        })
        .await
        .unwrap();
    let chat = made.chat.unwrap();
    let told = next(&mut of_bob, |event| match event {
        Event::ChatChanged(chat) => Some(chat),
        _ => None,
    })
    .await;
    assert_eq!((told.id.as_str(), told.title.as_deref()), (chat.id.as_str(), Some("Plans")));
    if told.role == everwire_client::protocol::Role::Invited {
        let chat = chat.id.clone();
        bob.request(|id| everwire_client::protocol::JoinChat { id, chat }).await.unwrap();
    }
    assert_eq!(bob.request(|id| ListChats { id, after: None, limit: None }).await.unwrap().chats.len(), 1);

    let name = channels::messages_channel(&chat.id).unwrap();
    let (messages, of_ada) =
        (bob.channel::<String>(name.as_str()).unwrap(), ada.channel::<String>(name.as_str()).unwrap());
    let mut written = of_ada.subscribe(Subscribe::live()).await.unwrap();
    of_ada.send(&"hello".to_owned()).await.unwrap();
    let activity = next(&mut notices, |notice| match notice {
        Notice::Activity(activity) => Some(activity),
        _ => None,
    })
    .await;
    assert_eq!(activity.message.data.read::<String>().unwrap(), "hello");
    let mut read = messages.subscribe(Subscribe::recent(10)).await.unwrap();
    let hello = message(&mut read).await;
    messages.mark_read(hello.offset);
    let receipt = next(&mut written, |event| match event {
        Event::Receipt { receipt, .. } if receipt.user == "bob" && receipt.read > 0 => Some(receipt),
        _ => None,
    })
    .await;
    assert_eq!((receipt.delivered, receipt.read), (hello.offset, hello.offset));
    assert!(of_ada.receipts().contains(&receipt));

    bob.request(|id| SetStatus { id, status: StatusChoice::Away }).await.unwrap();
    let asked = ada.request(|id| GetStatus { id, users: vec!["bob".into()] }).await.unwrap();
    assert_eq!(asked.statuses[0].status, Status::Away);
    let refused = ada
        .request(|id| Invite { id, chat: "no-such-chat".into(), user: "cleo".into(), role: None })
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some("not_found"), "{refused:?}");
    assert!(ada.features().iter().any(|feature| feature == "chats"), "{:?}", ada.features());
}
