//! The variables of one dialogue. Some are there from the beginning, under names that say what they are:
//!
//! | variable | value |
//! |---|---|
//! | `$session.NAME` | the session of a peer |
//! | `$id.NAME` | an id for a send or a request, newly made |
//! | `$id.new` | another one each time |
//! | `$channel.NAME` | a public channel that no other dialogue uses |
//! | `$private.NAME`, `$presence.NAME` | likewise, with the prefix |
//! | `$user.NAME` | the id of a user whom no other dialogue uses |
//! | `$token.NAME` | a token for that user, with a grant for all channels of this dialogue |
//! | `$hello.NAME` | the `hello` of a peer, for a WebSocket |
//! | `$http_hello.NAME` | the same for an HTTP request, whose token is in a header |
//! | `$direct.NAME.NAME` | the id of the direct chat of two users |
//! | `$long.N` | a text of N characters |
//!
//! For dialogues with clients:
//!
//! | variable | value |
//! |---|---|
//! | `$session` | the client's session |
//! | `$connection.NAME` | the id of a connection |
//! | `$welcome.NAME` | a `welcome` that names this connection |
//! | `$entry.NAME.N` | the frame `message` with the offset N of `$channel.NAME` |
//!
//! All others are bound by the first pattern that they occur in. `$name+1` and `$name-1` calculate, and `${name}` within a
//! text is replaced by the value.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::tokens::Tokens;

/// What a dialogue with tokens says where there are none.
const NEEDS_TOKENS: &str = "it needs tokens: give --jwt-secret-file";

/// The ids of entries that a server has which is played, but for their offsets.
const ENTRY_IDS: u128 = 0x0190_a1b2_c3d4_7e5f_8a9b_0000_0000_0000;

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
            if value.is_object() || name == "$id.new" {
                // A hello is not kept: its token may become another one.
                return Ok(Some(value));
            }
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
            Value::String(text) if is_variable(text) => {
                self.value(text)?.ok_or_else(|| format!("{text} has no value yet"))?
            }
            Value::String(text) => Value::String(self.fill_text(text)?),
            Value::Array(values) => {
                let mut filled = Vec::new();
                for value in values {
                    match repeated(value) {
                        Some((times, value)) => {
                            for index in 1..=times {
                                self.bind("$index", json!(index));
                                filled.push(self.fill(value)?);
                            }
                        }
                        None => filled.push(self.fill(value)?),
                    }
                }
                Value::Array(filled)
            }
            Value::Object(fields) if fields.contains_key("$like") => {
                let mut filled = self.fill(&fields["$like"])?;
                for (field, value) in fields.iter().filter(|(field, _)| *field != "$like") {
                    filled[field] = self.fill(value)?;
                }
                if let Some(filled) = filled.as_object_mut() {
                    filled.retain(|_, value| value != "<absent>");
                }
                filled
            }
            Value::Object(fields) => {
                let filled = fields.iter().map(|(key, value)| Ok((key.clone(), self.fill(value)?)));
                Value::Object(filled.collect::<Result<Map<_, _>, String>>()?)
            }
            other => other.clone(),
        })
    }

    /// A text with the values of the variables that it names as `${name}`.
    pub(crate) fn fill_text(&mut self, template: &str) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or_else(|| format!("`${{{after}` has no end"))?;
            filled.push_str(before);
            match self.value(&format!("${name}"))?.ok_or_else(|| format!("${name} has no value yet"))? {
                Value::String(text) => filled.push_str(&text),
                other => filled.push_str(&other.to_string()),
            }
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// The fields among these that say what an expected frame is about, as far as their values are known: the frames of another
    /// channel, and the answers to other sends and requests, may come before it.
    pub(crate) fn known<'a>(
        &mut self,
        pattern: &'a Value,
        names: &[&str],
    ) -> Result<Vec<(&'a str, Value)>, String> {
        let mut known = Vec::new();
        for (field, value) in pattern.as_object().into_iter().flatten() {
            let text =
                value.as_str().filter(|text| names.contains(&field.as_str()) && !text.starts_with('<'));
            let Some(text) = text else { continue };
            let value = if is_variable(text) { self.value(text)? } else { self.fill(value).ok() };
            known.extend(value.map(|value| (field.as_str(), value)));
        }
        Ok(known)
    }

    /// Makes `$token.NAME` a token with other claims. `user` is a name of the dialogue, whose id becomes `sub`; `expires_in` and
    /// `valid_in` are in s from now, `null` stands for a claim that is left out, and everything else is taken as it is.
    pub(crate) fn token(&mut self, name: &str, claims: &Value) -> Result<(), String> {
        let tokens = self.tokens.clone().ok_or(NEEDS_TOKENS)?;
        let claims = self.fill(claims)?;
        let user = claims.get("user").and_then(Value::as_str).unwrap_or(name);
        let mut all = Tokens::claims(&format!("{}-{user}", self.unique), &self.grants());
        for (claim, value) in claims.as_object().into_iter().flatten() {
            let seconds = value.as_i64().unwrap_or_default();
            match claim.as_str() {
                "user" => {}
                "expires_in" => all["exp"] = json!(Tokens::now() + seconds),
                "valid_in" => all["nbf"] = json!(Tokens::now() + seconds),
                _ => all[claim] = value.clone(),
            }
        }
        if let Some(all) = all.as_object_mut() {
            all.retain(|_, value| !value.is_null());
        }
        self.bind(&format!("$token.{name}"), json!(tokens.sign(&all)));
        Ok(())
    }

    /// The `hello` of a peer, with the token of a name; `None` for one that is in a header. Without tokens it is a guest.
    pub(crate) fn hello(&mut self, peer: &str, token: Option<&str>) -> Result<Value, String> {
        let mut hello = json!({"type": "hello", "version": 1, "session": format!("$session.{peer}")});
        match (&self.tokens, token) {
            (Some(_), Some(token)) => hello["token"] = json!(format!("$token.{token}")),
            (Some(_), None) => {}
            (None, user) => {
                let user = format!("$user.{}", user.unwrap_or(peer));
                hello["guest"] = json!({"user": user, "name": user});
            }
        }
        self.fill(&hello)
    }

    /// The values that come with their names.
    fn make(&mut self, name: &str) -> Result<Option<Value>, String> {
        let Some((kind, rest)) = name[1..].split_once('.') else { return Ok(None) };
        let unique = &self.unique;
        Ok(Some(match kind {
            "session" | "id" | "connection" => json!(Uuid::now_v7()),
            "welcome" => return Ok(Some(self.welcome(rest)?)),
            "entry" => {
                let (channel, offset) =
                    rest.split_once('.').ok_or_else(|| format!("{name} needs an offset"))?;
                let offset: u64 = offset.parse().map_err(|_| format!("{name}: {offset} is no offset"))?;
                json!({
                    "type": "message",
                    "channel": format!("{unique}-{channel}"),
                    "offset": offset,
                    "id": Uuid::from_u128(ENTRY_IDS | u128::from(offset)),
                    "user": "bob",
                    "at": 1_790_000_000_000_u64,
                    "data": {"text": format!("entry {offset}")},
                })
            }
            "channel" | "user" => json!(format!("{unique}-{rest}")),
            "private" => json!(format!("private-{unique}-{rest}")),
            "presence" => json!(format!("presence-{unique}-{rest}")),
            "token" => {
                let tokens = self.tokens.as_ref().ok_or(NEEDS_TOKENS)?;
                json!(tokens.sign(&Tokens::claims(&format!("{unique}-{rest}"), &self.grants())))
            }
            "hello" => return Ok(Some(self.hello(rest, Some(rest))?)),
            "http_hello" => return Ok(Some(self.hello(rest, None)?)),
            "direct" => {
                let (one, other) = rest.split_once('.').ok_or_else(|| format!("{name} needs two names"))?;
                json!(direct_chat(&format!("{unique}-{one}"), &format!("{unique}-{other}")))
            }
            "long" => {
                let length = rest.parse().map_err(|_| format!("{name}: {rest} is no length"))?;
                json!("x".repeat(length))
            }
            _ => return Ok(None),
        }))
    }

    /// The `welcome` of a server that is played, with the limits of table 13.1.
    fn welcome(&mut self, connection: &str) -> Result<Value, String> {
        self.fill(&json!({
            "type": "welcome",
            "version": 1,
            "features": ["presence", "receipts", "status", "chats", "ephemeral", "history"],
            "session": "$session",
            "connection": format!("$connection.{connection}"),
            "run": "r1",
            "user": "ann",
            "server_time": 1_790_000_000_000_u64,
            "ping_interval_ms": 25_000,
            "hold_ms": 25_000,
            "limits": {
                "payload_bytes": 32_768,
                "batch_bytes": 65_536,
                "batch_frames": 300,
                "subscriptions": 256,
            },
        }))
    }

    fn grants(&self) -> [String; 3] {
        ["", "private-", "presence-"].map(|prefix| format!("{prefix}{}-*", self.unique))
    }
}

