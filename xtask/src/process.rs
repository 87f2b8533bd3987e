//! Running a program and keeping what it prints, so that a failing step can show its own output and nothing else. With
//! `--verbose` it is shown as it comes; otherwise a sign of life every half minute says what it is doing.

use std::{
    ffi::OsString,
    io::{self, BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::error::{Error, Result};

/// How long a program may work before the reader of the terminal is told that it still does.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// A program to be run.
pub(crate) struct Run {
    name: String,
    command: Command,
    words: Vec<String>,
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
        let mut command = Command::new(&program);
        command.current_dir(directory).stdin(Stdio::null());
        Self { name: program, command, words: Vec::new(), verbose }
    }

    /// The name under which it appears in messages.
    pub(crate) fn called(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    pub(crate) fn arg(mut self, argument: impl Into<OsString>) -> Self {
        let argument = argument.into();
        self.words.push(argument.to_string_lossy().into_owned());
        self.command.arg(argument);
        self
    }

    pub(crate) fn args<I: IntoIterator<Item: Into<OsString>>>(self, arguments: I) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.command.env(name, value.into());
        self
    }

    /// The command line, as a person would type it.
    fn line(&self) -> String {
        std::iter::once(&self.name).chain(&self.words).map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// The command itself, for those who hand the terminal over to it.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    /// Runs it, and answers with what it printed to standard output alone, trimmed. For questions, not for work.
    pub(crate) fn ask(mut self) -> Result<String> {
        let line = self.line();
        let output = self
            .command
            .output()
            .map_err(|source| Error::NotStarted { program: self.name.clone(), source })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        Err(Error::Exit {
            command: line,
            status: output.status.to_string(),
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
            advice: None,
        })
    }

    /// Runs it; failing is an error that carries its output.
    pub(crate) fn go(self) -> Result<String> {
        self.finish()?.checked()
    }

    /// Runs it to its end, whatever that is.
    pub(crate) fn finish(mut self) -> Result<Ended> {
        let line = self.line();
        let broken = |source| Error::NotStarted { program: line.clone(), source };
        let (reader, writer) = io::pipe().map_err(broken)?;
        self.command.stdout(writer.try_clone().map_err(broken)?).stderr(writer);
        let mut child = self
            .command
            .spawn()
            .map_err(|source| Error::NotStarted { program: self.name.clone(), source })?;
        // The command holds the writing ends of the pipe: reading would never end while they are open.
        let verbose = self.verbose;
        drop(self);
        let output = follow(BufReader::new(reader), verbose);
        let status = child.wait().map_err(broken)?;
        Ok(Ended { success: status.success(), output, command: line, status: status.to_string() })
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

fn follow(mut reader: impl BufRead, verbose: bool) -> String {
    let (mut output, mut line) = (String::new(), Vec::new());
    let (start, mut told) = (Instant::now(), Instant::now());
    while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line);
        output.push_str(&text);
        if verbose {
            print!("{text}");
        } else if told.elapsed() > SIGN_OF_LIFE && !text.trim().is_empty() {
            told = Instant::now();
            println!("      {:4} s: {}", start.elapsed().as_secs(), shortened(text.trim()));
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
