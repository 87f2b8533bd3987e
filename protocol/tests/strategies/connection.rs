//! Connecting, polling, signs of life, errors.

use everwire_protocol::{
    Bye, ClientFrame, Error, Goaway, Guest, Hello, Limits, Ping, Poll, Polled, Pong, ServerFrame, Token,
    TokenAccepted, Welcome,
};
use proptest::{collection::vec, option, prelude::*};

use super::{Kinds, channel, code, named, nonce, number, one, text, uuid};

pub(super) fn client() -> Kinds<ClientFrame> {
    let guest = (named(), named()).prop_map(|(user, name)| Guest { user, name });
    let speaks = (any::<u32>(), versions(), option::of(vec(text(), 0..3)));
    let hello = (speaks, uuid(), option::of(text()), option::of(guest), option::of(text()));
    vec![
        one(
            "hello",
            hello.prop_map(|((version, versions, features), session, token, guest, client)| Hello {
                version,
                versions,
                features,
                session,
                token,
                guest,
                client,
            }),
        ),
        one("token", text().prop_map(|token| Token { token })),
        one(
            "poll",
            (option::of(uuid()), number(), any::<u32>()).prop_map(|(connection, ack, hold_ms)| Poll {
                connection,
                ack,
                hold_ms,
            }),
        ),
        one("ping", nonce().prop_map(|nonce| Ping { nonce })),
        one("pong", nonce().prop_map(|nonce| Pong { nonce })),
        one("bye", Just(Bye {})),
    ]
}

pub(super) fn server() -> Kinds<ServerFrame> {
    vec![
        one("welcome", welcome()),
        one("token_accepted", option::of(number()).prop_map(|expires_in_ms| TokenAccepted { expires_in_ms })),
        one(
            "polled",
            (number(), option::of(uuid())).prop_map(|(seq, connection)| Polled { seq, connection }),
        ),
        one("ping", nonce().prop_map(|nonce| Ping { nonce })),
        one("pong", nonce().prop_map(|nonce| Pong { nonce })),
        one(
            "goaway",
            (any::<u32>(), any::<u32>(), text()).prop_map(|(delay_ms, spread_ms, reason)| Goaway {
                delay_ms,
                spread_ms,
                reason,
            }),
        ),
        one("error", error()),
    ]
}

fn welcome() -> impl Strategy<Value = Welcome> {
    let who = ((any::<u32>(), vec(text(), 0..4)), uuid(), uuid(), text(), text(), option::of(text()));
    let times = (number(), any::<u32>(), any::<u32>(), option::of(number()));
    let limits =
        (any::<[u32; 4]>(), nonce(), nonce()).prop_map(|(always, sends_per_minute, text_characters)| {
            let [payload_bytes, batch_bytes, batch_frames, subscriptions] = always;
            Limits {
                payload_bytes,
                batch_bytes,
                batch_frames,
                subscriptions,
                sends_per_minute,
                text_characters,
            }
        });
    (who, times, limits).prop_map(|(who, times, limits)| {
        let ((version, features), session, connection, run, user, name) = who;
        let (server_time, ping_interval_ms, hold_ms, token_expires_in_ms) = times;
        Welcome {
            version,
            features,
            session,
            connection,
            run,
            user,
            name,
            server_time,
            ping_interval_ms,
            hold_ms,
            token_expires_in_ms,
            limits,
        }
    })
}

fn error() -> impl Strategy<Value = Error> {
    let ids = prop::collection::vec(uuid(), 0..3);
    let about = (option::of(uuid()), ids, option::of(text()), option::of(channel()));
    (code(), text(), any::<bool>(), about, nonce(), versions()).prop_map(
        |(code, message, retry, (id, ids, re, channel), retry_after_ms, versions)| Error {
            code,
            message,
            retry,
            id,
            ids,
            re,
            channel,
            retry_after_ms,
            versions,
        },
    )
}

fn versions() -> impl Strategy<Value = Option<Vec<u32>>> {
    option::of(vec(any::<u32>(), 0..3))
}
