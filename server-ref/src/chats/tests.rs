//! Tests the rules against a model of each user's permissions, with random sequences of commands.

use std::{collections::BTreeMap, sync::Arc};

use everwire_protocol::{
    ChatAction, ChatKind, ErrorCode, Role, Uuid,
    channels::{chat_of, chat_of_messages, messages_channel, presence_channel},
};
use proptest::prelude::*;

use super::{Actor, Bounds, ChatRegistry, Command, Decision, Newcomer, decide, direct_id};
use crate::model::chat::{ChatRecord, Room};

const USERS: [&str; 5] = ["ann", "bob", "cyd", "dan", "eve"];
const BOUNDS: Bounds = Bounds { participants: 4 };

fn user(name: &str) -> Actor {
    Actor::User { user: name.into(), name: None }
}

fn newcomer(name: &str, role: Option<Role>) -> Newcomer {
    Newcomer { user: name.into(), name: None, role }
}

fn group(users: &[&str]) -> Command {
    let users = users.iter().map(|name| newcomer(name, None)).collect();
    Command::Create {
        id: Uuid::from_u128(7),
        kind: ChatKind::Group,
        title: Some("All".into()),
        open: false,
        users,
    }
}

fn direct(with: &str) -> Command {
    let users = vec![newcomer(with, None)];
    Command::Create { id: Uuid::from_u128(8), kind: ChatKind::Direct, title: None, open: false, users }
}

fn try_to(room: Option<&Room>, actor: &Actor, act: &Command) -> Result<Decision, ErrorCode> {
    decide(room, actor, act, BOUNDS, 1).map_err(|refusal| {
        assert!(refusal.message.len() > 10, "a sentence: {}", refusal.message);
        refusal.code
    })
}

/// Performs a permitted change. Returns the action of each entry.
fn done(room: &mut Option<Room>, actor: &Actor, act: &Command) -> Vec<ChatAction> {
    match try_to(room.as_ref(), actor, act) {
        Ok(Decision::Changed(change)) => {
            *room = Some(change.room);
            change.entries.iter().map(|entry| entry.action).collect()
        }
        other => panic!("{act:?} of {actor:?}: {other:?}"),
    }
}

fn role(room: Option<&Room>, name: &str) -> Option<Role> {
    room.and_then(|room| room.role(name))
}

#[test]
fn the_invited_join_and_when_the_last_owner_leaves_the_longest_member_follows() {
    let mut room = None;
    let actions = done(&mut room, &user("ann"), &group(&["bob", "cyd", "bob", "ann"]));
    assert_eq!(actions, [ChatAction::Created, ChatAction::Invited, ChatAction::Invited]);
    assert_eq!(role(room.as_ref(), "bob"), Some(Role::Invited));
    done(&mut room, &user("cyd"), &Command::Join);
    done(&mut room, &user("bob"), &Command::Join);
    assert_eq!(try_to(room.as_ref(), &user("bob"), &Command::Join), Ok(Decision::NoChange));
    let actions = done(&mut room, &user("ann"), &Command::Leave);
    assert_eq!(actions, [ChatAction::Left, ChatAction::RoleSet]);
    assert_eq!(role(room.as_ref(), "cyd"), Some(Role::Owner));
    assert_eq!(role(room.as_ref(), "bob"), Some(Role::Member));
    assert_eq!(try_to(room.as_ref(), &user("ann"), &Command::Leave), Ok(Decision::NoChange));
    assert_eq!(try_to(room.as_ref(), &user("ann"), &Command::Join), Err(ErrorCode::NotFound));
}

#[test]
fn a_direct_chat_is_the_same_for_both_and_is_not_changed_by_anybody() {
    assert_eq!(direct_id("a", "b"), direct_id("b", "a"));
    assert_ne!(direct_id("a", "bc"), direct_id("ab", "c"));
    assert_eq!(direct("bob").chat_made(&user("ann")), direct("ann").chat_made(&user("bob")));
    let mut room = None;
    done(&mut room, &user("ann"), &direct("bob"));
    assert_eq!(try_to(room.as_ref(), &user("bob"), &direct("ann")), Ok(Decision::NoChange));
    for act in [
        Command::Invite { user: "cyd".into(), name: None, role: Role::Member },
        Command::Remove { user: "bob".into() },
        Command::Rename { title: "Us".into() },
        Command::SetRole { user: "bob".into(), role: Role::ReadOnly },
    ] {
        assert_eq!(try_to(room.as_ref(), &user("ann"), &act), Err(ErrorCode::Forbidden));
    }
    done(&mut room, &user("bob"), &Command::Leave);
    assert_eq!(try_to(room.as_ref(), &user("bob"), &Command::Join), Err(ErrorCode::NotFound));
    assert_eq!(try_to(room.as_ref(), &user("ann"), &direct("bob")), Ok(Decision::NoChange));
    assert_eq!(role(room.as_ref(), "bob"), None, "who has left is not brought back by the other one");
    done(&mut room, &user("bob"), &direct("ann"));
    assert_eq!(role(room.as_ref(), "bob"), Some(Role::Member));
    done(&mut room, &user("bob"), &Command::Leave);
    done(&mut room, &user("ann"), &Command::Leave);
    done(&mut room, &user("ann"), &direct("bob"));
    assert_eq!((role(room.as_ref(), "ann"), role(room.as_ref(), "bob")), (Some(Role::Member), None));
    let Command::Create { id, kind, title, open, .. } = direct("bob") else { unreachable!() };
    let users = vec![newcomer("ann", None), newcomer("bob", None)];
    done(&mut room, &Actor::BackEnd, &Command::Create { id, kind, title, open, users });
    assert_eq!(role(room.as_ref(), "bob"), Some(Role::Member), "the application may");
}

