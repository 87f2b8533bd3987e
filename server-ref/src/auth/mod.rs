//! Authentication and authorisation: identifies users and decides what they may do, without waiting. Tokens are parsed in
//! `token`; how much users may do is counted in the room `accounts`.

pub mod bans;
pub mod hs256;
pub mod token;

use std::sync::Arc;

use everwire_protocol::{
    Channel, ChannelKind, ErrorCode, Guest, Uuid,
    channels::{EVERYONE, PRESENCE_USERS, chat_of, is_user_channel, owner_of},
    names::{check_name, check_user},
};

pub use bans::Bans;
use token::TokenKey;

use crate::{
    accounts::Rates,
    environment::WallClock,
    model::{
        address::AddressKey,
        identity::{Access, Credentials, Identity, Payer, RateClass, Refusal, covers},
    },
};

/// The rules of this server.
#[derive(Debug, Default)]
pub struct Rules {
    /// Whether guests are accepted, with all permissions that tokens can grant, except for chats.
    pub dev: bool,
    /// The key for tokens. `None`: no token is accepted.
    pub key: Option<TokenKey>,
    /// The rate limits.
    pub rates: Rates,
    /// The public channels that users may write to: names, or patterns that end in `*`. Without `dev` the others are for
    /// back ends and for users whose token grants them.
    pub public_write: Vec<String>,
    /// The bans and revocations.
    pub bans: Arc<Bans>,
    /// The clock that tokens are checked with; `None`: the time of connections, where that is simulated.
    pub wall: Option<WallClock>,
}

impl Access for Rules {
    fn identify(&self, credentials: &Credentials<'_>, wall_ms: u64) -> Result<Identity, Refusal> {
        let identity = match (credentials.token, credentials.guest, &self.key) {
            (Some(token), _, Some(key)) => key.read(token, wall_ms),
            (_, Some(guest), _) if self.dev => identify_guest(guest, credentials.address),
            (_, Some(_), _) => Err(unauthorized("This server does not accept guests. Sign in with a token.")),
            (Some(_), None, None) => {
                Err(unauthorized("No JWT secret configured: this server accepts guests only."))
            }
            (None, None, _) if self.dev => {
                Err(unauthorized("Missing guest: send a user and a name in hello."))
            }
            (None, None, _) => Err(unauthorized("A token is required. Sign in first.")),
        }?;
        self.bans.check(&identity, wall_ms)?;
        Ok(identity)
    }

    fn check(&self, who: &Identity, now_ms: u64) -> Result<(), Refusal> {
        self.bans.check(who, self.wall_ms(now_ms))
    }

    fn wall_ms(&self, now_ms: u64) -> u64 {
        self.wall.as_ref().map_or(now_ms, WallClock::read)
    }

    fn may_subscribe(&self, who: &Identity, channel: &Channel) -> bool {
        if is_user_channel(channel) {
            return owner_of(channel).is_some_and(|owner| *owner == *who.user);
        }
        let free = channel.kind() == ChannelKind::Public || channel.as_str() == PRESENCE_USERS;
        free || self.dev || chat_of(channel).is_some() || who.granted(channel)
    }

    fn may_send(&self, who: &Identity, channel: &Channel) -> bool {
        // Only the server writes to `presence-users`, and only back ends publish to `everyone`.
        if [PRESENCE_USERS, EVERYONE].contains(&channel.as_str()) || !self.may_subscribe(who, channel) {
            return false;
        }
        // Everybody may read a public channel, so writing is the exception there.
        channel.kind() != ChannelKind::Public
            || self.dev
            || who.granted(channel)
            || covers(&self.public_write, channel)
    }

    fn chat<'a>(&self, who: &Identity, channel: &'a Channel) -> Option<&'a str> {
        chat_of(channel).filter(|_| !who.granted(channel))
    }

    fn pace(&self, who: &Identity, session: Uuid, what: RateClass, now_ms: u64) -> Result<(), u32> {
        self.rates.take(who, session, what, now_ms)
    }
}

fn unauthorized(message: &str) -> Refusal {
    Refusal::new(ErrorCode::Unauthorized, message)
}

