//! The requests about chats, and their answers.

use std::sync::Arc;

use everwire_protocol::{
    ChatMembers, Chats, CreateChat, Done, ErrorCode, Invite, JoinChat, LeaveChat, ListChatMembers, ListChats,
    RemoveMember, RenameChat, Role, SetRole, Uuid,
};

use super::{Node, requests::Answer};
use crate::{
    Error,
    chats::{Actor, Command, Newcomer},
    model::{
        chat::ChatRecord,
        identity::{Identity, RateClass, Refusal},
    },
};

/// Maximum chats in one answer.
pub(super) const MOST_CHATS: usize = 100;

/// Maximum chats that a user can be in when creating another one: all of them are looked at when the user connects.
const CHATS_OF_A_USER: usize = 1_000;

/// Maximum open invitations of one user, from whomever.
const INVITATIONS_OF_A_USER: usize = 200;

fn actor(who: &Identity) -> Actor {
    Actor::User { user: who.user.clone(), name: who.name.clone() }
}

fn done(id: Uuid) -> Done {
    Done { id, chat: None }
}

fn no_chat() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "Chat not found, or no access.")
}

/// The maximum number of chats in a page of which a client has given the limit.
pub(crate) fn most_chats(limit: Option<u32>) -> Result<usize, Refusal> {
    let most = limit.map_or(MOST_CHATS, |limit| limit as usize);
    if (1..=MOST_CHATS).contains(&most) {
        return Ok(most);
    }
    Err(Refusal::new(ErrorCode::InvalidFrame, format!("Invalid limit: must be 1 to {MOST_CHATS}.")))
}

impl Node {
    pub(crate) async fn answer_list_chats(&self, who: &Identity, request: &ListChats) -> Answer<ListChats> {
        let most = most_chats(request.limit)?;
        let listed = self.list_chats(&who.user, request.after.as_deref(), most).await;
        let page = listed.map_err(|error| unavailable(&error))?;
        Ok(Chats { id: request.id, next: page.next(|chat| &chat.id), chats: page.items })
    }

    pub(super) async fn answer_list_chat_members(
        &self,
        who: &Identity,
        request: ListChatMembers,
    ) -> Answer<ListChatMembers> {
        let ListChatMembers { id, chat, after } = request;
        let listed = self.list_chat_members(&who.user, &chat, after.as_deref()).await;
        let page = listed.map_err(|error| unavailable(&error))?.ok_or_else(no_chat)?;
        Ok(ChatMembers { id, chat, next: page.next(|member| &member.user), members: page.items })
    }

    pub(super) async fn answer_create_chat(&self, who: &Identity, request: CreateChat) -> Answer<CreateChat> {
        let users = self.newcomers(&request.users).await?;
        let invited = request.users.clone();
        let CreateChat { id, kind, title, open, .. } = request;
        let create = Command::Create { id, kind, title, open: open.unwrap_or(false), users };
        let made = create.chat_made(&actor(who)).map(|id| id.hyphenated().to_string());
        // A repetition makes nothing.
        if made.is_none_or(|id| self.chats.get(&id).is_none()) {
            self.count_new_chat(who, &invited)?;
        } else {
            self.count_change(who)?;
        }
        let chat = self.change_chat(actor(who), None, create).await?;
        self.done_with_chat(id, &who.user, chat).await
    }

    pub(super) async fn answer_invite(&self, who: &Identity, request: Invite) -> Answer<Invite> {
        if self.chats.role(&request.chat, &request.user).is_none() {
            self.count_invitations(who, std::slice::from_ref(&request.user))?;
        }
        self.count_change(who)?;
        let name = self.name(&request.user).await?;
        let role = request.role.unwrap_or(Role::Member);
        let invite = Command::Invite { user: request.user.into(), name, role };
        self.change_chat(actor(who), Some(&request.chat), invite).await?;
        Ok(done(request.id))
    }

    pub(super) async fn answer_join_chat(&self, who: &Identity, request: JoinChat) -> Answer<JoinChat> {
        self.count_change(who)?;
        let chat = self.change_chat(actor(who), Some(&request.chat), Command::Join).await?;
        self.done_with_chat(request.id, &who.user, chat).await
    }

