//! Reads the frames of a server with little code: what serde derives for the same types is a third of what an application in a browser
//! would download. The text is JSON: a parser has accepted it. What the types do not say, such as noncharacters in texts, is
//! not checked, as in the npm package.

use everwire_protocol::{
    Ack, Action, Activity, Channel, Chat, ChatChanged, ChatGone, ChatKind, ChatMember, ChatMembers, Chats,
    Code, Deleted, Done, Error, Gap, GapReason, Goaway, HistoryPage, Limits, Member, MemberJoined,
    MemberLeft, Members, Message, OwnMark, Payload, Ping, Polled, Pong, Receipt, Receipts, Role, ServerFrame,
    Signalled, Status, StatusChanged, Statuses, Subscribed, TokenAccepted, Unsubscribed, UserReceipt,
    UserStatus, UserTyping, Uuid, Welcome,
    batch::{FrameError, Unreadable},
    ids::parse_uuid,
    limits::MAX_OFFSET,
};

/// The frames of a batch; `None` if the text is not an array.
pub(crate) fn read_batch(text: &str) -> Option<Vec<Result<ServerFrame, Unreadable>>> {
    let frames = parts(text.trim(), '[')?;
    Some(frames.into_iter().enumerate().map(|(index, frame)| read_frame(index, frame)).collect())
}

fn read_frame(index: usize, text: &str) -> Result<ServerFrame, Unreadable> {
    let unreadable = |error, entry| Unreadable { error, entry };
    let kind = Fields::of(text).and_then(|fields| fields.get::<String>("type").ok());
    let (Some(fields), Some(kind)) = (Fields::of(text), kind) else {
        let reason = "expected an object with a type".to_owned();
        return Err(unreadable(FrameError::NotAFrame { index, reason }, None));
    };
    match read_kind(&kind, &fields) {
        Some(Ok(frame)) => Ok(frame),
        Some(Err(field)) => {
            let entry = (kind == "message").then(|| entry(&fields)).flatten();
            Err(unreadable(FrameError::Malformed { index, kind, reason: field.to_owned() }, entry))
        }
        None => Err(unreadable(FrameError::UnknownType { index, kind }, None)),
    }
}

fn entry(fields: &Fields<'_>) -> Option<(Channel, u64)> {
    Some((fields.get("channel").ok()?, fields.get("offset").ok()?))
}

/// The name of a field that is missing or wrong.
type Wrong = &'static str;

/// The fields of an object.
struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let fields = parts(text, '{')?;
        let pair = |field: &'a str| {
            let end = string_end(field.as_bytes(), 0);
            let value = field.get(end + 1..)?.trim_start().strip_prefix(':')?;
            Some((field.get(1..end)?, value.trim()))
        };
        fields.into_iter().map(pair).collect::<Option<Vec<_>>>().map(Self)
    }

    fn get<T: Read>(&self, name: &'static str) -> Result<T, Wrong> {
        let found = self.0.iter().find(|(key, _)| *key == name);
        let value = found.map_or_else(T::absent, |(_, value)| T::read(value));
        value.ok_or(name)
    }
}

/// What stands between the brackets, at commas.
fn parts(text: &str, open: char) -> Option<Vec<&str>> {
    let inner = text.strip_prefix(open)?;
    let inner = inner.get(..inner.len().checked_sub(1)?)?.trim();
    let bytes = inner.as_bytes();
    let (mut parts, mut from, mut at, mut depth) = (Vec::new(), 0, 0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => {
                parts.push(inner.get(from..at)?.trim());
                from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    if !inner.is_empty() {
        parts.push(inner.get(from..)?.trim());
    }
    Some(parts)
}

/// Where the string that begins here has its last quote.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => break,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

/// A value that can be read from its JSON.
trait Read: Sized {
    fn read(text: &str) -> Option<Self>;

    /// What the value is if its field is absent; nothing if it must not be.
    fn absent() -> Option<Self> {
        None
    }
}

impl Read for String {
    fn read(text: &str) -> Option<Self> {
        let raw = text.strip_prefix('"')?.strip_suffix('"')?;
        if raw.contains('\\') { unescaped(text) } else { Some(raw.to_owned()) }
    }
}

#[cfg(target_arch = "wasm32")]
fn unescaped(text: &str) -> Option<String> {
    js_sys::JSON::parse(text).ok()?.as_string()
}

#[cfg(not(target_arch = "wasm32"))]
fn unescaped(text: &str) -> Option<String> {
    serde_json::from_str(text).ok()
}

impl Read for u64 {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number| *number <= MAX_OFFSET)
    }
}

