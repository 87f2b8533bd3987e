//! Calls of back ends and requests of users that are reported as failed and have happened, on the real node: nobody repeats them, and
//! what is stored applies all the same.

use std::sync::Arc;

use everwire_protocol::{ChatKind, CreateChat, Role, Uuid};
use everwire_server::{
    chats::{Actor, Command},
    model::{
        ban::{AccessChange, Ban, Revocation, Revoked},
        identity::{Identity, IssuedToken, Payer},
    },
    node::Node,
};

use super::{
    EPOCH,
    permits::{Scene, finish},
};
use crate::rng::Rng;

/// How long the store reports what it does as failed, in ms.
const DOUBT_MS: u64 = 100;
/// Within this time it has to be found, in ms.
const FOUND_WITHIN_MS: u64 = 3_000;
/// Until when bans and revocations hold.
const UNTIL: u64 = EPOCH + 3_600_000;

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// A ban.
    Ban,
    /// The end of a ban.
    Unban,
    /// The revocation of a user's tokens.
    Revoke,
    /// The erasure of a user.
    Erase,
    /// The deletion of a chat.
    DeleteChat,
    /// A user joins.
    Join,
    /// A user leaves.
    Leave,
    /// A user is invited.
    Invite,
    /// A member is removed.
    Remove,
    /// A member gets another role.
    SetRole,
}

impl Call {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Ban,
        Self::Unban,
        Self::Revoke,
        Self::Erase,
        Self::DeleteChat,
        Self::Join,
        Self::Leave,
        Self::Invite,
        Self::Remove,
        Self::SetRole,
    ];

    /// Returns whether it was reported as done.
    async fn make(self, node: Arc<Node>, chat: String) -> bool {
        let guest: Arc<str> = "guest".into();
        let user = |user: &str| Actor::User { user: user.into(), name: None };
        let (actor, command) = match self {
            Self::Ban => return node.change_access(ban()).await.is_ok(),
            Self::Unban => return node.change_access(AccessChange::Unban(guest)).await.is_ok(),
            Self::Revoke => {
                let revocation = Revocation { of: Revoked::User(guest), at: EPOCH, until: UNTIL };
                return node.change_access(AccessChange::Revoke(revocation)).await.is_ok();
            }
            Self::Erase => return node.erase_user(&guest, UNTIL).await.is_ok(),
            Self::DeleteChat => return node.delete_chat(&chat).await.is_ok(),
            Self::Join => (user("late"), Command::Join),
            Self::Leave => (user("guest"), Command::Leave),
            Self::Invite => {
                (user("owner"), Command::Invite { user: "new".into(), name: None, role: Role::Member })
            }
            Self::Remove => (user("owner"), Command::Remove { user: guest }),
            Self::SetRole => (user("owner"), Command::SetRole { user: guest, role: Role::ReadOnly }),
        };
        node.change_chat(actor, Some(&chat), command).await.is_ok()
    }

    /// Whether the node goes by it.
    fn holds(self, node: &Node, chat: &str) -> bool {
        let role = |user: &str| node.chats.role(chat, user);
        match self {
            Self::Ban => node.bans.ban("guest", EPOCH + 1).is_some(),
            Self::Unban => node.bans.ban("guest", EPOCH + 1).is_none(),
            Self::Revoke => {
                let who = Identity {
                    user: "guest".into(),
                    name: None,
                    grants: Arc::default(),
                    expires_at: None,
                    token: Some(IssuedToken { id: None, issued_at: EPOCH }),
                    payer: Payer::User("guest".into()),
                };
                node.bans.check(&who, EPOCH + 1).is_err()
            }
            Self::Erase => node.bans.is_erasing("guest"),
            Self::DeleteChat => node.chats.get(chat).is_none(),
            Self::Join => role("late") == Some(Role::Member),
            Self::Leave | Self::Remove => role("guest").is_none(),
            Self::Invite => role("new") == Some(Role::Invited),
            Self::SetRole => role("guest") == Some(Role::ReadOnly),
        }
    }
}

fn ban() -> AccessChange {
    AccessChange::Ban(Ban { user: "guest".into(), since: EPOCH, until: Some(UNTIL), reason: None })
}

/// Whether a call that is reported as failed and has happened is found; `None` if the scene could not be set.
pub fn is_found(call: Call) -> Option<bool> {
    let mut scene = Scene::new(&mut Rng::new(1), None)?;
    let id = Uuid::from_u128(0x7000_8000_0000_0000_0001);
    let group = CreateChat { id, kind: ChatKind::Group, title: None, open: Some(true), users: Vec::new() };
    let (chat, node) = (id.hyphenated().to_string(), scene.node.clone());
    let join = Command::Join;
    let guest = Actor::User { user: "guest".into(), name: None };
    let joined = {
        let (node, chat) = (node.clone(), chat.clone());
        let created = scene.ask("owner", group.into());
        let joining = async move { node.change_chat(guest, Some(&chat), join).await.is_ok() };
        created && finish(&mut scene.executor, &scene.clock, joining)?
    };
    if call == Call::Unban {
        let node = node.clone();
        let banning = async move { node.change_access(ban()).await.is_ok() };
        finish(&mut scene.executor, &scene.clock, banning)?;
    }
    if !joined || call.holds(&node, &chat) {
        return None;
    }
    scene.store.data().doubt_until = scene.clock.now_ms() - EPOCH + DOUBT_MS;
    let made = finish(&mut scene.executor, &scene.clock, call.make(node.clone(), chat.clone()))?;
    scene.pass(FOUND_WITHIN_MS);
    (!made).then(|| call.holds(&node, &chat))
}
