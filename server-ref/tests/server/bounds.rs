//! No state of the server makes a frame above the bound, and the pages of every list are the whole list: with ids, names, titles
//! and data as large as they may be, and as JSON makes them larger.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::catch_unwind,
};

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use everwire_protocol::{
    Channel, ChatKind, ClientFrame, GetStatus, History, ListChatMembers, ListChats, ListMembers,
    ListReceipts, Member, Members, Payload, Role, ServerFrame, Status, StatusChoice, UserReceipt, Uuid,
    batch,
    channels::{PRESENCE_USERS, messages_channel, presence_channel, user_channel},
    limits::{MAX_EVENT_BYTES, MAX_NAME_BYTES, MAX_PAYLOAD_BYTES, MAX_SERVER_FRAME_BYTES, MAX_TITLE_BYTES},
};
use everwire_server::{
    api::ApiKey,
    model::{
        chat::{ChatRecord, Participant, Room},
        log::{NewEntry, SendPermission},
        people::{PresenceRecord, UserRecord},
    },
};
use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};
use serde_json::Value;

use super::kit::{
    Client, Served, channel, hello_with,
    http::{Http, poll},
    key, new_id, serve, subscribe, token,
};

const API_KEY: &str = "the key of the back end";

/// Texts of as many bytes as are allowed, made of one character. JSON writes some of them as two.
#[derive(Debug, Clone, Copy)]
struct Texts {
    filler: char,
    long: bool,
}

impl Texts {
    /// A text that no other number has.
    fn nth(self, n: usize, bytes: usize) -> String {
        let mut text = format!("{n:05}");
        while self.long && text.len() + self.filler.len_utf8() <= bytes {
            text.push(self.filler);
        }
        text
    }

    fn user(self, n: usize) -> String {
        self.nth(n, MAX_NAME_BYTES)
    }
}

/// What the server is filled with.
#[derive(Debug, Clone)]
struct State {
    texts: Texts,
    chats: usize,
    /// Of each chat. The observer is the last one.
    participants: usize,
    /// In the presence channel, and online.
    present: usize,
    /// Of a chat that the application manages by grants.
    marks: usize,
    messages: usize,
    /// Of each message's data, in bytes of JSON.
    data: usize,
}

fn states() -> impl Strategy<Value = State> {
    let texts = (select(vec!['"', '\\', 'x', 'é', '𝄞', '\u{2028}']), any::<bool>());
    let texts = texts.prop_map(|(filler, long)| Texts { filler, long });
    let data = prop_oneof![Just(2), Just(1_000), Just(MAX_PAYLOAD_BYTES)];
    (texts, 0..60_usize, 2..150_usize, 0..800_usize, 0..800_usize, 0..20_usize, data).prop_map(
        |(texts, chats, participants, present, marks, messages, data)| State {
            texts,
            chats,
            participants,
            present,
            marks,
            messages,
            data,
        },
    )
}

/// The longest id whose channels have valid names.
fn chat_id(n: usize, long: bool) -> String {
    format!("{n:05}{}", "c".repeat(if long { 180 } else { 0 }))
}

impl State {
    fn me(&self) -> String {
        self.texts.user(99_999)
    }

    fn participants(&self) -> BTreeSet<String> {
        (1..self.participants).map(|n| self.texts.user(n)).chain([self.me()]).collect()
    }

    fn room(&self, n: usize) -> Room {
        let people = (1..self.participants).map(|n| (self.texts.user(n), Role::Member));
        let participants = people.chain([(self.me(), Role::Owner)]).map(|(user, role)| Participant {
            user: user.into(),
            name: Some(self.texts.nth(0, MAX_NAME_BYTES).into()),
            role,
            becomes: role,
            since: 1,
            invited_by: None,
        });
        Room {
            id: chat_id(n, self.texts.long).into(),
            kind: ChatKind::Group,
            title: Some(self.texts.nth(0, MAX_TITLE_BYTES)),
            open: false,
            created_at: 1,
            participants: participants.collect(),
        }
    }

    fn entry(&self, channel: &Channel) -> NewEntry {
        let character = self.texts.filler.to_string();
        let size = serde_json::to_string(&character).unwrap().len() - 2;
        let text = character.repeat((self.data - 2) / size);
        NewEntry {
            id: new_id(),
            channel: channel.clone(),
            user: self.texts.user(1).into(),
            name: Some(self.texts.nth(0, MAX_NAME_BYTES).into()),
            event: Some(self.texts.nth(0, MAX_EVENT_BYTES)).filter(|_| *channel == Self::managed()),
            data: Payload::from_value(&text).unwrap(),
            action: None,
            target: None,
            permission: SendPermission::Server,
        }
    }