#[test]
fn an_id_that_is_known_beforehand_cannot_be_taken() {
    let Command::Create { kind, title, open, users, .. } = group(&[]) else { unreachable!() };
    for id in [direct_id("bob", "cyd"), Uuid::nil()] {
        let act = Command::Create { id, kind, title: title.clone(), open, users: users.clone() };
        assert_eq!(try_to(None, &user("ann"), &act), Err(ErrorCode::InvalidFrame));
    }
    let mut room = None;
    done(&mut room, &user("ann"), &group(&["bob"]));
    assert_eq!(try_to(room.as_ref(), &user("ann"), &group(&[])), Ok(Decision::NoChange));
    assert_eq!(try_to(room.as_ref(), &user("bob"), &group(&[])), Err(ErrorCode::IdReused));
}

#[test]
fn what_is_wrong_is_said() {
    let mut room = None;
    done(&mut room, &user("ann"), &group(&["bob"]));
    for (act, code) in [
        (Command::Rename { title: " ".into() }, ErrorCode::InvalidFrame),
        (Command::Rename { title: "x".repeat(129) }, ErrorCode::InvalidFrame),
        (Command::SetRole { user: "bob".into(), role: Role::Member }, ErrorCode::NotFound),
        (Command::SetRole { user: "ann".into(), role: Role::Member }, ErrorCode::Forbidden),
        (Command::SetRole { user: "ann".into(), role: Role::Invited }, ErrorCode::InvalidFrame),
        (Command::Invite { user: "".into(), name: None, role: Role::Member }, ErrorCode::InvalidFrame),
        (Command::Invite { user: "cyd".into(), name: None, role: Role::Invited }, ErrorCode::InvalidFrame),
        (Command::Add(newcomer("cyd", None)), ErrorCode::Forbidden),
        (
            Command::Create {
                id: Uuid::from_u128(9),
                kind: ChatKind::Direct,
                title: None,
                open: false,
                users: vec![],
            },
            ErrorCode::InvalidFrame,
        ),
    ] {
        assert_eq!(try_to(room.as_ref(), &user("ann"), &act), Err(code), "{act:?}");
    }
    done(&mut room, &Actor::BackEnd, &Command::Add(newcomer("cyd", None)));
    done(&mut room, &Actor::BackEnd, &Command::Add(newcomer("dan", None)));
    assert_eq!(
        try_to(room.as_ref(), &Actor::BackEnd, &Command::Add(newcomer("eve", None))),
        Err(ErrorCode::Forbidden)
    );
}

#[test]
fn the_registry_knows_who_is_in_what() {
    let registry = ChatRegistry::default();
    let (mut one, mut two) = (None, None);
    done(&mut one, &user("ann"), &group(&["bob", "cyd"]));
    done(&mut two, &user("ann"), &direct("dan"));
    for room in [&one, &two] {
        registry.put(ChatRecord { room: Arc::new(room.clone().unwrap()), at: 5 });
    }
    let roles = |name: &str| registry.roles_of(name).into_iter().map(|(_, role)| role).collect::<Vec<_>>();
    assert_eq!(roles("dan"), [Role::Member]);
    assert_eq!((roles("ann").len(), roles("bob")), (2, vec![Role::Invited]));
    assert_eq!(registry.of_user("bob").len(), 1);
    done(&mut one, &user("bob"), &Command::Join);
    registry.put(ChatRecord { room: Arc::new(one.clone().unwrap()), at: 6 });
    assert_eq!((roles("bob"), roles("cyd")), (vec![Role::Member], vec![Role::Invited]));
    done(&mut one, &user("ann"), &Command::Remove { user: "bob".into() });
    registry.put(ChatRecord { room: Arc::new(one.clone().unwrap()), at: 7 });
    assert!(registry.of_user("bob").is_empty() && roles("bob").is_empty());
    let id = one.unwrap().id;
    registry.touch(&id, 3);
    assert_eq!(registry.get(&id).unwrap().at, 7);
    assert_eq!(chat_of(&presence_channel(&id).unwrap()), Some(&*id));
    assert_eq!(
        (
            chat_of_messages(&messages_channel(&id).unwrap()),
            chat_of_messages(&presence_channel(&id).unwrap())
        ),
        (Some(&*id), None)
    );
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&USERS[..])
}

fn any_role() -> impl Strategy<Value = Role> {
    prop::sample::select(vec![Role::Owner, Role::Member, Role::ReadOnly, Role::Invited])
}

