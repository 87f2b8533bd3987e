//! Chats with real clients: updates, and permissions to receive and send.

use everwire_protocol::{
    Channel, ChatAction, ChatChange, ChatKind, ClientFrame, CreateChat, ErrorCode, Invite, JoinChat,
    LeaveChat, ListChats, RemoveMember, RenameChat, Role, ServerFrame, SetRole, Typing, Uuid,
    limits::{MAX_CHAT_MEMBERS_BYTES, MAX_SERVER_FRAME_BYTES},
};

use super::kit::{
    Client, Served, channel, hello,
    http::{Http, poll, polled},
    new_id,
    program::Program,
    recent, resume, send, serve, subscribe, text_of,
};

fn group(id: Uuid, users: &[&str]) -> CreateChat {
    let users = users.iter().map(|user| (*user).to_owned()).collect();
    CreateChat { id, kind: ChatKind::Group, title: Some("All".into()), open: None, users }
}

fn log(chat: Uuid) -> String {
    format!("private-chat.{chat}")
}

fn here(chat: Uuid) -> String {
    format!("presence-chat.{chat}")
}

async fn join(client: &mut Client, chat: Uuid) {
    let id = new_id();
    let joined = client.done(id, JoinChat { id, chat: chat.to_string() }).await.unwrap();
    assert_ne!(joined.role, Role::Invited);
}

async fn remove(client: &mut Client, chat: Uuid, user: &str) {
    let id = new_id();
    client.done(id, RemoveMember { id, chat: chat.to_string(), user: user.into() }).await;
}

/// A client that subscribes to its own channel, so that it receives updates of its chats.
async fn own(served: &Served, user: &str) -> Client {
    let mut client = Client::connect(served.address(), user).await;
    let subscribed = client.join(subscribe(&format!("private-user.{user}"))).await;
    assert_eq!(subscribed.chats, Some(vec![]), "a user who has no chats has an empty list");
    client
}

#[tokio::test]
async fn the_invited_get_nothing_until_they_join_and_the_removed_nothing_more() {
    let served = serve(|_| {}).await;
    let (mut ann, mut bob) = (own(&served, "ann").await, own(&served, "bob").await);
    let id = new_id();
    let made = ann.done(id, group(id, &["bob"])).await.unwrap();
    assert_eq!((made.id.as_str(), made.role, made.member_count), (&*id.to_string(), Role::Owner, 2));
    assert_eq!(made.title.as_deref(), Some("All"));
    assert_eq!(ann.done(id, group(id, &["bob"])).await.unwrap().head, 2, "asked again, it is the same chat");
    let invited = bob.changed_chat().await;
    assert_eq!((invited.role, invited.head, invited.unread, invited.last), (Role::Invited, 0, 0, None));
    ann.join(subscribe(&log(id))).await;
    ann.chat(&log(id), "before").await;

    for channel in [log(id), here(id)] {
        bob.say(&[subscribe(&channel)]).await;
        assert_eq!(bob.ended().await, ErrorCode::Forbidden);
    }
    bob.say(&[send(new_id(), &log(id), "not yet")]).await;
    assert_eq!(bob.error().await.code, ErrorCode::Forbidden);
    join(&mut bob, id).await;
    let subscribed = bob.join(recent(&log(id), 10)).await;
    assert_eq!((subscribed.offset, subscribed.head), (0, 4));
    let mut said = Vec::new();
    for _ in 0..4 {
        let message = bob.message().await;
        let change = message.event.as_ref().map(|event| {
            assert_eq!(event, "everwire.chat");
            message.data.read::<ChatChange>().unwrap()
        });
        said.push((message.user, change.map(|change| (change.action, change.user))));
    }
    let entry =
        |by: &str, action, whom: Option<&str>| (by.to_owned(), Some((action, whom.map(ToOwned::to_owned))));
    assert_eq!(
        said,
        [
            entry("ann", ChatAction::Created, None),
            entry("ann", ChatAction::Invited, Some("bob")),
            ("ann".into(), None),
            entry("bob", ChatAction::Joined, Some("bob")),
        ]
    );
    bob.join(subscribe(&here(id))).await;
    bob.chat(&log(id), "now").await;
    assert_eq!(
        (text_of(&ann.find(plain).await), text_of(&ann.find(plain).await)),
        ("before".into(), "now".into())
    );

    remove(&mut ann, id, "bob").await;
    ann.chat(&log(id), "after").await;
    bob.say(&[send(new_id(), &log(id), "still here?")]).await;
    let (mut ended, mut gone, mut refused) = (Vec::new(), false, false);
    while ended.len() < 2 || !gone || !refused {
        match bob.next().await {
            ServerFrame::Unsubscribed(frame) => {
                assert_eq!(frame.code, Some(ErrorCode::Forbidden.into()));
                ended.push(frame.channel.as_str().to_owned());
            }
            ServerFrame::ChatGone(frame) => {
                assert_eq!((frame.channel, frame.chat), (channel("private-user.bob"), id.to_string()));
                gone = true;
            }
            ServerFrame::Error(error) => {
                assert_eq!(error.code, ErrorCode::Forbidden);
                refused = true;
            }
            ServerFrame::Message(message) => assert!(message.offset <= 5, "{message:?}"),
            _ => {}
        }
    }
    ended.sort();
    assert_eq!(ended, [here(id), log(id)]);
    for channel in [log(id), here(id)] {
        bob.say(&[subscribe(&channel)]).await;
        assert_eq!(bob.ended().await, ErrorCode::Forbidden);
    }
    let again = new_id();
    assert_eq!(bob.refused(again, JoinChat { id: again, chat: id.to_string() }).await, ErrorCode::NotFound);
    let list = ListChats { id: again, after: None, limit: None };
    let ServerFrame::Chats(chats) = bob.request(again, list).await else { panic!("no list") };
    assert_eq!((chats.chats.len(), chats.next), (0, None));
    assert!(!bob.settle().await.iter().any(|frame| matches!(frame, ServerFrame::Message(_))));
    served.server.stop().await;
}

