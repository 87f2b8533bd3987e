//! Progress output: the numbered steps of a command, and how long each took.

use std::{
    io::{self, Write as _},
    time::{Duration, Instant},
};

use crate::{error::Result, summary::Summary};

/// How a step ended, if it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The work was done.
    Done,
    /// There was nothing to do.
    UpToDate,
    /// Skipped: it is unavailable, and the rest works without it. The reason was printed.
    Skipped,
    /// Tests were run; some may have failed.
    Tested(Summary),
}

/// The numbered steps of one command.
pub(crate) struct Steps {
    total: usize,
    done: usize,
    start: Instant,
}

impl Steps {
    pub(crate) fn new(total: usize) -> Self {
        Self { total, done: 0, start: Instant::now() }
    }

    /// Runs the next step. Prints its number and title, then how it went.
    pub(crate) fn step<T>(
        &mut self,
        title: &str,
        work: impl FnOnce() -> Result<T>,
        how: impl FnOnce(&T) -> Outcome,
    ) -> Result<T> {
        self.done += 1;
        let digits = self.total.to_string().len();
        println!("[{:digits$}/{}] {title}", self.done, self.total);
        let _ = io::stdout().flush();
        let start = Instant::now();
        let result = work();
        let took = seconds(start.elapsed());
        match &result {
            Ok(value) => match how(value) {
                Outcome::Done => println!("      done, {took}"),
                Outcome::UpToDate => println!("      up to date"),
                Outcome::Skipped => println!("      SKIPPED, with the tests that need it"),
                Outcome::Tested(summary) => println!("      {summary}, {took}"),
            },
            Err(_) => println!("      FAILED, {took}"),
        }
        result
    }

    /// Skips a step that cannot be run, and prints the reason.
    pub(crate) fn skip(&mut self, title: &str, reason: &str) {
        self.done += 1;
        let digits = self.total.to_string().len();
        println!("[{:digits$}/{}] {title}\n      NOT RUN: {reason}", self.done, self.total);
    }

    /// The time since the first step began.
    pub(crate) fn elapsed(&self) -> String {
        seconds(self.start.elapsed())
    }
}

/// Formats a duration: `0.3 s`, `12 s`, `2 min 5 s`.
fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        whole @ 10..60 => format!("{whole} s"),
        whole => format!("{} min {} s", whole / 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short_to_read() {
        assert_eq!(seconds(Duration::from_millis(340)), "0.3 s");
        assert_eq!(seconds(Duration::from_millis(12_900)), "12 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 5 s");
    }
}
