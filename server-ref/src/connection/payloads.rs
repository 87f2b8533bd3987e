//! Validation of the data of messages and signals: limits, and the types of the standard events.

use everwire_protocol::{
    DataUpdate, ErrorCode, Limits, Notification, Payload, SERVER_EVENTS, StatusUpdate, UserActivity,
};
use serde_json::Value;

use crate::model::identity::Refusal;

/// The type of a field of a standard event.
#[derive(Debug, Clone, Copy)]
enum Holds {
    /// A string.
    Text,
    /// An optional string.
    MaybeText,
    /// `low`, `normal` or `high`; optional.
    Priority,
    /// Any value, required.
    Anything,
}

type Fields = &'static [(&'static str, Holds)];

const NOTIFICATION: Fields = &[
    ("title", Holds::Text),
    ("message", Holds::Text),
    ("priority", Holds::Priority),
    ("url", Holds::MaybeText),
];
const DATA_UPDATE: Fields = &[("entity", Holds::Text), ("action", Holds::Text), ("data", Holds::Anything)];
const STATUS_UPDATE: Fields =
    &[("system", Holds::Text), ("status", Holds::Text), ("message", Holds::MaybeText)];
const USER_ACTIVITY: Fields = &[("user", Holds::Text), ("activity", Holds::Text)];

/// Validates the data of a client or a back end.
///
/// # Errors
/// [`ErrorCode::TooLarge`], [`ErrorCode::Forbidden`] for an event that is reserved for servers, or
/// [`ErrorCode::InvalidPayload`] with the invalid field.
pub fn check_payload(limits: &Limits, event: Option<&str>, data: &Payload) -> Result<(), Refusal> {
    let (most, bytes) = (limits.payload_bytes as usize, data.text().len());
    if bytes > most {
        let words = format!("Message data is limited to {most} bytes of JSON; this has {bytes}.");
        return Err(Refusal::new(ErrorCode::TooLarge, words));
    }
    if let Some(most) = limits.text_characters {
        check_text(most, data)?;
    }
    let Some(event) = event else { return Ok(()) };
    if event.starts_with(SERVER_EVENTS) {
        let words = format!("Event names that begin with {SERVER_EVENTS:?} are reserved for servers.");
        return Err(Refusal::new(ErrorCode::Forbidden, words));
    }
    let (fields, reads): (Fields, fn(&Payload) -> bool) = match event {
        "notification" => (NOTIFICATION, |data| data.read::<Notification>().is_ok()),
        "data_update" => (DATA_UPDATE, |data| data.read::<DataUpdate>().is_ok()),
        "status_update" => (STATUS_UPDATE, |data| data.read::<StatusUpdate>().is_ok()),
        "user_activity" => (USER_ACTIVITY, |data| data.read::<UserActivity>().is_ok()),
        _ => return Ok(()),
    };
    let wrong = check_fields(fields, data);
    if wrong.is_none() && reads(data) {
        return Ok(());
    }
    let what = wrong.unwrap_or_else(|| "the data has a field twice".into());
    Err(Refusal::new(ErrorCode::InvalidPayload, format!("Invalid data for {event}: {what}.")))
}

fn check_text(most: u32, data: &Payload) -> Result<(), Refusal> {
    let text = match data.read::<Value>() {
        Ok(Value::String(text)) => text,
        Ok(Value::Object(mut object)) => match object.remove("text") {
            Some(Value::String(text)) => text,
            _ => return Ok(()),
        },
        _ => return Ok(()),
    };
    let characters = text.chars().count();
    if characters > most as usize {
        let words = format!("Text is limited to {most} characters; this has {characters}.");
        return Err(Refusal::new(ErrorCode::TooLarge, words));
    }
    Ok(())
}