fn plain(frame: ServerFrame) -> Option<everwire_protocol::Message> {
    match frame {
        ServerFrame::Message(message) if message.event.is_none() => Some(message),
        _ => None,
    }
}

#[tokio::test]
async fn a_direct_chat_is_found_by_its_two_users() {
    let served = serve(|_| {}).await;
    let (mut ann, mut bob) = (own(&served, "ann").await, own(&served, "bob").await);
    let direct = |id: Uuid, with: &str| CreateChat {
        id,
        kind: ChatKind::Direct,
        title: None,
        open: None,
        users: vec![with.into()],
    };
    let (a, b) = (new_id(), new_id());
    let from_ann = ann.done(a, direct(a, "bob")).await.unwrap();
    let told = bob.changed_chat().await;
    let from_bob = bob.done(b, direct(b, "ann")).await.unwrap();
    assert_eq!((&from_ann.id, &from_ann.id), (&from_bob.id, &told.id));
    assert_eq!(
        (from_bob.kind, from_bob.role, from_bob.title.clone()),
        (ChatKind::Direct, Role::Member, None)
    );
    let names: Vec<_> = from_bob.members.iter().map(|member| (member.user.as_str(), member.role)).collect();
    assert_eq!(names, [("ann", Role::Member), ("bob", Role::Member)]);
    let name = format!("private-chat.{}", from_ann.id);
    ann.chat(&name, "hello").await;
    assert_eq!(bob.join(recent(&name, 1)).await.head, 4);
    assert_eq!(text_of(&bob.message().await), "hello");
    let id = new_id();
    let rename = RenameChat { id, chat: from_ann.id.clone(), title: "Us".into() };
    assert_eq!(ann.refused(id, rename).await, ErrorCode::Forbidden);
    served.server.stop().await;
}

