//! The steps of dialogues for clients, as README.md of this crate describes them. The tool is the server, which has a name for
//! each connection and each request of the client, and the application, which is `app`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    dialogue::Play,
    requirements::Class,
    step::{batch, frame, json, milliseconds},
};

/// One step.
#[derive(Debug, PartialEq)]
pub enum ClientStep {
    /// `app connects {options}`, `app connects by polling {options}`, `app subscribes NAME`, `app > {command}`: gives the adapter
    /// a command. `url` is filled in.
    Command(Value),
    /// `app < {event}`: waits for the next event of this kind, which must be like this.
    Event(Value),
    /// `app hears no message for 300 ms`: waits, and no event of this kind may arrive.
    NoEvent { kind: String, wait: Duration },
    /// `app exits`: waits for the end of the adapter.
    Exit,
    /// `one holds`: waits for the next WebSocket that the client wants to open, and does not answer.
    Hold { name: String },
    /// `one accepts`: the same, and opens it.
    Accept { name: String },
    /// `one welcomes {fields}`: the same, waits for `hello`, and sends `welcome` with these fields.
    Welcome { name: String, fields: Value },
    /// `one refuses with 403`: waits for the next WebSocket that the client wants to open, and answers with this status.
    Refuse { name: String, status: u16 },
    /// `one > {…}`, `one > […]`: sends a batch.
    Send { name: String, batch: Value },
    /// `one >raw …`: sends a text as it is.
    SendRaw { name: String, text: String },
    /// `one < {…}`: waits for the next frame of this type, which must be like this.
    Expect { name: String, frame: Value },
    /// `one next {…}`: waits for the next frame of any type, which must be like this.
    ExpectNext { name: String, frame: Value },
    /// `one hears no send for 300 ms`: waits, and no frame of this type may arrive.
    ExpectNone { name: String, kind: String, wait: Duration },
    /// `one closes with 4012`.
    Close { name: String, code: u16 },
    /// `one is closed with 1000 or 4013`: waits for the end of the WebSocket.
    ExpectClose { name: String, codes: Vec<u16> },
    /// `one drops`: ends the connection of a WebSocket or of a request without a word. A WebSocket that has not been asked for
    /// yet is waited for.
    Drop { name: String },
    /// `p << […]`: waits for the next request that begins with frames of these types; `p <<= […]`: and has no others.
    Request { name: String, frames: Vec<Value>, whole: bool },
    /// `p has the token t`: the header of this request that waits for an answer.
    HasToken { name: String, token: String },
    /// `p >> […]`: answers it with a batch.
    Answer { name: String, batch: Value },
    /// `p answers with 503`, `p answers with 200 text`: answers it with another body or status.
    AnswerOther { name: String, status: u16, body: String },
    /// `polls are answered with 503`, `polls wait`: what becomes of polls from here on that no step waits for.
    Polls { status: Option<u16> },
    /// `p is given up`: waits until the client no longer waits for the answer.
    GivenUp { name: String },
    /// `client opens no websocket for 300 ms`, `client makes no request for 300 ms`, `client does nothing for 300 ms`.
    Silence { websockets: bool, requests: bool, wait: Duration },
    /// `after 200 to 1300 ms one welcomes`: what a step waits for must come so long after the step before.
    After { least: Duration, most: Duration, step: Box<ClientStep> },
    /// `20 times one < {"data": "$index"}`: a step several times, with `$index` from 1.
    Times { times: u64, step: Box<ClientStep> },
    /// `wait 300 ms`.
    Wait(Duration),
    /// `patience 30000 ms`: how long what is expected from here on may take.
    Patience(Duration),
}

impl Play for ClientStep {
    const PEER: Class = Class::Client;

    fn parse(text: &str) -> Result<Self, String> {
        let unknown = || format!("`{text}` is no step; see the README");
        let (first, rest) = text.split_once(' ').ok_or_else(unknown)?;
        let step = match first {
            "wait" => Some(milliseconds(rest).map(Self::Wait)),
            "patience" => Some(milliseconds(rest).map(Self::Patience)),
            "after" => Self::after(rest),
            "app" => Self::of_application(rest),
            "client" => Self::silence(rest),
            "polls" if rest == "wait" => Some(Ok(Self::Polls { status: None })),
            "polls" => rest
                .strip_prefix("are answered with ")
                .and_then(|status| status.parse().ok())
                .map(|status| Ok(Self::Polls { status: Some(status) })),
            number if rest.starts_with("times ") => Self::times(number, &rest["times ".len()..]),
            name => Self::of_server(name.to_owned(), rest),
        };
        step.unwrap_or_else(|| Err(unknown()))
    }
}

impl ClientStep {
    fn after(rest: &str) -> Option<Result<Self, String>> {
        let (least, rest) = rest.split_once(" to ")?;
        let (most, rest) = rest.split_once(" ms ")?;
        let [least, most] = [least, most].map(|number| number.parse().map(Duration::from_millis));
        let (Ok(least), Ok(most)) = (least, most) else { return None };
        Some(Self::parse(rest).map(|step| Self::After { least, most, step: Box::new(step) }))
    }

    fn times(number: &str, rest: &str) -> Option<Result<Self, String>> {
        let times = number.parse().ok()?;
        Some(Self::parse(rest).map(|step| Self::Times { times, step: Box::new(step) }))
    }

