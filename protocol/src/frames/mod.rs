//! Every frame of both directions, by feature. A frame has one name everywhere: its `type` on the wire is the `snake_case`
//! form of its struct's name, and the TypeScript interface is called like the struct.

mod chat;
mod connection;
mod ephemeral;
mod history;
mod message;
mod presence;
mod receipt;
mod status;
mod subscription;

pub use chat::{
    Activity, Chat, ChatChanged, ChatGone, ChatKind, ChatMember, ChatMembers, Chats, CreateChat, Done,
    Invite, JoinChat, LeaveChat, ListChatMembers, ListChats, RemoveMember, RenameChat, Role, SetRole,
};
pub use connection::{
    Bye, Error, Goaway, Guest, Hello, Limits, Ping, Poll, Polled, Pong, Token, TokenAccepted, Welcome,
};
pub use ephemeral::{Signal, Signalled, Typing, UserTyping};
pub use history::{History, HistoryPage};
pub use message::{Ack, Action, Deleted, Message, Send};
pub use presence::{ListMembers, Member, MemberJoined, MemberLeft, Members};
pub use receipt::{ListReceipts, Mark, OwnMark, Receipt, Receipts, UserReceipt};
pub use status::{GetStatus, Idle, SetStatus, Status, StatusChanged, StatusChoice, Statuses, UserStatus};
pub use subscription::{Gap, GapReason, Subscribe, Subscribed, Unsubscribe, Unsubscribed};

use uuid::Uuid;

use crate::batch::frames;

/// A request, with the frame that answers it.
pub trait Answered {
    /// The answering frame.
    type Answer: Into<ServerFrame>;

    /// The type of the request, as on the wire.
    const KIND: &'static str;

    /// The answer, if this frame is of its type.
    fn answer_in(frame: ServerFrame) -> Option<Self::Answer>;
}

/// Declares [`ClientFrame`] from two lists: the frames that a connection handles itself, and the requests. This is the only
/// place that says which frames are requests and names the answer of each.
macro_rules! client_frames {
    (
        $(#[$doc:meta])* pub enum ClientFrame { $($kind:literal => $frame:ident,)* }
        $(#[$request_doc:meta])* pub enum Request { $($request_kind:literal => $request:ident -> $answer:ident,)* }
    ) => {
        frames! {
            $(#[$doc])*
            pub enum ClientFrame {
                $($kind => $frame,)*
                $($request_kind => $request,)*
            }
        }

        $(#[$request_doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum Request {
            $(#[doc = concat!("Answered by [`", stringify!($answer), "`].")] $request($request),)*
        }

        impl Request {
            /// The name of each request and of its answer.
            pub const ANSWERS: &'static [(&'static str, &'static str)] =
                &[$((stringify!($request), stringify!($answer)),)*];

            /// The type, as on the wire.
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$request(_) => $request_kind,)*
                }
            }

            /// The id, which the answer repeats.
            pub const fn id(&self) -> Uuid {
                match self {
                    $(Self::$request(request) => request.id,)*
                }
            }
        }

        impl ServerFrame {
            /// The id of the request that this answers, if it is an answer.
            pub const fn answered_id(&self) -> Option<Uuid> {
                #[allow(unreachable_patterns, reason = "several requests have the same answer")]
                match self {
                    $(Self::$answer(answer) => Some(answer.id),)*
                    _ => None,
                }
            }
        }

        /// The frames of [`ClientFrame`] that are not requests.
        #[derive(Debug, Clone, PartialEq)]
        pub enum ConnectionFrame {
            $(#[doc = concat!("`", $kind, "`")] $frame($frame),)*
        }

        /// A [`ClientFrame`], sorted by who handles it.
        #[derive(Debug, Clone, PartialEq)]
        pub enum SortedFrame {
            /// The connection handles it.
            Connection(ConnectionFrame),
            /// The node answers it.
            Request(Request),
        }

        impl From<ClientFrame> for SortedFrame {
            fn from(frame: ClientFrame) -> Self {
                match frame {
                    $(ClientFrame::$frame(frame) => Self::Connection(ConnectionFrame::$frame(frame)),)*
                    $(ClientFrame::$request(request) => Self::Request(Request::$request(request)),)*
                }
            }
        }

        $(
            impl Answered for $request {
                type Answer = $answer;
                const KIND: &'static str = $request_kind;

                fn answer_in(frame: ServerFrame) -> Option<$answer> {
                    match frame {
                        ServerFrame::$answer(answer) => Some(answer),
                        _ => None,
                    }
                }
            }

            impl From<$request> for Request {
                fn from(request: $request) -> Self {
                    Self::$request(request)
                }
            }
        )*
    };
}

client_frames! {
    /// Every frame that a client may send.
    pub enum ClientFrame {
        "hello" => Hello,
        "token" => Token,
        "poll" => Poll,
        "ping" => Ping,
        "pong" => Pong,
        "bye" => Bye,
        "subscribe" => Subscribe,
        "unsubscribe" => Unsubscribe,
        "send" => Send,
        "typing" => Typing,
        "signal" => Signal,
        "mark" => Mark,
        "idle" => Idle,
    }

    /// The requests: the frames of [`ClientFrame`] that are answered by one frame with the same `id`, each with its answer.
    pub enum Request {
        "set_status" => SetStatus -> Done,
        "get_status" => GetStatus -> Statuses,
        "history" => History -> HistoryPage,
        "list_members" => ListMembers -> Members,
        "list_receipts" => ListReceipts -> Receipts,
        "list_chats" => ListChats -> Chats,
        "list_chat_members" => ListChatMembers -> ChatMembers,
        "create_chat" => CreateChat -> Done,
        "invite" => Invite -> Done,
        "join_chat" => JoinChat -> Done,
        "leave_chat" => LeaveChat -> Done,
        "remove_member" => RemoveMember -> Done,
        "rename_chat" => RenameChat -> Done,
        "set_role" => SetRole -> Done,
    }
}

frames! {
    /// The frames of [`ClientFrame`] that a client's core encodes. The application encodes the others. A separate enum,
    /// because a browser downloads the serializer of every frame in it.
    pub enum CoreFrame {
        "hello" => Hello,
        "token" => Token,
        "poll" => Poll,
        "ping" => Ping,
        "pong" => Pong,
        "bye" => Bye,
        "subscribe" => Subscribe,
        "unsubscribe" => Unsubscribe,
        "typing" => Typing,
        "mark" => Mark,
    }
}

frames! {
    /// Every frame that a server may send.
    pub enum ServerFrame {
        "welcome" => Welcome,
        "token_accepted" => TokenAccepted,
        "polled" => Polled,
        "ping" => Ping,
        "pong" => Pong,
        "goaway" => Goaway,
        "error" => Error,
        "subscribed" => Subscribed,
        "unsubscribed" => Unsubscribed,
        "ack" => Ack,
        "message" => Message,
        "user_typing" => UserTyping,
        "signalled" => Signalled,
        "receipt" => Receipt,
        "receipts" => Receipts,
        "members" => Members,
        "member_joined" => MemberJoined,
        "member_left" => MemberLeft,
        "status_changed" => StatusChanged,
        "statuses" => Statuses,
        "chats" => Chats,
        "chat_members" => ChatMembers,
        "chat_changed" => ChatChanged,
        "chat_gone" => ChatGone,
        "activity" => Activity,
        "done" => Done,
        "history_page" => HistoryPage,
    }
}