#[tokio::test]
async fn a_list_of_chats_is_kept_live_and_a_chat_that_is_open_is_not_told_twice() {
    let served = serve(|_| {}).await;
    let mut ann = own(&served, "ann").await;
    let (one, two) = (new_id(), new_id());
    for id in [one, two] {
        ann.done(id, group(id, &["bob"])).await;
    }
    let mut bob = Client::connect(served.address(), "bob").await;
    join(&mut bob, one).await;
    ann.chat(&log(one), "first").await;
    ann.chat(&log(one), "second").await;
    let chats = bob.join(subscribe("private-user.bob")).await.chats.unwrap();
    let seen: Vec<_> = chats.iter().map(|chat| (chat.id.clone(), chat.role, chat.unread)).collect();
    assert_eq!(seen, [(one.to_string(), Role::Member, 2), (two.to_string(), Role::Invited, 0)]);
    assert_eq!(chats[0].last.as_ref().map(text_of).as_deref(), Some("second"));
    assert_eq!((chats[0].head, &chats[1].last), (5, &None));

    ann.chat(&log(one), "third").await;
    let activity =
        bob.find(|frame| if let ServerFrame::Activity(a) = frame { Some(a.message) } else { None }).await;
    assert_eq!(
        (activity.channel.clone(), text_of(&activity), activity.offset),
        (channel(&log(one)), "third".into(), 6)
    );
    ann.chat(&log(two), "not for the invited").await;
    bob.join(subscribe(&log(one))).await;
    ann.chat(&log(one), "fourth").await;
    assert_eq!(text_of(&bob.message().await), "fourth");
    let more = bob.settle().await;
    assert!(!more.iter().any(|frame| matches!(frame, ServerFrame::Activity(_))), "{more:?}");

    let id = new_id();
    ann.done(id, RenameChat { id, chat: two.to_string(), title: "Other".into() }).await;
    assert_eq!(bob.changed_chat().await.title.as_deref(), Some("Other"));
    join(&mut bob, two).await;
    let list = |id, after, limit| ListChats { id, after, limit };
    // By id: an order that activity does not change.
    let (low, high) = (one.min(two).to_string(), one.max(two).to_string());
    let ServerFrame::Chats(first) = bob.request(id, list(id, None, Some(1))).await else { panic!("no list") };
    assert_eq!(first.chats.iter().map(|chat| &chat.id).collect::<Vec<_>>(), [&low]);
    assert_eq!(first.next.as_ref(), Some(&low));
    let id = new_id();
    let ServerFrame::Chats(rest) = bob.request(id, list(id, first.next, None)).await else {
        panic!("no list")
    };
    assert_eq!(rest.chats.iter().map(|chat| &chat.id).collect::<Vec<_>>(), [&high]);
    assert_eq!(rest.next, None);
    let id = new_id();
    assert_eq!(bob.refused(id, list(id, None, Some(0))).await, ErrorCode::InvalidFrame);
    served.server.stop().await;
}

#[tokio::test]
async fn who_only_reads_receives_and_does_not_send_type_or_invite() {
    let served = serve(|_| {}).await;
    let (mut ann, mut bob) = (own(&served, "ann").await, own(&served, "bob").await);
    let id = new_id();
    ann.done(id, group(id, &["bob"])).await;
    join(&mut bob, id).await;
    let ask = new_id();
    let read_only = SetRole { id: ask, chat: id.to_string(), user: "bob".into(), role: Role::ReadOnly };
    ann.done(ask, read_only).await;
    bob.join(subscribe(&log(id))).await;
    ann.chat(&log(id), "read this").await;
    assert_eq!(text_of(&bob.message().await), "read this");
    bob.say(&[send(new_id(), &log(id), "no")]).await;
    assert_eq!(bob.error().await.code, ErrorCode::Forbidden);
    bob.say(&[Typing { channel: channel(&log(id)), typing: true }.into()]).await;
    assert_eq!(bob.error().await.code, ErrorCode::Forbidden);
    let ask = new_id();
    let invite = Invite { id: ask, chat: id.to_string(), user: "cyd".into(), role: None };
    assert_eq!(bob.refused(ask, invite).await, ErrorCode::Forbidden);
    // The owner leaves: the one who is left owns it, and may write again.
    let ask = new_id();
    ann.done(ask, LeaveChat { id: ask, chat: id.to_string() }).await;
    assert_eq!(bob.message().await.event.as_deref(), Some("everwire.chat"));
    bob.chat(&log(id), "mine").await;
    served.server.stop().await;
}

