//! What the core tells JavaScript.

use everwire_client_core::{Handle, SendStatus, Status, Transport};
use everwire_protocol::{ErrorCode, GapReason};

use super::{
    declare::{ArgumentDeclaration, Declaration, host_calls, place},
    registers::{HostArgument, HostRegisters},
};

host_calls! {
    /// The state of the connection has changed.
    state(State<'a> {
        status: Status,
        transport: Option<Transport>,
        /// Counts attempts since the last connection.
        attempt: u32,
        /// Only while waiting.
        retry_in_ms: Option<u64>,
        /// The error that closed the client for good.
        code: Option<ErrorCode>,
        reason: &'a str,
    });
    /// A subscription is in place, for the first time or again; its entries follow.
    subscribed(Subscribed<'a> {
        handle: Handle,
        epoch: &'a str,
        offset: u64,
        head: u64,
        /// False if entries were missed for good.
        recovered: bool,
    });
    /// Entries were missed for good. Comes before `subscribed`.
    gap(Gap {
        handle: Handle,
        from: u64,
        to: u64,
        reason: GapReason,
    });
    /// The server refused or ended a subscription; its handle is not used again.
    ended(Ended<'a> {
        handle: Handle,
        code: ErrorCode,
        message: &'a str,
    });
    /// The status of a send has changed, or a request has failed.
    sending(Sending<'a> {
        id: &'a str,
        status: SendStatus,
        /// Where it is stored.
        offset: Option<u64>,
        /// When it was stored.
        at: Option<u64>,
        code: Option<ErrorCode>,
        message: Option<&'a str>,
    });
    /// A token is needed: answer, now or later, with `token` or `token_failed`.
    fetch_token(FetchToken {});
    /// Somebody's typing has expired.
    typing_expired(TypingExpired {
        handle: Handle,
        typist: u32,
    });
    /// Something went wrong that concerns the whole connection and is not a state.
    error(Error<'a> {
        code: ErrorCode,
        message: &'a str,
    });
    /// A line for the application's log; only with the option `debug`.
    log(Log<'a> {
        line: &'a str,
    });
}
