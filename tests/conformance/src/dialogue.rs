//! The format of dialogues: one file each, a line for each step. README.md of this crate describes it for those who write
//! them.

use std::{fs, path::Path, time::Duration};

use serde_json::Value;

use crate::error::{Error, Result};

/// One dialogue, as its file says.
#[derive(Debug)]
pub struct Dialogue {
    /// The file's name without its ending.
    pub name: String,
    /// What it shows, in a sentence: its first line.
    pub title: String,
    /// The numbers of the requirements that it covers.
    pub covers: Vec<String>,
    /// What the peer under test must support beyond the core of the protocol.
    pub profiles: Vec<String>,
    /// Its steps, with the lines that they stand in.
    pub(crate) steps: Vec<(usize, Step)>,
}

/// One step. `peer` is whoever takes it: a name that the dialogue chooses.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// `ann opens`: opens a WebSocket.
    Open { peer: String },
    /// `ann connects`: opens a WebSocket, says hello with a token, and waits for the welcome.
    Connect { peer: String },
    /// `ann > {…}` or `ann > […]`: sends a batch.
    Send { peer: String, batch: Value },
    /// `ann >raw …`: sends a text as it is.
    SendRaw { peer: String, text: String },
    /// `pat posts […]`: sends a batch by HTTP, and does not wait for the response.
    Post { peer: String, batch: Value },
    /// `pat posts raw …`: the same with a text as it is.
    PostRaw { peer: String, text: String },
    /// `ann < {…}`: waits for the next frame of this type, which must be like this.
    Expect { peer: String, frame: Value },
    /// `pat << […]`: waits for the next response, which must begin with these frames.
    ExpectResponse { peer: String, frames: Vec<Value> },
    /// `ann is closed with 4009`: waits for the end of the WebSocket.
    ExpectClose { peer: String, codes: Vec<u16> },
    /// `ann hears no message for 300 ms`: waits, and no frame of this type may arrive.
    ExpectNone { peer: String, kind: String, wait: Duration },
    /// `GET /path is answered with 400`.
    Get { path: String, status: u16 },
    /// `ann drops`: ends the connection without a word.
    Drop { peer: String },
    /// `wait 300 ms`.
    Wait(Duration),
}

impl Dialogue {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|source| Error::File { path: path.into(), source })?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Self::parse(&name, &text)
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

    fn parse(name: &str, text: &str) -> Result<Self> {
        let mut dialogue = Self {
            name: name.into(),
            title: String::new(),
            covers: Vec::new(),
            profiles: Vec::new(),
            steps: Vec::new(),
        };
        for (line, text) in joined(text) {
            dialogue.add(line, &text).map_err(|reason| Error::Dialogue {
                file: format!("{name}.dialogue"),
                line,
                reason,
            })?;
        }
        let whole = |reason: &str| Error::Dialogue {
            file: format!("{name}.dialogue"),
            line: 1,
            reason: reason.into(),
        };
        if dialogue.title.is_empty() {
            return Err(whole("the first line is `# ` and a sentence that says what is shown"));
        }
        if dialogue.covers.is_empty() {
            return Err(whole("a line `covers` names the requirements that it is about"));
        }
        Ok(dialogue)
    }

    fn add(&mut self, line: usize, text: &str) -> std::result::Result<(), String> {
        if let Some(comment) = text.strip_prefix('#') {
            if self.title.is_empty() {
                self.title = comment.trim().into();
            }
            return Ok(());
        }
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        match text.split_once(' ') {
            Some(("covers", numbers)) => self.covers.extend(words(numbers)),
            Some(("profile", names)) => self.profiles.extend(words(names)),
            _ => self.steps.push((line, Step::parse(text)?)),
        }
        Ok(())
    }
}

