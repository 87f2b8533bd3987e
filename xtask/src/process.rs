//! Running a program and keeping what it prints, so that a failing step can show its own output and nothing else. With
//! `--verbose` the output is shown as it comes; otherwise a line every half minute shows what the program is doing. The
//! plumbing is duct's.

use std::{
    ffi::OsString,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::ExitStatus,
    time::{Duration, Instant},
};

use duct::{Expression, Handle};

use crate::error::{Error, Result};

/// How often a program that is still running is shown to be.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(30);

/// A program to be run.
pub(crate) struct Run {
    name: String,
    program: String,
    arguments: Vec<OsString>,
    environment: Vec<(String, OsString)>,
    directory: PathBuf,
    verbose: bool,
}

/// How a program ended, if it could be started.
pub(crate) struct Ended {
    /// Whether it reported success.
    pub(crate) success: bool,
    /// Everything that it printed, both streams as they came.
    pub(crate) output: String,
    command: String,
    status: String,
}

impl Run {
    pub(crate) fn new(program: impl Into<String>, directory: &Path, verbose: bool) -> Self {
        let program = program.into();
        Self {
            name: program.clone(),
            program,
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: directory.into(),
            verbose,
        }
    }

    /// The name under which it appears in messages.
    pub(crate) fn called(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    pub(crate) fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(crate) fn args<I: IntoIterator<Item: Into<OsString>>>(self, arguments: I) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// The command line, as a person would type it.
    fn line(&self) -> String {
        self.arguments
            .iter()
            .fold(self.name.clone(), |line, argument| line + " " + &argument.to_string_lossy())
    }

    fn expression(&self) -> Expression {
        let expression =
            duct::cmd(&self.program, &self.arguments).dir(&self.directory).stdin_null().unchecked();
        self.environment.iter().fold(expression, |expression, (name, value)| expression.env(name, value))
    }

    fn not_started(&self, source: io::Error) -> Error {
        Error::NotStarted { program: self.name.clone(), source }
    }

    fn failed(&self, status: ExitStatus, output: String) -> Error {
        Error::Exit { command: self.line(), status: status.to_string(), output, advice: None }
    }

    /// The command itself, to be run in the place of this process.
    #[cfg(unix)]
    pub(crate) fn into_command(self) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command
            .args(&self.arguments)
            .envs(self.environment)
            .current_dir(&self.directory)
            .stdin(std::process::Stdio::null());
        command
    }

    /// Starts it and does not wait for it. What it prints goes to the terminal.
    pub(crate) fn start(self) -> Result<Handle> {
        self.expression().start().map_err(|source| self.not_started(source))
    }

    /// The same, without what it prints.
    pub(crate) fn start_silently(self) -> Result<Handle> {
        let silent = self.expression().stdout_null().stderr_null();
        silent.start().map_err(|source| self.not_started(source))
    }

    /// Runs it and returns its standard output, whether it was successful or not, without a sign of life meanwhile.
    pub(crate) fn read(self) -> Result<String> {
        let run = self.expression().stdout_capture().run();
        let output = run.map_err(|source| self.not_started(source))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Lets it have the terminal until it ends, with its own output and its own handling of interrupts.
    pub(crate) fn hand_over(self) -> Result {
        let status = self.expression().run().map_err(|source| self.not_started(source))?.status;
        if status.success() { Ok(()) } else { Err(self.failed(status, String::new())) }
    }

    /// Runs it and returns its trimmed standard output. For short queries, not for work.
    pub(crate) fn ask(self) -> Result<String> {
        let run = self.expression().stdout_capture().stderr_capture().run();
        let output = run.map_err(|source| self.not_started(source))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        Err(self.failed(output.status, String::from_utf8_lossy(&output.stderr).into_owned()))
    }

    /// Runs it; failing is an error that carries its output.
    pub(crate) fn go(self) -> Result<String> {
        self.finish()?.checked()
    }

    /// Runs it to its end, successful or not.
    pub(crate) fn finish(self) -> Result<Ended> {
        let not_started = |source| self.not_started(source);
        let reader = self.expression().stderr_to_stdout().reader().map_err(not_started)?;
        let output = follow(BufReader::new(&reader), self.verbose);
        // At the end of its output the program has been waited for; otherwise the output could not be read.
        let unreadable = || io::Error::other("its output could not be read");
        let ended = reader.try_wait().and_then(|ended| ended.ok_or_else(unreadable));
        let status = ended.map_err(not_started)?.status;
        Ok(Ended { success: status.success(), output, command: self.line(), status: status.to_string() })
    }
}

impl Ended {
    /// The output, or the error that carries it.
    pub(crate) fn checked(self) -> Result<String> {
        if self.success {
            return Ok(self.output);
        }
        let Self { command, status, output, .. } = self;
        Err(Error::Exit { command, status, output, advice: None })
    }
}

/// Progress goes to standard error: with `--json`, standard output is for the result alone.
fn follow(mut reader: impl BufRead, verbose: bool) -> String {
    let (mut output, mut line) = (String::new(), Vec::new());
    let (start, mut shown) = (Instant::now(), Instant::now());
    while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line);
        output.push_str(&text);
        if verbose {
            eprint!("{text}");
        } else if shown.elapsed() > PROGRESS_INTERVAL && !text.trim().is_empty() {
            shown = Instant::now();
            eprintln!("      {:4} s: {}", start.elapsed().as_secs(), shortened(text.trim()));
        }
        line.clear();
    }
    output
}

/// A line that fits on a terminal.
fn shortened(line: &str) -> String {
    let mut characters = line.chars();
    let short: String = characters.by_ref().take(90).collect();
    if characters.next().is_some() { short + "…" } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Run {
        Run::new("sh", Path::new("."), false).args(["-c", script])
    }

    #[cfg(unix)]
    #[test]
    fn both_streams_are_kept_in_the_order_in_which_they_came() {
        let ended = shell("echo one; echo two >&2; echo three").finish().unwrap();
        assert!(ended.success);
        assert_eq!(ended.output, "one\ntwo\nthree\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_failing_program_is_reported_with_its_output_and_command_line() {
        let Err(Error::Exit { command, output, .. }) = shell("echo why; exit 3").go() else {
            panic!("it must fail");
        };
        assert_eq!((command.as_str(), output.as_str()), ("sh -c echo why; exit 3", "why\n"));
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = Run::new("no-such-program", Path::new("."), false).go().unwrap_err();
        assert!(error.to_string().starts_with("no-such-program could not be started"), "{error}");
    }

    #[test]
    fn a_long_line_is_shortened_between_characters() {
        assert_eq!(shortened(&"é".repeat(91)), "é".repeat(90) + "…");
        assert_eq!(shortened("short"), "short");
    }
}