/// `{"$times": 3, "of": …}` as 3 and what is to be repeated.
fn repeated(value: &Value) -> Option<(u64, &Value)> {
    Some((value.get("$times")?.as_u64()?, value.get("of")?))
}

/// The id of the direct chat of two users: EW-23-46.
fn direct_chat(one: &str, other: &str) -> Uuid {
    const NAME_SPACE: Uuid = Uuid::from_u128(0x6d1f_2a0c_9b1e_4c62_a7d3_51c8_3f0e_94b7);
    let (a, b) = if one < other { (one, other) } else { (other, one) };
    Uuid::new_v5(&NAME_SPACE, format!("{}:{a}{b}", a.len()).as_bytes())
}

/// Whether a text is a variable as a whole.
pub(crate) fn is_variable(text: &str) -> bool {
    text.starts_with('$') && !text.starts_with("${")
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
    fn an_element_may_be_repeated() {
        let mut scope = Scope::new("run7");
        let batch = scope.fill(&json!([{"$times": 2, "of": {"id": "$id.new", "n": "$index"}}])).unwrap();
        assert_eq!(batch[1]["n"], 2);
        assert_ne!(batch[0]["id"], batch[1]["id"]);
    }

    #[test]
    fn texts_may_contain_variables() {
        let mut scope = Scope::new("run7");
        scope.bind("$at", json!(7));
        assert_eq!(scope.fill(&json!("private-user.${user.ann}/${at}")).unwrap(), "private-user.run7-ann/7");
    }

    #[test]
    fn what_has_no_value_cannot_be_sent() {
        assert_eq!(Scope::new("run7").fill(&json!("$at")).unwrap_err(), "$at has no value yet");
    }
}
