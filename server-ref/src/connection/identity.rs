//! The identity of a connection's user: how it is established, how a new token replaces it, and how it ends. Permission is
//! checked again whenever the identity changes, because subscriptions outlive the token that they began with.

use std::sync::Arc;

use everwire_protocol::{
    ChannelKind, CloseCode, Error, ErrorCode, Hello, ServerFrame, Token, TokenAccepted, batch,
    limits::MAX_TOKEN_BYTES,
};

use super::{
    Connection, Output, Phase, Transport,
    errors::{error_saying, re},
};
use crate::{
    accounts::costs,
    model::identity::{Credentials, Identity, Refusal},
};

impl Connection {
    pub(super) fn identify(
        &self,
        now_ms: u64,
        token: Option<&str>,
        hello: Option<&Hello>,
    ) -> Result<Identity, Refusal> {
        if token.is_some_and(|token| token.len() > MAX_TOKEN_BYTES) {
            return Err(Refusal::new(ErrorCode::Unauthorized, "The token is too long."));
        }
        let guest = hello.and_then(|hello| hello.guest.as_ref());
        let credentials = Credentials { token, guest, address: self.address };
        self.access.identify(&credentials, self.access.wall_ms(now_ms))
    }

    /// Refuses who the client says it is. `kind`: of the frame that said it, if one did just now.
    pub(super) fn refuse(&mut self, now_ms: u64, refusal: Refusal, kind: Option<&str>) {
        let code = match refusal.code {
            ErrorCode::Banned => CloseCode::Banned,
            ErrorCode::SessionMismatch => CloseCode::SessionMismatch,
            ErrorCode::TokenExpired => CloseCode::TokenExpired,
            _ => CloseCode::Unauthorized,
        };
        self.push(Error { re: kind.map(Into::into), ..error_saying(refusal.code, refusal.message) });
        self.close(now_ms, code);
    }

    pub(super) fn token(&mut self, now_ms: u64, frame: &Token, before: &Identity) {
        match self.identify(now_ms, Some(&frame.token), None) {
            Ok(identity) if identity.user == before.user => {
                self.accept_token(now_ms, &identity);
                self.adopt(now_ms, identity);
            }
            Ok(_) => self.refuse(now_ms, Refusal::of(ErrorCode::SessionMismatch), Some("token")),
            Err(refusal) => self.refuse(now_ms, refusal, Some("token")),
        }
    }

    /// The `hello` of a later poll: the same user again, perhaps with a new token. The error answers that poll alone.
    pub(super) fn hello_again(&mut self, now_ms: u64, hello: &Hello) -> Result<(), Arc<str>> {
        #[cfg(feature = "planted")]
        if self.settings.ignores_later_tokens && self.is_open() {
            self.heartbeat.heard(now_ms);
            return Ok(());
        }
        let answer = |refusal: Refusal| -> Arc<str> {
            batch::encode_frame(&ServerFrame::Error(re("hello", error_saying(refusal.code, refusal.message))))
                .into()
        };
        let identity = self.identify(now_ms, hello.token.as_deref(), Some(hello)).map_err(answer)?;
        match &self.phase {
            Phase::Open(before) | Phase::Binding(before) if before.user != identity.user => {
                return Err(answer(Refusal::of(ErrorCode::SessionMismatch)));
            }
            Phase::Open(before) => {
                let same = before.token == identity.token
                    && before.expires_at == identity.expires_at
                    && before.grants == identity.grants;
                if !same {
                    self.accept_token(now_ms, &identity);
                }
                self.adopt(now_ms, identity);
            }
            Phase::Binding(_) => self.phase = Phase::Binding(identity),
            Phase::Hello | Phase::Ended => {}
        }
        self.heartbeat.heard(now_ms);
        Ok(())
    }

    /// Tells the client that its new token counts from now on, and for how long. What follows from the token comes behind.
    fn accept_token(&mut self, now_ms: u64, identity: &Identity) {
        let expires_in_ms = self.token_expires_in_ms(now_ms, identity);
        self.push(TokenAccepted { expires_in_ms });
    }

    pub(super) fn token_expires_in_ms(&self, now_ms: u64, identity: &Identity) -> Option<u64> {
        let wall_ms = self.access.wall_ms(now_ms);
        identity.expires_at.map(|at| at.saturating_sub(wall_ms))
    }

    /// Replaces the identity by another one of the same user. Others see its name; subscriptions that it does not permit end.
    fn adopt(&mut self, now_ms: u64, mut identity: Identity) {
        let Phase::Open(before) = &self.phase else { return };
        let before = before.clone();
        if identity.name.is_some() && before.name != identity.name {
            let channels = self.subscriptions.channels();
            let lists = channels.filter(|channel| channel.kind() == ChannelKind::Presence);
            let channels: Vec<_> = lists.cloned().collect();
            if self.charge(now_ms, &identity, costs::rename(channels.len())).is_ok() {
                let who = identity.clone();
                self.outputs.push_back(Output::Rename { session: self.session, who, channels });
            } else {
                // Everybody who sees it would be told: the next token may bring it.
                identity.name.clone_from(&before.name);
            }
        }
        self.phase = Phase::Open(identity.clone());
        if before.token != identity.token {
            self.use_token(&identity);
        }
        if before.grants == identity.grants {
            return;
        }
        #[cfg(feature = "planted")]
        if self.settings.keeps_lost_grants {
            return;
        }
        let mut unsure = Vec::new();
        for channel in self.subscriptions.channels().cloned().collect::<Vec<_>>() {
            if !self.access.may_subscribe(&identity, &channel) {
                let words = "The user's token no longer grants this channel.";
                self.end_subscription(channel, Refusal::new(ErrorCode::Forbidden, words));
            } else if self.access.chat(&identity, &channel).is_some() {
                unsure.extend(self.subscriptions.key(&channel).map(|key| (channel, key)));
            }
        }
        if !unsure.is_empty() {
            self.outputs.push_back(Output::CheckMembership { channels: unsure, who: identity });
        }
    }

    /// Lets revocations of the token find this connection. A request that only sends is over before.
    pub(super) fn use_token(&mut self, identity: &Identity) {
        if self.transport != Transport::Post && identity.token.is_some() {
            self.outputs.push_back(Output::UseToken(Box::new(identity.clone())));
        }
    }

    /// Ends the connection if its user was banned or its token revoked. Nothing that is queued is sent.
    pub(super) fn check_identity(&mut self, now_ms: u64) {
        let Phase::Open(identity) = &self.phase else { return };
        if let Err(refusal) = self.access.check(identity, now_ms) {
            self.queue.clear();
            self.refuse(now_ms, refusal, None);
        }
    }
}
