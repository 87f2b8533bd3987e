//! The golden vectors, as any other implementation would use them: from the checked-in file, nothing else.

use everwire_protocol::{
    BatchError, ChatChange, ClientFrame, CoreFrame, DataUpdate, ErasedEntries, FrameError, Notification,
    Request, ServerFrame, StatusUpdate, UserActivity,
    batch::{Bounds, Frame, decode, encode},
    channels::user_channel,
    user_id::{decode_user, encode_user},
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Vectors {
    valid: Vec<Valid>,
    invalid: Vec<Invalid>,
    events: Vec<Standard>,
    users: Vec<EncodedUser>,
}

#[derive(Deserialize)]
struct EncodedUser {
    user: String,
    encoded: String,
}

#[derive(Deserialize)]
struct Standard {
    name: String,
    event: String,
    data: Value,
    fits: bool,
}

#[derive(Deserialize)]
struct Valid {
    name: String,
    direction: String,
    text: String,
    frames: Vec<Value>,
    #[serde(default)]
    ignored: Vec<usize>,
    canonical: bool,
}

#[derive(Deserialize)]
struct Invalid {
    name: String,
    direction: String,
    parts: Vec<Part>,
    error: Refusal,
    frames: Vec<Value>,
}

#[derive(Deserialize)]
struct Part {
    text: String,
    times: usize,
}

#[derive(Deserialize)]
struct Refusal {
    code: String,
    frame: Option<usize>,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../generated/vectors.json")).expect("vectors.json has this shape")
}

/// What a batch came to: the frames as JSON, the places that were ignored, the places and codes that were refused.
struct Outcome {
    frames: Vec<Value>,
    ignored: Vec<usize>,
    refused: Vec<(usize, String)>,
    /// What the good frames are when written again.
    text: String,
}

fn read(direction: &str, text: &str) -> Result<Outcome, BatchError> {
    match direction {
        "client" => read_as::<ClientFrame>(text),
        "server" => read_as::<ServerFrame>(text),
        other => panic!("{other} is no direction"),
    }
}

fn read_as<F: Frame>(text: &str) -> Result<Outcome, BatchError> {
    let (mut good, mut ignored, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (place, frame) in decode::<F>(text, &Bounds::default())?.into_iter().enumerate() {
        match frame {
            Ok(frame) => good.push(frame),
            Err(FrameError::UnknownType { index, .. }) => {
                assert_eq!(index, place);
                ignored.push(index);
            }
            Err(error) => refused.push((place, error.code().as_str().to_owned())),
        }
    }
    let frames =
        good.iter().map(|frame| serde_json::to_value(frame).expect("a frame can be written")).collect();
    Ok(Outcome { frames, ignored, refused, text: encode(&good) })
}

#[test]
fn every_valid_vector_means_what_it_says() {
    for vector in vectors().valid {
        let outcome = read(&vector.direction, &vector.text).unwrap();
        assert!(outcome.refused.is_empty(), "{}: {:?}", vector.name, outcome.refused);
        assert_eq!(outcome.frames, vector.frames, "{}", vector.name);
        assert_eq!(outcome.ignored, vector.ignored, "{}", vector.name);
        assert_eq!(outcome.text == vector.text, vector.canonical, "{}: {}", vector.name, outcome.text);
    }
}

#[test]
fn every_invalid_vector_is_refused_with_its_code_and_spares_its_neighbours() {
    for vector in vectors().invalid {
        let text: String = vector.parts.iter().map(|part| part.text.repeat(part.times)).collect();
        match (read(&vector.direction, &text), vector.error.frame) {
            (Err(error), None) => {
                assert_eq!(error.code().as_str(), vector.error.code, "{}", vector.name);
                assert!(vector.frames.is_empty(), "{}", vector.name);
            }
            (Ok(outcome), Some(frame)) => {
                assert_eq!(outcome.refused, [(frame, vector.error.code)], "{}", vector.name);
                assert_eq!(outcome.frames, vector.frames, "{}", vector.name);
                assert!(outcome.ignored.is_empty(), "{}", vector.name);
            }
            (Err(error), Some(_)) => panic!("{}: the whole batch was refused: {error}", vector.name),
            (Ok(_), None) => panic!("{}: it was accepted", vector.name),
        }
    }
}

#[test]
fn the_vectors_show_every_frame_with_and_without_each_optional_field() {
    let valid = vectors().valid;
    let types = ClientFrame::TYPES.iter().map(|kind| ("client", kind));
    for (direction, kind) in types.chain(ServerFrame::TYPES.iter().map(|kind| ("server", kind))) {
        let frames: Vec<_> = valid
            .iter()
            .filter(|vector| vector.direction == direction)
            .flat_map(|vector| vector.frames.iter().filter_map(Value::as_object))
            .filter(|frame| frame.get("type").and_then(Value::as_str) == Some(kind))
            .collect();
        assert!(!frames.is_empty(), "no vector of a {direction} shows {kind}");
        for field in optional_fields(direction, kind) {
            assert!(frames.iter().any(|frame| frame.contains_key(&field)), "{kind} never has {field}");
            assert!(frames.iter().any(|frame| !frame.contains_key(&field)), "{kind} always has {field}");
        }
    }
}

fn schema() -> Value {
    serde_json::from_str(include_str!("../generated/schema.json")).expect("schema.json is JSON")
}

/// The types of frames of one direction, each with the name of its schema.
fn frames(schema: &Value, union: &str) -> Vec<(String, String)> {
    let rules = schema["$defs"][union]["allOf"].as_array().expect("the frames of a direction");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let name = |rule: &Value| text(&rule["then"]["$ref"]).replace("#/$defs/", "");
    rules.iter().map(|rule| (text(&rule["if"]["properties"]["type"]["const"]), name(rule))).collect()
}

/// From the JSON Schema: the fields of a frame that are not required. The frame is found by its direction, because some
/// types are said by both sides and have other fields on either.
fn optional_fields(direction: &str, kind: &str) -> Vec<String> {
    let schema = schema();
    let union = if direction == "client" { "ClientFrame" } else { "ServerFrame" };
    let frames = frames(&schema, union);
    let (_, name) =
        frames.iter().find(|(known, _)| known == kind).unwrap_or_else(|| panic!("{union} has no {kind}"));
    let definition = &schema["$defs"][name];
    let required: Vec<_> = definition["required"].as_array().into_iter().flatten().collect();
    let fields = definition["properties"].as_object().into_iter().flat_map(|fields| fields.keys());
    let mut optional: Vec<_> =
        fields.filter(|field| !required.iter().any(|name| name == field)).cloned().collect();
    optional.sort();
    optional
}

/// `set_status` is `SetStatus`: no frame has another name on the wire than in Rust and TypeScript, and none has two
/// shapes.
#[test]
fn a_frames_type_is_its_structs_name_in_both_directions() {
    let schema = schema();
    for (union, types) in [("ClientFrame", ClientFrame::TYPES), ("ServerFrame", ServerFrame::TYPES)] {
        let frames = frames(&schema, union);
        let known: Vec<_> = frames.iter().map(|(kind, _)| kind).collect();
        assert_eq!(known, types.iter().collect::<Vec<_>>(), "{union}");
        for (kind, schema_name) in &frames {
            let name: String = kind.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
            assert_eq!(*schema_name, name, "{union} {kind}");
        }
    }
    let both: Vec<_> = ClientFrame::TYPES.iter().filter(|kind| ServerFrame::TYPES.contains(kind)).collect();
    assert_eq!(both, [&"ping", &"pong"]);
}

#[test]
fn every_frame_with_an_id_is_a_request_but_send() {
    let schema = schema();
    let frames = frames(&schema, "ClientFrame");
    let mut with_id: Vec<_> = frames
        .iter()
        .map(|(_, name)| name.as_str())
        .filter(|name| *name != "Send" && schema["$defs"][name]["properties"].get("id").is_some())
        .collect();
    let mut requests: Vec<_> = Request::ANSWERS.iter().map(|(request, _)| *request).collect();
    with_id.sort_unstable();
    requests.sort_unstable();
    assert_eq!(requests, with_id);
}

#[test]
fn a_frame_of_the_core_is_a_frame_of_the_client_and_written_the_same() {
    for kind in CoreFrame::TYPES {
        assert!(ClientFrame::TYPES.contains(kind), "no client says {kind}");
    }
    let mut seen = Vec::new();
    for vector in vectors().valid.iter().filter(|vector| vector.direction == "client") {
        for frame in decode::<CoreFrame>(&vector.text, &Bounds::default()).unwrap().into_iter().flatten() {
            let text = encode(std::slice::from_ref(&frame));
            assert_eq!(format!("[{}]", frame.to_json()), text, "{}", vector.name);
            let client = decode::<ClientFrame>(&text, &Bounds::default()).unwrap();
            let client: Vec<_> = client.into_iter().map(Result::unwrap).collect();
            assert_eq!(encode(&client), text, "{}", vector.name);
            seen.push(frame.kind());
        }
    }
    assert!(CoreFrame::TYPES.iter().all(|kind| seen.contains(kind)), "every type was looked at");
}

#[test]
fn events_that_every_application_understands_are_read_as_they_say() {
    let fits = |event: &str, data: Value| match event {
        "notification" => serde_json::from_value::<Notification>(data).is_ok(),
        "data_update" => serde_json::from_value::<DataUpdate>(data).is_ok(),
        "status_update" => serde_json::from_value::<StatusUpdate>(data).is_ok(),
        "user_activity" => serde_json::from_value::<UserActivity>(data).is_ok(),
        "everwire.chat" => serde_json::from_value::<ChatChange>(data).is_ok(),
        "everwire.erased" => serde_json::from_value::<ErasedEntries>(data).is_ok(),
        other => panic!("{other} is no such event"),
    };
    let events = vectors().events;
    let names = schema()["$defs"]["StandardEvents"]["properties"].clone();
    for event in names.as_object().expect("the events").keys() {
        let of = |fits| events.iter().any(|vector| vector.event == *event && vector.fits == fits);
        assert!(of(true) && of(false), "{event} has vectors of both kinds");
    }
    for vector in events {
        assert_eq!(fits(&vector.event, vector.data), vector.fits, "{}", vector.name);
    }
}

#[test]
fn user_ids_have_the_form_that_the_vectors_say() {
    let users = vectors().users;
    assert!(users.iter().any(|vector| vector.user != vector.encoded));
    for EncodedUser { user, encoded } in users {
        assert_eq!(encode_user(&user), encoded);
        assert_eq!(decode_user(&encoded).as_deref(), Some(&*user));
        assert_eq!(user_channel(&user).unwrap().as_str(), format!("private-user.{encoded}"));
    }
}