impl Read for u32 {
    fn read(text: &str) -> Option<Self> {
        u64::read(text)?.try_into().ok()
    }
}

impl Read for bool {
    fn read(text: &str) -> Option<Self> {
        match text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}

impl Read for Uuid {
    fn read(text: &str) -> Option<Self> {
        parse_uuid(&String::read(text)?)
    }
}

impl Read for Channel {
    fn read(text: &str) -> Option<Self> {
        Channel::parse(&String::read(text)?)
    }
}

impl Read for Code {
    fn read(text: &str) -> Option<Self> {
        String::read(text).map(Code::from)
    }
}

impl Read for Payload {
    fn read(text: &str) -> Option<Self> {
        Payload::from_text(text.to_owned()).ok()
    }
}

impl<T: Read> Read for Option<T> {
    fn read(text: &str) -> Option<Self> {
        if text == "null" { Some(None) } else { T::read(text).map(Some) }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(text: &str) -> Option<Self> {
        parts(text, '[')?.into_iter().map(T::read).collect()
    }
}

macro_rules! words {
    ($($name:ident { $($word:literal => $variant:ident,)* $(_ => $other:ident,)? })*) => {$(
        impl Read for $name {
            fn read(text: &str) -> Option<Self> {
                Some(match &*String::read(text)? {
                    $($word => Self::$variant,)*
                    $(_ => return Some(Self::$other),)?
                    #[allow(unreachable_patterns, reason = "only of lists that end")]
                    _ => return None,
                })
            }
        }

        // Does not compile while a word is missing.
        const _: fn(&$name) = |word| match word {
            $($name::$variant => {})*
            $($name::$other => {})?
        };
    )*};
}

words! {
    Action { "reply" => Reply, "edit" => Edit, "delete" => Delete, }
    ChatKind { "group" => Group, "direct" => Direct, }
    Role { "owner" => Owner, "member" => Member, "read_only" => ReadOnly, "invited" => Invited, }
    Status { "online" => Online, "away" => Away, "offline" => Offline, }
    // Newer servers may have further reasons.
    GapReason { "epoch" => Epoch, "too_far" => TooFar, _ => Trimmed, }
}

macro_rules! objects {
    ($($name:ident { $($field:ident,)* })*) => {$(
        impl Read for $name {
            fn read(text: &str) -> Option<Self> {
                Self::from_fields(&Fields::of(text)?).ok()
            }
        }

        impl FromFields for $name {
            fn from_fields(_fields: &Fields<'_>) -> Result<Self, Wrong> {
                Ok(Self { $($field: _fields.get(stringify!($field))?,)* })
            }
        }
    )*};
}

trait FromFields: Sized {
    fn from_fields(fields: &Fields<'_>) -> Result<Self, Wrong>;
}

macro_rules! frames {
    ($($kind:literal => $name:ident,)*) => {
        /// A frame of this type; `None` if the type is unknown.
        fn read_kind(kind: &str, fields: &Fields<'_>) -> Option<Result<ServerFrame, Wrong>> {
            Some(match kind {
                $($kind => $name::from_fields(fields).map(ServerFrame::$name),)*
                _ => return None,
            })
        }

        // Does not compile while a frame is missing.
        const _: fn(&ServerFrame) = |frame| match frame {
            $(ServerFrame::$name(_) => {})*
        };
    };
}

frames! {
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

objects! {
    Welcome {
        version, features, session, connection, run, user, name, server_time, ping_interval_ms, hold_ms,
        token_expires_in_ms, limits,
    }
    Limits { payload_bytes, batch_bytes, batch_frames, subscriptions, sends_per_minute, text_characters, }
    TokenAccepted { expires_in_ms, }
    Polled { seq, connection, }
    Ping { nonce, }
    Pong { nonce, }
    Goaway { delay_ms, spread_ms, reason, }
    Subscribed {
        channel, epoch, offset, head, gap, members, members_next, own_mark, receipts, receipts_next, chats,
        chats_more,
    }
    Gap { from, to, reason, }
    Unsubscribed { channel, code, message, retry_after_ms, }
    Ack { id, channel, offset, at, }
    Message { channel, offset, id, user, name, at, event, data, action, target, deleted, }
    Deleted { user, at, }
    UserTyping { channel, user, name, typing, }
    Signalled { channel, event, data, user, name, from, at, }
    Receipt { channel, user, delivered, read, unread, }
    UserReceipt { user, delivered, read, }
    OwnMark { delivered, read, }
    Receipts { id, channel, receipts, next, }
    Member { user, name, status, }
    Members { id, channel, members, next, }
    MemberJoined { channel, member, }
    MemberLeft { channel, user, }
    StatusChanged { channel, user, name, status, last_seen, }
    UserStatus { user, status, last_seen, }
    Statuses { id, statuses, }
    Chat { id, kind, title, open, role, members, member_count, read, head, unread, last, at, }
    ChatMember { user, name, role, status, last_seen, delivered, read, }
    Chats { id, chats, next, }
    ChatMembers { id, chat, members, next, }
    ChatChanged { channel, chat, }
    ChatGone { channel, chat, }
    Activity { message, }
    Done { id, chat, }
    HistoryPage { id, channel, epoch, messages, more, }
}

impl FromFields for Error {
    fn from_fields(fields: &Fields<'_>) -> Result<Self, Wrong> {
        Ok(Self {
            code: fields.get("code")?,
            message: fields.get("message")?,
            retry: fields.get("retry")?,
            id: fields.get("id")?,
            ids: fields.get::<Option<_>>("ids")?.unwrap_or_default(),
            re: fields.get("re")?,
            channel: fields.get("channel")?,
            retry_after_ms: fields.get("retry_after_ms")?,
            versions: fields.get("versions")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use everwire_protocol::batch::{self, Bounds, Frame};
    use serde_json::Value;

    use super::*;

    fn vectors() -> Value {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../protocol/generated/vectors.json");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// Every text within the vectors that is a batch of a server's.
    fn batches(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) if text.trim_start().starts_with('[') => found.push(text.clone()),
            Value::Array(list) => {
                found.push(value.to_string());
                for value in list {
                    batches(value, found);
                }
            }
            Value::Object(fields) => {
                if fields.contains_key("type") {
                    found.push(format!("[{value}]"));
                }
                for value in fields.values() {
                    batches(value, found);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn it_reads_what_the_protocol_crate_reads() {
        let mut found = Vec::new();
        batches(&vectors(), &mut found);
        let bounds = Bounds { bytes: usize::MAX, frames: usize::MAX, ..Bounds::default() };
        let mut kinds = std::collections::BTreeSet::new();
        for text in found {
            let Ok(expected) = batch::decode_received::<ServerFrame>(&text, &bounds) else { continue };
            let read = read_batch(&text).unwrap();
            assert_eq!(read.len(), expected.len(), "{text}");
            for (read, expected) in read.into_iter().zip(expected) {
                match (read, expected) {
                    (read, Ok(expected)) => {
                        kinds.insert(expected.kind());
                        assert_eq!(read, Ok(expected), "{text}");
                    }
                    (Err(read), Err(expected)) => assert_eq!(read.entry, expected.entry, "{text}"),
                    // What only the strict reader refuses.
                    (Ok(_), Err(expected)) => {
                        let strict = [
                            matches!(expected.error, FrameError::Flawed { .. }),
                            matches!(expected.error, FrameError::Misshapen { .. }),
                        ];
                        assert!(strict.contains(&true), "{text}: {expected:?}");
                    }
                }
            }
        }
        assert_eq!(kinds.len(), ServerFrame::TYPES.len(), "{kinds:?}");
    }

    #[test]
    fn spaces_escapes_and_what_is_nested_do_not_confuse_it() {
        let text = "[ { \"type\" : \"message\" , \"channel\":\"news\",\"offset\": 7, \"at\":1,\n\
                    \"id\":\"0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b\",\"user\":\"a\\\"},{\\u00e9\",\
                    \"data\": {\"offset\":9,\"x\":[\"]\",{}]} , \"later\": [1] } ,{\"type\":\"ping\"}, [] ]";
        let frames = read_batch(text).unwrap();
        let Ok(ServerFrame::Message(message)) = &frames[0] else { panic!("{frames:?}") };
        assert_eq!((message.offset, message.user.as_str()), (7, "a\"},{é"));
        assert_eq!(message.data.text(), r#"{"offset":9,"x":["]",{}]}"#);
        assert_eq!(frames[1], Ok(ServerFrame::Ping(Ping { nonce: None })));
        assert!(matches!(frames[2], Err(Unreadable { error: FrameError::NotAFrame { .. }, entry: None })));
        assert_eq!(frames.len(), 3);
        assert_eq!(read_batch("{}"), None);
        assert_eq!(read_batch("[]"), Some(Vec::new()));
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_named_by_its_position() {
        let text = r#"[{"type":"message","channel":"news","offset":7,"data":1}]"#;
        let frames = read_batch(text).unwrap();
        let Err(Unreadable { entry: Some((channel, offset)), .. }) = &frames[0] else { panic!("{frames:?}") };
        assert_eq!((channel.as_str(), *offset), ("news", 7));
    }
}
