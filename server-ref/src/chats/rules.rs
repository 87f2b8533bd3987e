//! The rules of chats: who may change what, and the effect of a change. A pure function without a clock or a store: the chat
//! goes in, the changed chat comes out.
//!
//! A repeated command changes nothing and is not an error: a client that received no answer repeats its request.

mod create;

use std::sync::Arc;

use everwire_protocol::{ChatAction, ChatChange, ChatKind, ErrorCode, Role, names};

use super::command::{Actor, Command, Newcomer};
use crate::model::{
    chat::{Participant, Room},
    identity::Refusal,
};

/// The limits of chats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Maximum participants of one chat, including invited ones.
    pub participants: usize,
}

impl Default for Bounds {
    /// Every message goes to every member: a larger chat is a broadcast, for which there are channels.
    fn default() -> Self {
        Self { participants: 1000 }
    }
}

/// The effect of a permitted command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The changed chat.
    pub room: Room,
    /// The entries for the chat's log.
    pub entries: Vec<ChatChange>,
    /// The users who are no longer in the chat, or have declined.
    pub gone: Vec<Arc<str>>,
}

/// The outcome of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is already the case.
    NoChange,
    /// A change to be stored.
    Changed(Change),
}

/// Decides about a command. `room` is the chat that it is about, if there is one; `now_ms` is in ms since 1970.
///
/// # Errors
/// A code and a sentence. What a user may not know of is [`ErrorCode::NotFound`].
pub fn decide(
    room: Option<&Room>,
    actor: &Actor,
    command: &Command,
    bounds: Bounds,
    now_ms: u64,
) -> Result<Decision, Refusal> {
    let by = By { actor, bounds, now_ms };
    match (room, command) {
        (room, Command::Create { id, kind: ChatKind::Group, title, open, users }) => {
            by.create_group(room, *id, title.as_deref(), *open, users)
        }
        (room, Command::Create { kind: ChatKind::Direct, title, open, users, .. }) => {
            if title.is_some() || *open {
                return Err(invalid("A direct chat cannot have a title or be open."));
            }
            by.create_direct(room, users)
        }
        // Users who are not in a chat must not learn whether it exists.
        (None, Command::Leave) => Ok(Decision::NoChange),
        (None, _) => Err(not_found()),
        (Some(room), command) => by.change(room, command),
    }
}

struct By<'a> {
    actor: &'a Actor,
    bounds: Bounds,
    now_ms: u64,
}

