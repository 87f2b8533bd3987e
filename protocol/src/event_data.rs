//! The data of events: what the standard events require, and the names that clients must not use.

use alloc::{format, string::String};

use serde_json::Value;

use crate::{
    DataUpdate, ErrorCode, Misfit, Notification, Payload, SERVER_EVENTS, StatusUpdate, UserActivity,
};

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

/// Validates the event of a client or a back end, and its data.
///
/// # Errors
/// [`ErrorCode::Forbidden`] for an event that is reserved for servers, or [`ErrorCode::InvalidPayload`] with the invalid field.
pub fn check_event_data(event: &str, data: &Payload) -> Result<(), Misfit> {
    if event.starts_with(SERVER_EVENTS) {
        let words = format!("event names that begin with {SERVER_EVENTS:?} are reserved for servers");
        return Err(Misfit { code: ErrorCode::Forbidden, words });
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
    Err(Misfit { code: ErrorCode::InvalidPayload, words: format!("for the event {event}, {what}") })
}

/// Describes the first invalid field.
fn check_fields(fields: Fields, data: &Payload) -> Option<String> {
    let Ok(Value::Object(object)) = data.read::<Value>() else {
        return Some("the data is not an object".into());
    };
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

    fn check(event: &str, data: &str) -> Result<(), (ErrorCode, String)> {
        let data = Payload::from_text(data.into()).unwrap();
        check_event_data(event, &data).map_err(|misfit| (misfit.code, misfit.words))
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
            assert_eq!(check(event, data), Ok(()), "{event} {data}");
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
            let (code, words) = check(event, data).unwrap_err();
            assert_eq!(code, ErrorCode::InvalidPayload);
            assert!(words.contains(event) && words.contains(field), "{words}");
        }
    }

    #[test]
    fn events_of_the_server_are_reserved() {
        assert_eq!(check("everwire.chat", "1").unwrap_err().0, ErrorCode::Forbidden);
    }
}
