//! Strictness of JSON: what RFC 8259 allows but strict readers refuse, as I-JSON (RFC 7493) lists it. Such text must not
//! get into a log, because some of its readers could not parse it. The scanner runs over text that a parser has already
//! accepted; it visits every byte once and does not recurse.

use alloc::{borrow::Cow, format, string::String, vec::Vec};
use core::fmt;

use memchr::{memchr, memchr2};

/// The longest part of a key in a path, in characters.
const KEY: usize = 24;

/// Something in a JSON text that a strict reader refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{kind}", at_path(path))]
pub struct Flaw {
    /// Where it is: keys and indexes, such as `data.items[3]`. Empty for the value itself.
    pub path: String,
    /// What it is.
    pub kind: FlawKind,
}

fn at_path(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}

impl Flaw {
    /// Whether it is within the member `name` of the object.
    pub fn is_within(&self, name: &str) -> bool {
        self.path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

/// What a strict reader refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlawKind {
    /// A surrogate that is not half of a pair: no character, and not expressible in UTF-8.
    LoneSurrogate(u16),
    /// A code point that is reserved for internal use.
    Noncharacter(char),
    /// A key that occurs twice in one object: readers disagree about which one counts.
    DuplicateKey,
    /// A number beyond the range of a double.
    NumberRange,
    /// More levels than allowed.
    TooDeep(usize),
}

impl fmt::Display for FlawKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoneSurrogate(unit) => write!(f, "lone surrogate \\u{unit:04x}, which is not a character"),
            Self::Noncharacter(code) => write!(f, "noncharacter U+{:04X}", u32::from(*code)),
            Self::DuplicateKey => f.write_str("duplicate key"),
            Self::NumberRange => f.write_str("number out of range"),
            Self::TooDeep(most) => write!(f, "nested deeper than {most} levels"),
        }
    }
}

/// One array or object that the scanner is in.
struct Level<'a> {
    is_object: bool,
    /// The index of the current element.
    index: usize,
    /// The current key, as written.
    key: &'a str,
    /// Whether the next string is a key.
    expects_key: bool,
    /// Where its keys begin in the list of all keys.
    keys: usize,
}

/// Checks JSON text for what strict readers refuse. `depth` is the maximum number of nested arrays and objects.
///
/// The text must be JSON: nothing else is guaranteed to be found, and nothing in it causes a panic.
pub fn check(text: &str, depth: usize) -> Result<(), Flaw> {
    let bytes = text.as_bytes();
    let mut levels: Vec<Level<'_>> = Vec::new();
    let mut keys: Vec<Cow<'_, str>> = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let end = string_end(bytes, at);
                let raw = text.get(at + 1..end).unwrap_or_default();
                let key = levels.last_mut().filter(|level| level.expects_key);
                let is_key = key.is_some();
                if let Some(level) = key {
                    (level.key, level.expects_key) = (raw, false);
                }
                if let Some(kind) = flaw_of_string(raw) {
                    return Err(Flaw { path: path(&levels), kind });
                }
                if is_key {
                    keys.push(unescaped(text.get(at..=end).unwrap_or_default(), raw));
                }
                at = end;
            }
            b'{' | b'[' => {
                if levels.len() >= depth {
                    return Err(Flaw { path: path(&levels), kind: FlawKind::TooDeep(depth) });
                }
                let is_object = *byte == b'{';
                let (key, expects_key) = ("", is_object);
                levels.push(Level { is_object, index: 0, key, expects_key, keys: keys.len() });
            }
            b'}' | b']' => {
                let from = levels.pop().map_or(0, |level| level.keys);
                if let Some(twice) = duplicate(keys.get_mut(from..).unwrap_or_default()) {
                    let path = join(&path(&levels), &twice);
                    return Err(Flaw { path, kind: FlawKind::DuplicateKey });
                }
                keys.truncate(from);
            }
            b',' => {
                if let Some(level) = levels.last_mut() {
                    level.index += 1;
                    level.expects_key = level.is_object;
                }
            }
            b'-' | b'0'..=b'9' => {
                let end = number_end(bytes, at);
                if is_out_of_range(text.get(at..end).unwrap_or_default()) {
                    return Err(Flaw { path: path(&levels), kind: FlawKind::NumberRange });
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// The value of a member of a JSON object, as written. `None` if it is absent, or ambiguous because it occurs twice.
pub fn member<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    let (mut expects_key, mut wanted) = (false, None);
    let mut found = None;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let end = string_end(bytes, at);
                if depth == 1 && expects_key {
                    expects_key = false;
                    let raw = text.get(at + 1..end)?;
                    if unescaped(text.get(at..=end)?, raw) == name {
                        wanted = Some(end + 1);
                    }
                }
                at = end;
            }
            b'{' | b'[' => {
                depth += 1;
                expects_key = depth == 1 && *byte == b'{';
            }
            b',' | b'}' | b']' if depth == 1 => {
                if let Some(from) = wanted.take() {
                    if found.is_some() {
                        return None;
                    }
                    found = Some(text.get(from..at)?.trim_start().strip_prefix(':')?.trim());
                }
                expects_key = *byte == b',';
                depth -= usize::from(*byte != b',');
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    found
}

/// The position of the quotation mark that ends the string at `at`.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(next) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += next;
        if bytes.get(at) == Some(&b'"') {
            return at;
        }
        at += 2;
    }
    bytes.len()
}