/// Describes the first invalid field.
fn check_fields(fields: Fields, data: &Payload) -> Option<String> {
    let Ok(Value::Object(object)) = data.read::<Value>() else { return Some("it is not an object".into()) };
    fields.iter().find_map(|(name, holds)| {
        let value = object.get(*name);
        let is_text = value.is_some_and(Value::is_string);
        match holds {
            Holds::Text | Holds::Anything if value.is_none() => {
                Some(format!("the field {name:?} is missing"))
            }
            Holds::Text if !is_text => Some(format!("the field {name:?} has to be a text")),
            Holds::MaybeText if value.is_some_and(|value| !value.is_null()) && !is_text => {
                Some(format!("the field {name:?} has to be a text, or absent"))
            }
            Holds::Priority => {
                let known = ["low", "normal", "high"];
                let fits = value.is_none_or(|value| {
                    value.is_null() || value.as_str().is_some_and(|p| known.contains(&p))
                });
                (!fits).then(|| format!("the field {name:?} has to be low, normal or high, or absent"))
            }
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(event: Option<&str>, data: &str) -> Result<(), (ErrorCode, String)> {
        let limits = Limits { text_characters: Some(5), ..super::super::Settings::default().limits };
        let data = Payload::from_text(data.into()).unwrap();
        check_payload(&limits, event, &data).map_err(|refusal| (refusal.code, refusal.message))
    }

    #[test]
    fn standard_events_are_what_they_promise_and_the_wrong_field_is_named() {
        for (event, data) in [
            ("notification", r#"{"title":"a","message":"b"}"#),
            ("notification", r#"{"title":"a","message":"b","priority":"high","url":"/x","more":[1]}"#),
            ("data_update", r#"{"entity":"order","action":"created","data":null}"#),
            ("status_update", r#"{"system":"a","status":"ok","message":"fine"}"#),
            ("user_activity", r#"{"user":"a","activity":"b"}"#),
            ("anything", "17"),
        ] {
            assert_eq!(check(Some(event), data), Ok(()), "{event} {data}");
        }
        for (event, data, field) in [
            ("notification", r#"{"title":"a"}"#, "\"message\" is missing"),
            ("notification", r#"{"title":5,"message":"b"}"#, "\"title\" has to be a text"),
            ("notification", r#"{"title":"a","message":"b","priority":"loud"}"#, "\"priority\""),
            ("notification", r#"{"title":"a","message":"b","url":[]}"#, "\"url\""),
            ("notification", r#"{"title":"a","title":"a","message":"b"}"#, "twice"),
            ("notification", r#""hello""#, "not an object"),
            ("data_update", r#"{"entity":"order","action":"created"}"#, "\"data\" is missing"),
            ("status_update", r#"{"system":"a","status":null}"#, "\"status\""),
            ("user_activity", r#"{"activity":"b"}"#, "\"user\""),
        ] {
            let (code, words) = check(Some(event), data).unwrap_err();
            assert_eq!(code, ErrorCode::InvalidPayload);
            assert!(words.contains(event) && words.contains(field), "{words}");
        }
    }

    #[test]
    fn texts_are_counted_in_characters_and_server_events_are_refused() {
        assert_eq!(check(None, r#""h\u00e9llo""#), Ok(()));
        assert_eq!(check(None, r#"{"text":"héllo"}"#), Ok(()));
        assert_eq!(check(None, r#"{"text":["longer"]}"#), Ok(()));
        for data in [r#""longer""#, r#"{"text":"longer"}"#] {
            let (code, words) = check(None, data).unwrap_err();
            assert!(code == ErrorCode::TooLarge && words.contains('5') && words.contains('6'), "{words}");
        }
        assert_eq!(check(Some("everwire.chat"), "1").unwrap_err().0, ErrorCode::Forbidden);
        let large = format!("\"{}\"", "x".repeat(40_000));
        assert_eq!(check(None, &large).unwrap_err().0, ErrorCode::TooLarge);
    }

    #[test]
    fn data_may_have_exactly_as_many_bytes_as_are_announced() {
        let limits = Limits { payload_bytes: 5, ..super::super::Settings::default().limits };
        for (data, fits) in [("1234", true), ("12345", true), ("123456", false)] {
            let data = Payload::from_text(data.into()).unwrap();
            assert_eq!(check_payload(&limits, None, &data).is_ok(), fits, "{}", data.text());
        }
    }
}
