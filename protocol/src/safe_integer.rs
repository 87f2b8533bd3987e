//! Integers on the wire: below 2^53, so that they are exact in JavaScript and fit into a database's signed 64 bits.

use serde::{Deserialize, Deserializer, de::Error};

use crate::limits::MAX_OFFSET;

/// For required fields.
pub(crate) fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    check(u64::deserialize(deserializer)?)
}

/// For optional fields.
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Option::<u64>::deserialize(deserializer)?.map(check).transpose()
}

fn check<E: Error>(number: u64) -> Result<u64, E> {
    if number > MAX_OFFSET { Err(E::custom("a number must be below 2^53")) } else { Ok(number) }
}

#[cfg(test)]
mod tests {
    use crate::{Poll, Subscribe};

    #[test]
    fn a_number_that_javascript_cannot_hold_is_refused() {
        let poll = |ack: &str| serde_json::from_str::<Poll>(&format!(r#"{{"ack":{ack},"hold_ms":0}}"#));
        assert_eq!(poll("9007199254740991").unwrap().ack, (1 << 53) - 1);
        assert!(poll("9007199254740992").unwrap_err().to_string().contains("below 2^53"));
        let text = r#"{"channel":"news","epoch":"a","offset":9007199254740992}"#;
        assert!(serde_json::from_str::<Subscribe>(text).is_err());
        assert_eq!(serde_json::from_str::<Subscribe>(r#"{"channel":"news"}"#).unwrap().offset, None);
    }
}
