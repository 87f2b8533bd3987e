//! The calls of JavaScript by the core.

use everwire_client_core::{Handle, SendStatus, Status, Transport};
use everwire_protocol::ErrorCode;

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
    /// The status of a send has changed, or a send or request has failed, without a frame that reports it.
    sending(Sending<'a> {
        id: &'a str,
        status: SendStatus,
        code: Option<ErrorCode>,
        message: Option<&'a str>,
    });
    /// Take one of the slots for held polls that the pages of this browser share, and answer with `poll_slot` if there is one;
    /// or (0) give it up.
    poll_slot(PollSlot {
        wanted: bool,
    });
    /// A token is needed: answer, now or later, with `token` or `token_failed`.
    fetch_token(FetchToken {});
    /// Somebody's typing has expired.
    typing_expired(TypingExpired {
        handle: Handle,
        typist: u32,
    });
    /// An error that concerns the whole connection and does not change its state.
    error(Error<'a> {
        code: ErrorCode,
        message: &'a str,
    });
    /// A line for the application's log; only with the option `debug`.
    log(Log<'a> {
        line: &'a str,
    });
}
