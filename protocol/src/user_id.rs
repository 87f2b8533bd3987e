//! User ids in channel names and URL paths. A user id may be any text, a channel name may not: so an id that does not fit is
//! encoded. Each id has exactly one encoded form, and each encoded form belongs to one id.

use alloc::{borrow::Cow, string::String, vec::Vec};

use crate::{channel::is_allowed, names::check_user};

/// Marks an encoded id. An id that begins with it is always encoded.
const MARK: char = '=';

/// The alphabet of base64url (RFC 4648, section 5).
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The id as it stands in a channel name: unchanged if it consists of characters that are allowed there and does not begin with
/// `=`, otherwise `=` and its UTF-8 bytes as base64url without padding.
///
/// ```
/// use everwire_protocol::user_id::{decode_user, encode_user};
/// assert_eq!(encode_user("ann"), "ann");
/// assert_eq!(encode_user("Zoë"), "=Wm_Dqw");
/// assert_eq!(decode_user("=Wm_Dqw").as_deref(), Some("Zoë"));
/// ```
pub fn encode_user(user: &str) -> Cow<'_, str> {
    if !user.is_empty() && !user.starts_with(MARK) && user.bytes().all(is_allowed) {
        return Cow::Borrowed(user);
    }
    let mut text = String::from(MARK);
    for chunk in user.as_bytes().chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or_default());
        let bits = (at(0) << 16) | (at(1) << 8) | at(2);
        for place in 0..=chunk.len() {
            let digit = (bits >> (18 - 6 * place)) & 63;
            text.push(char::from(ALPHABET.get(digit as usize).copied().unwrap_or_default()));
        }
    }
    Cow::Owned(text)
}

/// The id with this encoded form; `None` for a text that [`encode_user`] makes of no valid id.
pub fn decode_user(text: &str) -> Option<Cow<'_, str>> {
    let user = match text.strip_prefix(MARK) {
        None => Cow::Borrowed(text),
        Some(digits) => Cow::Owned(String::from_utf8(decode(digits)?).ok()?),
    };
    (check_user(&user).is_ok() && encode_user(&user) == text).then_some(user)
}

fn decode(digits: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for chunk in digits.as_bytes().chunks(4) {
        let mut bits = 0;
        for place in 0..4 {
            let digit = match chunk.get(place) {
                Some(digit) => ALPHABET.iter().position(|known| known == digit)?,
                None => 0,
            };
            bits = (bits << 6) | u32::try_from(digit).ok()?;
        }
        bytes.extend(bits.to_be_bytes().iter().skip(1).take(chunk.len() - 1));
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_has_one_form_that_leads_back_to_it() {
        for (user, text) in [
            ("7", "7"),
            ("ann@example.com", "ann@example.com"),
            ("a=b", "a=b"),
            ("auth0|5f7c", "=YXV0aDB8NWY3Yw"),
            ("ann+x@y.z", "=YW5uK3hAeS56"),
            ("Zoë", "=Wm_Dqw"),
            ("=", "=PQ"),
            ("=Wm_Dqw", "=PVdtX0Rxdw"),
            ("a b", "=YSBi"),
            ("🦊", "=8J-mig"),
            ("a/b", "=YS9i"),
        ] {
            assert_eq!(encode_user(user), text);
            assert_eq!(decode_user(text).as_deref(), Some(user));
        }
        let longest = "é".repeat(64);
        assert_eq!(encode_user(&longest).len(), 172);
        assert_eq!(decode_user(&encode_user(&longest)).as_deref(), Some(&*longest));
    }

    #[test]
    fn other_forms_belong_to_nobody() {
        for text in [
            "",
            "=",
            "=Nw",
            "=Wm_Dq",
            "=Wm_DqwA",
            "=Wm/Dqw",
            "=Wm_Dqw==",
            "=Cg",
            "=_w",
            "=A",
            "Zoë",
            "a b",
            "=PR",
        ] {
            assert_eq!(decode_user(text), None, "{text}");
        }
    }
}
