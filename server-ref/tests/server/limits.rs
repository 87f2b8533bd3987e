//! Limits: announced, and counted over all that belongs together.

use everwire_protocol::{
    ChatKind, ClientFrame, CreateChat, ErrorCode, Invite, JoinChat, LeaveChat, RemoveMember, RenameChat,
    Role, ServerFrame, batch, limits::MAX_POST_FRAMES,
};

use everwire_server::sessions::SESSIONS_OF_A_USER;

use super::kit::{Client, Ended, chat, hello, history, http::Http, new_id, send, serve, until};

/// The kinds of answers, and the codes of errors among them.
fn answers(frames: &[ServerFrame]) -> Vec<&'static str> {
    frames
        .iter()
        .map(|frame| match frame {
            ServerFrame::Error(error) => error.code.listed().unwrap().as_str(),
            frame => batch::Frame::kind(frame),
        })
        .collect()
}

#[tokio::test]
async fn sends_are_counted_per_user_over_all_connections_and_transports() {
    let served = serve(|config| config.session.limits.sends_per_minute = Some(5)).await;
    let session = new_id();
    let (mut a, welcome) = Client::connect_as(served.address(), "a", session).await;
    assert_eq!(welcome.limits.sends_per_minute, Some(5));
    for n in 0..3 {
        a.chat("news", &n.to_string()).await;
    }
    let http = Http::to(served.address());
    let post: Vec<_> = std::iter::once(hello("a", new_id()))
        .chain((0..4).map(|n| send(new_id(), "news", &format!("post {n}"))))
        .collect();
    let frames = http.post(&post).await;
    let mut kinds = answers(&frames);
    kinds.sort_unstable();
    assert_eq!(kinds, ["ack", "ack", "deferred", "rate_limited"]);
    let limited = frames.iter().find_map(|frame| match frame {
        ServerFrame::Error(error) if error.code == ErrorCode::RateLimited => error.retry_after_ms,
        _ => None,
    });
    assert!(limited.is_some_and(|ms| (30_000..=60_000).contains(&ms)), "{limited:?}");
    a.say(&[send(new_id(), "news", "one more")]).await;
    assert_eq!(a.error().await.code, ErrorCode::RateLimited);
    // Others are not affected.
    let mut b = Client::connect(served.address(), "b").await;
    b.chat("news", "from b").await;
    served.server.stop().await;
}

#[tokio::test]
async fn questions_are_counted_per_session_over_its_posts() {
    let served = serve(|config| config.requests_per_second = 1).await;
    let (http, session) = (Http::to(served.address()), new_id());
    let ask = |count: usize| {
        let ask = std::iter::repeat_with(|| history("news", None, None, None)).take(count);
        std::iter::once(hello("a", session)).chain(ask).collect::<Vec<_>>()
    };
    assert_eq!(answers(&http.post(&ask(2)).await), ["history_page", "history_page"]);
    let mut kinds = answers(&http.post(&ask(4)).await);
    kinds.sort_unstable();
    // One is left of three at once, and one or two more if a second or two have passed.
    assert_eq!(kinds.len(), 4);
    assert!(kinds.starts_with(&["history_page"]) && kinds.ends_with(&["rate_limited"]), "{kinds:?}");
    served.server.stop().await;
}

#[tokio::test]
async fn a_post_has_at_most_100_frames() {
    let served = serve(|_| {}).await;
    let http = Http::to(served.address());
    let post = |frames: usize| {
        let sends = (1..frames).map(|n| send(new_id(), "news", &n.to_string()));
        std::iter::once(hello("a", new_id())).chain(sends).collect::<Vec<_>>()
    };
    assert_eq!(answers(&http.post(&post(MAX_POST_FRAMES)).await), ["ack"; MAX_POST_FRAMES - 1]);
    assert_eq!(answers(&http.post(&post(MAX_POST_FRAMES + 1)).await), ["too_large"]);
    served.server.stop().await;
}

