//! What the back end of the applications permits: it grants and withdraws, bans, revokes tokens, erases users, and changes the members
//! of a chat ([`super::back_end`]). And the rule about it: once the server has acknowledged that a permission is gone,
//! nothing stored later leaves the node for whoever has lost it, and nothing of theirs is stored. What was stored before may
//! be in a queue, and may still leave.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use everwire_protocol::{Channel, ChatKind, ClientFrame, Role, Uuid, channels};
use everwire_server::{
    chats::{Command, Newcomer},
    connection::BadFrame,
    model::{
        ban::{AccessChange, Ban, Revocation, Revoked},
        identity::Credentials,
    },
};

use super::{
    World,
    access::sign,
    back_end::{Call, Ended},
    client::user_of,
    leaving::{End, What},
    node::Conn,
};
use crate::{
    fault::Kind,
    ledger::sender,
    rng::Rng,
    violation::{Rule, violated},
};

/// How long the server remembers revocations, in ms: longer than tokens live.
pub(super) const REMEMBERED_MS: u64 = 48 * 3_600_000;
/// Tokens that were revoked twice within this time, in ms, may have been refused to a client less than 60 s apart, each within 10 s after
/// it was asked for.
const REVOKING_MS: u64 = 80_000;
/// The id of the chat.
pub(super) const CHAT: Uuid = Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001);

/// Who stays in the chat.
const KEEPER: &str = "keeper";

