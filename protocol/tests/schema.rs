//! The JSON Schema and the decoder say the same of every frame: in both directions, over frames of every type and over small
//! changes of them. What no schema can say is listed in docs/protocol.md (section 14.6) and is not generated here: other
//! spellings of integers, what I-JSON forbids, nesting, and the bytes of `data` and of whole batches. `x-maxBytes` is a rule
//! here, as the schema's comment defines it.

mod strategies;

use std::{borrow::Cow, sync::LazyLock};

use everwire_protocol::{
    ClientFrame, ServerFrame,
    batch::{Bounds, Frame, decode, encode_frame},
    limits::{MAX_PAYLOAD_BYTES, MAX_TOKEN_BYTES},
    names::{check_name, check_user},
};
use jsonschema::{Keyword, ValidationError, Validator, paths::Location};
use proptest::{prelude::*, sample::Index};
use serde_json::{Map, Value, json};

/// Bounds that no generated frame meets.
const WIDE: Bounds = Bounds { bytes: 1 << 24, frames: 1000, depth: 100 };

static CLIENT: LazyLock<Validator> = LazyLock::new(|| validator("ClientFrame"));
static SERVER: LazyLock<Validator> = LazyLock::new(|| validator("ServerFrame"));

fn validator(definition: &str) -> Validator {
    let text = include_str!("../generated/schema.json");
    let mut schema: Value = serde_json::from_str(text).expect("the schema is JSON");
    let fields = schema.as_object_mut().expect("the schema is an object");
    fields.remove("anyOf");
    fields.insert("$ref".into(), format!("#/$defs/{definition}").into());
    jsonschema::options().with_keyword("x-maxBytes", most_bytes).build(&schema).expect("the schema is valid")
}

struct MostBytes(usize);

impl Keyword for MostBytes {
    fn validate<'i>(
        &self,
        instance: &'i Value,
        location: &jsonschema::paths::LazyLocation,
    ) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) {
            return Ok(());
        }
        Err(ValidationError::custom(Location::new(), location.into(), instance, "too many bytes"))
    }

    fn is_valid(&self, instance: &Value) -> bool {
        instance.as_str().is_none_or(|text| text.len() <= self.0)
    }
}

#[expect(clippy::result_large_err, clippy::unnecessary_wraps, reason = "the shape of a keyword's factory")]
fn most_bytes<'a>(
    _: &'a Map<String, Value>,
    value: &'a Value,
    _: Location,
) -> Result<Box<dyn Keyword>, ValidationError<'a>> {
    let most = value.as_u64().and_then(|most| most.try_into().ok()).expect("a number of bytes");
    Ok(Box::new(MostBytes(most)))
}

/// Why the decoder refuses a frame.
fn refusal<F: Frame>(frame: &Value) -> Option<String> {
    let frames = decode::<F>(&format!("[{frame}]"), &WIDE).expect("a batch");
    frames.into_iter().find_map(Result::err).map(|error| error.to_string())
}

/// Why a server refuses a frame of a client: by the decoder, or because nobody is called like that.
fn refusal_of_client(frame: &Value) -> Option<String> {
    let token = |text: &str| text.len() > MAX_TOKEN_BYTES;
    match decode::<ClientFrame>(&format!("[{frame}]"), &WIDE).expect("a batch").remove(0) {
        Ok(ClientFrame::Hello(hello)) => {
            let guest = hello.guest.as_ref();
            let wrong = guest.and_then(|guest| check_user(&guest.user).and(check_name(&guest.name)).err());
            let long = hello.token.as_deref().is_some_and(token).then(|| "a long token".to_owned());
            wrong.map(|wrong| wrong.to_string()).or(long)
        }
        Ok(ClientFrame::Token(frame)) => token(&frame.token).then(|| "a long token".to_owned()),
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    }
}

fn compare(validator: &Validator, frame: &Value, refusal: Option<&str>) -> Result<(), TestCaseError> {
    let errors: Vec<_> = validator.iter_errors(frame).map(|error| error.to_string()).collect();
    prop_assert_eq!(
        errors.is_empty(),
        refusal.is_none(),
        "{}\nschema: {:?}\ndecoder: {:?}",
        frame,
        errors,
        refusal
    );
    Ok(())
}

