//! The application's types, from and to JSON; and the frames that the core leaves to its driver to write.

use everwire_protocol::Payload;
use serde::{Serialize, de::DeserializeOwned};

use crate::Error;

/// In a browser its own parser reads the data, and serde-wasm-bindgen the type from what that returns.
#[cfg(target_arch = "wasm32")]
pub(crate) fn read<T: DeserializeOwned>(data: &Payload) -> Result<T, String> {
    let value = js_sys::JSON::parse(data.text()).map_err(|_| "not JSON".to_owned())?;
    serde_wasm_bindgen::from_value(value).map_err(|error| error.to_string())
}

#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn read<T: DeserializeOwned>(data: &Payload) -> Result<T, String> {
    data.read().map_err(|error| error.to_string())
}

pub(crate) fn write<T: Serialize + ?Sized>(value: &T) -> Result<Payload, Error> {
    Payload::from_value(value).map_err(|error| Error::Serialize(error.to_string()))
}

/// A frame of this type. Not through the enum of all frames: an application downloads only what writes those that it sends.
pub(crate) fn frame<F: Serialize>(kind: &str, frame: &F) -> Result<String, Error> {
    let fields = serde_json::to_string(frame).map_err(|error| Error::Serialize(error.to_string()))?;
    let rest = fields.strip_prefix('{').unwrap_or_default();
    let comma = if rest == "}" { "" } else { "," };
    Ok([r#"{"type":""#, kind, "\"", comma, rest].concat())
}
