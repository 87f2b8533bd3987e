//! The variables of one dialogue. Some are there from the beginning, under names that say what they are:
//!
//! | variable | value |
//! |---|---|
//! | `$session.NAME` | the session of a peer |
//! | `$id.NAME` | an id for a send or a request, newly made |
//! | `$channel.NAME` | a public channel that no other dialogue uses |
//! | `$private.NAME`, `$presence.NAME` | likewise, with the prefix |
//! | `$user.NAME` | the id of a user whom no other dialogue uses |
//! | `$token.NAME` | a token for that user, with a grant for all channels of this dialogue |
//! | `$long.N` | a text of N characters |
//!
//! All others are bound by the first pattern that they occur in. `$name+1` and `$name-1` calculate.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::tokens::Tokens;

/// The variables of one dialogue.
pub(crate) struct Scope {
    /// Part of all names that others could use as well.
    unique: String,
    values: BTreeMap<String, Value>,
    tokens: Option<Tokens>,
}

impl Scope {
    /// Variables for one run of a dialogue. `unique` becomes a part of channel names and user ids.
    pub(crate) fn new(unique: &str) -> Self {
        Self { unique: unique.into(), values: BTreeMap::new(), tokens: None }
    }

    /// The same, with tokens.
    pub(crate) fn with_tokens(mut self, tokens: Option<Tokens>) -> Self {
        self.tokens = tokens;
        self
    }

    /// The value of `$name`, with a sum or difference if there is one; `None` if it is not bound yet.
    pub(crate) fn value(&mut self, text: &str) -> Result<Option<Value>, String> {
        let (name, change) = split(text)?;
        if !self.values.contains_key(name)
            && let Some(value) = self.make(name)?
        {
            self.values.insert(name.into(), value);
        }
        let Some(value) = self.values.get(name) else { return Ok(None) };
        if change == 0 {
            return Ok(Some(value.clone()));
        }
        let number = value.as_i64().ok_or_else(|| format!("{name} is {value}, which is no integer"))?;
        Ok(Some(json!(number + change)))
    }

    /// Binds `$name` to a value.
    pub(crate) fn bind(&mut self, name: &str, value: Value) {
        self.values.insert(name.into(), value);
    }

    /// A frame to be sent, with the values of its variables.
    pub(crate) fn fill(&mut self, template: &Value) -> Result<Value, String> {
        Ok(match template {
            Value::String(text) if text.starts_with('$') => {
                self.value(text)?.ok_or_else(|| format!("{text} has no value yet"))?
            }
            Value::Array(values) => {
                Value::Array(values.iter().map(|value| self.fill(value)).collect::<Result<_, _>>()?)
            }
            Value::Object(fields) => {
                let filled = fields.iter().map(|(key, value)| Ok((key.clone(), self.fill(value)?)));
                Value::Object(filled.collect::<Result<Map<_, _>, String>>()?)
            }
            other => other.clone(),
        })
    }

    /// The values that come with their names.
    fn make(&mut self, name: &str) -> Result<Option<Value>, String> {
        let Some((kind, rest)) = name[1..].split_once('.') else { return Ok(None) };
        let unique = &self.unique;
        Ok(Some(match kind {
            "session" => json!(Uuid::now_v7()),
            "id" => json!(Uuid::now_v7()),
            "channel" => json!(format!("{unique}-{rest}")),
            "private" => json!(format!("private-{unique}-{rest}")),
            "presence" => json!(format!("presence-{unique}-{rest}")),
            "user" => json!(format!("{unique}-{rest}")),
            "token" => {
                let tokens = self.tokens.as_ref().ok_or("it needs tokens: give --jwt-secret-file")?;
                json!(tokens.issue(&format!("{unique}-{rest}"), &self.grants()))
            }
            "long" => {
                let length = rest.parse().map_err(|_| format!("{name}: {rest} is no length"))?;
                json!("x".repeat(length))
            }
            _ => return Ok(None),
        }))
    }

    fn grants(&self) -> [String; 3] {
        ["", "private-", "presence-"].map(|prefix| format!("{prefix}{}-*", self.unique))
    }
}

/// `$at+1` as `$at` and 1.
fn split(text: &str) -> Result<(&str, i64), String> {
    let Some(sign) = text.rfind(['+', '-']) else { return Ok((text, 0)) };
    match text[sign..].trim_start_matches('+').parse() {
        Ok(change) => Ok((&text[..sign], change)),
        Err(_) => Err(format!("{text} is not a variable with a number added or subtracted")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_what_they_are_have_values() {
        let mut scope = Scope::new("run7");
        let frame =
            scope.fill(&json!({"channel": "$channel.news", "ids": ["$id.a", "$id.a", "$id.b"]})).unwrap();
        assert_eq!(frame["channel"], "run7-news");
        assert_eq!(frame["ids"][0], frame["ids"][1]);
        assert_ne!(frame["ids"][0], frame["ids"][2]);
    }

    #[test]
    fn what_has_no_value_cannot_be_sent() {
        assert_eq!(Scope::new("run7").fill(&json!("$at")).unwrap_err(), "$at has no value yet");
    }
}