    fn managed() -> Channel {
        channel("private-chat.managed")
    }

    /// Fills the server behind its back, which is faster than clients are.
    async fn fill(&self, served: &Served) {
        let node = served.server.node();
        let managed = Self::managed();
        let mut entries: Vec<_> = (0..self.messages.max(1)).map(|_| self.entry(&managed)).collect();
        for n in 0..self.chats {
            let room = self.room(n);
            // A plain message is the preview of the chat.
            entries.push(NewEntry { event: None, ..self.entry(&room.log().unwrap()) });
            node.chats.put(ChatRecord { room: room.into(), at: 1 });
        }
        node.store.append(1, &entries).await.unwrap();
        let marks = (0..self.marks).map(|n| {
            let mark = UserReceipt { user: self.texts.user(n), delivered: 1, read: 1 };
            (managed.clone(), mark)
        });
        node.store.raise_marks(&marks.collect::<Vec<_>>()).await.unwrap();
        let late = node.now_ms() + 600_000;
        let people: Vec<_> = (0..self.present).map(|n| self.texts.user(n)).collect();
        let name = || Some(self.texts.nth(0, MAX_NAME_BYTES));
        let present = people.iter().map(|user| PresenceRecord {
            channel: presence_channel("managed").unwrap(),
            user: user.clone(),
            name: name(),
            here: true,
        });
        node.hub.expect_members(present.collect(), late);
        let online = people.iter().map(|user| UserRecord {
            user: user.clone(),
            name: name(),
            choice: StatusChoice::Auto,
            seen_at: Some(1),
            online: true,
        });
        node.users.expect(online.collect(), late);
    }
}

/// What the pages of a list have in common.
struct Page {
    ids: Vec<String>,
    next: Option<String>,
}

fn page(frame: ServerFrame) -> Page {
    let of = |ids: Vec<&String>, next| Page { ids: ids.into_iter().cloned().collect(), next };
    match frame {
        ServerFrame::Chats(page) => of(page.chats.iter().map(|chat| &chat.id).collect(), page.next),
        ServerFrame::ChatMembers(page) => of(page.members.iter().map(|one| &one.user).collect(), page.next),
        ServerFrame::Members(page) => of(page.members.iter().map(|one| &one.user).collect(), page.next),
        ServerFrame::Receipts(page) => of(page.receipts.iter().map(|one| &one.user).collect(), page.next),
        other => panic!("not a page: {other:?}"),
    }
}

/// The bytes of a frame, which are within the bound.
fn measured(frame: &ServerFrame) -> usize {
    let bytes = batch::encode_frame(frame).len();
    assert!(bytes <= MAX_SERVER_FRAME_BYTES, "{bytes} bytes in a frame");
    bytes
}

/// A client that measures what it gets.
struct Observer {
    client: Client,
    /// By the kind of frame.
    bytes: BTreeMap<&'static str, usize>,
}

impl Observer {
    fn measure(&mut self, frame: &ServerFrame) {
        *self.bytes.entry(batch::Frame::kind(frame)).or_default() += measured(frame);
    }

    async fn ask(&mut self, id: Uuid, request: ClientFrame) -> ServerFrame {
        let answer = self.client.request(id, request).await;
        self.measure(&answer);
        answer
    }

    async fn subscribe(&mut self, channel: &Channel) -> everwire_protocol::Subscribed {
        let subscribed = self.client.join(subscribe(channel.as_str())).await;
        self.measure(&subscribed.clone().into());
        subscribed
    }

    /// The rest of a list, which the first page leads to.
    async fn rest(
        &mut self,
        mut next: Option<String>,
        request: impl Fn(Uuid, Option<String>) -> ClientFrame,
    ) -> Vec<String> {
        let mut all = Vec::new();
        while next.is_some() {
            let id = new_id();
            let found = page(self.ask(id, request(id, next)).await);
            all.extend(found.ids);
            next = found.next;
        }
        all
    }

    /// A list from its beginning. Nothing is in it twice.
    async fn list(&mut self, request: impl Fn(Uuid, Option<String>) -> ClientFrame) -> BTreeSet<String> {
        let id = new_id();
        let first = page(self.ask(id, request(id, None)).await);
        let all = [first.ids, self.rest(first.next, request).await].concat();
        let set: BTreeSet<_> = all.iter().cloned().collect();
        assert_eq!(set.len(), all.len(), "nothing twice");
        set
    }

