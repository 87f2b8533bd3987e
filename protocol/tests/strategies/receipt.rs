//! Marks and receipts.

use everwire_protocol::{ClientFrame, Mark, Receipt, ServerFrame};
use proptest::{option, prelude::*};

use super::{Kinds, channel, nonce, number, one, text};

pub(super) fn client() -> Kinds<ClientFrame> {
    vec![one(
        "mark",
        (channel(), text(), number(), number(), option::of(text()))
            .prop_map(|(channel, epoch, delivered, read, run)| Mark { channel, epoch, delivered, read, run }),
    )]
}

pub(super) fn server() -> Kinds<ServerFrame> {
    vec![one(
        "receipt",
        (channel(), text(), number(), number(), nonce()).prop_map(
            |(channel, user, delivered, read, unread)| Receipt { channel, user, delivered, read, unread },
        ),
    )]
}
