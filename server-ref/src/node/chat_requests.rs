//! The requests about chats, and their answers.

use std::sync::Arc;

use everwire_protocol::{ClientFrame, Done, ErrorCode, Role, ServerFrame, Uuid};

use super::Node;
use crate::{
    Error,
    chats::{Actor, Command, rules::Newcomer},
    model::{
        chat::ChatRecord,
        identity::{Identity, Refusal},
    },
};

/// The maximum and the default number of chats in one answer to `list_chats`.
const MOST_CHATS: u32 = 100;
const SOME_CHATS: u32 = 50;

impl Node {
    /// Answers a request about chats. Other frames are [`ErrorCode::UnknownType`].
    ///
    /// # Errors
    /// The refusal to send instead of an answer.
    pub(crate) async fn answer_about_chats(
        &self,
        who: &Identity,
        request: ClientFrame,
    ) -> Result<ServerFrame, Refusal> {
        let actor = Actor::User { user: who.user.clone(), name: who.name.clone() };
        let (id, chat, act, tells) = match request {
            ClientFrame::ListChats(request) => {
                let most = request.limit.unwrap_or(SOME_CHATS);
                if !(1..=MOST_CHATS).contains(&most) {
                    let words = format!("Invalid limit: must be 1 to {MOST_CHATS}.");
                    return Err(Refusal::new(ErrorCode::InvalidFrame, words));
                }
                let listed = self.list_chats(&who.user, request.before, most as usize).await;
                let (chats, more) = listed.map_err(|error| unavailable(&error))?;
                return Ok(everwire_protocol::Chats { id: request.id, chats, more }.into());
            }
            ClientFrame::CreateChat(request) => {
                let users = self.newcomers(&request.users).await?;
                let (id, kind) = (request.id, request.kind);
                let open = request.open.unwrap_or(false);
                (id, None, Command::Create { id, kind, title: request.title, open, users }, true)
            }
            ClientFrame::Invite(request) => {
                let (user, role) = (request.user.as_str().into(), request.role.unwrap_or(Role::Member));
                let name = self.name(&request.user).await?;
                (request.id, Some(request.chat), Command::Invite { user, name, role }, false)
            }
            ClientFrame::JoinChat(request) => (request.id, Some(request.chat), Command::Join, true),
            ClientFrame::LeaveChat(request) => (request.id, Some(request.chat), Command::Leave, false),
            ClientFrame::RemoveMember(request) => {
                let act = Command::Remove { user: request.user.into() };
                (request.id, Some(request.chat), act, false)
            }
            ClientFrame::RenameChat(request) => {
                (request.id, Some(request.chat), Command::Rename { title: request.title }, false)
            }
            ClientFrame::SetRole(request) => {
                let act = Command::SetRole { user: request.user.into(), role: request.role };
                (request.id, Some(request.chat), act, false)
            }
            _ => return Err(Refusal::of(ErrorCode::UnknownType)),
        };
        let known = self.change_chat(actor, chat.as_deref(), act).await?;
        let known = known.filter(|_| tells);
        self.done(id, &who.user, known).await
    }

    async fn done(&self, id: Uuid, user: &str, known: Option<ChatRecord>) -> Result<ServerFrame, Refusal> {
        let chat = match known {
            Some(known) => self.chat(user, &known).await.map_err(|error| unavailable(&error))?,
            None => None,
        };
        Ok(Done { id, chat }.into())
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
