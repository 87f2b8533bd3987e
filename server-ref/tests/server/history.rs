//! Pages of history, and what may be done to messages that are in it.

use everwire_protocol::{Action, Error, ErrorCode, HistoryPage, Role, ServerFrame};

use super::kit::{
    Client, Served, act, chat, hello, history,
    http::{Http, poll},
    new_id, send, serve, subscribe, text_of,
};

fn page(frame: ServerFrame) -> HistoryPage {
    match frame {
        ServerFrame::HistoryPage(page) => page,
        other => panic!("not a page: {other:?}"),
    }
}

fn offsets(page: &HistoryPage) -> Vec<u64> {
    page.messages.iter().map(|message| message.offset).collect()
}

async fn filled(count: u64, change: impl FnOnce(&mut everwire_server::config::Config)) -> (Served, Client) {
    let served = serve(change).await;
    let mut client = Client::connect(served.address(), "a").await;
    for n in 1..=count {
        client.chat("news", &n.to_string()).await;
    }
    (served, client)
}

#[tokio::test]
async fn a_page_is_the_latest_what_is_before_or_what_is_after() {
    let (served, mut client) = filled(12, |_| {}).await;
    for (before, after, limit, expected, more) in [
        (None, None, Some(5), 8..=12, true),
        (None, None, None, 1..=12, false),
        (Some(8), None, Some(5), 3..=7, true),
        (Some(6), None, Some(5), 1..=5, false),
        (Some(99), None, Some(2), 11..=12, true),
        (None, Some(0), Some(5), 1..=5, true),
        (None, Some(7), Some(5), 8..=12, false),
        (None, Some(11), Some(0), 12..=12, false),
    ] {
        let page = page(client.ask(history("news", before, after, limit), &["history_page", "error"]).await);
        assert_eq!((offsets(&page), page.more), (expected.collect(), more), "{before:?} {after:?} {limit:?}");
        assert!(page.messages.iter().all(|message| text_of(message) == message.offset.to_string()));
    }
    for (before, after) in [(Some(1), None), (None, Some(12))] {
        let page = page(client.ask(history("news", before, after, None), &["history_page"]).await);
        assert_eq!((offsets(&page), page.more), (vec![], false));
    }
    let epoch = client.join(subscribe("news")).await.epoch;
    let empty = page(client.ask(history("sport", None, None, None), &["history_page"]).await);
    assert_eq!((offsets(&empty), empty.more), (vec![], false));
    assert_eq!(page(client.ask(history("news", None, None, None), &["history_page"]).await).epoch, epoch);
    served.server.stop().await;
}

#[tokio::test]
async fn a_trimmed_log_has_no_more_before_and_large_messages_make_short_pages() {
    let (served, mut client) = filled(30, |config| config.retention = 10).await;
    let first = page(client.ask(history("news", None, Some(0), None), &["history_page"]).await);
    assert!((20..=21).contains(&offsets(&first)[0]) && !first.more, "{:?}", offsets(&first));
    let last = page(client.ask(history("news", None, None, Some(200)), &["history_page"]).await);
    assert_eq!((offsets(&last), last.more), (offsets(&first), false));
    let large = "x".repeat(30_000);
    for _ in 0..10 {
        client.chat("large", &large).await;
    }
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = page(client.ask(history("large", before, None, Some(200)), &["history_page"]).await);
        assert!((1..=4).contains(&page.messages.len()));
        seen.extend(offsets(&page).into_iter().rev());
        before = seen.last().copied();
        if !page.more {
            break;
        }
    }
    assert_eq!(seen, (1..=10).rev().collect::<Vec<_>>());
    served.server.stop().await;
}

