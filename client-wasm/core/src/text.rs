//! Text from parts without the formatting machinery, which would cost kilobytes in the browser.

use alloc::string::String;

/// Something that [`crate::text!`] can append.
pub trait TextPart {
    /// Appends it. Texts are passed as they are, because a reference to one is more code at every call.
    fn append_to(self, text: &mut String);
}

impl TextPart for &str {
    fn append_to(self, text: &mut String) {
        text.push_str(self);
    }
}

impl TextPart for &String {
    fn append_to(self, text: &mut String) {
        text.push_str(self);
    }
}

// All numbers go through one type, so that only one function writes digits.
macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl TextPart for $number {
            fn append_to(self, text: &mut String) {
                everwire_protocol::push_number(u64::from(self), text);
            }
        }
    )*};
}
numbers!(u16, u32, u64);

impl TextPart for usize {
    fn append_to(self, text: &mut String) {
        everwire_protocol::push_number(self as u64, text);
    }
}

/// Joins texts and numbers to one `String`.
#[macro_export]
macro_rules! text {
    ($($part:expr),* $(,)?) => {{
        let mut text = $crate::String::new();
        $( $crate::TextPart::append_to($part, &mut text); )*
        text
    }};
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;

    #[test]
    fn every_kind_of_part_is_appended() {
        let joined = text!("a ", &"b ".to_owned(), 1_u16, " ", 2_u32, " ", 3_u64, " ", 4_usize);
        assert_eq!(joined, "a b 1 2 3 4");
    }
}