impl By<'_> {
    fn change(&self, room: &Room, command: &Command) -> Result<Decision, Refusal> {
        let own = self.actor.user().map(|user| room.role(user));
        // Users who are not in it learn nothing, except that an open chat can be joined.
        match (own, command) {
            (Some(None), Command::Leave) => return Ok(Decision::NoChange),
            (Some(None), Command::Join) if room.open => {}
            (Some(None), _) => return Err(not_found()),
            _ => {}
        }
        let owner = own.is_none_or(|role| role == Some(Role::Owner));
        let mut room = room.clone();
        match command {
            Command::Join => self.join(room),
            Command::Leave => match self.actor.user() {
                Some(user) => Ok(leave(room, user)),
                None => Err(invalid("A back end cannot leave a chat; remove the member instead.")),
            },
            Command::Remove { user } if self.actor.user() == Some(user) => Ok(leave(room, user)),
            _ if self.actor.user().is_some() && room.kind == ChatKind::Direct => {
                Err(forbidden("A direct chat cannot be changed."))
            }
            Command::Invite { user, name, role } => {
                let may = owner || own == Some(Some(Role::Member));
                if !may || (*role == Role::Owner && !owner) {
                    return Err(forbidden(
                        "Only owners and members of a chat may invite, and only owners may invite owners.",
                    ));
                }
                if room.participant(user).is_some() {
                    return Ok(Decision::NoChange);
                }
                let newcomer = Newcomer { user: user.clone(), name: name.clone(), role: None };
                let entry = self.invite(&mut room, &newcomer, *role)?;
                Ok(changed(room, vec![entry], Vec::new()))
            }
            Command::Add(newcomer) => self.put_in(room, newcomer),
            _ if !owner => Err(forbidden("Only owners of this chat may do this.")),
            Command::Remove { user } => {
                let Some(at) = place(&room, user) else { return Ok(Decision::NoChange) };
                let gone = room.participants.remove(at);
                let entry = concerning(ChatAction::Removed, &gone);
                let mut entries = vec![entry];
                entries.extend(succession(&mut room, &gone));
                Ok(changed(room, entries, vec![gone.user]))
            }
            Command::Rename { title } => {
                if room.kind == ChatKind::Direct {
                    return Err(invalid("A direct chat cannot have a title."));
                }
                check_title(title)?;
                if room.title.as_ref() == Some(title) {
                    return Ok(Decision::NoChange);
                }
                room.title = Some(title.clone());
                let entry = ChatChange { title: Some(title.clone()), ..happened(ChatAction::Renamed) };
                Ok(changed(room, vec![entry], Vec::new()))
            }
            Command::SetRole { user, role } => set_role(room, user, *role),
            Command::Create { .. } => Err(not_found()),
        }
    }

    fn join(&self, mut room: Room) -> Result<Decision, Refusal> {
        let Actor::User { user, name } = self.actor else {
            return Err(invalid("A back end cannot join a chat; add the member instead."));
        };
        if let Some(at) = place(&room, user) {
            if room.participants[at].is_member() {
                return Ok(Decision::NoChange);
            }
            let invited = room.participants.remove(at);
            let role = first_is_owner(&room, invited.becomes);
            let entry = self.enter(&mut room, user, name.as_ref().or(invited.name.as_ref()), role);
            return Ok(changed(room, vec![entry], Vec::new()));
        }
        self.check_room_for_one(&room)?;
        let role = first_is_owner(&room, Role::Member);
        let entry = self.enter(&mut room, user, name.as_ref(), role);
        Ok(changed(room, vec![entry], Vec::new()))
    }

    fn put_in(&self, mut room: Room, newcomer: &Newcomer) -> Result<Decision, Refusal> {
        if self.actor.user().is_some() {
            return Err(forbidden("Users cannot be added; invite them instead."));
        }
        let role = newcomer.role.unwrap_or(Role::Member);
        if role == Role::Invited {
            return Err(invalid("A member's role must be owner, member or read_only."));
        }
        if room.kind == ChatKind::Direct {
            return Err(invalid("A direct chat has exactly two users."));
        }
        if let Some(at) = place(&room, &newcomer.user) {
            if room.participants[at].is_member() {
                return match newcomer.role {
                    Some(role) => set_role(room, &newcomer.user, role),
                    None => Ok(Decision::NoChange),
                };
            }
            room.participants.remove(at);
        }
        let entry = self.add(&mut room, newcomer, role)?;
        Ok(changed(room, vec![entry], Vec::new()))
    }

    fn add(&self, room: &mut Room, newcomer: &Newcomer, role: Role) -> Result<ChatChange, Refusal> {
        check_newcomer(newcomer)?;
        self.check_room_for_one(room)?;
        Ok(self.enter(room, &newcomer.user, newcomer.name.as_ref(), role))
    }

    fn enter(&self, room: &mut Room, user: &Arc<str>, name: Option<&Arc<str>>, role: Role) -> ChatChange {
        let participant = self.participant(user, name, role);
        let entry = ChatChange { role: Some(role), ..concerning(ChatAction::Joined, &participant) };
        room.participants.push(participant);
        entry
    }

    fn invite(&self, room: &mut Room, newcomer: &Newcomer, becomes: Role) -> Result<ChatChange, Refusal> {
        if becomes == Role::Invited {
            return Err(invalid("The role of an invitation must be owner, member or read_only."));
        }
        check_newcomer(newcomer)?;
        self.check_room_for_one(room)?;
        let participant = Participant {
            becomes,
            invited_by: self.actor.user().map(Into::into),
            ..self.participant(&newcomer.user, newcomer.name.as_ref(), Role::Invited)
        };
        let entry = ChatChange { role: Some(becomes), ..concerning(ChatAction::Invited, &participant) };
        room.participants.push(participant);
        Ok(entry)
    }

    fn participant(&self, user: &Arc<str>, name: Option<&Arc<str>>, role: Role) -> Participant {
        let (user, name) = (user.clone(), name.cloned());
        Participant { user, name, role, becomes: role, since: self.now_ms, invited_by: None }
    }

    fn check_room_for_one(&self, room: &Room) -> Result<(), Refusal> {
        let most = self.bounds.participants;
        if room.participants.len() < most {
            return Ok(());
        }
        Err(forbidden(&format!("This chat is full: it has {most} participants, the maximum.")))
    }
}