fn number_end(bytes: &[u8], at: usize) -> usize {
    let digits = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    at + bytes.iter().skip(at).take_while(|byte| digits(byte)).count()
}

/// Whether a number becomes infinite as a double. Short ones without an exponent cannot.
fn is_out_of_range(number: &str) -> bool {
    let small = number.len() < 300 && !number.contains(['e', 'E']);
    !small && number.parse::<f64>().is_ok_and(f64::is_infinite)
}

fn flaw_of_string(raw: &str) -> Option<FlawKind> {
    let escape = memchr(b'\\', raw.as_bytes());
    if escape.is_none() && raw.is_ascii() {
        return None;
    }
    // Noncharacters begin with EF or above in UTF-8.
    if raw.bytes().any(|byte| byte >= 0xef)
        && let Some(code) = raw.chars().find(|code| is_noncharacter(*code))
    {
        return Some(FlawKind::Noncharacter(code));
    }
    let bytes = raw.as_bytes();
    let mut at = escape.unwrap_or(bytes.len());
    while let Some(byte) = bytes.get(at) {
        if *byte != b'\\' {
            at += 1;
            continue;
        }
        let Some(unit) = unit_at(raw, at) else {
            at += 2;
            continue;
        };
        at += 6;
        let code = match unit {
            0xd800..0xdc00 => {
                let Some(low) = unit_at(raw, at).filter(|low| (0xdc00..0xe000).contains(low)) else {
                    return Some(FlawKind::LoneSurrogate(unit));
                };
                at += 6;
                0x1_0000 + ((u32::from(unit) - 0xd800) << 10) + (u32::from(low) - 0xdc00)
            }
            0xdc00..0xe000 => return Some(FlawKind::LoneSurrogate(unit)),
            unit => unit.into(),
        };
        if let Some(code) = char::from_u32(code).filter(|code| is_noncharacter(*code)) {
            return Some(FlawKind::Noncharacter(code));
        }
    }
    None
}

/// The UTF-16 code unit of the escape `\uXXXX` at `at`.
fn unit_at(raw: &str, at: usize) -> Option<u16> {
    let digits = raw.get(at..at + 6)?.strip_prefix("\\u")?;
    u16::from_str_radix(digits, 16).ok()
}

fn is_noncharacter(code: char) -> bool {
    let code = u32::from(code);
    (0xfdd0..=0xfdef).contains(&code) || code & 0xfffe == 0xfffe
}

fn unescaped<'a>(quoted: &'a str, raw: &'a str) -> Cow<'a, str> {
    if raw.contains('\\') {
        serde_json::from_str(quoted).map_or(Cow::Borrowed(raw), Cow::Owned)
    } else {
        Cow::Borrowed(raw)
    }
}

/// A key that occurs twice. Sorting keeps an object with many keys from taking quadratic time.
fn duplicate(keys: &mut [Cow<'_, str>]) -> Option<String> {
    keys.sort_unstable();
    keys.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone().into_owned())
}

