//! Counts of passed and failed tests, read from the output of the test runners.

use std::{fmt, iter::Sum};

use serde_json::Value;

/// A count of tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Summary {
    /// From the `test result:` lines of cargo's and wasm-bindgen's test runners. A runner that fails without naming a
    /// failed test (it crashed, or something did not compile) counts as one failure.
    pub(crate) fn of_rust(output: &str, success: bool) -> Self {
        let lines = output.lines().filter_map(|line| line.trim().strip_prefix("test result: "));
        let summary: Self =
            lines.map(|line| Self { passed: count(line, "passed"), failed: count(line, "failed") }).sum();
        summary.with_crash(success)
    }

    /// From the report of vitest's JSON reporter. A file that could not be run at all counts as one failure.
    pub(crate) fn of_vitest(report: &Value, success: bool) -> Self {
        let number = |name: &str| report[name].as_u64().unwrap_or(0);
        let broken = report["testResults"].as_array().into_iter().flatten().filter(|file| {
            file["status"] == "failed" && file["assertionResults"].as_array().is_none_or(Vec::is_empty)
        });
        let failed = number("numFailedTests") + broken.count() as u64;
        Self { passed: number("numPassedTests"), failed }.with_crash(success)
    }

    fn with_crash(self, success: bool) -> Self {
        if success { self } else { Self { failed: self.failed.max(1), ..self } }
    }
}

impl Sum for Summary {
    fn sum<I: Iterator<Item = Self>>(summaries: I) -> Self {
        summaries.fold(Self::default(), |sum, summary| Self {
            passed: sum.passed + summary.passed,
            failed: sum.failed + summary.failed,
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The number before a word: 5 in `ok. 5 passed; 0 failed`.
fn count(line: &str, word: &str) -> u64 {
    let words: Vec<&str> = line.split([' ', ';', '.']).filter(|word| !word.is_empty()).collect();
    words.windows(2).find(|pair| pair[1] == word).and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_result_lines_of_a_cargo_run_are_summed() {
        let output = "running 2 tests\ntest a ... ok\n\
            test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
            test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s\n";
        assert_eq!(Summary::of_rust(output, false), Summary { passed: 15, failed: 2 });
    }

    #[test]
    fn a_crash_or_a_compile_error_is_a_failure() {
        assert_eq!(Summary::of_rust("error[E0425]: …", false), Summary { passed: 0, failed: 1 });
        let crashed =
            "test result: ok. 4 passed; 0 failed; 0 ignored\nerror: test failed (signal: 6, SIGABRT)\n";
        assert_eq!(Summary::of_rust(crashed, false), Summary { passed: 4, failed: 1 });
    }

    #[test]
    fn a_test_named_like_a_result_is_not_counted() {
        let output = "test says_test_result: ok ... ok\n  test result: ok. 1 passed; 0 failed; 0 ignored\n";
        assert_eq!(Summary::of_rust(output, true), Summary { passed: 1, failed: 0 });
    }

    #[test]
    fn vitest_reports_tests_and_files_that_could_not_run() {
        let report = json!({
            "numPassedTests": 7, "numFailedTests": 1,
            "testResults": [
                { "status": "failed", "assertionResults": [{ "status": "failed" }] },
                { "status": "failed", "assertionResults": [] },
                { "status": "passed", "assertionResults": [{ "status": "passed" }] },
            ],
        });
        assert_eq!(Summary::of_vitest(&report, false), Summary { passed: 7, failed: 2 });
        assert_eq!(Summary::of_vitest(&Value::Null, false), Summary { passed: 0, failed: 1 });
    }

    #[test]
    fn the_last_line_has_its_exact_form() {
        let sum: Summary =
            [Summary { passed: 1, failed: 0 }, Summary { passed: 2, failed: 3 }].into_iter().sum();
        assert_eq!(sum.to_string(), "3 passed, 3 failed");
    }
}
