//! The steps of dialogues for servers, as README.md of this crate describes them.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::{dialogue::Play, requirements::Class};

/// One step. `peer` is whoever takes it: a name that the dialogue chooses.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// `token late {"user": "ann", "expires_in": 2}`: makes the variable `$token.late`.
    Token { name: String, claims: Value },
    /// `ann opens`: opens a WebSocket.
    Open { peer: String },
    /// `ann connects`, `phone connects as ann`: opens a WebSocket, says hello, and waits for the welcome.
    Connect { peer: String, token: String },
    /// `ann > {…}` or `ann > […]`: sends a batch.
    Send { peer: String, batch: Value },
    /// `ann >raw …`: sends a text as it is.
    SendRaw { peer: String, text: String },
    /// `ann >binary …`: sends it as a binary message.
    SendBinary { peer: String, text: String },
    /// `pat posts […]`, `pat posts as ann […]`, `pat posts without token […]`, `pat posts raw …`: sends a batch by HTTP, and
    /// does not wait for the response.
    Post { peer: String, token: Option<String>, body: Body },
    /// `ann < {…}`: waits for the next frame of this type, which must be like this.
    Expect { peer: String, frame: Value },
    /// `ann next {…}`: waits for the next frame of any type, which must be like this.
    ExpectNext { peer: String, frame: Value },
    /// `ann has read …`: this text was part of what arrived, byte by byte.
    HasRead { peer: String, text: String },
    /// `pat << […]`: waits for the next response, which must begin with these frames; `pat <<= […]`: and have no others.
    ExpectResponse { peer: String, frames: Vec<Value>, whole: bool },
    /// `ann is closed with 4009`: waits for the end of the WebSocket.
    ExpectClose { peer: String, codes: Vec<u16> },
    /// `ann hears no message for 300 ms`: waits, and no frame of this type may arrive.
    ExpectNone { peer: String, kind: String, wait: Duration },
    /// `GET /path {headers} is answered with 400`, or `with 200 and {headers}`.
    Request { method: String, path: String, headers: Value, status: u16, answer: Value },
    /// `back end PUT /path {body} is answered with 200`.
    BackEnd { method: String, path: String, body: Value, status: u16 },
    /// `ann drops`: ends the connection without a word.
    Drop { peer: String },
    /// `wait 300 ms`.
    Wait(Duration),
    /// `patience 30000 ms`: how long what is expected from here on may take.
    Patience(Duration),
}

/// What is posted.
#[derive(Debug, PartialEq)]
pub enum Body {
    Batch(Value),
    Raw(String),
}

impl Play for Step {
    const PEER: Class = Class::Server;

    fn parse(text: &str) -> Result<Self, String> {
        let unknown = || format!("`{text}` is no step; see the README");
        let (first, rest) = text.split_once(' ').ok_or_else(unknown)?;
        match first {
            "wait" => milliseconds(rest).map(Self::Wait),
            "patience" => milliseconds(rest).map(Self::Patience),
            "GET" | "POST" | "OPTIONS" => {
                let (rest, answer) = match rest.rsplit_once(" and ") {
                    Some((rest, answer)) => (rest, json(answer)?),
                    None => (rest, Value::Object(Map::new())),
                };
                let (path, headers, status) = request(rest).ok_or_else(unknown)??;
                Ok(Self::Request { method: first.into(), path, headers, status, answer })
            }
            "back" => {
                let (method, rest) =
                    rest.strip_prefix("end ").and_then(|rest| rest.split_once(' ')).ok_or_else(unknown)?;
                let (path, body, status) = request(rest).ok_or_else(unknown)??;
                Ok(Self::BackEnd { method: method.into(), path, body, status })
            }
            "token" => {
                let (name, claims) = rest.split_once(' ').ok_or_else(unknown)?;
                Ok(Self::Token { name: name.into(), claims: json(claims)? })
            }
            _ => Self::of_peer(first.to_owned(), rest).unwrap_or_else(|| Err(unknown())),
        }
    }
}