#[tokio::test]
async fn history_is_for_those_who_may_subscribe_also_by_a_post() {
    let served = serve(|_| {}).await;
    chat(&served, "7", &[("a", Role::ReadOnly), ("i", Role::Invited)]);
    let ask = history("private-chat.7", None, None, None);
    for (user, allowed) in [("a", true), ("b", false), ("i", false)] {
        let mut client = Client::connect(served.address(), user).await;
        let by_socket = client.ask(ask.clone(), &["history_page", "error"]).await;
        let by_post = Http::to(served.address()).post(&[hello(user, new_id()), ask.clone()]).await;
        for answer in [&by_socket, &by_post[0]] {
            match answer {
                ServerFrame::HistoryPage(_) => assert!(allowed, "{user}"),
                ServerFrame::Error(error) => {
                    assert!(!allowed && error.code == ErrorCode::Forbidden && error.id.is_some());
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(by_post.len(), 1);
    }
    // A question in a poll is answered in its response, or a later one.
    let http = Http::to(served.address());
    let frames = http.post(&[hello("a", new_id()), poll(None, 0, 0), ask]).await;
    assert!(frames.iter().any(|frame| matches!(frame, ServerFrame::HistoryPage(_))), "{frames:?}");
    served.server.stop().await;
}

async fn refused(client: &mut Client, frame: everwire_protocol::ClientFrame) -> Option<ErrorCode> {
    match client.ask(frame, &["ack", "error"]).await {
        ServerFrame::Error(Error { code, id, .. }) => {
            assert!(id.is_some());
            code.listed()
        }
        _ => None,
    }
}

#[tokio::test]
async fn only_who_sent_a_message_edits_it_and_owners_delete_what_they_want() {
    let served = serve(|_| {}).await;
    chat(
        &served,
        "7",
        &[("o", Role::Owner), ("a", Role::Member), ("b", Role::Member), ("r", Role::ReadOnly)],
    );
    let log = "private-chat.7";
    let mut clients = Vec::new();
    for user in ["o", "a", "b", "r"] {
        clients.push(Client::connect(served.address(), user).await);
    }
    let [o, a, b, r] = &mut clients[..] else { unreachable!() };
    let ids: Vec<_> = std::iter::repeat_with(new_id).take(3).collect();
    for id in &ids {
        assert_eq!(refused(a, send(*id, log, "said")).await, None);
    }
    let edit = |target| act(new_id(), log, Action::Edit, target, "other words");
    let delete = |target| act(new_id(), log, Action::Delete, target, "not sent");
    let reply = |target| act(new_id(), log, Action::Reply, target, "indeed");
    assert_eq!(refused(a, edit(ids[0])).await, None);
    assert_eq!(refused(b, edit(ids[0])).await, Some(ErrorCode::Forbidden));
    assert_eq!(refused(o, edit(ids[0])).await, Some(ErrorCode::Forbidden));
    assert_eq!(refused(b, delete(ids[0])).await, Some(ErrorCode::Forbidden));
    assert_eq!(refused(b, reply(ids[0])).await, None);
    assert_eq!(refused(r, reply(ids[0])).await, Some(ErrorCode::Forbidden));
    assert_eq!(refused(b, reply(new_id())).await, Some(ErrorCode::NotFound));
    assert_eq!(refused(b, edit(new_id())).await, Some(ErrorCode::NotFound));
    assert_eq!(refused(a, act(new_id(), "news", Action::Edit, ids[0], "x")).await, Some(ErrorCode::NotFound));
    assert_eq!(refused(a, delete(ids[0])).await, None);
    assert_eq!(refused(a, edit(ids[0])).await, Some(ErrorCode::NotFound));
    assert_eq!(refused(o, delete(ids[1])).await, None);
    assert_eq!(refused(a, delete(ids[1])).await, Some(ErrorCode::NotFound));
    // An edit is no message that could be edited, and a copy of it is acked as before.
    let id = new_id();
    let again = act(id, log, Action::Edit, ids[2], "better");
    assert_eq!(refused(a, again.clone()).await, None);
    assert_eq!(refused(a, edit(id)).await, Some(ErrorCode::NotFound));
    assert_eq!(refused(a, delete(ids[2])).await, None);
    assert_eq!(refused(a, again).await, None);
    // All in one batch: what is refused does not affect its neighbours.
    let id = new_id();
    a.say(&[send(id, log, "x"), edit(ids[0]), edit(id), delete(id), edit(id), reply(ids[2])]).await;
    let mut codes = Vec::new();
    while codes.len() < 6 {
        match a.next().await {
            ServerFrame::Ack(_) => codes.push(None),
            ServerFrame::Error(error) => codes.push(error.code.listed()),
            other => panic!("{other:?}"),
        }
    }
    let not_found = Some(ErrorCode::NotFound);
    assert_eq!(codes, [None, not_found, None, None, not_found, None]);
    served.server.stop().await;
}
