//! What a new token of the same user ends: subscriptions that are beginning, answers that are under way, and channels of
//! chats whose membership has to be looked up.

use everwire_protocol::{Code, HistoryPage, Token, Unsubscribed};

use super::*;

const HOUR: u64 = 3_600_000;

impl World {
    /// A server that accepts tokens only, and a user with these grants.
    fn granted(grants: &str) -> (Self, usize) {
        let mut world = Self { access: Arc::new(TestRules(Rules::default())), ..Self::new() };
        let client = world.open();
        world.say(client, &[world.hello_with(client, &with_grants(grants))]);
        world.run();
        world.take(client);
        (world, client)
    }
}

fn with_grants(grants: &str) -> String {
    format!("ann:{}:{grants}", START + HOUR)
}

fn token(grants: &str) -> ClientFrame {
    Token { token: with_grants(grants) }.into()
}

fn ended(frames: &[ServerFrame]) -> Vec<(&str, Option<ErrorCode>)> {
    frames
        .iter()
        .filter_map(|frame| match frame {
            ServerFrame::Unsubscribed(Unsubscribed { channel, code, .. }) => {
                Some((channel.as_str(), code.as_ref().and_then(Code::listed)))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn a_subscription_that_is_beginning_ends_with_the_grant_and_delivers_nothing() {
    let (mut world, client) = World::granted("private-a,private-b");
    world.store("private-a", 2);
    world.say(client, &[resume("private-a", "another", 0), subscribe("private-b")]);
    world.say(client, &[token("private-b")]);
    world.run();
    world.store("private-a", 1);
    world.store("private-b", 1);
    world.run();
    let frames = world.take(client);
    assert_eq!(ended(&frames), [("private-a", Some(ErrorCode::Forbidden))]);
    assert_eq!(subscribed(&frames).iter().map(|s| s.channel.as_str()).collect::<Vec<_>>(), ["private-b"]);
    assert_eq!(offsets(&frames), [1]);
    assert!(messages(&frames).all(|message| message.channel == channel("private-b")));
}

#[test]
fn an_answer_under_way_is_not_sent_once_the_grant_is_gone() {
    for (name, grants, gets) in [
        ("private-a", "private-b", false),
        ("private-a", "private-*", true),
        // Granted before; whether ann is a member was not looked up for this answer.
        ("private-chat.7", "private-a", false),
        ("private-chat.7", "private-chat.7", true),
    ] {
        let (mut world, client) = World::granted("private-a,private-chat.7");
        world.say(client, &[history(1, name), token(grants)]);
        let id = Uuid::from_u128(1);
        let page =
            HistoryPage { id, channel: channel(name), epoch: "e".into(), messages: vec![], more: false };
        world.input(client, Input::Answer { id, answer: Ok(Box::new(page.into())) });
        let frames = world.take(client);
        assert_eq!(kinds(&frames).contains(&"history_page"), gets, "{name} with {grants}");
        let refused = errors(&frames).iter().any(|e| e.code == ErrorCode::Forbidden && e.id == Some(id));
        assert_eq!(refused, !gets, "{name} with {grants}");
    }
}

#[test]
fn membership_is_looked_up_for_chats_that_the_token_no_longer_grants() {
    let (mut world, client) = World::granted("private-chat.*");
    for name in ["private-chat.7", "private-chat.8", "news"] {
        world.say(client, &[subscribe(name)]);
    }
    world.run();
    world.take(client);
    world.say(client, &[token("private-chat.*")]);
    assert!(world.asked.is_empty(), "nothing has changed");
    world.say(client, &[token("private-chat.8")]);
    let Some((_, Output::CheckMembership { channels, who })) = world.asked.pop_front() else {
        panic!("membership is not checked")
    };
    assert_eq!((channels, &*who.user), (vec![(channel("private-chat.7"), 1)], "ann"));
    world.input(client, Input::Revoked { channel: channel("private-chat.7"), key: 1 });
    // A lookup that was overtaken by another token ends nothing.
    world.input(client, Input::Revoked { channel: channel("private-chat.8"), key: 2 });
    assert_eq!(ended(&world.take(client)), [("private-chat.7", Some(ErrorCode::Forbidden))]);
}

#[test]
fn what_ended_an_earlier_subscription_does_not_end_a_later_one() {
    let (mut world, client) = World::granted("private-user.ann");
    let subscribe = subscribe("private-chat.7");
    world.say(client, std::slice::from_ref(&subscribe));
    world.run();
    // The user leaves the chat and joins it again. The connection hears of it late, after another `subscribe`.
    world.say(client, &[unsubscribe("private-chat.7"), subscribe]);
    world.run();
    world.take(client);
    for revoked in [true, false] {
        let (channel, key) = (channel("private-chat.7"), 1);
        world.input(
            client,
            if revoked { Input::Revoked { channel, key } } else { Input::ChatDeleted { channel, key } },
        );
    }
    assert_eq!(ended(&world.take(client)), []);
    world.input(client, Input::Revoked { channel: channel("private-chat.7"), key: 2 });
    assert_eq!(ended(&world.take(client)), [("private-chat.7", Some(ErrorCode::Forbidden))]);
}

#[test]
fn whoever_changes_the_name_again_and_again_is_told_of_now_and_then() {
    let (mut world, client) = World::granted("presence-room,name=Ann");
    let other = world.open();
    let token_of_bob = format!("bob:{}:presence-*,name=Bob", START + HOUR);
    world.say(other, &[world.hello_with(other, &token_of_bob)]);
    for index in [client, other] {
        world.say(index, &[subscribe("presence-room")]);
    }
    world.run();
    world.take(other);
    for n in 0..150 {
        world.say(client, &[token(&format!("presence-room,name=Ann{n}"))]);
        world.run();
    }
    let joined = |frame: &ServerFrame| matches!(frame, ServerFrame::MemberJoined(_));
    let told = world.take(other).iter().filter(|frame| joined(frame)).count();
    assert!((10..60).contains(&told), "{told}");
    world.pass(20_000);
    world.say(client, &[token("presence-room,name=Anna")]);
    world.run();
    let members = world.hub.members(&channel("presence-room"), None).unwrap().listed.items;
    assert!(members.iter().any(|member| member.name.as_deref() == Some("Anna")), "{members:?}");
}

#[test]
fn a_name_that_a_new_token_brings_reaches_the_lists_of_the_channels_at_once() {
    let (mut world, client) = World::granted("presence-room,presence-hall,name=Ann");
    let other = world.open();
    let token_of_bob = format!("bob:{}:presence-*,name=Bob", START + HOUR);
    world.say(other, &[world.hello_with(other, &token_of_bob)]);
    for index in [client, other] {
        world.say(index, &[subscribe("presence-room")]);
    }
    world.run();
    let names = |frames: Vec<ServerFrame>| -> Vec<_> {
        let joined = frames.into_iter().filter_map(|frame| match frame {
            ServerFrame::MemberJoined(joined) => Some((joined.member.user, joined.member.name)),
            _ => None,
        });
        joined.collect()
    };
    for index in [client, other] {
        world.take(index);
    }
    // One is subscribed to, the other is still being asked for.
    world.say(client, &[subscribe("presence-hall"), token("presence-room,presence-hall,name=Anna")]);
    world.run();
    let anna = || ("ann".to_owned(), Some("Anna".to_owned()));
    assert_eq!(names(world.take(other)), [anna()]);
    assert!(names(world.take(client)).contains(&anna()), "its own list, too");
    for room in ["presence-room", "presence-hall"] {
        let members = world.hub.members(&channel(room), None).unwrap().listed.items;
        let found = members.into_iter().find(|member| member.user == "ann").unwrap();
        assert_eq!(found.name.as_deref(), Some("Anna"), "{room}");
    }
    // A token without a name says nothing, and neither does the same name.
    for grants in ["presence-room,name=Anna", "presence-room"] {
        world.say(client, &[token(grants)]);
        world.run();
    }
    assert_eq!(names(world.take(other)), []);
    assert_eq!(world.renamed, [Some("Anna".into())]);
}

#[test]
fn a_revocation_finds_a_connection_by_the_token_that_came_last() {
    let (mut world, client) = World::granted("private-a,id=1");
    let token_of = |world: &mut World| std::mem::take(&mut world.tokens);
    assert_eq!(token_of(&mut world), [Some("1".into())]);
    world.say(client, &[token("private-a,id=2"), token("private-b,id=2"), token("private-b,id=3")]);
    assert_eq!(token_of(&mut world), [Some("2".into()), Some("3".into())], "each once");
    // By polling each request brings one.
    let mut world = World::new();
    let (poller, id) = world.polling("ann", &[]);
    assert_eq!(token_of(&mut world), [], "a guest has none");
    let ClientFrame::Hello(hello) = world.hello_with(poller, &with_grants("id=4")) else { unreachable!() };
    let poll = everwire_protocol::Poll { connection: id, ack: 1, hold_ms: 0 };
    let now = world.now;
    world.polling_of(poller).handle(now, PollInput::Request { request: 99, hello, poll, frames: vec![] });
    world.drain(poller);
    assert_eq!(token_of(&mut world), [Some("4".into())]);
    // A request that only sends is over before a revocation could find it.
    let session = world.new_id();
    let post = world.open_by(Transport::Post, session);
    world.say(post, &[world.hello_with(post, &with_grants("id=5"))]);
    world.run();
    assert_eq!(token_of(&mut world), []);
}

#[test]
fn the_subscriptions_of_a_chat_that_was_deleted_end_whatever_a_token_grants() {
    let (mut world, client) = World::granted("private-chat.*");
    world.say(client, &[subscribe("private-chat.7"), subscribe("private-chat.8")]);
    world.run();
    world.take(client);
    for (name, key) in [("private-chat.7", 1), ("private-chat.9", 3)] {
        world.input(client, Input::ChatDeleted { channel: channel(name), key });
    }
    world.store("private-chat.7", 1);
    world.run();
    let frames = world.take(client);
    assert_eq!(ended(&frames), [("private-chat.7", Some(ErrorCode::NotFound))]);
    assert_eq!(frames.len(), 1, "and nothing of it is delivered: {:?}", kinds(&frames));
}