    pub(super) async fn answer_leave_chat(&self, who: &Identity, request: LeaveChat) -> Answer<LeaveChat> {
        self.count_change(who)?;
        self.change_chat(actor(who), Some(&request.chat), Command::Leave).await?;
        Ok(done(request.id))
    }

    pub(super) async fn answer_remove_member(
        &self,
        who: &Identity,
        request: RemoveMember,
    ) -> Answer<RemoveMember> {
        self.count_change(who)?;
        let remove = Command::Remove { user: request.user.into() };
        self.change_chat(actor(who), Some(&request.chat), remove).await?;
        Ok(done(request.id))
    }

    pub(super) async fn answer_rename_chat(&self, who: &Identity, request: RenameChat) -> Answer<RenameChat> {
        self.count_change(who)?;
        let rename = Command::Rename { title: request.title };
        self.change_chat(actor(who), Some(&request.chat), rename).await?;
        Ok(done(request.id))
    }

    pub(super) async fn answer_set_role(&self, who: &Identity, request: SetRole) -> Answer<SetRole> {
        self.count_change(who)?;
        let set_role = Command::SetRole { user: request.user.into(), role: request.role };
        self.change_chat(actor(who), Some(&request.chat), set_role).await?;
        Ok(done(request.id))
    }

    fn count_change(&self, who: &Identity) -> Result<(), Refusal> {
        let counted = self.access.pace(who, Uuid::nil(), RateClass::ChatChange, self.now_ms());
        counted.map_err(Refusal::rate_limited)
    }

    /// Counts a new chat, and everybody who is invited to it.
    fn count_new_chat(&self, who: &Identity, invited: &[String]) -> Result<(), Refusal> {
        let (chats, _) = self.chats.numbers_of(&who.user);
        if chats >= CHATS_OF_A_USER {
            let words = format!("You are in {CHATS_OF_A_USER} chats already. Leave one first.");
            return Err(Refusal::new(ErrorCode::Forbidden, words));
        }
        self.count_invitations(who, invited)?;
        let counted = self.access.pace(who, Uuid::nil(), RateClass::NewChat, self.now_ms());
        counted.map_err(Refusal::rate_limited)
    }

    fn count_invitations(&self, who: &Identity, invited: &[String]) -> Result<(), Refusal> {
        if invited.iter().any(|user| self.chats.numbers_of(user).1 >= INVITATIONS_OF_A_USER) {
            let words = "A user has too many invitations that were neither accepted nor declined.";
            return Err(Refusal::new(ErrorCode::Forbidden, words));
        }
        let invitations = RateClass::Invitations(invited.len() as u32);
        let counted = self.access.pace(who, Uuid::nil(), invitations, self.now_ms());
        counted.map_err(Refusal::rate_limited)
    }

    async fn done_with_chat(&self, id: Uuid, user: &str, chat: Option<ChatRecord>) -> Result<Done, Refusal> {
        let chat = match chat {
            Some(chat) => self.chat(user, &chat).await.map_err(|error| unavailable(&error))?,
            None => None,
        };
        Ok(Done { id, chat })
    }

    /// Users with their names, as far as the server knows them.
    ///
    /// # Errors
    /// [`ErrorCode::Unavailable`].
    pub async fn newcomers(&self, users: &[String]) -> Result<Vec<Newcomer>, Refusal> {
        let people = self.store.users(users).await.map_err(|error| unavailable(&error))?;
        let stored = |user: &str| people.iter().find(|person| person.user == user)?.name.clone();
        let named = |user: &str| self.users.name(user).or_else(|| stored(user)).map(Into::into);
        let newcomer = |user: &String| Newcomer { user: user.as_str().into(), name: named(user), role: None };
        Ok(users.iter().map(newcomer).collect())
    }

    /// The name of a user, if the server knows one.
    ///
    /// # Errors
    /// [`ErrorCode::Unavailable`].
    pub async fn name(&self, user: &str) -> Result<Option<Arc<str>>, Refusal> {
        let newcomers = self.newcomers(&[user.to_owned()]).await?;
        Ok(newcomers.into_iter().next().and_then(|newcomer| newcomer.name))
    }
}

fn unavailable(error: &Error) -> Refusal {
    tracing::error!(%error, "chat request failed");
    Refusal::of(ErrorCode::Unavailable)
}
