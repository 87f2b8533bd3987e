//! Strategies for every frame of both directions, with every optional field present and absent, texts of any characters,
//! and payloads of any JSON. Here are the parts that frames are made of.

mod chat;
mod connection;
mod ephemeral;
mod history;
mod message;
mod presence;
mod receipt;
mod status;
mod subscription;

use everwire_protocol::{
    Action, Channel, ChatKind, ClientFrame, Code, ErrorCode, Payload, Role, ServerFrame, Status, Uuid,
    limits::MAX_OFFSET,
};
use proptest::{option, prelude::*, sample::select, strategy::Union};
use serde_json::{Map, Value};

/// A frame's type, and a strategy for it.
pub(crate) type Kinds<F> = Vec<(&'static str, BoxedStrategy<F>)>;

/// A strategy for every frame of a client, in the order of [`ClientFrame`].
pub(crate) fn client() -> Kinds<ClientFrame> {
    [
        connection::client(),
        subscription::client(),
        message::client(),
        ephemeral::client(),
        receipt::client(),
        status::client(),
        history::client(),
        presence::client(),
        receipt::requests(),
        chat::client(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A strategy for every frame of a server, in the order of [`ServerFrame`].
pub(crate) fn server() -> Kinds<ServerFrame> {
    [
        connection::server(),
        subscription::server(),
        message::server(),
        ephemeral::server(),
        receipt::server(),
        presence::server(),
        status::server(),
        chat::server(),
        history::server(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

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
    let is_character =
        |code: &char| !matches!(u32::from(*code), 0xfdd0..=0xfdef) && u32::from(*code) & 0xfffe != 0xfffe;
    prop_oneof!["[a-z]{0,8}", any::<String>()]
        .prop_map(move |text| text.chars().filter(is_character).collect::<String>())
}

/// A user id, a name or an event name.
fn named() -> impl Strategy<Value = String> {
    text().prop_map(|text| {
        let text: String = text.chars().filter(|character| !character.is_control()).take(32).collect();
        if text.is_empty() { "x".into() } else { text }
    })
}

/// The title of a chat.
fn title() -> impl Strategy<Value = String> {
    named().prop_map(|title| if title.trim().is_empty() { "A title".into() } else { title })
}

/// An event with data that fits: one of the application, or one whose data the protocol defines.
fn event() -> impl Strategy<Value = (String, Payload)> {
    let own = (named(), payload());
    let standard = select(vec![
        ("notification", r#"{"title":"a","message":"b","priority":"high"}"#),
        ("notification", r#"{"title":"a","message":"b","priority":null,"url":"/x","more":[]}"#),
        ("data_update", r#"{"entity":"order","action":"created","data":null}"#),
        ("status_update", r#"{"system":"a","status":"ok","message":null}"#),
        ("user_activity", r#"{"user":"a","activity":"b"}"#),
    ])
    .prop_map(|(event, data)| (event.to_owned(), Payload::from_text(data.into()).expect("this is JSON")));
    prop_oneof![own, standard]
}

fn payload() -> impl Strategy<Value = Payload> {
    json().prop_map(|text| Payload::from_text(text).expect("this is JSON"))
}

fn uuid() -> impl Strategy<Value = Uuid> {
    (1..=u128::MAX).prop_map(Uuid::from_u128)
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..100_u64, 0..=MAX_OFFSET, Just(MAX_OFFSET)]
}

fn channel() -> impl Strategy<Value = Channel> {
    "(private-|presence-)?[A-Za-z0-9_=@,.;:-]{1,80}x"
        .prop_map(|name| Channel::new(&name).expect("this is a channel name"))
}

/// A code of the list, or one of a newer server.
fn code() -> impl Strategy<Value = Code> {
    prop_oneof![select(ErrorCode::ALL).prop_map(Code::from), word().prop_map(Code::from)]
}

/// What a newer server may say where there is a list of words.
pub(crate) fn word() -> impl Strategy<Value = String> {
    prop_oneof![text(), "[a-z]{1,8}([._][a-z]{1,12})?"]
}

fn status() -> impl Strategy<Value = Status> {
    select(vec![Status::Online, Status::Away, Status::Offline])
}

fn action() -> impl Strategy<Value = Action> {
    select(vec![Action::Reply, Action::Edit, Action::Delete])
}

/// A role that a member can have.
fn member_role() -> impl Strategy<Value = Role> {
    select(vec![Role::Owner, Role::Member, Role::ReadOnly])
}

fn role() -> impl Strategy<Value = Role> {
    select(vec![Role::Owner, Role::Member, Role::ReadOnly, Role::Invited])
}

fn kind() -> impl Strategy<Value = ChatKind> {
    select(vec![ChatKind::Group, ChatKind::Direct])
}

fn nonce() -> impl Strategy<Value = Option<u32>> {
    option::of(any::<u32>())
}

/// A strategy for one type of frame.
fn one<F, T>(
    kind: &'static str,
    strategy: impl Strategy<Value = T> + 'static,
) -> (&'static str, BoxedStrategy<F>)
where
    F: From<T> + std::fmt::Debug + 'static,
    T: std::fmt::Debug + 'static,
{
    (kind, strategy.prop_map(F::from).boxed())
}
