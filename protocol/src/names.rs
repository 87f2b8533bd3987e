//! User ids, display names, titles and event names: their length, and what they may not contain. Servers and clients apply
//! these rules wherever such a text enters.

use crate::limits::{MAX_EVENT_BYTES, MAX_NAME_BYTES, MAX_TITLE_BYTES};

/// Why a text is not a valid id, name or title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing, or only white space in a title.
    #[error("must not be empty")]
    Empty,
    /// More bytes than allowed.
    #[error("must have at most {max} bytes of UTF-8, not {bytes}")]
    TooLong {
        /// The actual number.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// A control character (Unicode category Cc), such as a line feed.
    #[error("must not contain control characters, such as U+{:04X} at byte {at}", u32::from(*character))]
    Control {
        /// The character.
        character: char,
        /// Its position, in bytes from 0.
        at: usize,
    },
}

/// Validates the id of a user.
pub fn check_user(user: &str) -> Result<(), InvalidName> {
    check(user, MAX_NAME_BYTES)
}

/// Validates the name of a user that others see.
pub fn check_name(name: &str) -> Result<(), InvalidName> {
    check(name, MAX_NAME_BYTES)
}

/// Validates the title of a chat.
pub fn check_title(title: &str) -> Result<(), InvalidName> {
    if title.trim().is_empty() { Err(InvalidName::Empty) } else { check(title, MAX_TITLE_BYTES) }
}

/// Validates the name of an event.
pub fn check_event(event: &str) -> Result<(), InvalidName> {
    check(event, MAX_EVENT_BYTES)
}

fn check(text: &str, max: usize) -> Result<(), InvalidName> {
    if text.is_empty() {
        return Err(InvalidName::Empty);
    }
    if text.len() > max {
        return Err(InvalidName::TooLong { bytes: text.len(), max });
    }
    match text.char_indices().find(|(_, character)| character.is_control()) {
        Some((at, character)) => Err(InvalidName::Control { character, at }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_without_control_characters_is_a_user_id() {
        for user in ["7", "auth0|5f7c", "ann+x@y.z", "Zoë", "=", " ", "a/b?c#d%", "🦊", &"x".repeat(128)] {
            assert_eq!(check_user(user), Ok(()), "{user}");
        }
        assert_eq!(check_user(""), Err(InvalidName::Empty));
        assert_eq!(check_user(&"é".repeat(65)), Err(InvalidName::TooLong { bytes: 130, max: 128 }));
    }

    #[test]
    fn control_characters_are_refused_everywhere() {
        for character in ['\0', '\n', '\r', '\u{1b}', '\u{7f}', '\u{85}', '\u{9f}'] {
            let text = format!("ab{character}");
            let refused = Err(InvalidName::Control { character, at: 2 });
            for check in [check_user, check_name, check_title, check_event] {
                assert_eq!(check(&text), refused, "{text:?}");
            }
        }
        let words = check_title("a\nb").unwrap_err().to_string();
        assert_eq!(words, "must not contain control characters, such as U+000A at byte 1");
        assert_eq!(check_title(" "), Err(InvalidName::Empty));
    }
}
