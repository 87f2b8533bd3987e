//! No sequence of actions lets somebody who is not a member receive or send: random actions of several users at the same
//! time against the real server, judged afterwards by the log alone, which says who was a member when.

use std::collections::HashMap;

use everwire_protocol::{
    ChatAction, ChatChange, ChatKind, ClientFrame, CreateChat, History, Invite, JoinChat, LeaveChat, Message,
    RemoveMember, Role, ServerFrame, SetRole, Uuid,
};

use super::kit::{Client, channel, hello_with, key, new_id, send, serve, subscribe, token, unsubscribe};

const USERS: [&str; 4] = ["ann", "bob", "cyd", "dan"];
const ACTIONS: usize = 120;

/// Random enough, and the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn user(&mut self) -> String {
        USERS[self.below(USERS.len() as u64) as usize].to_owned()
    }

    fn role(&mut self) -> Role {
        [Role::Owner, Role::Member, Role::ReadOnly][self.below(3) as usize]
    }
}

fn action(dice: &mut Dice, chat: &str) -> ClientFrame {
    let (id, log) = (new_id(), format!("private-chat.{chat}"));
    let chat = chat.to_owned();
    match dice.below(20) {
        0..=6 => send(id, &log, "said"),
        7..=9 => subscribe(&log),
        10 => unsubscribe(&log),
        11..=13 => JoinChat { id, chat }.into(),
        14 => LeaveChat { id, chat }.into(),
        15 | 16 => RemoveMember { id, chat, user: dice.user() }.into(),
        17 | 18 => Invite { id, chat, user: dice.user(), role: Some(dice.role()) }.into(),
        _ => SetRole { id, chat, user: dice.user(), role: dice.role() }.into(),
    }
}

/// What one subscription received: the head of the log when it began, and the offsets.
type Received = (u64, Vec<u64>);

async fn act(mut client: Client, mut dice: Dice, chat: String) -> Vec<Received> {
    let log = channel(&format!("private-chat.{chat}"));
    let mut frames = Vec::new();
    for _ in 0..ACTIONS / 4 {
        let actions: Vec<_> = (0..4).map(|_| action(&mut dice, &chat)).collect();
        client.say(&actions).await;
        if dice.below(3) == 0 {
            frames.extend(client.settle().await);
        }
    }
    // Sends are answered behind the pong.
    frames.extend(client.settle().await);
    let id = new_id();
    client.say(&[JoinChat { id, chat }.into()]).await;
    loop {
        let frame = client.next().await;
        if super::kit::answered(&frame) == Some(id) {
            break;
        }
        frames.push(frame);
    }
    frames.extend(client.settle().await);
    let mut received: Vec<Received> = Vec::new();
    let mut subscribed = false;
    for frame in frames {
        match frame {
            ServerFrame::Subscribed(frame) if frame.channel == log => {
                received.push((frame.head, Vec::new()));
                subscribed = true;
            }
            ServerFrame::Unsubscribed(frame) if frame.channel == log => subscribed = false,
            ServerFrame::Message(message) if message.channel == log => {
                assert!(subscribed, "a message without a subscription: {message:?}");
                received.last_mut().unwrap().1.push(message.offset);
            }
            ServerFrame::Activity(activity) => panic!("not subscribed to that: {activity:?}"),
            _ => {}
        }
    }
    received
}

async fn whole_log(client: &mut Client, chat: &str) -> Vec<Message> {
    let (mut log, mut after) = (Vec::new(), Some(0));
    loop {
        let id = new_id();
        let history = History {
            id,
            channel: channel(&format!("private-chat.{chat}")),
            before: None,
            after,
            limit: Some(200),
        };
        let ServerFrame::HistoryPage(page) = client.request(id, history).await else { panic!("no page") };
        log.extend(page.messages);
        after = log.last().map(|message: &Message| message.offset);
        if !page.more {
            return log;
        }
    }
}

/// Reads the log: checks that every entry was sent by a permitted user, and returns when each user ceased to be a
/// member.
fn judge(log: &[Message]) -> HashMap<String, Vec<u64>> {
    let mut roles: HashMap<String, Role> = HashMap::new();
    let mut ends: HashMap<String, Vec<u64>> = HashMap::new();
    for message in log {
        if message.event.is_none() {
            let role = roles.get(&message.user);
            assert!(matches!(role, Some(Role::Owner | Role::Member)), "{role:?} said {message:?}");
            continue;
        }
        let change: ChatChange = message.data.read().unwrap();
        let whom = change.user.unwrap_or_else(|| message.user.clone());
        match change.action {
            ChatAction::Created => drop(roles.insert(message.user.clone(), Role::Owner)),
            ChatAction::Invited => drop(roles.insert(whom, Role::Invited)),
            ChatAction::Joined | ChatAction::RoleSet => drop(roles.insert(whom, change.role.unwrap())),
            ChatAction::Left | ChatAction::Removed => {
                roles.remove(&whom);
                ends.entry(whom).or_default().push(message.offset);
            }
            ChatAction::Renamed => {}
        }
    }
    ends
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_sequence_of_actions_lets_a_non_member_receive_or_send() {
    let mut removals = 0;
    for seed in 0..6 {
        let served = serve(|config| config.key = Some(key())).await;
        let mut ann = Client::connect(served.address(), "ann").await;
        let chat: Uuid = new_id();
        let users = USERS.iter().map(|user| (*user).to_owned()).collect();
        let open = Some(seed % 2 == 0);
        ann.done(chat, CreateChat { id: chat, kind: ChatKind::Group, title: None, open, users }).await;
        let chat = chat.to_string();
        let mut tasks = Vec::new();
        for (n, user) in USERS.iter().enumerate() {
            let client = Client::connect(served.address(), user).await;
            let dice = Dice(seed * 1000 + n as u64 + 1);
            tasks.push((*user, tokio::spawn(act(client, dice, chat.clone()))));
        }
        let mut received = Vec::new();
        for (user, task) in tasks {
            received.push((user, task.await.unwrap()));
        }
        let mut reader = Client::open(served.address()).await;
        reader.say(&[hello_with(Some(&token("reader", 60, &["private-chat.*"])), new_id())]).await;
        let log = whole_log(&mut reader, &chat).await;
        let ends = judge(&log);
        for (user, subscriptions) in received {
            let ends = ends.get(user).map_or(&[][..], |ends| ends);
            removals += ends.len();
            for (head, offsets) in subscriptions {
                // An accepted subscriber was a member, and remained one until the next end.
                let end = ends.iter().copied().find(|end| *end > head).unwrap_or(u64::MAX);
                let beyond = offsets.iter().find(|offset| **offset >= end);
                assert_eq!(
                    beyond, None,
                    "seed {seed}: {user} subscribed at {head}, was out at {end}, got {offsets:?}"
                );
                assert!(
                    offsets.windows(2).all(|pair| pair[1] == pair[0] + 1),
                    "seed {seed}: {user} got {offsets:?}"
                );
            }
        }
        served.server.stop().await;
    }
    assert!(removals > 20, "the test tests something: {removals}");
}