#[tokio::test]
async fn an_open_chat_is_joined_by_anybody_and_a_closed_one_is_not_even_seen() {
    let served = serve(|_| {}).await;
    let (mut ann, mut bob) = (own(&served, "ann").await, own(&served, "bob").await);
    let (open, closed) = (new_id(), new_id());
    ann.done(open, CreateChat { open: Some(true), ..group(open, &[]) }).await;
    ann.done(closed, group(closed, &[])).await;
    join(&mut bob, open).await;
    let id = new_id();
    assert_eq!(bob.refused(id, JoinChat { id, chat: closed.to_string() }).await, ErrorCode::NotFound);
    let id = new_id();
    assert_eq!(bob.refused(id, JoinChat { id, chat: "nothing at all".into() }).await, ErrorCode::NotFound);
    let id = new_id();
    assert_eq!(
        bob.refused(id, RenameChat { id, chat: closed.to_string(), title: "Mine".into() }).await,
        ErrorCode::NotFound
    );
    served.server.stop().await;
}

#[tokio::test]
async fn a_channel_that_is_in_use_does_not_become_somebodys_chat() {
    let served = serve(|config| config.key = Some(super::kit::key())).await;
    let id = new_id();
    let mut app = Client::open(served.address()).await;
    let token = super::kit::token("app", 60, &["private-chat.*"]);
    app.say(&[super::kit::hello_with(Some(&token), new_id())]).await;
    app.welcome().await;
    app.chat(&log(id), "kept by the application").await;
    let mut eve = Client::connect(served.address(), "eve").await;
    assert_eq!(eve.refused(id, group(id, &[])).await, ErrorCode::IdReused);
    served.server.stop().await;
}

#[tokio::test]
async fn removal_ends_what_a_polling_client_receives() {
    let served = serve(|_| {}).await;
    let mut ann = own(&served, "ann").await;
    let id = new_id();
    ann.done(id, group(id, &["bob"])).await;
    let (http, session) = (Http::to(served.address()), new_id());
    let ask = new_id();
    let joined: ClientFrame = JoinChat { id: ask, chat: id.to_string() }.into();
    let answers = http.post(&[hello("bob", session), joined]).await;
    assert!(matches!(&answers[..], [ServerFrame::Done(done)] if done.id == ask), "{answers:?}");
    let mut client = Polled::new(http.clone(), session, &[&log(id), "private-user.bob"]);
    client
        .until(|frames| frames.iter().filter(|f| matches!(f, ServerFrame::Subscribed(_))).count() == 2)
        .await;
    remove(&mut ann, id, "bob").await;
    ann.chat(&log(id), "after").await;
    let is_end = |f: &ServerFrame| matches!(f, ServerFrame::Unsubscribed(u) if u.code == Some(ErrorCode::Forbidden.into()));
    client.until(|frames| frames.iter().any(is_end)).await;
    client.until(|frames| frames.iter().any(|f| matches!(f, ServerFrame::ChatGone(_)))).await;
    let frames = client.frames;
    let after = frames.iter().any(|f| matches!(f, ServerFrame::Message(m) if m.event.is_none()));
    assert!(!after && !frames.iter().any(|f| matches!(f, ServerFrame::Activity(_))), "{frames:?}");
    let refused = http.post(&[hello("bob", session), send(new_id(), &log(id), "still here?")]).await;
    assert!(
        matches!(&refused[..], [ServerFrame::Error(error)] if error.code == ErrorCode::Forbidden),
        "{refused:?}"
    );
    served.server.stop().await;
}

#[tokio::test]
async fn who_is_in_a_chat_outlives_a_crash_of_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("everwire.db");
    let program = Program::start(&database, &[]);
    let (mut ann, mut bob) =
        (Client::connect(program.address, "ann").await, Client::connect(program.address, "bob").await);
    let id = new_id();
    ann.done(id, group(id, &["bob", "cyd"])).await;
    join(&mut bob, id).await;
    ann.chat(&log(id), "before").await;
    remove(&mut ann, id, "cyd").await;
    program.kill();
    let program = Program::start(&database, &[]);
    let mut bob = Client::connect(program.address, "bob").await;
    let chats = bob.join(subscribe("private-user.bob")).await.chats.unwrap();
    assert_eq!((chats.len(), chats[0].member_count, chats[0].role, chats[0].unread), (1, 2, Role::Member, 1));
    assert_eq!(chats[0].members[0].name.as_deref(), Some("ANN"));
    bob.chat(&log(id), "after").await;
    let mut cyd = Client::connect(program.address, "cyd").await;
    cyd.say(&[subscribe(&log(id))]).await;
    assert_eq!(cyd.ended().await, ErrorCode::Forbidden);
}

