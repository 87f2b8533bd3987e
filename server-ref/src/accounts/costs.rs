//! What a frame costs, in units of roughly 10 microseconds of one core. Sends, requests, receipts and ephemeral frames have
//! limits of their own, which an operator can change; of those, only the refused ones cost units.

use everwire_protocol::{ClientFrame, channels::owner_of};

use super::Bucket;

/// The units of one connection. A client that reconnects with 256 subscriptions uses about 1,100 of them at once; a busy one
/// some 20 in a second.
pub const CONNECTION: Bucket = Bucket { per_second: 256, burst: 4_096 };

/// The units of one user, over all connections: 20 such clients may reconnect at once.
pub const ACCOUNT: Bucket = Bucket { per_second: 1_024, burst: 32_768 };

/// The frames above the limit that a connection may send: several batches that were already on their way when the first one
/// was refused. After them it is closed.
pub const EXCESS: Bucket = Bucket { per_second: 2, burst: 600 };

/// A refusal, of whatever frame: it is encoded, and takes room in the queue.
pub const REFUSAL: u32 = 2;

/// A message without frames: it is read, and a ping of the WebSocket is answered.
pub const MESSAGE: u32 = 1;

/// How many bytes of a WebSocket that are no message cost one unit: the headers of fragments, each of which is read alone.
pub const FRAMING: usize = 512;

/// A new connection: the token is verified, the session looked up.
pub const HELLO: u32 = 16;

/// A poll, in addition to its `hello`; every subscription that it repeats costs [`REPEATED`].
pub const POLL: u32 = 4;

/// Another name: everybody is told who sees it, in all of these channels.
pub fn rename(channels: usize) -> u32 {
    const MOST: u32 = CONNECTION.burst / 2;
    u32::try_from(channels).map_or(MOST, |channels| MOST.min(64 + 8 * channels))
}

/// How many repeated subscriptions cost one unit.
pub const REPEATED: u32 = 16;

/// The units of a frame that is not refused.
pub fn of(frame: &ClientFrame) -> u32 {
    match frame {
        // Reads the user's chats.
        ClientFrame::Subscribe(frame) if owner_of(&frame.channel).is_some() => 32,
        ClientFrame::Subscribe(_) => 4,
        // Verifies a signature.
        ClientFrame::Hello(_) | ClientFrame::Token(_) => HELLO,
        ClientFrame::Poll(_) => POLL,
        // Limits of their own.
        ClientFrame::Send(_)
        | ClientFrame::Typing(_)
        | ClientFrame::Signal(_)
        | ClientFrame::Mark(_)
        | ClientFrame::History(_)
        | ClientFrame::SetStatus(_)
        | ClientFrame::GetStatus(_)
        | ClientFrame::ListMembers(_)
        | ClientFrame::ListReceipts(_)
        | ClientFrame::ListChats(_)
        | ClientFrame::ListChatMembers(_)
        | ClientFrame::CreateChat(_)
        | ClientFrame::Invite(_)
        | ClientFrame::JoinChat(_)
        | ClientFrame::LeaveChat(_)
        | ClientFrame::RemoveMember(_)
        | ClientFrame::RenameChat(_)
        | ClientFrame::SetRole(_) => 0,
        ClientFrame::Unsubscribe(_)
        | ClientFrame::Idle(_)
        | ClientFrame::Ping(_)
        | ClientFrame::Pong(_)
        | ClientFrame::Bye(_) => 1,
    }
}