    async fn history(&mut self, channel: &Channel, backwards: bool) -> Vec<u64> {
        let (mut all, mut at) = (Vec::new(), if backwards { u64::MAX >> 11 } else { 0 });
        loop {
            let (id, channel) = (new_id(), channel.clone());
            let (before, after) = if backwards { (Some(at), None) } else { (None, Some(at)) };
            let answer = self.ask(id, History { id, channel, before, after, limit: Some(200) }.into()).await;
            let ServerFrame::HistoryPage(page) = answer else { panic!("not a page: {answer:?}") };
            let offsets: Vec<_> = page.messages.iter().map(|message| message.offset).collect();
            at = *if backwards { offsets.first() } else { offsets.last() }.expect("at least one entry");
            all.extend(offsets);
            if !page.more {
                all.sort_unstable();
                return all;
            }
        }
    }
}

/// A list of the HTTP API, page by page.
async fn api_list(http: &Http, path: &str, key: &str, field: &str, id: &str) -> Vec<String> {
    let (bearer, mut all, mut query) = (format!("Bearer {key}"), Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/{path}{query}");
        let (status, _, body) =
            http.request(Method::GET, &path, &[("authorization", &bearer)], Body::empty()).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert!(body.len() <= MAX_SERVER_FRAME_BYTES, "{} bytes in a response", body.len());
        let page: Value = serde_json::from_str(&body).unwrap();
        all.extend(page[field].as_array().unwrap().iter().map(|one| one[id].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { return all };
        query = next.bytes().fold("?after=".to_owned(), |query, byte| format!("{query}%{byte:02X}"));
    }
}

/// Fills a server and reads everything. Returns the bytes of all frames of each kind.
async fn check(state: &State) -> BTreeMap<&'static str, usize> {
    let served = serve(|config| {
        config.key = Some(key());
        config.api_key = Some(ApiKey::new(API_KEY).unwrap());
        config.requests_per_second = 0;
    })
    .await;
    state.fill(&served).await;
    let me = state.me();
    let granted = token(&me, 600, &["private-chat.managed", "presence-chat.managed"]);
    let mut client = Client::open(served.address()).await;
    client.say(&[hello_with(Some(&granted), new_id())]).await;
    client.welcome().await;
    let mut observer = Observer { client, bytes: BTreeMap::new() };

    // Chats: the latest first, then all.
    let own = user_channel(&me).unwrap();
    let subscribed = observer.subscribe(&own).await;
    let latest = subscribed.chats.unwrap();
    let listed = observer.list(|id, after| ListChats { id, after, limit: None }.into()).await;
    let expected: BTreeSet<_> = (0..state.chats).map(|n| chat_id(n, state.texts.long)).collect();
    assert_eq!(listed, expected);
    assert_eq!(subscribed.chats_more.unwrap_or(false), latest.len() < state.chats);
    assert_eq!(latest.is_empty(), state.chats == 0);
    for chat in &latest {
        assert_eq!(
            (chat.role, chat.member_count as usize, chat.unread),
            (Role::Owner, state.participants, 1)
        );
    }
    if let Some(chat) = latest.first() {
        let chat = chat.id.clone();
        let log = messages_channel(&chat).unwrap();
        let members = |id, after| -> ClientFrame { ListChatMembers { id, chat: chat.clone(), after }.into() };
        assert_eq!(observer.list(members).await, state.participants());
        observer.subscribe(&log).await;
        observer.subscribe(&presence_channel(&chat).unwrap()).await;
        assert_eq!(observer.history(&log, true).await, [1]);
    }

    // Members of a presence channel, and everybody who is online. The observer is both.
    let expected: BTreeSet<_> = (0..state.present).map(|n| state.texts.user(n)).chain([me.clone()]).collect();
    for name in ["presence-chat.managed", PRESENCE_USERS] {
        let channel = channel(name);
        let subscribed = observer.subscribe(&channel).await;
        let list = |id, after| -> ClientFrame { ListMembers { id, channel: channel.clone(), after }.into() };
        let first = subscribed.members.unwrap().into_iter().map(|member| member.user);
        let rest = observer.rest(subscribed.members_next, list).await;
        let all: Vec<_> = first.chain(rest).collect();
        assert_eq!(all, expected.iter().cloned().collect::<Vec<_>>(), "in order, with nobody twice");
        assert_eq!(observer.list(list).await, expected);
    }

    // Marks, and the log that they are of.
    let managed = State::managed();
    let subscribed = observer.subscribe(&managed).await;
    let list = |id, after| -> ClientFrame { ListReceipts { id, channel: managed.clone(), after }.into() };
    let first = subscribed.receipts.unwrap().into_iter().map(|mark| mark.user);
    let rest = observer.rest(subscribed.receipts_next, list).await;
    let all: BTreeSet<_> = first.chain(rest).collect();
    assert_eq!(all, (0..state.marks).map(|n| state.texts.user(n)).collect());
    let offsets: Vec<_> = (1..=state.messages.max(1) as u64).collect();
    for backwards in [true, false] {
        assert_eq!(observer.history(&managed, backwards).await, offsets);
    }

    // Status, of as many as may be asked for.
    let (id, users) = (new_id(), (0..100).map(|n| state.texts.user(n)).collect());
    let answer = observer.ask(id, GetStatus { id, users }.into()).await;
    let ServerFrame::Statuses(statuses) = answer else { panic!("no status: {answer:?}") };
    let online = statuses.statuses.iter().filter(|status| status.status == Status::Online).count();
    assert_eq!((statuses.statuses.len(), online), (100, state.present.min(100)));

    // The same by polling: the bodies are measured when they are read.
    let http = Http::to(served.address());
    let bearer = format!("Bearer {granted}");
    let frames =
        [hello_with(None, new_id()), poll(None, 0, 0), subscribe(own.as_str()), subscribe(PRESENCE_USERS)];
    http.post_text(&batch::encode(&frames), &[("authorization", &bearer)]).await;
    let (id, session) = (new_id(), new_id());
    let frames = [hello_with(None, session), ListChats { id, after: None, limit: None }.into()];
    let answers = http.post_text(&batch::encode(&frames), &[("authorization", &bearer)]).await;
    assert!(answers.iter().any(|frame| matches!(frame, ServerFrame::Chats(_))), "{answers:?}");

    // And over the HTTP API.
    let chats = api_list(&http, "active-chats", &granted, "chats", "id").await;
    assert_eq!(chats.len(), state.chats);
    assert_eq!(chats.into_iter().collect::<BTreeSet<_>>(), listed);
    let present =
        api_list(&http, "channels/presence-chat.managed/presence", API_KEY, "members", "user").await;
    assert_eq!(present.into_iter().collect::<BTreeSet<_>>(), expected);
    if state.chats > 0 {
        let chat = format!("chats/{}", chat_id(0, state.texts.long));
        let members = api_list(&http, &format!("{chat}/members"), API_KEY, "members", "user").await;
        assert_eq!(members.len(), state.participants);
        assert_eq!(members.into_iter().collect::<BTreeSet<_>>(), state.participants());
        // Every answer about a chat has the first members, in the order in which they joined.
        let key = format!("Bearer {API_KEY}");
        for (method, body) in [(Method::GET, ""), (Method::PATCH, r#"{"title":"Another"}"#)] {
            let path = format!("/api/v1/{chat}");
            let (status, _, text) = http.request(method, &path, &[("authorization", &key)], body).await;
            assert_eq!(status, StatusCode::OK, "{text}");
            assert!(text.len() <= MAX_SERVER_FRAME_BYTES, "{} bytes in a response", text.len());
            let found: Value = serde_json::from_str(&text).unwrap();
            let first = found["members"].as_array().unwrap();
            assert_eq!(found["member_count"], state.participants);
            assert!(!first.is_empty() && first.len() <= state.participants);
            assert_eq!(first[0]["user"], state.texts.user(1));
        }
    }
    served.server.stop().await;
    observer.bytes
}

fn checked(state: &State) -> BTreeMap<&'static str, usize> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(check(state))
}

#[test]
fn no_state_of_the_server_makes_a_frame_above_the_bound() {
    let config = Config { cases: 6, failure_persistence: None, ..Config::default() };
    let run = TestRunner::new(config).run(&states(), |state| {
        checked(&state);
        Ok(())
    });
    run.unwrap();
}

#[test]
fn neither_does_the_largest_of_everything() {
    for filler in ['"', 'é'] {
        let bytes = checked(&State {
            texts: Texts { filler, long: true },
            chats: 20,
            participants: 1_000,
            present: 1_000,
            marks: 2_000,
            messages: 5,
            data: MAX_PAYLOAD_BYTES,
        });
        // Each list in one frame would be above the bound, so that one which is not cut fails here.
        for list in ["chats", "chat_members", "members", "receipts", "history_page"] {
            assert!(bytes[list] > MAX_SERVER_FRAME_BYTES, "{list}: {bytes:?}");
        }
    }
}

#[test]
fn a_list_that_is_not_cut_is_found() {
    let texts = Texts { filler: '"', long: true };
    let members = |n| -> ServerFrame {
        let member = |n| Member { user: texts.user(n), name: None, status: None };
        let members = (0..n).map(member).collect();
        Members { id: new_id(), channel: State::managed(), members, next: None }.into()
    };
    let (few, all) = (members(100), members(1_000));
    assert!(measured(&few) > 20_000);
    assert!(catch_unwind(|| measured(&all)).is_err());
}
