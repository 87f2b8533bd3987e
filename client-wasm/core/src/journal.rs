//! The ring buffer of promise 20: what happened last, without what was said. Payloads and tokens never enter it.

use alloc::{collections::VecDeque, string::String};

/// How many lines are kept: about the last minutes of a troubled connection.
const LINES: usize = 200;

/// Something that [`crate::text!`] can join.
pub trait Part {
    /// Appends it.
    fn add(&self, text: &mut String);
}

impl Part for &str {
    fn add(&self, text: &mut String) {
        text.push_str(self);
    }
}

impl Part for String {
    fn add(&self, text: &mut String) {
        text.push_str(self);
    }
}

fn number(number: u64, text: &mut String) {
    everwire_protocol::push_number(number, text);
}

// All by way of one type: the digits are written by one function then.
macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Part for $number {
            fn add(&self, text: &mut String) {
                number(u64::from(*self), text);
            }
        }
    )*};
}
numbers!(u16, u32, u64);

impl Part for usize {
    fn add(&self, text: &mut String) {
        number(*self as u64, text);
    }
}

#[derive(Debug, Default)]
pub(super) struct Journal {
    lines: VecDeque<(u64, String)>,
}

impl Journal {
    pub(super) fn note(&mut self, now: u64, line: String) {
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back((now, line));
    }

    /// One line per entry: ms since the start, then what happened.
    pub(super) fn report(&self) -> String {
        let mut report = String::new();
        for (at, line) in &self.lines {
            at.add(&mut report);
            report.push(' ');
            report.push_str(line);
            report.push('\n');
        }
        report
    }
}
