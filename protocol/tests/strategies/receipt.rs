//! Marks and receipts.

use everwire_protocol::{ClientFrame, ListReceipts, Mark, Receipt, Receipts, ServerFrame, UserReceipt};
use proptest::{collection::vec as list, option, prelude::*};

use super::{Kinds, channel, nonce, number, one, text, uuid};

pub(super) fn client() -> Kinds<ClientFrame> {
    vec![one(
        "mark",
        (channel(), text(), number(), number(), option::of(text()))
            .prop_map(|(channel, epoch, delivered, read, run)| Mark { channel, epoch, delivered, read, run }),
    )]
}

pub(super) fn requests() -> Kinds<ClientFrame> {
    vec![one(
        "list_receipts",
        (uuid(), channel(), option::of(text())).prop_map(|(id, channel, after)| ListReceipts {
            id,
            channel,
            after,
        }),
    )]
}

pub(super) fn server() -> Kinds<ServerFrame> {
    vec![
        one(
            "receipt",
            (channel(), text(), number(), number(), nonce()).prop_map(
                |(channel, user, delivered, read, unread)| Receipt { channel, user, delivered, read, unread },
            ),
        ),
        one(
            "receipts",
            (uuid(), channel(), list(mark(), 0..4), option::of(text()))
                .prop_map(|(id, channel, receipts, next)| Receipts { id, channel, receipts, next }),
        ),
    ]
}

pub(super) fn mark() -> impl Strategy<Value = UserReceipt> {
    (text(), number(), number()).prop_map(|(user, delivered, read)| UserReceipt { user, delivered, read })
}