/// A small change of a frame.
#[derive(Debug, Clone)]
enum Change {
    Remove(Index),
    Replace(Index, Value),
    Add(Index, &'static str, Value),
    /// Puts a field of another frame into it.
    Take(Index, Value),
    Repeat(Index, usize),
}

fn change(other: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    let field = prop::sample::select(vec![
        "epoch",
        "offset",
        "run",
        "action",
        "target",
        "event",
        "before",
        "after",
        "limit",
        "title",
        "open",
        "to",
        "id",
        "name",
        "retry_after_ms",
        "gap",
        "token",
        "users",
        "role",
        "colour",
    ]);
    prop_oneof![
        at().prop_map(Change::Remove),
        (at(), odd()).prop_map(|(at, value)| Change::Replace(at, value)),
        (at(), field, odd()).prop_map(|(at, field, value)| Change::Add(at, field, value)),
        (at(), other).prop_map(|(at, other)| Change::Take(at, other)),
        (at(), 1_usize..140).prop_map(|(at, times)| Change::Repeat(at, times)),
    ]
}

/// Values at the edges of what fields allow.
fn odd() -> impl Strategy<Value = Value> {
    let texts = [
        "",
        " ",
        "\u{3000}",
        "a\u{7}b",
        "\u{85}",
        "\u{feff}",
        "news",
        "private-",
        "two words",
        "x",
        "reply",
        "edit",
        "delete",
        "owner",
        "invited",
        "group",
        "direct",
        "online",
        "trimmed",
        "notification",
        "data_update",
        "everwire.chat",
        "everwire.",
        "everwire",
        "0199a1b2-c3d4-7000-8000-000000000001",
        "0199a1b2-c3d4-5000-8000-000000000001",
        "0199A1B2-C3D4-7000-8000-000000000001",
        "00000000-0000-0000-0000-000000000000",
        "forbidden",
    ];
    let long = (
        prop::sample::select(vec!["x", "é", "🦊"]),
        prop::sample::select(vec![
            25_usize, 26, 32, 33, 50, 51, 64, 65, 100, 101, 128, 129, 200, 201, 4096, 8192, 8193,
        ]),
    )
        .prop_map(|(text, times)| Value::from(text.repeat(times)));
    let values = vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(-1),
        json!(1.5),
        json!(100),
        json!(101),
        json!(4_294_967_295_u64),
        json!(4_294_967_296_u64),
        json!(9_007_199_254_740_991_u64),
        json!(9_007_199_254_740_992_u64),
        json!({}),
        json!([]),
        json!([1]),
        json!(["x"]),
        json!({ "delete": null }),
        json!({ "title": "a", "message": "b" }),
    ];
    prop_oneof![
        prop::sample::select(values),
        prop::sample::select(texts.to_vec()).prop_map(Value::from),
        long,
    ]
}

/// Every place in a value, itself included, as pointers.
fn places(value: &Value) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut walk = |name: Cow<'_, str>, inner: &Value| {
        let name = name.replace('~', "~0").replace('/', "~1");
        all.extend(places(inner).into_iter().map(|place| format!("/{name}{place}")));
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, inner)| walk(name.into(), inner)),
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(n, inner)| walk(n.to_string().into(), inner));
        }
        _ => {}
    }
    all
}

fn at(value: &mut Value, index: Index) -> &mut Value {
    let places = places(value);
    let place = &places[index.index(places.len())];
    value.pointer_mut(place).expect("a place in the value")
}

fn changed(mut frame: Value, changes: &[Change]) -> Value {
    for change in changes {
        match change {
            Change::Remove(index) => {
                if let Value::Object(fields) = at(&mut frame, *index)
                    && let Some(name) = fields.keys().nth(index.index(fields.len().max(1))).cloned()
                {
                    fields.remove(&name);
                }
            }
            Change::Replace(index, value) => *at(&mut frame, *index) = value.clone(),
            Change::Add(index, name, value) => {
                if let Value::Object(fields) = at(&mut frame, *index) {
                    fields.insert((*name).into(), value.clone());
                } else if let Value::Object(fields) = &mut frame {
                    fields.insert((*name).into(), value.clone());
                }
            }
            Change::Take(index, other) => {
                if let (Value::Object(fields), Value::Object(others)) = (&mut frame, other)
                    && let Some((name, value)) = others.iter().nth(index.index(others.len().max(1)))
                {
                    fields.insert(name.clone(), value.clone());
                }
            }
            Change::Repeat(index, times) => {
                if let Value::Array(values) = at(&mut frame, *index)
                    && let Some(first) = values.first().cloned()
                {
                    values.resize(*times, first);
                }
            }
        }
    }
    frame
}

/// Whether a value is written as serde reads objects and words, and no other receiver does: `["x"]` for the fields of an object, and
/// `{"x": null}` for a word. The decoder of clients' frames refuses both; that of servers' frames is no program's.
fn is_read_by_serde_only(changes: &[Change]) -> bool {
    changes.iter().any(|change| match change {
        Change::Replace(_, value) | Change::Add(_, _, value) => {
            *value == json!(["x"]) || *value == json!([1]) || *value == json!({ "delete": null })
        }
        Change::Remove(_) | Change::Take(..) | Change::Repeat(..) => false,
    })
}

fn value_of<F: Frame>(frame: &F) -> Value {
    serde_json::from_str(&encode_frame(frame)).expect("a frame is JSON")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_schema_takes_what_a_client_sends_and_refuses_what_a_server_refuses(
        frame in strategies::any_client(),
        changes in prop::collection::vec(change(strategies::any_client().prop_map(|frame| value_of(&frame))), 0..3),
    ) {
        let frame = changed(value_of(&frame), &changes);
        // A long text can get into `data`, whose bytes no schema counts.
        prop_assume!(frame.get("data").is_none_or(|data| data.to_string().len() <= MAX_PAYLOAD_BYTES));
        let refusal = refusal_of_client(&frame);
        prop_assert!(!changes.is_empty() || refusal.is_none(), "{:?}", refusal);
        compare(&CLIENT, &frame, refusal.as_deref())?;
    }

    #[test]
    fn the_schema_takes_what_a_server_sends_and_refuses_what_a_client_refuses(
        frame in strategies::any_server(),
        changes in prop::collection::vec(change(strategies::any_server().prop_map(|frame| value_of(&frame))), 0..3),
    ) {
        prop_assume!(!is_read_by_serde_only(&changes));
        let frame = changed(value_of(&frame), &changes);
        compare(&SERVER, &frame, refusal::<ServerFrame>(&frame).as_deref())?;
    }
}
