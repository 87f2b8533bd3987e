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
    Activity, Chat, ChatChanged, ChatGone, ChatKind, ChatMember, Chats, CreateChat, Done, Invite, JoinChat,
    LeaveChat, ListChats, RemoveMember, RenameChat, Role, SetRole,
};
pub use connection::{Bye, Error, Goaway, Guest, Hello, Limits, Ping, Poll, Polled, Pong, Token, Welcome};
pub use ephemeral::{Signal, Signalled, Typing, UserTyping};
pub use history::{History, HistoryPage};
pub use message::{Ack, Action, Message, Send};
pub use presence::{Member, MemberJoined, MemberLeft};
pub use receipt::{Mark, Receipt, UserReceipt};
pub use status::{GetStatus, Idle, SetStatus, Status, StatusChanged, StatusChoice, Statuses, UserStatus};
pub use subscription::{Gap, GapReason, Subscribe, Subscribed, Unsubscribe, Unsubscribed};

use uuid::Uuid;

use crate::batch::frames;

/// A request, with the frame that answers it.
pub trait Answered {
    /// The answering frame.
    type Answer: Into<ServerFrame>;
}

/// Declares the requests: the only place that names the answer of a request.
macro_rules! requests {
    (
        $(#[$doc:meta])*
        pub enum $name:ident { $($request:ident => $answer:ident,)* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $(#[doc = concat!("Answered by [`", stringify!($answer), "`].")] $request($request),)*
        }

        impl $name {
            /// The name of each request and of its answer.
            pub const ANSWERS: &'static [(&'static str, &'static str)] =
                &[$((stringify!($request), stringify!($answer)),)*];

            /// The id, which the answer repeats.
            pub const fn id(&self) -> Uuid {
                match self {
                    $(Self::$request(request) => request.id,)*
                }
            }
        }

        $(
            impl Answered for $request {
                type Answer = $answer;
            }

            impl From<$request> for $name {
                fn from(request: $request) -> Self {
                    Self::$request(request)
                }
            }
        )*
    };
}

frames! {
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
        "set_status" => SetStatus,
        "get_status" => GetStatus,
        "history" => History,
        "list_chats" => ListChats,
        "create_chat" => CreateChat,
        "invite" => Invite,
        "join_chat" => JoinChat,
        "leave_chat" => LeaveChat,
        "remove_member" => RemoveMember,
        "rename_chat" => RenameChat,
        "set_role" => SetRole,
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

requests! {
    /// The requests: the frames of [`ClientFrame`] that are answered by one frame with the same `id`, each with its answer.
    pub enum Request {
        SetStatus => Done,
        GetStatus => Statuses,
        History => HistoryPage,
        ListChats => Chats,
        CreateChat => Done,
        Invite => Done,
        JoinChat => Done,
        LeaveChat => Done,
        RemoveMember => Done,
        RenameChat => Done,
        SetRole => Done,
    }
}

frames! {
    /// Every frame that a server may send.
    pub enum ServerFrame {
        "welcome" => Welcome,
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
        "member_joined" => MemberJoined,
        "member_left" => MemberLeft,
        "status_changed" => StatusChanged,
        "statuses" => Statuses,
        "chats" => Chats,
        "chat_changed" => ChatChanged,
        "chat_gone" => ChatGone,
        "activity" => Activity,
        "done" => Done,
        "history_page" => HistoryPage,
    }
}
