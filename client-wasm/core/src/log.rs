//! The ring buffer of promise 20: the last frames and state changes, without their content. Payloads and tokens never
//! enter it.

use alloc::{collections::VecDeque, string::String};

use super::text::TextPart;

/// Number of lines kept: about the last minutes of a troubled connection.
const LINES: usize = 200;

#[derive(Debug, Default)]
pub(crate) struct Log {
    lines: VecDeque<(u64, String)>,
}

impl Log {
    pub(crate) fn push(&mut self, now: u64, line: String) {
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back((now, line));
    }

    /// One line per entry: ms since the start, then what happened.
    pub(crate) fn report(&self) -> String {
        let mut report = String::new();
        for (at, line) in &self.lines {
            at.append_to(&mut report);
            report.push(' ');
            report.push_str(line);
            report.push('\n');
        }
        report
    }
}
