//! Ids on the wire: UUIDs in the lower-case text form of RFC 9562, so that each has a single spelling. Other spellings, and
//! the nil UUID, which identifies nothing, are refused.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Deserializer, de::Error};
use uuid::Uuid;

/// The UUID with this text; `None` for every other spelling.
pub fn parse_uuid(text: &str) -> Option<Uuid> {
    let hyphens =
        text.len() == 36 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'));
    let uuid = Uuid::try_parse(text).ok()?;
    (hyphens && !uuid.is_nil()).then_some(uuid)
}

/// For required fields.
pub fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    parse(&String::deserialize(deserializer)?)
}

/// For optional fields.
pub fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uuid>, D::Error> {
    Option::<String>::deserialize(deserializer)?.as_deref().map(parse).transpose()
}

/// Ids that must each be valid, or none.
pub(crate) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Uuid>, D::Error> {
    let texts = Option::<Vec<String>>::deserialize(deserializer)?.unwrap_or_default();
    texts.iter().map(|text| parse(text)).collect()
}

fn parse<E: Error>(text: &str) -> Result<Uuid, E> {
    parse_uuid(text).ok_or_else(|| {
        E::custom("an id must be a UUID in lower case, such as 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_one_spelling() {
        let text = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
        assert_eq!(parse_uuid(text).map(|id| id.to_string()).as_deref(), Some(text));
        for other in [
            "0190A1B2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
            "0190a1b2c3d47e5f8a9b0c1d2e3f4a5b",
            "{0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b}",
            "urn:uuid:0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
            "00000000-0000-0000-0000-000000000000",
            "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5",
            "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5g",
            "",
        ] {
            assert_eq!(parse_uuid(other), None, "{other}");
        }
    }
}
