//! The application's JSON inside a frame, kept as text: nothing between sender and receiver has to parse it.

use alloc::{boxed::Box, string::String};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Any JSON value, as the sender's text. Equality compares that text.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS), ts(type = "unknown"))]
pub struct Payload(Box<RawValue>);

impl Payload {
    /// Wraps JSON text. The error has the position at which the text is invalid.
    pub fn from_text(text: String) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text).map(Self)
    }

    /// Serializes a value.
    pub fn from_value<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// The JSON text.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// Deserializes the value.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.text())
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Payload {}

#[cfg(feature = "generate")]
impl schemars::JsonSchema for Payload {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Payload".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "description": "Any JSON value of the application." })
    }
}
