//! Pages of a channel's log.

use everwire_protocol::{ClientFrame, History, HistoryPage, ServerFrame};
use proptest::{collection::vec as list, option, prelude::*};

use super::{Kinds, channel, message::message, nonce, number, one, text, uuid};

pub(super) fn client() -> Kinds<ClientFrame> {
    vec![one(
        "history",
        (uuid(), channel(), option::of(number()), any::<bool>(), nonce()).prop_map(
            |(id, channel, from, is_before, limit)| {
                let (before, after) = (from.filter(|_| is_before), from.filter(|_| !is_before));
                History { id, channel, before, after, limit }
            },
        ),
    )]
}

pub(super) fn server() -> Kinds<ServerFrame> {
    vec![one(
        "history_page",
        (uuid(), channel(), text(), list(message(), 0..3), any::<bool>()).prop_map(
            |(id, channel, epoch, messages, more)| HistoryPage { id, channel, epoch, messages, more },
        ),
    )]
}
