//! The application's token: when it is asked for, and what follows from a token that arrives, fails or is refused.

use alloc::{borrow::ToOwned, string::String};

use everwire_protocol::{ErrorCode, limits};

use super::{Connection, Output, Transport};
use crate::token::Refused;

/// A client whose token was refused tries again within this time, in ms.
const RETRY_MS: u64 = 250;
/// The same after the pause for a token that was fresh, in ms.
const FRESH_RETRY_MS: u64 = 1_000;

impl Connection {
    pub(super) fn fetch_token(&mut self) {
        let now = self.now();
        if self.token.request(now) {
            self.output(Output::FetchToken);
        }
    }

    pub(super) fn token_received(&mut self, token: String) {
        if !self.token.answered() {
            return;
        }
        if token.is_empty() || token.len() > limits::MAX_TOKEN_BYTES {
            self.token_failed("the token is empty or too long");
            return;
        }
        let now = self.now();
        self.token.replace(now, token.clone());
        if self.is_waiting_for_token() {
            self.open_transports();
        } else if self.transports.is_active(Transport::WebSocket) {
            let serial = self.token.serial();
            if let Some(websocket) = &mut self.transports.websocket {
                websocket.set_token(serial);
            }
            self.send_websocket(&[Self::encode(everwire_protocol::Token { token })]);
        }
    }

    pub(super) fn token_failed(&mut self, message: &str) {
        let now = self.now();
        self.token.failed(now);
        let sentence = const { ErrorCode::TokenFailed.message() };
        self.error(ErrorCode::TokenFailed, text!(sentence, " (", message, ")"));
        if self.is_waiting_for_token() {
            self.wait("the token callback failed", None);
        }
    }

    /// The server refuses this client. Another token may be better, unless fresh ones have been refused for a while.
    pub(super) fn refused_for_good(&mut self, code: ErrorCode, message: &str) {
        let now = self.now();
        if code == ErrorCode::Unauthorized {
            if self.is_about_an_earlier_token() {
                return self.lost_briefly("the token was replaced in the meantime", RETRY_MS);
            }
            match self.token.refused(now) {
                Refused::Stale => {
                    return self
                        .lost_briefly("the token is no longer accepted; asking for a new one", RETRY_MS);
                }
                Refused::Fresh(pause) => {
                    let delay = pause + self.rng.between(0, FRESH_RETRY_MS);
                    let reason = text!("the server does not accept the token; asking for another: ", message);
                    return self.lost(&reason, Some(delay));
                }
                Refused::Hopeless => {}
            }
        }
        self.error(code, message.to_owned());
        self.finish(Some(code), message);
    }

    /// The server needs another token from this client. However often the application provides one that has expired, the
    /// next one may be valid.
    pub(super) fn token_expired(&mut self, message: &str) {
        let now = self.now();
        if self.is_about_an_earlier_token() || self.token.discard(now) {
            self.lost_briefly(message, RETRY_MS);
        } else {
            self.error(ErrorCode::TokenExpired, message.to_owned());
            self.lost(message, None);
        }
    }

    /// Whether what is being answered was sent with another token than the present one.
    pub(super) fn is_about_an_earlier_token(&self) -> bool {
        self.transports.token().is_some_and(|serial| serial < self.token.serial())
    }
}