/// The channels of a run in which permissions change, in the order in which they are used.
pub(super) fn channels() -> Vec<Channel> {
    let chat = CHAT.hyphenated().to_string();
    [
        "private-orders.1".parse().ok(),
        channels::messages_channel(&chat),
        "presence-room".parse().ok(),
        "news".parse().ok(),
        channels::presence_channel(&chat),
        "private-orders.2".parse().ok(),
        "talk".parse().ok(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether a token must name the channel.
fn needs_grant(channel: &Channel) -> bool {
    let name = channel.as_str();
    name.starts_with("private-orders") || name == "presence-room"
}

fn is_of_the_chat(channel: &Channel) -> bool {
    channels::chat_of(channel).and_then(|chat| chat.parse().ok()) == Some(CHAT)
}

/// What a permission rested on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Basis {
    /// The user is not banned.
    Ban(String),
    /// The user's tokens that were issued until then.
    Tokens(String, u64),
    /// The token with this id.
    Token(String),
    /// The user is a member of the chat.
    Member(String),
    /// The user is not being erased.
    Erasing(String),
}

/// A permission that is gone.
#[derive(Debug)]
pub(super) struct Loss {
    /// The last offset of each channel that was stored before the change was acknowledged.
    heads: BTreeMap<Channel, u64>,
    /// The step of the run in which it was.
    step: u64,
    /// When it returns by itself, in the server's time.
    until: Option<u64>,
}

/// What the back end permits.
#[derive(Debug)]
pub(super) struct Rights {
    /// Channels that the tokens of a user do not grant any more.
    withheld: BTreeSet<(String, Channel)>,
    losses: BTreeMap<Basis, Loss>,
    /// Users whose permissions have changed at some time: whatever was refused to them may have been refused rightly.
    restricted: BTreeSet<String>,
    /// Users who were to be erased at some time.
    erased: BTreeSet<String>,
    pub(super) calls: VecDeque<Call>,
    /// When tokens were revoked, in the server's time.
    revocations: BTreeSet<u64>,
    /// The node, and its life, on which a call is under way.
    pub(super) calling: Option<(usize, u32)>,
    /// When the next call is due, in virtual ms.
    pub(super) next_call: Option<u64>,
    pub(super) ended: Arc<Mutex<Option<Ended>>>,
    tokens: u64,
}

impl Rights {
    fn new(users: impl Iterator<Item = String>) -> Self {
        let mut rights = Self {
            withheld: BTreeSet::new(),
            losses: BTreeMap::new(),
            restricted: BTreeSet::new(),
            erased: BTreeSet::new(),
            calls: VecDeque::new(),
            revocations: BTreeSet::new(),
            calling: None,
            next_call: Some(0),
            ended: Arc::default(),
            tokens: 0,
        };
        rights.begin_chat(users);
        rights
    }

    /// The chat has to be there before all else, at the start and after a loss of data.
    fn begin_chat(&mut self, users: impl Iterator<Item = String>) {
        let users: BTreeSet<String> = users.collect();
        let newcomer = |user: &String| Newcomer { user: user.as_str().into(), name: None, role: None };
        let create = Command::Create {
            id: CHAT,
            kind: ChatKind::Group,
            title: None,
            open: false,
            users: users.iter().map(newcomer).collect(),
        };
        // Nobody is a member until then.
        self.restricted.extend(users);
        self.calls.push_front(Call::Chat(create));
    }

    /// All data was lost, or an earlier state of it was restored: with it bans, revocations and members.
    pub(super) fn reset(&mut self, users: impl Iterator<Item = String>) {
        self.losses.clear();
        self.calling = None;
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = None;
        for call in &mut self.calls {
            // What was erased may be there again.
            if let Call::AwaitErasure(user) = call {
                *call = Call::Erase(user.clone());
            }
        }
        self.begin_chat(users);
    }

    /// A token of a user and its id, as the back end issues it now.
    pub(super) fn token(&mut self, user: &str, now: u64, expires_at: u64) -> (u64, String) {
        self.tokens += 1;
        let granted = channels().into_iter().filter(needs_grant);
        let granted = granted.filter(|channel| !self.withheld.contains(&(user.to_owned(), channel.clone())));
        let grants = granted.map(|channel| channel.as_str().to_owned()).collect();
        let token = sign(user, grants, self.tokens, now, expires_at);
        (self.tokens, token.unwrap_or_default())
    }

    /// Whether a refusal may be right.
    pub(super) fn was_restricted(&self, user: &str) -> bool {
        self.restricted.contains(user)
    }

    /// Whether the erasure of a user was ever requested.
    pub(super) fn was_erased(&self, user: &str) -> bool {
        self.erased.contains(user)
    }

    /// The erasure of a user has ended: a new token is accepted from now on.
    pub(super) fn erasure_ended(&mut self, user: &str) {
        self.losses.remove(&Basis::Erasing(user.to_owned()));
    }

    /// Whether tokens were revoked again and again: a client whose fresh tokens are refused for seconds gives up.
    pub(super) fn keeps_revoking(&self, now: u64) -> bool {
        self.revocations.iter().filter(|at| now < **at + REVOKING_MS).count() > 1
    }

    /// Whether the back end has nothing to do any more.
    pub(super) fn is_settled(&self) -> bool {
        self.calls.is_empty()
    }

    /// A call is made: what it gives back may be had from now on.
    pub(super) fn begins(&mut self, call: &Call) {
        // It may be in effect long before it is reported as done, and is called again under the same time.
        if let Call::Access(AccessChange::Revoke(Revocation { at, .. })) = call {
            self.revocations.insert(*at);
        }
        match call {
            Call::Access(AccessChange::Unban(user)) => {
                self.losses.remove(&Basis::Ban(user.to_string()));
            }
            Call::Access(
                AccessChange::Ban(Ban { user, .. })
                | AccessChange::Revoke(Revocation { of: Revoked::User(user), .. }),
            )
            | Call::Chat(Command::Remove { user } | Command::SetRole { user, .. }) => {
                self.restricted.insert(user.to_string());
            }
            Call::Chat(Command::Add(newcomer)) => {
                self.losses.remove(&Basis::Member(newcomer.user.to_string()));
            }
            Call::Erase(user) => {
                self.restricted.insert(user.clone());
                self.erased.insert(user.clone());
            }
            Call::Access(AccessChange::Revoke(_))
            | Call::Chat(_)
            | Call::AwaitErasure(_)
            | Call::DeleteChat(_)
            | Call::DeleteMessage(..) => {}
        }
    }

    /// A call has succeeded.
    pub(super) fn done(&mut self, call: Call, heads: BTreeMap<Channel, u64>, step: u64) {
        let (basis, until) = match call {
            Call::Access(AccessChange::Ban(Ban { user, until, .. })) => (Basis::Ban(user.to_string()), until),
            Call::Access(AccessChange::Revoke(Revocation { of, at, .. })) => match of {
                Revoked::User(user) => (Basis::Tokens(user.to_string(), at), None),
                Revoked::Token(id) => (Basis::Token(id.to_string()), None),
            },
            Call::Chat(Command::Remove { user }) => (Basis::Member(user.to_string()), None),
            Call::Erase(user) => {
                self.calls.push_front(Call::AwaitErasure(user.clone()));
                (Basis::Erasing(user), None)
            }
            Call::AwaitErasure(user) => {
                let newcomer = Newcomer { user: user.as_str().into(), name: None, role: Some(Role::Member) };
                self.calls.push_front(Call::Chat(Command::Add(newcomer)));
                (Basis::Member(user), None)
            }
            Call::Access(AccessChange::Unban(_))
            | Call::Chat(_)
            | Call::DeleteChat(_)
            | Call::DeleteMessage(..) => return,
        };
        self.losses.insert(basis, Loss { heads, step, until });
    }

    /// Why something in a channel may not leave on a connection.
    pub(super) fn forbids(&self, conn: &Conn, channel: &Channel, what: What, now: u64) -> Option<String> {
        let Some(who) = &conn.who else { return Some(format!("{what} of {channel} leaves for nobody")) };
        let user = who.user.to_string();
        let token = who.token.as_ref();
        let issued = token.map_or(0, |token| token.issued_at);
        let concerned = self.losses.keys().filter(|basis| match basis {
            Basis::Tokens(of, at) => *of == user && issued <= *at,
            Basis::Token(id) => token.is_some_and(|token| token.id.as_deref() == Some(id)),
            Basis::Ban(of) | Basis::Member(of) | Basis::Erasing(of) => *of == user,
        });
        let lost = self.lost(concerned.cloned(), (channel, what), now).map(|lost| format!("{lost:?}"));
        let ungranted = conn.lost.get(channel).is_some_and(|end| end.is_before(what));
        let why = lost.or_else(|| ungranted.then(|| "the token does not grant it".to_owned()))?;
        Some(format!("{what} of {channel} leaves for {user}, who has lost it: {why}"))
    }

    /// Why something of a user in a channel may not be stored or passed on.
    pub(super) fn silences(&self, user: String, of: (&Channel, What), now: u64) -> Option<String> {
        let bases = [Basis::Ban(user.clone()), Basis::Erasing(user.clone()), Basis::Member(user)].into_iter();
        self.lost(bases, of, now).map(|basis| format!("{basis:?}"))
    }

    /// The lost basis on which something in a channel would have to rest.
    fn lost(
        &self,
        bases: impl Iterator<Item = Basis>,
        (channel, what): (&Channel, What),
        now: u64,
    ) -> Option<Basis> {
        bases.into_iter().find(|basis| {
            let concerned = is_of_the_chat(channel) || !matches!(basis, Basis::Member(_));
            self.losses.get(basis).is_some_and(|loss| {
                let head = loss.heads.get(channel).copied().unwrap_or(0);
                let later = End { head, step: loss.step }.is_before(what);
                concerned && later && loss.until.is_none_or(|until| now < until)
            })
        })
    }
}

impl World {
    /// The users of the chat. Where users are erased, there is one who stays.
    fn users(&self) -> impl Iterator<Item = String> + use<> {
        let keeper = self.case.kinds.has(Kind::Erasure).then(|| KEEPER.to_owned());
        (0..self.clients.len()).map(user_of).chain(keeper)
    }

    /// Permissions may change in this run.
    pub(super) fn begin_rights(&mut self) {
        self.ledger.refuses = true;
        self.rights = Some(Rights::new(self.users()));
    }

    /// All data was lost, or an earlier state of it was restored.
    pub(super) fn rights_are_lost(&mut self) {
        let users = self.users();
        if let Some(rights) = &mut self.rights {
            rights.reset(users);
            self.call_in(0);
        }
    }

    /// The back end changes something.
    pub(super) fn change_rights(&mut self, rng: &mut Rng) {
        let (now, user) = (self.server_ms(), user_of(rng.below(self.clients.len())));
        let token = self.clients[rng.below(self.clients.len())].token_id;
        let withheld = channels().into_iter().take(self.channels.len()).filter(needs_grant);
        let withheld: Vec<_> = withheld.map(|channel| (user.clone(), channel)).collect();
        let Some(rights) = &mut self.rights else { return };
        let until = now + REMEMBERED_MS;
        let revoke = |of| Call::Access(AccessChange::Revoke(Revocation { of, at: now, until }));
        let id: Arc<str> = user.as_str().into();
        let newcomer = |role| Newcomer { user: id.clone(), name: None, role: Some(role) };
        let call = match rng.between(0, 12) {
            0..=2 if !withheld.is_empty() => {
                let grant = withheld[rng.below(withheld.len())].clone();
                rights.restricted.insert(user.clone());
                if !rights.withheld.remove(&grant) {
                    rights.withheld.insert(grant);
                }
                // Otherwise it takes effect with the next token.
                if rng.chance(500) {
                    return;
                }
                revoke(Revoked::User(id))
            }
            0..=3 => revoke(Revoked::User(id)),
            4 => revoke(Revoked::Token(token.to_string().into())),
            5..=7 if !rights.losses.contains_key(&Basis::Ban(user.clone())) => {
                let until = rng.chance(500).then(|| now + rng.between(1_000, 30_000));
                Call::Access(AccessChange::Ban(Ban { user: id, since: now, until, reason: None }))
            }
            5..=7 => Call::Access(AccessChange::Unban(id)),
            8..=10 if !rights.losses.contains_key(&Basis::Member(user)) => {
                Call::Chat(Command::Remove { user: id })
            }
            8..=10 => Call::Chat(Command::Add(newcomer(Role::Member))),
            11 => Call::Chat(Command::SetRole { user: id, role: Role::ReadOnly }),
            _ => Call::Chat(Command::SetRole { user: id, role: Role::Member }),
        };
        rights.calls.push_back(call);
        self.call_in(0);
    }

    /// Everybody gets everything back.
    pub(super) fn give_rights_back(&mut self) {
        let (now, users) = (self.server_ms(), self.users());
        let Some(rights) = &mut self.rights else { return };
        rights.withheld.clear();
        for user in users.collect::<BTreeSet<_>>() {
            let id: Arc<str> = user.as_str().into();
            let newcomer = Newcomer { user: id.clone(), name: None, role: Some(Role::Member) };
            let revocation =
                Revocation { of: Revoked::User(id.clone()), at: now, until: now + REMEMBERED_MS };
            rights.calls.push_back(Call::Access(AccessChange::Unban(id)));
            rights.calls.push_back(Call::Chat(Command::Add(newcomer)));
            // The next token grants everything.
            rights.calls.push_back(Call::Access(AccessChange::Revoke(revocation)));
        }
        self.call_in(0);
    }

    /// A client has presented tokens on a connection: what the last of them does not grant may not be read from now on.
    pub(super) fn presented(&self, node: usize, conn: &mut Conn, tokens: &[String]) {
        let Some(access) = self.nodes[node].node().map(|node| &node.access) else { return };
        if self.rights.is_none() {
            return;
        }
        for token in tokens {
            let credentials = Credentials { token: Some(token), guest: None, address: None };
            let Ok(who) = access.identify(&credentials, self.server_ms()) else { continue };
            for channel in self.channels.iter().filter(|channel| needs_grant(channel)) {
                if who.granted(channel) {
                    conn.lost.remove(channel);
                } else if !conn.lost.contains_key(channel) {
                    let first = conn.who.is_none();
                    let head = || self.store.data().logs.log(channel).head;
                    let end =
                        if first { End::default() } else { End { head: head(), step: self.stats.steps } };
                    conn.lost.insert(channel.clone(), end);
                }
            }
            conn.who = Some(who);
        }
    }

    /// An entry was stored.
    pub(super) fn check_stored(&mut self, channel: &Channel, offset: u64, id: Uuid) {
        if id.get_version_num() != 7 {
            return;
        }
        let user = user_of(sender(id).0);
        let (now, what) = (self.server_ms(), What::Entry(offset));
        if let Some(why) = self.rights.as_ref().and_then(|r| r.silences(user, (channel, what), now)) {
            let what = format!("{what} of {channel} was stored for one who may not write: {why}");
            self.broken(violated(Rule::Permission, what));
        }
    }
}

/// The tokens in a batch.
pub(super) fn tokens_in(frames: &[Result<ClientFrame, BadFrame>]) -> Vec<String> {
    let token = |frame: &Result<ClientFrame, BadFrame>| match frame {
        Ok(ClientFrame::Hello(hello)) => hello.token.clone(),
        Ok(ClientFrame::Token(frame)) => Some(frame.token.clone()),
        _ => None,
    };
    frames.iter().filter_map(token).collect()
}
