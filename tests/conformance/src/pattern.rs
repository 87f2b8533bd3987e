//! Compares what a peer sent with what a dialogue expects: an object must have the fields of the pattern, and may have
//! others, because unknown fields are to be ignored; everything else must be equal. Texts in angle brackets stand for kinds
//! of values, and texts that begin with `$` for variables.

use serde_json::Value;
use uuid::Uuid;

use crate::scope::{Scope, is_variable};

/// Compares a value with a pattern, and binds the variables that are met for the first time.
///
/// The error says where they differ, as a path such as `members[1].user`.
pub(crate) fn compare(pattern: &Value, value: Option<&Value>, scope: &mut Scope) -> Result<(), String> {
    compare_at("", pattern, value, scope)
}

fn compare_at(path: &str, pattern: &Value, value: Option<&Value>, scope: &mut Scope) -> Result<(), String> {
    let found = || value.map_or_else(|| "nothing".into(), ToString::to_string);
    let expected = |what: &str| Err(format!("{} is {}, not {what}", name(path), found()));
    match pattern {
        Value::String(text) if text.starts_with('<') && text.ends_with('>') => {
            let kind = &text[1..text.len() - 1];
            if let Some(name) = kind.strip_prefix("other than ") {
                let other = scope.value(name)?.ok_or_else(|| format!("{name} has no value yet"))?;
                return if value.is_some_and(|value| *value != other) { Ok(()) } else { expected(text) };
            }
            match is_of_kind(kind, value) {
                Some(true) => Ok(()),
                Some(false) => expected(text),
                None => Err(format!("{text} is no kind of values; see the README")),
            }
        }
        Value::String(text) if is_variable(text) => match scope.value(text)? {
            Some(known) if Some(&known) == value => Ok(()),
            Some(known) => expected(&format!("{known} ({text})")),
            None => {
                let Some(value) = value else { return expected("there") };
                scope.bind(text, value.clone());
                Ok(())
            }
        },
        Value::Object(fields) => {
            let Some(Value::Object(found)) = value else { return expected("an object") };
            for (field, pattern) in fields {
                let path = if path.is_empty() { field.clone() } else { format!("{path}.{field}") };
                compare_at(&path, pattern, found.get(field), scope)?;
            }
            Ok(())
        }
        Value::Array(patterns) => {
            let Some(Value::Array(found)) = value else { return expected("an array") };
            if patterns.len() != found.len() {
                return expected(&format!("an array of {}", patterns.len()));
            }
            for (index, (pattern, value)) in patterns.iter().zip(found).enumerate() {
                compare_at(&format!("{path}[{index}]"), pattern, Some(value), scope)?;
            }
            Ok(())
        }
        Value::String(text) if text.contains("${") => {
            let text = Value::String(scope.fill_text(text)?);
            if Some(&text) == value { Ok(()) } else { expected(&text.to_string()) }
        }
        constant if Some(constant) == value => Ok(()),
        constant => expected(&constant.to_string()),
    }
}

fn name(path: &str) -> &str {
    if path.is_empty() { "it" } else { path }
}

/// Whether a value is of a kind; `None` if there is no such kind.
fn is_of_kind(kind: &str, value: Option<&Value>) -> Option<bool> {
    let number = value.and_then(Value::as_u64);
    if let Some(least) = kind.strip_prefix("at least ") {
        let least: u64 = least.parse().ok()?;
        return Some(number.is_some_and(|number| number >= least));
    }
    if let Some(most) = kind.strip_prefix("at most ") {
        let most: u64 = most.parse().ok()?;
        return Some(number.is_some_and(|number| number <= most));
    }
    if let Some(values) = kind.strip_prefix("one of ") {
        let text = value.and_then(Value::as_str);
        return Some(values.split(" or ").any(|one| Some(one) == text));
    }
    let words = value.and_then(Value::as_str).unwrap_or_default();
    if let Some(part) = kind.strip_prefix("with ") {
        return Some(words.contains(part));
    }
    if let Some(part) = kind.strip_prefix("without ") {
        return Some(!words.contains(part));
    }
    Some(match kind {
        "absent" => value.is_none(),
        "any" => value.is_some(),
        "integer" => value.is_some_and(Value::is_u64),
        "text" => value.and_then(Value::as_str).is_some_and(|text| !text.is_empty()),
        "uuid" => value.and_then(Value::as_str).is_some_and(is_uuid),
        "object" => value.is_some_and(Value::is_object),
        "array" => value.is_some_and(Value::is_array),
        "boolean" => value.is_some_and(Value::is_boolean),
        _ => return None,
    })
}

/// In the one form that the protocol has: lower case, hyphenated, not nil.
fn is_uuid(text: &str) -> bool {
    Uuid::try_parse(text).is_ok_and(|id| id.hyphenated().to_string() == text && !id.is_nil())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differ(pattern: &Value, value: &Value) -> Option<String> {
        compare(pattern, Some(value), &mut Scope::new("test")).err()
    }

    #[test]
    fn other_fields_are_ignored_and_missing_ones_are_not() {
        assert_eq!(differ(&json!({"a": 1}), &json!({"a": 1, "b": 2})), None);
        assert_eq!(differ(&json!({"a": {"b": 1}}), &json!({"a": {}})).unwrap(), "a.b is nothing, not 1");
        assert_eq!(differ(&json!({"a": "<absent>"}), &json!({"a": 1})).unwrap(), "a is 1, not <absent>");
    }

    #[test]
    fn arrays_are_compared_as_a_whole() {
        assert_eq!(differ(&json!([1]), &json!([1, 2])).unwrap(), "it is [1,2], not an array of 1");
        assert_eq!(differ(&json!(["<integer>", 2]), &json!([1, 3])).unwrap(), "[1] is 3, not 2");
    }

    #[test]
    fn a_variable_is_bound_once_and_compared_afterwards() {
        let mut scope = Scope::new("test");
        compare(&json!({"offset": "$at"}), Some(&json!({"offset": 7})), &mut scope).unwrap();
        compare(&json!({"offset": "$at+1"}), Some(&json!({"offset": 8})), &mut scope).unwrap();
        let error = compare(&json!({"offset": "$at"}), Some(&json!({"offset": 8})), &mut scope).unwrap_err();
        assert_eq!(error, "offset is 8, not 7 ($at)");
    }

    #[test]
    fn kinds_may_have_bounds_and_choices() {
        assert_eq!(differ(&json!("<at least 2>"), &json!(2)), None);
        assert!(differ(&json!("<at most 2>"), &json!(3)).is_some());
        assert_eq!(differ(&json!("<one of a or b>"), &json!("b")), None);
        assert!(differ(&json!("<one of a or b>"), &json!("c")).is_some());
    }

    #[test]
    fn an_upper_case_id_is_no_id() {
        let id = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
        assert_eq!(differ(&json!("<uuid>"), &json!(id)), None);
        assert!(differ(&json!("<uuid>"), &json!(id.to_uppercase())).is_some());
    }
}
