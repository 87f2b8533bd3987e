//! The rules for new chats: groups, and the direct chat of two users.

use everwire_protocol::{ChatAction, ChatChange, ChatKind, Role, Uuid, limits::MAX_USERS};

use super::{By, Decision, changed, check_title, happened, id_reused, invalid, not_found};
use crate::{
    chats::{
        command::{Actor, Newcomer},
        direct_id,
    },
    model::{chat::Room, identity::Refusal},
};

impl By<'_> {
    pub(super) fn create_group(
        &self,
        room: Option<&Room>,
        id: Uuid,
        title: Option<&str>,
        open: bool,
        users: &[Newcomer],
    ) -> Result<Decision, Refusal> {
        if let Some(room) = room {
            // Requested again, or by somebody else, who has guessed nothing but the id then.
            let own = self.actor.user().is_none_or(|user| room.role(user) == Some(Role::Owner));
            return if own && room.kind == ChatKind::Group {
                Ok(Decision::NoChange)
            } else {
                Err(id_reused())
            };
        }
        // The ids of direct chats can be computed in advance: a group must not take such an id.
        if id.is_nil() || id.get_version_num() == 5 {
            return Err(invalid("The id of a request must be a UUID of version 7."));
        }
        if let Some(title) = title {
            check_title(title)?;
        }
        if users.len() > MAX_USERS {
            return Err(invalid(&format!("Too many users: {MAX_USERS} at most in one request.")));
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

    pub(super) fn create_direct(&self, room: Option<&Room>, users: &[Newcomer]) -> Result<Decision, Refusal> {
        let both: Vec<Newcomer> = match (self.actor, users) {
            (Actor::User { user, name }, [other]) => {
                vec![Newcomer { user: user.clone(), name: name.clone(), role: None }, other.clone()]
            }
            (Actor::User { .. }, _) => {
                return Err(invalid("A direct chat needs exactly one other user."));
            }
            (Actor::BackEnd, [_, _]) => users.to_vec(),
            (Actor::BackEnd, _) => return Err(invalid("A direct chat needs exactly two users.")),
        };
        let [a, b] = &both[..] else { return Err(not_found()) };
        if a.user == b.user {
            return Err(invalid("A direct chat needs two different users."));
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
        // These two users can have no other direct chat, so a user who left it returns by this. The other one does not: who
        // has left is not to be reached by this user again, unless the application says so.
        let is_new = !entries.is_empty();
        let may_enter = |user: &str| is_new || self.actor.user().is_none_or(|actor| actor == user);
        for newcomer in &both {
            if room.participant(&newcomer.user).is_none() && may_enter(&newcomer.user) {
                entries.push(self.add(&mut room, newcomer, Role::Member)?);
            }
        }
        if entries.is_empty() { Ok(Decision::NoChange) } else { Ok(changed(room, entries, Vec::new())) }
    }
}