#[tokio::test]
async fn one_user_makes_few_chats_at_once_and_a_repetition_is_not_one() {
    let served = serve(|config| config.requests_per_second = 0).await;
    let mut ann = Client::connect(served.address(), "ann").await;
    let ids: Vec<_> = (0..25).map(|_| new_id()).collect();
    let group =
        |id| CreateChat { id, kind: ChatKind::Group, title: None, open: None, users: vec!["bob".into()] };
    let mut refused = 0;
    for id in &ids {
        match ann.request(*id, group(*id)).await {
            ServerFrame::Done(_) => {}
            ServerFrame::Error(error) => {
                assert_eq!(error.code, ErrorCode::RateLimited);
                assert!(error.retry_after_ms.is_some_and(|ms| (1..=5_000).contains(&ms)), "{error:?}");
                refused += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    // One more for every five seconds that this takes.
    assert!((1..=5).contains(&refused), "{refused}");
    assert!(ann.done(ids[0], group(ids[0])).await.is_some(), "it exists already");
    let mut bob = Client::connect(served.address(), "bob").await;
    let id = new_id();
    assert!(bob.done(id, group(id)).await.is_some(), "others are not affected");
    served.server.stop().await;
}

#[tokio::test]
async fn one_user_changes_chats_so_often_whatever_the_change() {
    let served = serve(|config| config.requests_per_second = 1_000).await;
    let mut ann = Client::connect(served.address(), "ann").await;
    let id = new_id();
    let group = |id| CreateChat { id, kind: ChatKind::Group, title: None, open: None, users: vec![] };
    let chat = ann.done(id, group(id)).await.unwrap().id;
    let mut refused = 0;
    for n in 0..60 {
        let (rename, repeat) = (new_id(), id);
        let title = n.to_string();
        for (id, question) in [
            (rename, RenameChat { id: rename, chat: chat.clone(), title }.into()),
            (repeat, ClientFrame::from(group(repeat))),
        ] {
            match ann.request(id, question).await {
                ServerFrame::Done(_) => {}
                ServerFrame::Error(error) => {
                    assert_eq!(error.code, ErrorCode::RateLimited);
                    assert!(error.retry_after_ms.is_some_and(|ms| ms <= 1_000), "{error:?}");
                    refused += 1;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    // A hundred at once, and five for every second that this takes.
    assert!((1..=20).contains(&refused), "{refused}");
    let mut bob = Client::connect(served.address(), "bob").await;
    let id = new_id();
    assert!(bob.done(id, group(id)).await.is_some(), "others are not affected");
    served.server.stop().await;
}

#[tokio::test]
async fn one_user_has_so_many_sessions_and_one_that_ends_gives_its_place_back() {
    let served = serve(|_| ()).await;
    let mut held = Vec::new();
    for _ in 0..SESSIONS_OF_A_USER {
        held.push(Client::connect(served.address(), "ann").await);
    }
    let mut more = Client::open(served.address()).await;
    more.say(&[hello("ann", new_id())]).await;
    let (frames, ended) = more.until_it_ends().await;
    assert_eq!(answers(&frames), ["rate_limited", "goaway"]);
    assert_eq!(ended, Ended::Code(4016));
    Client::connect(served.address(), "bob").await.chat("news", "others are not affected").await;
    let sessions = || served.server.node().sessions.of_user("ann").len();
    assert_eq!(sessions(), SESSIONS_OF_A_USER);
    held.pop();
    until(|| sessions() < SESSIONS_OF_A_USER).await;
    Client::connect(served.address(), "ann").await;
    served.server.stop().await;
}

#[tokio::test]
async fn one_user_cannot_use_up_the_invitations_of_another() {
    let served = serve(|config| config.requests_per_second = 0).await;
    for n in 0..22 {
        chat(&served, &n.to_string(), &[("eve", Role::Owner), ("dan", Role::Member)]);
    }
    let (mut eve, mut dan) =
        (Client::connect(served.address(), "eve").await, Client::connect(served.address(), "dan").await);
    let mut ann = Client::connect(served.address(), "ann").await;
    let invite = |id, n: u32| Invite { id, chat: n.to_string(), user: "ann".into(), role: None };
    for n in 0..20 {
        let id = new_id();
        let answer = eve.request(id, invite(id, n)).await;
        assert!(matches!(answer, ServerFrame::Done(_)), "{n}: {answer:?}");
    }
    let id = new_id();
    match eve.request(id, invite(id, 20)).await {
        ServerFrame::Error(error) => {
            assert_eq!(error.code, ErrorCode::Forbidden);
            assert!(error.message.contains("ann has not answered 20 of your invitations"), "{error:?}");
        }
        other => panic!("{other:?}"),
    }
    let id = new_id();
    let group = CreateChat { id, kind: ChatKind::Group, title: None, open: None, users: vec!["ann".into()] };
    assert_eq!(eve.refused(id, group).await, ErrorCode::Forbidden, "nor by a new chat");
    let id = new_id();
    assert!(matches!(dan.request(id, invite(id, 20)).await, ServerFrame::Done(_)), "another user may");
    // Only open ones count: accepted, declined and withdrawn ones do not.
    let (join, leave, remove) = (new_id(), new_id(), new_id());
    ann.request(join, JoinChat { id: join, chat: "0".into() }).await;
    ann.request(leave, LeaveChat { id: leave, chat: "1".into() }).await;
    eve.request(remove, RemoveMember { id: remove, chat: "2".into(), user: "ann".into() }).await;
    for n in [21, 1, 2] {
        let id = new_id();
        let answer = eve.request(id, invite(id, n)).await;
        assert!(matches!(answer, ServerFrame::Done(_)), "{n}: {answer:?}");
    }
    served.server.stop().await;
}

#[tokio::test]
async fn nobody_has_more_open_invitations_than_can_be_listed() {
    let served = serve(|config| config.requests_per_second = 0).await;
    for n in 0..200 {
        chat(&served, &n.to_string(), &[("ann", Role::Owner), ("bob", Role::Invited)]);
    }
    let mut ann = Client::connect(served.address(), "ann").await;
    let id = new_id();
    let group = |users: &[&str]| {
        let users = users.iter().map(|user| (*user).to_owned()).collect();
        CreateChat { id, kind: ChatKind::Group, title: None, open: None, users }
    };
    assert_eq!(ann.refused(id, group(&["bob"])).await, ErrorCode::Forbidden);
    assert!(ann.done(id, group(&["eve"])).await.is_some());
    let invite = |id, user: &str| Invite { id, chat: "0".into(), user: user.into(), role: None };
    let again = new_id();
    assert!(
        matches!(ann.request(again, invite(again, "bob")).await, ServerFrame::Done(_)),
        "invited already"
    );
    served.server.stop().await;
}
