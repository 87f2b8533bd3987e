//! Strategies for every frame of both directions, with every optional field present and absent, texts of any characters,
//! and payloads of any JSON.

use everwire_protocol::{
    Ack, Bye, Channel, ClientFrame, Error, ErrorCode, Gap, GapReason, Goaway, Guest, Hello, Joined, Left,
    Limits, Member, Message, Payload, Ping, Poll, Polled, Pong, Send, ServerFrame, Subscribe, Subscribed,
    Token, Unsubscribe, Unsubscribed, Uuid, Welcome, limits::MAX_OFFSET,
};
use proptest::{option, prelude::*, sample::select, strategy::Union};
use serde_json::{Map, Value};

/// A frame's type, and a strategy for it.
pub(crate) type Kinds<F> = Vec<(&'static str, BoxedStrategy<F>)>;

/// Any frame of a client.
pub(crate) fn any_client() -> impl Strategy<Value = ClientFrame> {
    Union::new(client().into_iter().map(|(_, strategy)| strategy))
}

/// Any frame of a server.
pub(crate) fn any_server() -> impl Strategy<Value = ServerFrame> {
    Union::new(server().into_iter().map(|(_, strategy)| strategy))
}

/// Any JSON value, as text.
pub(crate) fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..5)
                .prop_map(|fields| Value::from(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
    .prop_map(|value| value.to_string())
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{0,8}", any::<String>()]
}

fn payload() -> impl Strategy<Value = Payload> {
    json().prop_map(|text| Payload::from_text(text).expect("this is JSON"))
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..100_u64, 0..=MAX_OFFSET, Just(MAX_OFFSET)]
}

fn channel() -> impl Strategy<Value = Channel> {
    "(private-|presence-)?[A-Za-z0-9_=@,.;:-]{1,80}x"
        .prop_map(|name| Channel::new(&name).expect("this is a channel name"))
}

fn code() -> impl Strategy<Value = ErrorCode> {
    select(ErrorCode::ALL)
}

fn member() -> impl Strategy<Value = Member> {
    (text(), option::of(text())).prop_map(|(user, name)| Member { user, name })
}

fn nonce() -> impl Strategy<Value = Option<u32>> {
    option::of(any::<u32>())
}

/// Every frame of a client, in the order of [`ClientFrame`].
pub(crate) fn client() -> Kinds<ClientFrame> {
    let guest = (text(), text()).prop_map(|(user, name)| Guest { user, name });
    let hello = (any::<u32>(), uuid(), option::of(text()), option::of(guest), option::of(text()));
    let subscribe = (channel(), option::of(text()), option::of(number()), nonce());
    vec![
        (
            "hello",
            hello
                .prop_map(|(version, session, token, guest, client)| {
                    Hello { version, session, token, guest, client }.into()
                })
                .boxed(),
        ),
        ("token", text().prop_map(|token| Token { token }.into()).boxed()),
        (
            "subscribe",
            subscribe
                .prop_map(|(channel, epoch, offset, recent)| {
                    Subscribe { channel, epoch, offset, recent }.into()
                })
                .boxed(),
        ),
        ("unsubscribe", channel().prop_map(|channel| Unsubscribe { channel }.into()).boxed()),
        (
            "send",
            (uuid(), channel(), option::of(text()), payload())
                .prop_map(|(id, channel, event, data)| Send { id, channel, event, data }.into())
                .boxed(),
        ),
        (
            "poll",
            (option::of(uuid()), number(), any::<u32>())
                .prop_map(|(connection, ack, hold_ms)| Poll { connection, ack, hold_ms }.into())
                .boxed(),
        ),
        ("ping", nonce().prop_map(|nonce| Ping { nonce }.into()).boxed()),
        ("pong", nonce().prop_map(|nonce| Pong { nonce }.into()).boxed()),
        ("bye", Just(Bye {}.into()).boxed()),
    ]
}

/// Every frame of a server, in the order of [`ServerFrame`].
pub(crate) fn server() -> Kinds<ServerFrame> {
    vec![
        ("welcome", welcome().prop_map(Into::into).boxed()),
        ("subscribed", subscribed().prop_map(Into::into).boxed()),
        (
            "unsubscribed",
            (channel(), option::of(code()), option::of(text()))
                .prop_map(|(channel, code, message)| Unsubscribed { channel, code, message }.into())
                .boxed(),
        ),
        ("message", message().prop_map(Into::into).boxed()),
        (
            "ack",
            (uuid(), channel(), number(), number())
                .prop_map(|(id, channel, offset, at)| Ack { id, channel, offset, at }.into())
                .boxed(),
        ),
        ("error", error().prop_map(Into::into).boxed()),
        (
            "joined",
            (channel(), member()).prop_map(|(channel, member)| Joined { channel, member }.into()).boxed(),
        ),
        ("left", (channel(), text()).prop_map(|(channel, user)| Left { channel, user }.into()).boxed()),
        ("polled", number().prop_map(|seq| Polled { seq }.into()).boxed()),
        ("ping", nonce().prop_map(|nonce| Ping { nonce }.into()).boxed()),
        ("pong", nonce().prop_map(|nonce| Pong { nonce }.into()).boxed()),
        (
            "goaway",
            (any::<u32>(), any::<u32>(), text())
                .prop_map(|(delay_ms, spread_ms, reason)| Goaway { delay_ms, spread_ms, reason }.into())
                .boxed(),
        ),
    ]
}

fn welcome() -> impl Strategy<Value = Welcome> {
    let who = (any::<u32>(), uuid(), uuid(), text(), option::of(text()));
    let times = (number(), any::<u32>(), any::<u32>(), option::of(number()));
    let limits = any::<[u32; 4]>().prop_map(|[payload_bytes, batch_bytes, batch_frames, subscriptions]| {
        Limits { payload_bytes, batch_bytes, batch_frames, subscriptions }
    });
    (who, times, limits).prop_map(|(who, times, limits)| {
        let (version, session, connection, user, name) = who;
        let (server_time, ping_interval_ms, hold_ms, token_expires_in_ms) = times;
        Welcome {
            version,
            session,
            connection,
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

fn subscribed() -> impl Strategy<Value = Subscribed> {
    let reason = select(vec![GapReason::Trimmed, GapReason::Epoch, GapReason::TooFar]);
    let gap = (number(), number(), reason).prop_map(|(from, to, reason)| Gap { from, to, reason });
    let members = prop::collection::vec(member(), 0..4);
    (channel(), text(), number(), number(), option::of(gap), option::of(members)).prop_map(
        |(channel, epoch, offset, head, gap, members)| Subscribed {
            channel,
            epoch,
            offset,
            head,
            gap,
            members,
        },
    )
}

fn message() -> impl Strategy<Value = Message> {
    let place = (channel(), number(), uuid(), number());
    (place, text(), option::of(text()), option::of(text()), payload()).prop_map(
        |((channel, offset, id, at), user, name, event, data)| Message {
            channel,
            offset,
            id,
            user,
            name,
            at,
            event,
            data,
        },
    )
}

fn error() -> impl Strategy<Value = Error> {
    (code(), text(), any::<bool>(), option::of(uuid()), option::of(channel()), nonce()).prop_map(
        |(code, message, retry, id, channel, retry_after_ms)| Error {
            code,
            message,
            retry,
            id,
            channel,
            retry_after_ms,
        },
    )
}
