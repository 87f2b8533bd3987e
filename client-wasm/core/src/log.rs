//! The log of promise 20: the last frames and state changes, without their content. Payloads and tokens never enter it.

use alloc::{string::String, vec::Vec};

use super::text::TextPart;

/// Number of lines kept: about the last minutes of a troubled connection.
const LINES: usize = 200;

/// A plain list, though it is shortened at the front: moving the lines costs less than the code of a ring buffer.
#[derive(Debug, Default)]
pub(crate) struct Log {
    lines: Vec<(u64, String)>,
}

impl Log {
    pub(crate) fn push(&mut self, now: u64, line: String) {
        if self.lines.len() == LINES {
            self.lines.remove(0);
        }
        self.lines.push((now, line));
    }

    /// One line per entry: ms since the start, then what happened.
    #[allow(clippy::single_char_add_str, reason = "as in everwire_protocol::json")]
    pub(crate) fn report(&self) -> String {
        let mut report = String::new();
        for (at, line) in &self.lines {
            at.append_to(&mut report);
            report.push_str(" ");
            report.push_str(line);
            report.push_str("\n");
        }
        report
    }
}