fn path(levels: &[Level<'_>]) -> String {
    let mut path = String::new();
    for level in levels {
        if !level.is_object {
            path = format!("{path}[{}]", level.index);
        } else if !level.expects_key {
            path = join(&path, level.key);
        }
    }
    path
}

/// A path with one more key, which is shortened, and quoted unless it is an identifier.
fn join(path: &str, key: &str) -> String {
    let is_word = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let short: String = key.chars().take(KEY).collect();
    let more = if short.len() < key.len() { "…" } else { "" };
    match (is_word, path.is_empty()) {
        (true, true) => short + more,
        (true, false) => format!("{path}.{short}{more}"),
        (false, _) => format!("{path}[\"{}{more}\"]", short.escape_debug()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        check(text, 4).unwrap_err().to_string()
    }

    #[test]
    fn what_a_strict_reader_refuses_is_named_with_its_path() {
        for (text, expected) in [
            (
                r#"{"data":{"text":"a\ud800b"}}"#,
                r"data.text: lone surrogate \ud800, which is not a character",
            ),
            (r#"{"data":["x","\udc00\ud800"]}"#, r"data[1]: lone surrogate \udc00, which is not a character"),
            (r#"{"data":"\ud83d\u0041"}"#, r"data: lone surrogate \ud83d, which is not a character"),
            (r#"{"a\ud800":1}"#, r#"["a\\ud800"]: lone surrogate \ud800, which is not a character"#),
            (r#"{"data":"\uffff"}"#, "data: noncharacter U+FFFF"),
            ("{\"data\":\"\u{fdd0}\"}", "data: noncharacter U+FDD0"),
            (r#"{"data":"\ud83f\udffe"}"#, "data: noncharacter U+1FFFE"),
            (r#"{"data":{"a":1,"b":2,"a":3}}"#, "data.a: duplicate key"),
            (r#"{"data":{"a":1,"\u0061":3}}"#, "data.a: duplicate key"),
            (r#"{"id":1,"x":{},"id":2}"#, "id: duplicate key"),
            (r#"{"two words":1,"two words":2}"#, r#"["two words"]: duplicate key"#),
            (r#"{"data":[1,2,-1e400]}"#, "data[2]: number out of range"),
            (r#"{"a":{"b":[{"c":[]}]}}"#, "a.b[0].c: nested deeper than 4 levels"),
            (r#""\ud800""#, r"lone surrogate \ud800, which is not a character"),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
        let long = format!(r#"{{"{0}":{{"a":1,"a":2}}}}"#, "k".repeat(5_000));
        assert_eq!(words(&long), format!("{}….a: duplicate key", "k".repeat(24)));
        let huge = format!("[{}]", "9".repeat(400));
        assert_eq!(words(&huge), "[0]: number out of range");
    }

    #[test]
    fn everything_else_is_accepted() {
        for text in [
            r#"{"a":"\ud83e\udd8a","b":"\\ud800","c":"\"\\","d":[1e300,-0.0,1e-400,17],"e":{"a":1}}"#,
            r#"[{"a":1},{"a":1},[],{},"",null,true]"#,
            "\"\u{fffd}\u{10fffd}\u{0}\"",
            r#"{"a":{"a":{"a":{"a":1}}}}"#,
            "17",
            "",
            "\"",
            "{\"a\\",
            "}]",
        ] {
            assert_eq!(check(text, 4), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_member_is_found_unless_it_is_ambiguous() {
        let text = r#" {"n":{"id":1}, "\u0069d" : "a,}" ,"x":[{"id":2}],"last":{"a":[1,2]} }"#;
        assert_eq!(member(text, "id"), Some(r#""a,}""#));
        assert_eq!(member(text, "last"), Some(r#"{"a":[1,2]}"#));
        assert_eq!(member(text, "a"), None);
        assert_eq!(member(r#"{"id":1,"id":1}"#, "id"), None);
        for text in ["", "[]", "7", "{", r#"{"id"}"#, r#"["id",1]"#, "}{"] {
            assert_eq!(member(text, "id"), None, "{text}");
        }
    }

    #[test]
    fn only_paths_below_a_member_are_within_it() {
        let flaw = |path: &str| Flaw { path: path.into(), kind: FlawKind::DuplicateKey };
        assert!(flaw("data").is_within("data") && flaw("data.a").is_within("data"));
        assert!(flaw("data[0]").is_within("data") && !flaw("database").is_within("data"));
    }
}
