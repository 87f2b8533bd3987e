//! Connections under virtual time, with the real hub and with logs in memory. Nothing happens on its own: a test says when
//! the store answers, when mail is taken out and when the network takes a batch.
#![allow(unreachable_pub, reason = "a test program has no outside")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bounds;
mod connecting;
mod costs;
mod direct;
mod frames;
mod permission;
mod polling;
mod posts;
mod properties;
mod resuming;
mod rules;
mod sending;
mod talking;
mod tokens;
mod world;

use std::{collections::VecDeque, sync::Arc};

use everwire_protocol::{
    Ack, Channel, ClientFrame, CloseCode, Done, Error, ErrorCode, Guest, Hello, History, Message, Payload,
    Send, ServerFrame, Signal, Subscribe, Subscribed, Typing, Uuid, batch,
};

use everwire_server::{
    auth::Rules,
    connection::{
        Binding, Connection, Input, Opened, Output, PollInput, PollOutput, Polling, ReceivedMark, Settings,
        Transport, batch_text, decode,
        direct::Flushes,
        mailbox::{MailboxReceiver, MailboxSender, mailbox},
    },
    hub::Hub,
    model::{
        identity::{Access, Credentials, Identity, IssuedToken, Payer, RateClass, Refusal},
        log::{NewEntry, SendPermission},
    },
    sessions::Sessions,
    store::memory::Logs,
};

use frames::*;
use rules::*;
use world::*;