impl Step {
    /// `None` if there is no such step.
    fn of_peer(peer: String, rest: &str) -> Option<Result<Self, String>> {
        if let Some(codes) = rest.strip_prefix("is closed with ") {
            let codes: Result<_, _> = codes.split(" or ").map(str::parse).collect();
            return Some(Ok(Self::ExpectClose { peer, codes: codes.ok()? }));
        }
        if let Some(rest) = rest.strip_prefix("hears no ") {
            let (kind, wait) = rest.split_once(" for ")?;
            return Some(milliseconds(wait).map(|wait| Self::ExpectNone { peer, kind: kind.into(), wait }));
        }
        if let Some(text) = rest.strip_prefix("has read ") {
            return Some(Ok(Self::HasRead { peer, text: text.into() }));
        }
        if let Some(token) = rest.strip_prefix("connects as ") {
            return Some(Ok(Self::Connect { peer, token: token.into() }));
        }
        let (action, what) = rest.split_once(' ').unwrap_or((rest, ""));
        Some(match action {
            "opens" => Ok(Self::Open { peer }),
            "connects" => Ok(Self::Connect { token: peer.clone(), peer }),
            "drops" => Ok(Self::Drop { peer }),
            ">" => batch(what).map(|batch| Self::Send { peer, batch }),
            ">raw" => Ok(Self::SendRaw { peer, text: what.into() }),
            ">binary" => Ok(Self::SendBinary { peer, text: what.into() }),
            "posts" => Self::post(peer, what),
            "<" => frame(what).map(|frame| Self::Expect { peer, frame }),
            "next" => frame(what).map(|frame| Self::ExpectNext { peer, frame }),
            "<<" | "<<=" => match json(what) {
                Ok(Value::Array(frames)) => Ok(Self::ExpectResponse { peer, frames, whole: action == "<<=" }),
                Ok(_) => Err("a response is an array of frames".into()),
                Err(reason) => Err(reason),
            },
            _ => return None,
        })
    }

    fn post(peer: String, what: &str) -> Result<Self, String> {
        let (token, what) = if let Some(what) = what.strip_prefix("without token ") {
            (None, what)
        } else if let Some((token, what)) = what.strip_prefix("as ").and_then(|rest| rest.split_once(' ')) {
            (Some(token.to_owned()), what)
        } else {
            (Some(peer.clone()), what)
        };
        let body = match what.strip_prefix("raw ") {
            Some(text) => Body::Raw(text.into()),
            None => Body::Batch(batch(what)?),
        };
        Ok(Self::Post { peer, token, body })
    }
}

/// `/path {…} is answered with 400`, where the object may be missing.
fn request(text: &str) -> Option<Result<(String, Value, u16), String>> {
    let (request, status) = text.rsplit_once(" is answered with ")?;
    let status = status.parse().ok()?;
    Some(match request.split_once(' ') {
        Some((path, object)) => json(object).map(|object| (path.into(), object, status)),
        None => Ok((request.into(), Value::Null, status)),
    })
}

pub(crate) fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("`{text}` is no JSON: {error}"))
}

/// One frame, or a variable that is one, as a batch of its own; or a whole batch.
pub(crate) fn batch(text: &str) -> Result<Value, String> {
    Ok(match json(text)? {
        batch @ Value::Array(_) => batch,
        frame => Value::Array(vec![frame]),
    })
}

pub(crate) fn frame(text: &str) -> Result<Value, String> {
    let frame = json(text)?;
    match frame.get("type") {
        Some(Value::String(_)) => Ok(frame),
        _ => Err("what is expected needs a type".into()),
    }
}

pub(crate) fn milliseconds(text: &str) -> Result<Duration, String> {
    let number = text.strip_suffix(" ms").and_then(|number| number.parse().ok());
    number.map(Duration::from_millis).ok_or_else(|| format!("{text} is no time in ms"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_and_codes_are_read() {
        let none = Step::parse("ann hears no message for 300 ms").unwrap();
        let wait = Duration::from_millis(300);
        assert_eq!(none, Step::ExpectNone { peer: "ann".into(), kind: "message".into(), wait });
        let close = Step::parse("ann is closed with 4010 or 4011").unwrap();
        assert_eq!(close, Step::ExpectClose { peer: "ann".into(), codes: vec![4010, 4011] });
    }

    #[test]
    fn requests_may_have_headers() {
        let request = Step::parse(r#"GET /x {"origin": "https://a.example"} is answered with 403"#).unwrap();
        let headers = json!({"origin": "https://a.example"});
        let answer = json!({});
        let (method, path) = ("GET".to_owned(), "/x".to_owned());
        assert_eq!(request, Step::Request { method, path, headers, status: 403, answer });
    }

    #[test]
    fn responses_may_have_headers() {
        let request = Step::parse(r#"GET /x is answered with 200 and {"vary": "origin"}"#).unwrap();
        let (method, path, headers) = ("GET".to_owned(), "/x".to_owned(), Value::Null);
        assert_eq!(
            request,
            Step::Request { method, path, headers, status: 200, answer: json!({"vary": "origin"}) }
        );
    }

    #[test]
    fn posts_have_the_token_of_their_peer_unless_they_name_another_one() {
        let token = |text| match Step::parse(text) {
            Ok(Step::Post { token, .. }) => token,
            other => panic!("{other:?}"),
        };
        assert_eq!(token("pat posts []").as_deref(), Some("pat"));
        assert_eq!(token("pat posts as ann []").as_deref(), Some("ann"));
        assert_eq!(token("pat posts without token raw x"), None);
    }
}
