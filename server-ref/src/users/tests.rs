//! The receivers of a user's status: users who share a chat and have their own channel open.

use super::*;
use crate::{
    connection::mailbox::{MailboxMessage, MailboxReceiver, mailbox},
    model::chat::{ChatRecord, Participant, Room},
};

fn chat(id: &str, participants: &[(&str, Role)]) -> ChatRecord {
    let participants = participants.iter().map(|(user, role)| Participant {
        user: (*user).into(),
        name: None,
        role: *role,
        becomes: Role::Member,
        since: 0,
        invited_by: None,
    });
    let room = Room {
        id: id.into(),
        kind: everwire_protocol::ChatKind::Group,
        title: None,
        open: false,
        created_at: 0,
        participants: participants.collect(),
    };
    ChatRecord { room: Arc::new(room), at: 0 }
}

#[test]
fn companions_are_members_of_a_chat_in_common_and_an_invitation_is_not_enough() {
    let chats = Arc::new(ChatRegistry::of([
        chat("1", &[("ann", Role::Owner), ("bob", Role::Member), ("cyd", Role::Invited)]),
        chat("2", &[("bob", Role::Owner), ("ann", Role::Invited), ("dan", Role::Member)]),
    ]));
    let (hub, audience) = (Arc::new(Hub::new(10)), Arc::<Audience>::default());
    let listen = |n: u128, user: &str| -> MailboxReceiver {
        let (sender, receiver) = mailbox(9);
        let member = Member { user: user.into(), name: None, status: None };
        hub.subscribe(&user_channel(user).unwrap(), (Uuid::from_u128(n), 1), &sender, member);
        let roles = chats.roles_of(user).into_iter().map(|(chat, role)| (chat, role != Role::Invited));
        audience.open(&user.into(), roles);
        receiver
    };
    let mut all = [listen(1, "ann"), listen(2, "bob"), listen(3, "cyd"), listen(4, "dan")];
    let (remember, _to_remember) = mpsc::unbounded_channel();
    let users = Users::new(10, chats.clone(), audience.clone(), hub.clone(), remember);
    let before = hub.lookups.load(std::sync::atomic::Ordering::Relaxed);
    users.enter((1, 1_000_001), (Uuid::from_u128(5), Uuid::from_u128(6)), "ann", None, None);
    let told = all.each_mut().map(|mailbox| matches!(mailbox.try_take(), Some(MailboxMessage::Broadcast(_))));
    assert_eq!(told, [true, true, false, false], "ann herself, and bob");
    let cost = hub.lookups.load(std::sync::atomic::Ordering::Relaxed) - before;
    assert_eq!(cost, 3, "the channel of all users, and one for each receiver");
}

/// A member of as many chats as one may have, each of as many members as it may have.
#[test]
fn a_user_with_a_million_companions_costs_by_who_is_online() {
    let names: Vec<Arc<str>> = (0..1000).map(|n| format!("u{n:03}").into()).collect();
    let participants: Vec<_> = names
        .iter()
        .map(|user| Participant {
            user: user.clone(),
            name: None,
            role: Role::Member,
            becomes: Role::Member,
            since: 0,
            invited_by: None,
        })
        .collect();
    let chats = (0..1000).map(|n| {
        let room = (*chat("", &[]).room).clone();
        let room = Room { id: format!("{n}").into(), participants: participants.clone(), ..room };
        ChatRecord { room: Arc::new(room), at: 0 }
    });
    let chats = Arc::new(ChatRegistry::of(chats));
    let (hub, audience) = (Arc::new(Hub::new(10)), Arc::<Audience>::default());
    let (remember, _to_remember) = mpsc::unbounded_channel();
    let users = Users::new(10, chats.clone(), audience.clone(), hub.clone(), remember);
    let users = users.listing(PresenceUsers::Companions);
    let own = |user: &str| {
        let (sender, receiver) = mailbox(9);
        let member = Member { user: user.into(), name: None, status: None };
        hub.subscribe(
            &user_channel(user).unwrap(),
            (Uuid::new_v5(&Uuid::nil(), user.as_bytes()), 1),
            &sender,
            member,
        );
        let roles = chats.roles_of(user).into_iter().map(|(chat, role)| (chat, role != Role::Invited));
        audience.open(&user.into(), roles);
        receiver
    };
    let (mut companion, mut stranger) = (own("u500"), own("stranger"));
    for (n, user) in ["stranger", "u007", "u500"].into_iter().enumerate() {
        let session = (Uuid::from_u128(n as u128), Uuid::from_u128(9 + n as u128));
        users.enter((1, 1_000_001), session, user, None, None);
    }
    let before = chats.looked_at();
    let listed = users.members_for("u007", None).listed;
    let listed: Vec<_> = listed.items.iter().map(|member| &*member.user).collect();
    assert_eq!(listed, ["u007", "u500"]);
    users.choose_status((5_000, 1_005_000), "u007", StatusChoice::Away);
    let told = |mailbox: &mut MailboxReceiver| std::iter::from_fn(|| mailbox.try_take()).count();
    assert_eq!(
        (told(&mut companion), told(&mut stranger)),
        (3, 1),
        "u500 hears of u007 twice, and each of itself"
    );
    let looked_at = chats.looked_at() - before;
    assert!(looked_at < 100, "{looked_at} of a million participants were looked at");
}

#[test]
fn presence_users_lists_nobody_or_companions_or_everyone() {
    let chats = Arc::new(ChatRegistry::of([chat(
        "1",
        &[("ann", Role::Owner), ("bob", Role::Member), ("cyd", Role::Invited)],
    )]));
    let all: Channel = PRESENCE_USERS.parse().unwrap();
    for (listed, told, seen) in [
        (PresenceUsers::Off, [false; 4], 0),
        (PresenceUsers::Companions, [true, true, false, false], 1),
        (PresenceUsers::Everyone, [true; 4], 2),
    ] {
        let hub = Arc::new(Hub::new(10).with_pending(Arc::default(), Some(all.clone())));
        let mut mailboxes = ["ann", "bob", "cyd", "dan"].map(|user| {
            let (sender, receiver) = mailbox(9);
            let member = Member { user: user.into(), name: None, status: None };
            hub.subscribe(&all, (Uuid::new_v5(&Uuid::nil(), user.as_bytes()), 1), &sender, member);
            receiver
        });
        let (remember, _to_remember) = mpsc::unbounded_channel();
        let users = Users::new(10, chats.clone(), Arc::default(), hub, remember).listing(listed);
        users.enter((1, 1_000_001), (Uuid::from_u128(5), Uuid::from_u128(6)), "ann", None, None);
        let heard = mailboxes.each_mut().map(|mailbox| mailbox.try_take().is_some());
        assert_eq!(heard, told, "{listed:?}");
        users.enter((1, 1_000_001), (Uuid::from_u128(7), Uuid::from_u128(8)), "dan", None, None);
        assert_eq!(users.members_for("bob", None).listed.items.len(), seen, "{listed:?}");
    }
}
