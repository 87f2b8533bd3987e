//! Starting, resuming and ending subscriptions.

use everwire_protocol::{
    ClientFrame, Gap, GapReason, OwnMark, ServerFrame, Subscribe, Subscribed, Unsubscribe, Unsubscribed,
};
use proptest::{collection::vec as list, option, prelude::*, sample::select};

use super::{Kinds, channel, chat::chat, code, nonce, number, one, presence::member, receipt::mark, text};

pub(super) fn client() -> Kinds<ClientFrame> {
    let position = (option::of((text(), number())), option::of(text())).prop_map(|(position, run)| {
        let (epoch, offset) = position.unzip();
        (epoch, offset, run)
    });
    let subscribe = (channel(), position, nonce(), option::of(any::<bool>()));
    vec![
        one(
            "subscribe",
            subscribe.prop_map(|(channel, (epoch, offset, run), recent, undelivered)| Subscribe {
                channel,
                epoch,
                offset,
                run,
                recent,
                undelivered,
            }),
        ),
        one("unsubscribe", channel().prop_map(|channel| Unsubscribe { channel })),
    ]
}

pub(super) fn server() -> Kinds<ServerFrame> {
    vec![
        one("subscribed", subscribed()),
        one(
            "unsubscribed",
            (channel(), option::of(code()), option::of(text()), nonce()).prop_map(
                |(channel, code, message, retry_after_ms)| Unsubscribed {
                    channel,
                    code,
                    message,
                    retry_after_ms,
                },
            ),
        ),
    ]
}

fn subscribed() -> impl Strategy<Value = Subscribed> {
    let reason = select(vec![GapReason::Trimmed, GapReason::Epoch, GapReason::TooFar]);
    let gap = (number(), number(), reason).prop_map(|(from, to, reason)| Gap { from, to, reason });
    let own = (number(), number()).prop_map(|(delivered, read)| OwnMark { delivered, read });
    let members = (option::of(list(member(), 0..4)), option::of(text()));
    let receipts = (option::of(own), option::of(list(mark(), 0..4)), option::of(text()));
    let chats = (option::of(list(chat(), 0..2)), option::of(any::<bool>()));
    let state = (members, receipts, chats);
    (channel(), text(), number(), number(), option::of(gap), state).prop_map(
        |(channel, epoch, offset, head, gap, (members, receipts, chats))| Subscribed {
            channel,
            epoch,
            offset,
            head,
            gap,
            members: members.0,
            members_next: members.1,
            own_mark: receipts.0,
            receipts: receipts.1,
            receipts_next: receipts.2,
            chats: chats.0,
            chats_more: chats.1,
        },
    )
}
