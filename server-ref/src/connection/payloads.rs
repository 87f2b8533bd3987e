//! Validation of the data of messages and signals: limits, and for back ends the events.

use everwire_protocol::{ErrorCode, Limits, Payload, check_event_data};
use serde_json::Value;

use crate::model::identity::Refusal;

/// Validates the data and the event of a back end.
///
/// # Errors
/// Those of [`check_size`] and [`check_event_data`].
pub fn check_payload(limits: &Limits, event: Option<&str>, data: &Payload) -> Result<(), Refusal> {
    check_size(limits, data)?;
    event
        .map_or(Ok(()), |event| check_event_data(event, data))
        .map_err(|misfit| Refusal::new(misfit.code, format!("Invalid message: {}.", misfit.words)))
}

/// Whether the data is within the limits. Its event was validated with the frame, in `decode`.
///
/// # Errors
/// [`ErrorCode::TooLarge`].
pub(super) fn check_size(limits: &Limits, data: &Payload) -> Result<(), Refusal> {
    let (most, bytes) = (limits.payload_bytes as usize, data.text().len());
    if bytes > most {
        let words = format!("Message data is limited to {most} bytes of JSON; this has {bytes}.");
        return Err(Refusal::new(ErrorCode::TooLarge, words));
    }
    if let Some(most) = limits.text_characters {
        check_text(most, data)?;
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(event: Option<&str>, data: &str) -> Result<(), (ErrorCode, String)> {
        let limits = Limits { text_characters: Some(5), ..super::super::Settings::default().limits };
        let data = Payload::from_text(data.into()).unwrap();
        check_payload(&limits, event, &data).map_err(|refusal| (refusal.code, refusal.message))
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
