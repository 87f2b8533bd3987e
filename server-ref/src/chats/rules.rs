//! What somebody may change about a chat, and what a change does to it. Without a clock, a store or a memory of its own:
//! the chat goes in, the changed chat comes out.
//!
//! A repetition of what was done already changes nothing and is no error: a client that heard no answer asks again.

use std::sync::Arc;

use everwire_protocol::{
    ChatAction, ChatChange, ChatKind, ErrorCode, Role, Uuid,
    limits::{MAX_NAME_BYTES, MAX_TITLE_BYTES, MAX_USERS},
};

use super::direct_id;
use crate::model::{
    chat::{Participant, Room},
    identity::Refusal,
};

/// Who wants to change something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in user.
    User {
        /// The id of the user.
        user: Arc<str>,
        /// The name that others see.
        name: Option<Arc<str>>,
    },
    /// A back end of the application: it may do everything that keeps a chat sound.
    BackEnd,
}

impl Actor {
    fn user(&self) -> Option<&str> {
        match self {
            Self::User { user, .. } => Some(user),
            Self::BackEnd => None,
        }
    }
}

/// Somebody who is put into a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newcomer {
    /// The id of the user.
    pub user: Arc<str>,
    /// The name that others see, where it is known.
    pub name: Option<Arc<str>>,
    /// What they may do. `None`: member, or owner for the first member of a group that gets no other owner.
    pub role: Option<Role>,
}

/// What somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A new chat. Its id is [`Command::chat_made`].
    Create {
        /// Names the request, and the chat if it is a group.
        id: Uuid,
        /// Group or direct.
        kind: ChatKind,
        /// What a group is called.
        title: Option<String>,
        /// Whether anybody may join a group.
        open: bool,
        /// Who is in it besides the user who makes it: invited by a user, put in at once by a back end. The other one of
        /// a direct chat (both, if a back end makes it) is a member at once.
        users: Vec<Newcomer>,
    },
    /// Invites a user.
    Invite {
        /// The id of the user.
        user: Arc<str>,
        /// The name that others see, where it is known.
        name: Option<Arc<str>>,
        /// What they will be.
        role: Role,
    },
    /// Puts a user in without asking. For back ends.
    Add(Newcomer),
    /// Accepts an invitation, or enters an open chat.
    Join,
    /// Leaves, or declines.
    Leave,
    /// Takes somebody out.
    Remove {
        /// The id of the user.
        user: Arc<str>,
    },
    /// Gives a group another title.
    Rename {
        /// The title.
        title: String,
    },
    /// Gives a member another role.
    SetRole {
        /// The id of the user.
        user: Arc<str>,
        /// The role.
        role: Role,
    },
}

/// How much there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Most participants of one chat, invited ones included.
    pub participants: usize,
}

impl Default for Bounds {
    /// Every message goes to every member: beyond this it is no chat but a broadcast, for which there are channels.
    fn default() -> Self {
        Self { participants: 1000 }
    }
}

/// A change that is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The chat as it is after it.
    pub room: Room,
    /// What is written into the chat's log.
    pub entries: Vec<ChatChange>,
    /// Who is in the chat no more, or declined.
    pub gone: Vec<Arc<str>>,
}

/// What becomes of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is so already.
    NoChange,
    /// This is to be stored.
    Changed(Change),
}

impl Command {
    /// The chat that an act of `actor` makes; `None` if it makes none, or names the wrong users for a direct chat.
    pub fn chat_made(&self, actor: &Actor) -> Option<Uuid> {
        let Self::Create { id, kind, users, .. } = self else { return None };
        match (kind, actor, &users[..]) {
            (ChatKind::Group, ..) => Some(*id),
            (ChatKind::Direct, Actor::User { user, .. }, [other]) => Some(direct_id(user, &other.user)),
            (ChatKind::Direct, Actor::BackEnd, [a, b]) => Some(direct_id(&a.user, &b.user)),
            (ChatKind::Direct, ..) => None,
        }
    }
}

/// Decides about an act. `room` is the chat that it is about, if there is one; `now_ms` is in ms since 1970.
///
/// # Errors
/// A code and a sentence. What a user may not know of is [`ErrorCode::NotFound`].
pub fn decide(
    room: Option<&Room>,
    actor: &Actor,
    act: &Command,
    bounds: Bounds,
    now_ms: u64,
) -> Result<Decision, Refusal> {
    let by = By { actor, bounds, now_ms };
    match (room, act) {
        (room, Command::Create { id, kind: ChatKind::Group, title, open, users }) => {
            by.create_group(room, *id, title.as_deref(), *open, users)
        }
        (room, Command::Create { kind: ChatKind::Direct, title, open, users, .. }) => {
            if title.is_some() || *open {
                return Err(invalid("A direct chat has no title and is not open."));
            }
            by.create_direct(room, users)
        }
        // Whether there is such a chat is nobody's business who is not in it.
        (None, Command::Leave) => Ok(Decision::NoChange),
        (None, _) => Err(not_found()),
        (Some(room), act) => by.change(room, act),
    }
}

