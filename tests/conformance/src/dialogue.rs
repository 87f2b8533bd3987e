//! The format of dialogues: one file each, a line for each step. README.md of this crate describes it for those who write
//! them.

use std::{fs, path::Path};

use crate::{
    client::ClientStep,
    error::{Error, Result},
    included,
    requirements::{Class, Number, Requirements, requirements},
    step::Step,
};

/// A kind of steps, by the peer that is played with.
pub trait Play: Sized {
    /// The peer under test.
    const PEER: Class;
    /// Reads a line.
    fn parse(text: &str) -> std::result::Result<Self, String>;
}

/// One dialogue, as its file says.
#[derive(Debug)]
pub struct Dialogue<S = Step> {
    /// The file's name without its ending.
    pub name: String,
    /// What it shows, in a sentence: its first line.
    pub title: String,
    /// The requirements that it covers.
    pub covers: Vec<Number>,
    /// What it needs of the peer under test, or of the tool, beyond the core of the protocol.
    pub needs: Vec<String>,
    /// Its steps, with the lines that they stand in.
    pub(crate) steps: Vec<(usize, S)>,
}

/// All dialogues for servers that the tool contains.
pub fn for_servers() -> Result<Vec<Dialogue>> {
    contained(included::server_dialogues())
}

/// All dialogues for clients that the tool contains.
pub fn for_clients() -> Result<Vec<Dialogue<ClientStep>>> {
    contained(included::client_dialogues())
}

fn contained<S: Play>(files: &[(&str, &str)]) -> Result<Vec<Dialogue<S>>> {
    let requirements = requirements();
    files.iter().map(|(name, text)| Dialogue::parse(name, text, &requirements)).collect()
}

impl<S: Play> Dialogue<S> {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|source| Error::File { path: path.into(), source })?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Self::parse(&name, &text, &requirements())
    }

    /// All dialogues of a directory, by name.
    pub fn read_all(directory: &Path) -> Result<Vec<Self>> {
        let failed = |source| Error::File { path: directory.into(), source };
        let mut paths = Vec::new();
        for entry in fs::read_dir(directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|ending| ending == "dialogue") {
                paths.push(path);
            }
        }
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    pub(crate) fn parse(name: &str, text: &str, requirements: &Requirements) -> Result<Self> {
        let mut dialogue = Self {
            name: name.into(),
            title: String::new(),
            covers: Vec::new(),
            needs: Vec::new(),
            steps: Vec::new(),
        };
        let wrong = |line, reason| Error::Dialogue { file: format!("{name}.dialogue"), line, reason };
        for (line, text) in joined(text) {
            dialogue.add(line, &text, requirements).map_err(|reason| wrong(line, reason))?;
        }
        if dialogue.title.is_empty() {
            return Err(wrong(1, "the first line is `# ` and a sentence that says what is shown".into()));
        }
        if dialogue.covers.is_empty() {
            return Err(wrong(1, "a line `covers` names the requirements that it is about".into()));
        }
        Ok(dialogue)
    }

    fn add(
        &mut self,
        line: usize,
        text: &str,
        requirements: &Requirements,
    ) -> std::result::Result<(), String> {
        if let Some(comment) = text.strip_prefix('#') {
            if self.title.is_empty() {
                self.title = comment.trim().into();
            }
            return Ok(());
        }
        match text.split_once(' ') {
            Some(("covers", numbers)) => {
                for number in numbers.split_whitespace() {
                    self.covers.push(of_class(number, S::PEER, requirements)?);
                }
            }
            Some(("needs", names)) => self.needs.extend(names.split_whitespace().map(str::to_owned)),
            _ => self.steps.push((line, S::parse(text)?)),
        }
        Ok(())
    }
}

/// The number of a requirement that binds a peer of this class.
pub(crate) fn of_class(
    text: &str,
    class: Class,
    requirements: &Requirements,
) -> std::result::Result<Number, String> {
    let number: Number = text.parse()?;
    match requirements.get(&number) {
        Some(requirement) if requirement.class.binds(class) => Ok(number),
        Some(_) => Err(format!("{number} does not bind the peer that is played with")),
        None => Err(format!("the protocol has no requirement {number}")),
    }
}

/// The lines that say something, with those that continue them: a continuation begins with white space.
pub(crate) fn joined(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match lines.last_mut() {
            Some((_, last)) if line.starts_with(char::is_whitespace) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => lines.push((index + 1, line.trim_end().into())),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(text: &str) -> Result<Dialogue> {
        Dialogue::parse("x", text, &requirements())
    }

    #[test]
    fn a_dialogue_has_a_title_requirements_and_steps() {
        let text = "# A frame is answered.\ncovers EW-2-5 EW-8-1\n\nann connects\nann > {\"type\": \"ping\",\n  \"nonce\": 1}\n# Soon.\nann < {\"type\": \"pong\"}\n";
        let dialogue = parsed(text).unwrap();
        assert_eq!(dialogue.title, "A frame is answered.");
        let covers: Vec<_> = dialogue.covers.iter().map(ToString::to_string).collect();
        assert_eq!(covers, ["EW-2-5", "EW-8-1"]);
        let ann = || "ann".to_owned();
        let expected = [
            (4, Step::Connect { peer: ann(), token: ann() }),
            (5, Step::Send { peer: ann(), batch: json!([{"type": "ping", "nonce": 1}]) }),
            (8, Step::Expect { peer: ann(), frame: json!({"type": "pong"}) }),
        ];
        assert_eq!(dialogue.steps, expected);
    }

    #[test]
    fn what_is_no_step_is_named_with_its_line() {
        let error = parsed("# X.\ncovers EW-2-1\nann jumps\n").unwrap_err();
        assert_eq!(error.to_string(), "x.dialogue, line 3: `ann jumps` is no step; see the README");
    }

    #[test]
    fn only_requirements_of_the_peer_are_covered() {
        let number = format!("EW-{}-1", 99);
        let unknown = parsed(&format!("# X.\ncovers {number}\n")).unwrap_err();
        let expected = format!("x.dialogue, line 2: the protocol has no requirement {number}");
        assert_eq!(unknown.to_string(), expected);
        let of_clients = parsed("# X.\ncovers EW-2-10\n").unwrap_err();
        assert!(of_clients.to_string().contains("EW-2-10 does not bind"), "{of_clients}");
    }
}
