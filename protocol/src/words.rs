//! Enumerations on the wire: a text, and nothing else that serde would read as one of them (`{"edit": null}`).

use alloc::string::String;

use serde::{
    Deserialize, Deserializer,
    de::{Error, value::StringDeserializer},
};

/// A word that must be there.
pub(crate) fn required<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    read(String::deserialize(deserializer)?)
}

/// A word that may be absent or null.
pub(crate) fn optional<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::<String>::deserialize(deserializer)?.map(read).transpose()
}

fn read<'de, E: Error, T: Deserialize<'de>>(word: String) -> Result<T, E> {
    T::deserialize(StringDeserializer::new(word))
}

#[cfg(test)]
mod tests {
    use crate::{CreateChat, SetStatus};

    #[test]
    fn a_word_is_a_text() {
        let id = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
        let read = |status: &str| {
            serde_json::from_str::<SetStatus>(&format!(r#"{{"id":"{id}","status":{status}}}"#))
                .map(|frame| frame.status)
                .map_err(|error| error.to_string())
        };
        assert!(read(r#""away""#).is_ok());
        assert!(read(r#"{"away":null}"#).is_err());
        assert!(read(r#""asleep""#).unwrap_err().contains("unknown variant `asleep`"));
        let chat = format!(r#"{{"id":"{id}","kind":{{"group":null}},"users":[]}}"#);
        assert!(serde_json::from_str::<CreateChat>(&chat).is_err());
    }
}