/// The lines that say something, with those that continue them: a continuation begins with white space.
fn joined(text: &str) -> Vec<(usize, String)> {
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

impl Step {
    fn parse(text: &str) -> std::result::Result<Self, String> {
        let unknown = || format!("`{text}` is no step; see the README");
        let (first, rest) = text.split_once(' ').ok_or_else(unknown)?;
        match first {
            "wait" => return milliseconds(rest).map(Self::Wait),
            "GET" => {
                let (path, status) = rest.split_once(" is answered with ").ok_or_else(unknown)?;
                return Ok(Self::Get { path: path.into(), status: status.parse().map_err(|_| unknown())? });
            }
            _ => {}
        }
        let peer = first.to_owned();
        if let Some(codes) = rest.strip_prefix("is closed with ") {
            let codes: std::result::Result<_, _> = codes.split(" or ").map(str::parse).collect();
            return Ok(Self::ExpectClose { peer, codes: codes.map_err(|_| unknown())? });
        }
        if let Some(rest) = rest.strip_prefix("hears no ") {
            let (kind, wait) = rest.split_once(" for ").ok_or_else(unknown)?;
            return Ok(Self::ExpectNone { peer, kind: kind.into(), wait: milliseconds(wait)? });
        }
        if let Some(text) = rest.strip_prefix("posts raw ") {
            return Ok(Self::PostRaw { peer, text: text.into() });
        }
        let (action, what) = rest.split_once(' ').unwrap_or((rest, ""));
        Ok(match action {
            "opens" => Self::Open { peer },
            "connects" => Self::Connect { peer },
            "drops" => Self::Drop { peer },
            ">" => Self::Send { peer, batch: batch(what)? },
            ">raw" => Self::SendRaw { peer, text: what.into() },
            "posts" => Self::Post { peer, batch: batch(what)? },
            "<" => Self::Expect { peer, frame: frame(what)? },
            "<<" => match json(what)? {
                Value::Array(frames) => Self::ExpectResponse { peer, frames },
                _ => return Err("a response is an array of frames".into()),
            },
            _ => return Err(unknown()),
        })
    }
}

fn json(text: &str) -> std::result::Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("`{text}` is no JSON: {error}"))
}

/// One frame as a batch of its own, or a whole batch.
fn batch(text: &str) -> std::result::Result<Value, String> {
    Ok(match json(text)? {
        frame @ Value::Object(_) => Value::Array(vec![frame]),
        other => other,
    })
}

fn frame(text: &str) -> std::result::Result<Value, String> {
    let frame = json(text)?;
    match frame.get("type") {
        Some(Value::String(_)) => Ok(frame),
        _ => Err("what is expected needs a type".into()),
    }
}

fn milliseconds(text: &str) -> std::result::Result<Duration, String> {
    let number = text.strip_suffix(" ms").and_then(|number| number.parse().ok());
    number.map(Duration::from_millis).ok_or_else(|| format!("{text} is no time in ms"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_dialogue_has_a_title_requirements_and_steps() {
        let text = "# A frame is answered.\ncovers EW-8-1 EW-8-2\n\nann connects\nann > {\"type\": \"ping\",\n  \"nonce\": 1}\n# Soon.\nann < {\"type\": \"pong\"}\n";
        let dialogue = Dialogue::parse("ping", text).unwrap();
        assert_eq!(dialogue.title, "A frame is answered.");
        assert_eq!(dialogue.covers, ["EW-8-1", "EW-8-2"]);
        let ann = || "ann".to_owned();
        let expected = [
            (4, Step::Connect { peer: ann() }),
            (5, Step::Send { peer: ann(), batch: json!([{"type": "ping", "nonce": 1}]) }),
            (8, Step::Expect { peer: ann(), frame: json!({"type": "pong"}) }),
        ];
        assert_eq!(dialogue.steps, expected);
    }

    #[test]
    fn what_is_no_step_is_named_with_its_line() {
        let error = Dialogue::parse("x", "# X.\ncovers EW-1-1\nann jumps\n").unwrap_err();
        assert_eq!(error.to_string(), "x.dialogue, line 3: `ann jumps` is no step; see the README");
    }

    #[test]
    fn times_and_codes_are_read() {
        let none = Step::parse("ann hears no message for 300 ms").unwrap();
        let wait = Duration::from_millis(300);
        assert_eq!(none, Step::ExpectNone { peer: "ann".into(), kind: "message".into(), wait });
        let close = Step::parse("ann is closed with 4010 or 4011").unwrap();
        assert_eq!(close, Step::ExpectClose { peer: "ann".into(), codes: vec![4010, 4011] });
    }
}