fn identify_guest(guest: &Guest, address: Option<AddressKey>) -> Result<Identity, Refusal> {
    check_user(&guest.user)
        .map_err(|wrong| unauthorized(&format!("Invalid user id of a guest: {wrong}.")))?;
    check_name(&guest.name).map_err(|wrong| unauthorized(&format!("Invalid name of a guest: {wrong}.")))?;
    let user: Arc<str> = guest.user.as_str().into();
    // A guest can choose another name for every request.
    let payer = address.map_or_else(|| Payer::User(user.clone()), Payer::Address);
    let name = Some(guest.name.as_str().into());
    Ok(Identity { user, name, grants: Arc::default(), expires_at: None, token: None, payer })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(user: &str, grants: &[&str]) -> Identity {
        let grants = grants.iter().map(|grant| (*grant).to_owned()).collect();
        let payer = Payer::User(user.into());
        Identity { user: user.into(), name: None, grants, expires_at: None, token: None, payer }
    }

    fn rules(dev: bool) -> Rules {
        Rules { dev, ..Rules::default() }
    }

    #[test]
    fn what_a_user_may_receive_and_send() {
        let may = |dev: bool, grants: &[&str], channel: &str| {
            let (rules, who, channel) = (rules(dev), who("7", grants), channel.parse().unwrap());
            (rules.may_subscribe(&who, &channel), rules.may_send(&who, &channel))
        };
        assert_eq!(may(false, &[], "news"), (true, false));
        assert_eq!(may(false, &["news"], "news"), (true, true));
        assert_eq!(may(false, &["private-*"], "news"), (true, false));
        assert_eq!(may(true, &[], "news"), (true, true));
        assert_eq!(may(false, &[], "private-user.7"), (true, true));
        assert_eq!(may(false, &["*"], "private-user.8"), (false, false));
        assert_eq!(may(true, &["private-user.*"], "private-user.8"), (false, false));
        assert_eq!(may(false, &[], "presence-users"), (true, false));
        assert_eq!(may(true, &[], "presence-users"), (true, false));
        assert_eq!(may(false, &[], "private-orders"), (false, false));
        assert_eq!(may(false, &["private-orders"], "private-orders"), (true, true));
        assert_eq!(may(false, &["private-orders"], "private-orders2"), (false, false));
        assert_eq!(may(false, &["private-chat.*"], "private-chat.42"), (true, true));
        assert_eq!(may(true, &[], "presence-room"), (true, true));
        assert_eq!(may(true, &["*"], "everyone"), (true, false));
    }

    #[test]
    fn a_rule_opens_public_channels_for_writing() {
        let public_write = vec!["lobby".into(), "room.*".into(), "private-*".into()];
        let rules = Rules { public_write, ..Rules::default() };
        let may_send = |channel: &str| rules.may_send(&who("7", &[]), &channel.parse().unwrap());
        assert_eq!(
            ["lobby", "room.7", "lobby2", "news", "everyone", "private-orders"].map(may_send),
            [true, true, false, false, false, false]
        );
    }

    #[test]
    fn chats_are_for_members_and_for_those_whose_token_says_so() {
        let rules = rules(true);
        let chat = |grants: &[&str], channel: &str| {
            rules.chat(&who("7", grants), &channel.parse().unwrap()).map(str::to_owned)
        };
        assert_eq!(chat(&[], "private-chat.42").as_deref(), Some("42"));
        assert_eq!(chat(&["private-chat.*"], "presence-chat.42").as_deref(), Some("42"));
        assert_eq!(chat(&["private-chat.*"], "private-chat.42"), None);
        assert_eq!(chat(&[], "private-chats.42"), None);
    }

    #[test]
    fn guests_are_let_in_by_a_development_server_only() {
        let guest = Guest { user: "7".into(), name: "Ada".into() };
        let shown = Credentials { token: None, guest: Some(&guest), address: None };
        assert_eq!(rules(true).identify(&shown, 0).unwrap().name.as_deref(), Some("Ada"));
        assert_eq!(rules(false).identify(&shown, 0).unwrap_err().code, ErrorCode::Unauthorized);
        for (user, name) in
            [("", "Ada"), ("7", ""), (&*"x".repeat(129), "Ada"), ("7", "A\u{7}"), ("\n", "Ada")]
        {
            let guest = Guest { user: user.into(), name: name.into() };
            let shown = Credentials { token: None, guest: Some(&guest), address: None };
            assert_eq!(rules(true).identify(&shown, 0).unwrap_err().code, ErrorCode::Unauthorized);
        }
    }
}