fn set_role(mut room: Room, user: &str, role: Role) -> Result<Decision, Refusal> {
    if role == Role::Invited {
        return Err(invalid("A member's role must be owner, member or read_only."));
    }
    if room.kind == ChatKind::Direct && role == Role::Owner {
        return Err(invalid("A direct chat has no owners."));
    }
    let last_owner = owners(&room) == 1;
    let member = room.participants.iter_mut().find(|participant| &*participant.user == user);
    let Some(member) = member.filter(|participant| participant.is_member()) else { return Err(not_found()) };
    if member.role == role {
        return Ok(Decision::NoChange);
    }
    if member.role == Role::Owner && last_owner {
        return Err(forbidden("A chat must have at least one owner. Make another member an owner first."));
    }
    (member.role, member.becomes) = (role, role);
    let entry = ChatChange { role: Some(role), ..concerning(ChatAction::RoleSet, member) };
    Ok(changed(room, vec![entry], Vec::new()))
}

fn leave(mut room: Room, user: &str) -> Decision {
    let Some(at) = place(&room, user) else { return Decision::NoChange };
    let gone = room.participants.remove(at);
    let mut entries = vec![concerning(ChatAction::Left, &gone)];
    entries.extend(succession(&mut room, &gone));
    changed(room, entries, vec![gone.user])
}

/// When the last owner has left, the longest-standing member follows, preferably one who may write.
fn succession(room: &mut Room, gone: &Participant) -> Option<ChatChange> {
    if gone.role != Role::Owner || owners(room) > 0 {
        return None;
    }
    let people = &mut room.participants;
    let heir = [Role::Member, Role::ReadOnly]
        .into_iter()
        .find_map(|role| people.iter().position(|participant| participant.role == role))?;
    let heir = &mut people[heir];
    (heir.role, heir.becomes) = (Role::Owner, Role::Owner);
    Some(ChatChange { role: Some(Role::Owner), ..concerning(ChatAction::RoleSet, heir) })
}

/// A group without members belongs to the next user who joins.
fn first_is_owner(room: &Room, role: Role) -> Role {
    if room.kind == ChatKind::Group && room.members().next().is_none() { Role::Owner } else { role }
}

fn owners(room: &Room) -> usize {
    room.participants.iter().filter(|participant| participant.role == Role::Owner).count()
}

fn place(room: &Room, user: &str) -> Option<usize> {
    room.participants.iter().position(|participant| &*participant.user == user)
}

fn changed(room: Room, entries: Vec<ChatChange>, gone: Vec<Arc<str>>) -> Decision {
    Decision::Changed(Change { room, entries, gone })
}

fn happened(action: ChatAction) -> ChatChange {
    ChatChange { action, user: None, name: None, title: None, role: None }
}

fn concerning(action: ChatAction, participant: &Participant) -> ChatChange {
    ChatChange {
        user: Some(participant.user.as_ref().into()),
        name: participant.name.as_deref().map(Into::into),
        ..happened(action)
    }
}

fn check_title(title: &str) -> Result<(), Refusal> {
    names::check_title(title).map_err(|wrong| invalid(&format!("Invalid title: {wrong}.")))
}

fn check_newcomer(newcomer: &Newcomer) -> Result<(), Refusal> {
    names::check_user(&newcomer.user).map_err(|wrong| invalid(&format!("Invalid user id: {wrong}.")))?;
    let name = newcomer.name.as_deref().map_or(Ok(()), names::check_name);
    name.map_err(|wrong| invalid(&format!("Invalid name of a user: {wrong}.")))
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(ErrorCode::InvalidFrame, message)
}

fn forbidden(message: &str) -> Refusal {
    Refusal::new(ErrorCode::Forbidden, message)
}

fn not_found() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "Chat not found, or no access.")
}

fn id_reused() -> Refusal {
    Refusal::new(ErrorCode::IdReused, "This id was used before. Every request needs its own id.")
}