/// A client by polling that keeps its positions.
struct Polled {
    http: Http,
    session: Uuid,
    connection: Option<Uuid>,
    seq: u64,
    set: Vec<(String, Option<(String, u64)>)>,
    frames: Vec<ServerFrame>,
}

impl Polled {
    fn new(http: Http, session: Uuid, channels: &[&str]) -> Self {
        let set = channels.iter().map(|channel| ((*channel).to_owned(), None)).collect();
        Self { http, session, connection: None, seq: 0, set, frames: Vec::new() }
    }

    /// Polls until what has come satisfies somebody.
    async fn until(&mut self, enough: impl Fn(&[ServerFrame]) -> bool) {
        while !enough(&self.frames) {
            let mut batch = vec![hello("bob", self.session), poll(self.connection, self.seq, 10_000)];
            batch.extend(self.set.iter().map(|(channel, position)| match position {
                Some((epoch, offset)) => resume(channel, epoch, *offset),
                None => subscribe(channel),
            }));
            let (seq, frames) = polled(self.http.post(&batch).await);
            self.seq = seq;
            for frame in &frames {
                self.take(frame);
            }
            self.frames.extend(frames);
        }
    }

    fn take(&mut self, frame: &ServerFrame) {
        let set = &mut self.set;
        let place = |channel: &Channel| set.iter().position(|(name, _)| name == channel.as_str()).unwrap();
        match frame {
            ServerFrame::Welcome(welcome) => self.connection = Some(welcome.connection),
            ServerFrame::Subscribed(s) => {
                let at = place(&s.channel);
                set[at].1 = Some((s.epoch.clone(), s.offset));
            }
            ServerFrame::Message(message) => {
                let at = place(&message.channel);
                set[at].1.as_mut().unwrap().1 = message.offset;
            }
            ServerFrame::Unsubscribed(ended) => set.retain(|(name, _)| name != ended.channel.as_str()),
            _ => {}
        }
    }
}

#[tokio::test]
async fn nobody_is_locked_out_by_invitations_to_groups_with_long_ids() {
    let served = serve(|_| {}).await;
    let node = served.server.node();
    // As large as JSON can make it: every character of an id is escaped.
    let others: Vec<String> = (0..99).map(|n| format!("{n:02}{}", "\"".repeat(126))).collect();
    for _ in 0..100 {
        let id = new_id().to_string();
        let mut members = vec![("eve", Role::Owner)];
        members.extend(others.iter().map(|user| (&**user, Role::Invited)));
        members.push(("bob", Role::Invited));
        super::kit::chat(&served, &id, &members);
    }
    assert_eq!(node.chats.of_user("bob").len(), 100);
    for _ in 0..2 {
        let mut bob = Client::connect(served.address(), "bob").await;
        let subscribed = bob.join(subscribe("private-user.bob")).await;
        assert_eq!(subscribed.chats_more, Some(true));
        let (mut chats, mut after) = (Vec::new(), None);
        loop {
            let id = new_id();
            let ServerFrame::Chats(page) = bob.request(id, ListChats { id, after, limit: None }).await else {
                panic!("no list")
            };
            assert!(serde_json::to_string(&page).unwrap().len() <= MAX_SERVER_FRAME_BYTES);
            chats.extend(page.chats);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(chats.len(), 100);
        for chat in &chats {
            assert_eq!((chat.role, chat.member_count), (Role::Invited, 101));
            assert!(serde_json::to_string(&chat.members).unwrap().len() <= MAX_CHAT_MEMBERS_BYTES);
        }
        bob.chat("news", "not locked out").await;
    }
    served.server.stop().await;
}