    fn of_application(rest: &str) -> Option<Result<Self, String>> {
        if let Some((kind, wait)) = nothing(rest) {
            return Some(milliseconds(wait).map(|wait| Self::NoEvent { kind: kind.into(), wait }));
        }
        let (action, what) = rest.split_once(' ').unwrap_or((rest, ""));
        match action {
            "connects" => Some(options(what).map(|mut options| {
                let known = ["token", "ask_token", "guest"].iter().any(|name| options.get(name).is_some());
                options["command"] = json!("connect");
                if !known {
                    options["guest"] = json!({"user": "ann", "name": "Ann"});
                }
                Self::Command(options)
            })),
            "subscribes" => Some(Ok(Self::Command(json!({"command": "subscribe", "channel": what})))),
            ">" => Some(object(what).map(Self::Command)),
            "<" => Some(object(what).and_then(|event| match event.get("event") {
                Some(Value::String(_)) => Ok(Self::Event(event)),
                _ => Err("what is expected needs an event".into()),
            })),
            "exits" => Some(Ok(Self::Exit)),
            _ => None,
        }
    }

    fn silence(rest: &str) -> Option<Result<Self, String>> {
        let (what, wait) = rest.split_once(" for ")?;
        let (websockets, requests) = match what {
            "opens no websocket" => (true, false),
            "makes no request" => (false, true),
            "does nothing" => (true, true),
            _ => return None,
        };
        Some(milliseconds(wait).map(|wait| Self::Silence { websockets, requests, wait }))
    }

    /// `None` if there is no such step.
    fn of_server(name: String, rest: &str) -> Option<Result<Self, String>> {
        if let Some(codes) = rest.strip_prefix("is closed with ") {
            let codes: Result<_, _> = codes.split(" or ").map(str::parse).collect();
            return Some(Ok(Self::ExpectClose { name, codes: codes.ok()? }));
        }
        if let Some(token) = rest.strip_prefix("has the token ") {
            return Some(Ok(Self::HasToken { name, token: token.into() }));
        }
        if let Some((kind, wait)) = nothing(rest) {
            let kind = kind.to_owned();
            return Some(milliseconds(wait).map(|wait| Self::ExpectNone { name, kind, wait }));
        }
        if let Some(answer) = rest.strip_prefix("answers with ") {
            let (status, body) = answer.split_once(' ').unwrap_or((answer, ""));
            return Some(Ok(Self::AnswerOther { name, status: status.parse().ok()?, body: body.into() }));
        }
        let (action, what) = rest.split_once(' ').unwrap_or((rest, ""));
        let number = || what.strip_prefix("with ").and_then(|number| number.parse().ok());
        Some(match action {
            "holds" => Ok(Self::Hold { name }),
            "accepts" => Ok(Self::Accept { name }),
            "welcomes" => object(what).map(|fields| Self::Welcome { name, fields }),
            "refuses" => Ok(Self::Refuse { name, status: number()? }),
            "closes" => Ok(Self::Close { name, code: number()? }),
            "drops" => Ok(Self::Drop { name }),
            "is" if what == "given up" => Ok(Self::GivenUp { name }),
            ">" => batch(what).map(|batch| Self::Send { name, batch }),
            ">raw" => Ok(Self::SendRaw { name, text: what.into() }),
            "<" => frame(what).map(|frame| Self::Expect { name, frame }),
            "next" => frame(what).map(|frame| Self::ExpectNext { name, frame }),
            ">>" => batch(what).map(|batch| Self::Answer { name, batch }),
            "<<" | "<<=" => match json(what) {
                Ok(Value::Array(frames)) => Ok(Self::Request { name, frames, whole: action == "<<=" }),
                Ok(_) => Err("a request is an array of frames".into()),
                Err(reason) => Err(reason),
            },
            _ => return None,
        })
    }
}

/// `hears no message for 300 ms`.
fn nothing(rest: &str) -> Option<(&str, &str)> {
    rest.strip_prefix("hears no ")?.split_once(" for ")
}

/// The options of `app connects`, which may begin with the only transport.
fn options(text: &str) -> Result<Value, String> {
    let Some(rest) = text.strip_prefix("by ") else { return object(text) };
    let (transport, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut options = object(rest)?;
    options["transports"] = json!([transport]);
    Ok(options)
}

/// An object; nothing is one without fields.
fn object(text: &str) -> Result<Value, String> {
    match if text.is_empty() { json!({}) } else { json(text)? } {
        object @ Value::Object(_) => Ok(object),
        _ => Err(format!("`{text}` is no object")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_may_have_to_come_within_a_time() {
        let step = ClientStep::parse("after 200 to 1300 ms one welcomes {\"hold_ms\": 0}").unwrap();
        let welcome = ClientStep::Welcome { name: "one".into(), fields: json!({"hold_ms": 0}) };
        let (least, most) = (Duration::from_millis(200), Duration::from_millis(1300));
        assert_eq!(step, ClientStep::After { least, most, step: Box::new(welcome) });
    }

    #[test]
    fn an_application_is_a_guest_unless_it_says_otherwise() {
        let options = |text| match ClientStep::parse(text) {
            Ok(ClientStep::Command(command)) => command,
            other => panic!("{other:?}"),
        };
        assert_eq!(options("app connects by polling")["guest"]["user"], "ann");
        assert_eq!(options("app connects by polling")["transports"], json!(["polling"]));
        assert_eq!(options("app connects {\"token\": \"t\"}").get("guest"), None);
    }

    #[test]
    fn what_is_no_step_is_refused() {
        for text in ["one jumps", "one closes with x", "client sleeps for 3 ms", "after 1 ms one drops"] {
            assert!(ClientStep::parse(text).is_err(), "{text}");
        }
    }
}