fn any_act() -> impl Strategy<Value = Command> {
    prop_oneof![
        1 => prop::collection::vec(name(), 0..3).prop_map(|users| group(&users)),
        1 => name().prop_map(direct),
        4 => (name(), any_role()).prop_map(|(user, role)| Command::Invite { user: user.into(), name: None, role }),
        1 => (name(), prop::option::of(any_role())).prop_map(|(user, role)| Command::Add(newcomer(user, role))),
        4 => Just(Command::Join),
        3 => Just(Command::Leave),
        3 => name().prop_map(|user| Command::Remove { user: user.into() }),
        1 => Just(Command::Rename { title: "Other".into() }),
        3 => (name(), any_role()).prop_map(|(user, role)| Command::SetRole { user: user.into(), role }),
    ]
}

/// The state of one user according to the entries of the log alone: a model that shares no code with the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Membership {
    Invited,
    In(Role),
}

fn check_sound(room: &Room) -> Result<(), TestCaseError> {
    let mut seen: Vec<_> = room.participants.iter().map(|participant| &participant.user).collect();
    seen.sort();
    seen.dedup();
    prop_assert_eq!(seen.len(), room.participants.len(), "nobody is in it twice");
    prop_assert!(room.participants.len() <= BOUNDS.participants);
    for participant in &room.participants {
        prop_assert!(participant.becomes != Role::Invited);
        prop_assert!(!participant.is_member() || participant.becomes == participant.role);
    }
    let owners = room.members().filter(|member| member.role == Role::Owner).count();
    match room.kind {
        ChatKind::Group => {
            prop_assert!(owners > 0 || room.members().next().is_none(), "nobody owns it: {room:?}");
        }
        ChatKind::Direct => prop_assert!(owners == 0 && room.participants.len() <= 2),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nobody_gets_in_uninvited_and_every_change_is_in_the_log(
        open in any::<bool>(),
        acts in prop::collection::vec((name(), any_act()), 1..40),
    ) {
        let mut rooms: BTreeMap<Uuid, Room> = BTreeMap::new();
        let mut model: BTreeMap<(Uuid, &str), Membership> = BTreeMap::new();
        for (who, mut act) in acts {
            if let Command::Create { kind: ChatKind::Group, open: is_open, .. } = &mut act {
                *is_open = open;
            }
            let actor = user(who);
            // All other acts are about the group.
            let id = match &act {
                Command::Create { .. } => match act.chat_made(&actor) { Some(id) => id, None => continue },
                _ => Uuid::from_u128(7),
            };
            let before = model.get(&(id, who)).copied();
            let decided = decide(rooms.get(&id), &actor, &act, BOUNDS, 1);
            let Ok(Decision::Changed(change)) = decided else { continue };
            let owner = before == Some(Membership::In(Role::Owner));
            match &act {
                Command::Create { kind, .. } => prop_assert!(*kind == ChatKind::Direct || !rooms.contains_key(&id)),
                Command::Join => prop_assert!(before == Some(Membership::Invited) || (before.is_none() && open)),
                Command::Leave => prop_assert!(before.is_some()),
                Command::Invite { role, .. } => prop_assert!(
                    owner || (before == Some(Membership::In(Role::Member)) && *role != Role::Owner)
                ),
                Command::Remove { user } => prop_assert!(owner || &**user == who),
                Command::Rename { .. } | Command::SetRole { .. } => prop_assert!(owner),
                Command::Add(_) => prop_assert!(false, "users put nobody in"),
            }
            check_sound(&change.room)?;
            // The log alone determines the members: no change is silent.
            if change.entries[0].action == ChatAction::Created && matches!(act, Command::Create { kind: ChatKind::Group, .. }) {
                model.insert((id, who), Membership::In(Role::Owner));
            }
            for entry in &change.entries {
                let whom = entry.user.as_deref().and_then(|user| USERS.iter().copied().find(|name| *name == user));
                match (entry.action, whom) {
                    (ChatAction::Created | ChatAction::Renamed, None) => {}
                    (ChatAction::Invited, Some(whom)) => { model.insert((id, whom), Membership::Invited); }
                    (ChatAction::Joined | ChatAction::RoleSet, Some(whom)) => {
                        model.insert((id, whom), Membership::In(entry.role.unwrap()));
                    }
                    (ChatAction::Left | ChatAction::Removed, Some(whom)) => { model.remove(&(id, whom)); }
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            for name in USERS {
                let stands = change.room.role(name).map(|role| match role {
                    Role::Invited => Membership::Invited,
                    role => Membership::In(role),
                });
                prop_assert_eq!(stands, model.get(&(id, name)).copied(), "{} after {:?}", name, act);
            }
            let gone: Vec<_> = change.gone.iter().map(|user| &**user).collect();
            for name in USERS {
                let was = rooms.get(&id).is_some_and(|room| room.role(name).is_some());
                prop_assert_eq!(was && change.room.role(name).is_none(), gone.contains(&name));
            }
            rooms.insert(id, change.room);
        }
    }
}
