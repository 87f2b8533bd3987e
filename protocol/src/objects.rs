//! Objects within frames: serde would also read an array of the fields as one.

use alloc::boxed::Box;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error},
};
use serde_json::value::RawValue;

/// An object that may be absent or null.
pub(crate) fn optional<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else { return Ok(None) };
    if !raw.get().starts_with('{') {
        return Err(D::Error::custom("expected an object"));
    }
    serde_json::from_str(raw.get()).map(Some).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use crate::Hello;

    #[test]
    fn an_array_of_the_fields_is_no_object() {
        let read = |guest: &str| {
            let text = format!(
                r#"{{"version":1,"session":"0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b","guest":{guest}}}"#
            );
            serde_json::from_str::<Hello>(&text).map(|hello| hello.guest.is_some())
        };
        assert_eq!(read(r#"{"user":"a","name":"A"}"#).ok(), Some(true));
        assert_eq!(read("null").ok(), Some(false));
        assert!(read(r#"["a","A"]"#).is_err());
    }
}