struct By<'a> {
    actor: &'a Actor,
    bounds: Bounds,
    now_ms: u64,
}

impl By<'_> {
    fn create_group(
        &self,
        room: Option<&Room>,
        id: Uuid,
        title: Option<&str>,
        open: bool,
        users: &[Newcomer],
    ) -> Result<Decision, Refusal> {
        if let Some(room) = room {
            // PendingRequest again, or somebody else's: then the id is all that was guessed.
            let own = self.actor.user().is_none_or(|user| room.role(user) == Some(Role::Owner));
            return if own && room.kind == ChatKind::Group {
                Ok(Decision::NoChange)
            } else {
                Err(id_reused())
            };
        }
        // The ids of direct chats are known before the chats are: nobody may make a group of such an id.
        if id.is_nil() || id.get_version_num() == 5 {
            return Err(invalid("The id of a request is a UUID of version 7."));
        }
        if let Some(title) = title {
            check_title(title)?;
        }
        if users.len() > MAX_USERS {
            return Err(invalid(&format!("{MAX_USERS} users at most can be named at once.")));
        }
        let mut room = Room {
            id: id.hyphenated().to_string().into(),
            kind: ChatKind::Group,
            title: title.map(Into::into),
            open,
            created_at: self.now_ms,
            participants: Vec::new(),
        };
        let title = room.title.clone();
        let mut entries = vec![ChatChange { title, ..happened(ChatAction::Created) }];
        match self.actor {
            Actor::User { user, name } => {
                room.participants.push(self.participant(user, name.as_ref(), Role::Owner));
                for newcomer in users {
                    if room.participant(&newcomer.user).is_none() {
                        entries.push(self.invite(
                            &mut room,
                            newcomer,
                            newcomer.role.unwrap_or(Role::Member),
                        )?);
                    }
                }
            }
            Actor::BackEnd => {
                let mut needs_owner = !users.iter().any(|newcomer| newcomer.role == Some(Role::Owner));
                for newcomer in users {
                    if room.participant(&newcomer.user).is_some() {
                        continue;
                    }
                    if newcomer.role == Some(Role::Invited) {
                        entries.push(self.invite(&mut room, newcomer, Role::Member)?);
                        continue;
                    }
                    let default = if needs_owner { Role::Owner } else { Role::Member };
                    needs_owner &= newcomer.role.is_some();
                    entries.push(self.add(&mut room, newcomer, newcomer.role.unwrap_or(default))?);
                }
            }
        }
        Ok(changed(room, entries, Vec::new()))
    }

    fn create_direct(&self, room: Option<&Room>, users: &[Newcomer]) -> Result<Decision, Refusal> {
        let both: Vec<Newcomer> = match (self.actor, users) {
            (Actor::User { user, name }, [other]) => {
                vec![Newcomer { user: user.clone(), name: name.clone(), role: None }, other.clone()]
            }
            (Actor::User { .. }, _) => {
                return Err(invalid("Name the other user of a direct chat, and nobody else."));
            }
            (Actor::BackEnd, [_, _]) => users.to_vec(),
            (Actor::BackEnd, _) => return Err(invalid("Name the two users of a direct chat.")),
        };
        let [a, b] = &both[..] else { return Err(not_found()) };
        if a.user == b.user {
            return Err(invalid("A direct chat has two users."));
        }
        let mut entries = Vec::new();
        let mut room = if let Some(room) = room {
            room.clone()
        } else {
            entries.push(happened(ChatAction::Created));
            Room {
                id: direct_id(&a.user, &b.user).hyphenated().to_string().into(),
                kind: ChatKind::Direct,
                title: None,
                open: false,
                created_at: self.now_ms,
                participants: Vec::new(),
            }
        };
        // Who left it is in it again: it is the one chat that these two can have.
        for newcomer in &both {
            if room.participant(&newcomer.user).is_none() {
                entries.push(self.add(&mut room, newcomer, Role::Member)?);
            }
        }
        if entries.is_empty() { Ok(Decision::NoChange) } else { Ok(changed(room, entries, Vec::new())) }
    }

    fn change(&self, room: &Room, act: &Command) -> Result<Decision, Refusal> {
        let own = self.actor.user().map(|user| room.role(user));
        // Whoever is not in it learns nothing, except that a chat is open to join.
        match (own, act) {
            (Some(None), Command::Leave) => return Ok(Decision::NoChange),
            (Some(None), Command::Join) if room.open => {}
            (Some(None), _) => return Err(not_found()),
            _ => {}
        }
        let owner = own.is_none_or(|role| role == Some(Role::Owner));
        let mut room = room.clone();
        match act {
            Command::Join => self.join(room),
            Command::Leave => match self.actor.user() {
                Some(user) => Ok(leave(room, user)),
                None => Err(invalid("A back end is in no chat: it removes members.")),
            },
            Command::Remove { user } if self.actor.user() == Some(user) => Ok(leave(room, user)),
            _ if self.actor.user().is_some() && room.kind == ChatKind::Direct => {
                Err(forbidden("A direct chat is its two users' alone: it cannot be changed."))
            }
            Command::Invite { user, name, role } => {
                let may = owner || own == Some(Some(Role::Member));
                if !may || (*role == Role::Owner && !owner) {
                    return Err(forbidden(
                        "Only owners and members of a chat invite, and only owners invite owners.",
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
            _ if !owner => Err(forbidden("Only owners of a chat may do this.")),
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
                    return Err(invalid("A direct chat has no title."));
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
            return Err(invalid("A back end joins no chat: it adds members."));
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
            return Err(forbidden("Users are invited, and join by themselves."));
        }
        let role = newcomer.role.unwrap_or(Role::Member);
        if role == Role::Invited {
            return Err(invalid("A member's role is owner, member or read_only."));
        }
        if room.kind == ChatKind::Direct {
            return Err(invalid("A direct chat has its two users and no others."));
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
        check_user(&newcomer.user)?;
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
            return Err(invalid("Somebody is invited to be owner, member or read_only."));
        }
        check_user(&newcomer.user)?;
        self.check_room_for_one(room)?;
        let participant = Participant {
            becomes,
            ..self.participant(&newcomer.user, newcomer.name.as_ref(), Role::Invited)
        };
        let entry = ChatChange { role: Some(becomes), ..concerning(ChatAction::Invited, &participant) };
        room.participants.push(participant);
        Ok(entry)
    }

    fn participant(&self, user: &Arc<str>, name: Option<&Arc<str>>, role: Role) -> Participant {
        Participant { user: user.clone(), name: name.cloned(), role, becomes: role, since: self.now_ms }
    }

    fn check_room_for_one(&self, room: &Room) -> Result<(), Refusal> {
        let most = self.bounds.participants;
        if room.participants.len() < most {
            return Ok(());
        }
        Err(forbidden(&format!("This chat is full: {most} people are in it or invited, and no more may be.")))
    }
}

fn set_role(mut room: Room, user: &str, role: Role) -> Result<Decision, Refusal> {
    if role == Role::Invited {
        return Err(invalid("A member's role is owner, member or read_only."));
    }
    if room.kind == ChatKind::Direct && role == Role::Owner {
        return Err(invalid("A direct chat has no owner."));
    }
    let last_owner = owners(&room) == 1;
    let member = room.participants.iter_mut().find(|participant| &*participant.user == user);
    let Some(member) = member.filter(|participant| participant.is_member()) else { return Err(not_found()) };
    if member.role == role {
        return Ok(Decision::NoChange);
    }
    if member.role == Role::Owner && last_owner {
        return Err(forbidden("A chat keeps one owner at least. Make somebody else owner first."));
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

/// When the last owner has gone, who has been there longest follows: one who may write, if there is one.
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

/// A group that everybody has left belongs to who comes next.
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
    if title.trim().is_empty() || title.len() > MAX_TITLE_BYTES {
        return Err(invalid(&format!("The title of a chat has 1 to {MAX_TITLE_BYTES} bytes.")));
    }
    Ok(())
}

fn check_user(user: &str) -> Result<(), Refusal> {
    if user.is_empty() || user.len() > MAX_NAME_BYTES {
        return Err(invalid(&format!("A user's id has 1 to {MAX_NAME_BYTES} bytes.")));
    }
    Ok(())
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(ErrorCode::InvalidFrame, message)
}

fn forbidden(message: &str) -> Refusal {
    Refusal::new(ErrorCode::Forbidden, message)
}

fn not_found() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "There is no such chat, or you are not in it.")
}

fn id_reused() -> Refusal {
    Refusal::new(ErrorCode::IdReused, "This id was used before. Give every request its own id.")
}
