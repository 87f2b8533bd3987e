//! The TypeScript types of every frame, and the few constants that a client needs. The types come from ts-rs; this file
//! lays them out. Constants are exported one by one, so that a bundler keeps only those that are used.

use std::{collections::BTreeMap, fmt::Write as _};

use ts_rs::{Config, TS, TypeVisitor};

use super::HEADER;
use crate::{
    ClientFrame, CloseCode, ErrorCode, GapReason, Request, SUBPROTOCOL, ServerFrame, StandardEvents, Text,
    VERSION, channels, limits, paths,
};

pub(super) fn protocol() -> String {
    let mut text = String::from(HEADER);
    constants(&mut text);
    close_codes(&mut text);
    let mut types = Types { config: Config::new().with_large_int("number"), declared: BTreeMap::new() };
    types.visit::<ClientFrame>();
    types.visit::<ServerFrame>();
    // Fields name them beside other texts, because newer servers may add to them.
    types.visit::<ErrorCode>();
    types.visit::<GapReason>();
    types.visit::<StandardEvents>();
    types.visit::<Text>();
    for declaration in types.in_order() {
        text.push_str(&declaration);
    }
    answers(&mut text);
    text
}

/// Which frame answers which request, by type.
fn answers(text: &mut String) {
    text.push_str("\n/** The frame that answers each request. */\nexport interface Answers {\n");
    for (request, answer) in Request::ANSWERS {
        let kind = request.char_indices().fold(String::new(), |mut kind, (at, letter)| {
            if at > 0 && letter.is_uppercase() {
                kind.push('_');
            }
            kind.push(letter.to_ascii_lowercase());
            kind
        });
        let _ = writeln!(text, "  {kind}: {answer};");
    }
    text.push_str("}\n");
}

/// The paths, channels and limits that a client uses, with the doc comments that they have in Rust.
fn constants(text: &mut String) {
    let _ = writeln!(text, "/** The protocol version that `hello` carries and `welcome` confirms. */");
    let _ = writeln!(text, "export const VERSION = {VERSION};\n");
    let _ = writeln!(text, "/** The WebSocket subprotocol that both sides must agree on. */");
    let _ = writeln!(text, "export const SUBPROTOCOL = {SUBPROTOCOL:?};\n");
    macro_rules! constants {
        ($module:ident: $($name:ident)*) => {{
            let source = include_str!(concat!("../", stringify!($module), ".rs"));
            vec![$((source, stringify!($name), format!("{:?}", $module::$name))),*]
        }};
    }
    let limits = constants! {
        limits:
        MAX_BATCH_BYTES MAX_BATCH_FRAMES MAX_POST_FRAMES MAX_PAYLOAD_BYTES MAX_DEPTH MAX_CHANNEL_BYTES
        MAX_EVENT_BYTES MAX_NAME_BYTES MAX_SUBSCRIPTIONS MAX_TOKEN_BYTES MAX_RECENT MAX_OFFSET PING_INTERVAL_MS
        PING_GRACE_MS POLL_HOLD_MS POLL_ABORT_MS POLL_INTERVAL_MS
    };
    let paths = constants! { paths: WEBSOCKET_PATH POLL_PATH API_PATH };
    let channels = constants! {
        channels: USER_PREFIX MESSAGES_PREFIX PRESENCE_PREFIX PRESENCE_USERS EVERYONE
    };
    for (source, name, value) in paths.into_iter().chain(channels).chain(limits) {
        text.push_str(&comment(&doc_comment(source, name), ""));
        let _ = writeln!(text, "export const {name} = {value};\n");
    }
}

fn close_codes(text: &mut String) {
    text.push_str("/** Why a WebSocket was closed. */\nexport const CloseCode = {\n");
    for code in CloseCode::ALL {
        let _ = writeln!(text, "  /** {} */\n  {code:?}: {},", code.message(), code.as_u16());
    }
    text.push_str("} as const;\nexport type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];\n");
}

/// The `///` lines above a constant in Rust source.
fn doc_comment(source: &str, constant: &str) -> String {
    let declaration = format!("pub const {constant}:");
    let before = source.split(&declaration).next().unwrap_or_default();
    let mut lines: Vec<&str> =
        before.trim_end().lines().rev().map_while(|line| line.strip_prefix("/// ")).collect();
    lines.reverse();
    lines.join("\n")
}

/// Declares each type that it visits, and the types that it is made of, once.
struct Types {
    config: Config,
    declared: BTreeMap<String, String>,
}

impl Types {
    /// The two unions, each followed by its frames as the union names them, then what these are made of, by name.
    /// (ts-rs visits in no particular order.)
    fn in_order(mut self) -> Vec<String> {
        let mut order = Vec::new();
        for union in ["ClientFrame", "ServerFrame"] {
            let declaration = self.declared.get(union).cloned().unwrap_or_default();
            let frames = declaration.split(" & ").skip(1).filter_map(|rest| rest.split(')').next());
            order.push(union.to_owned());
            order.extend(frames.map(str::to_owned));
        }
        let mut declarations: Vec<_> = order.iter().filter_map(|name| self.declared.remove(name)).collect();
        declarations.extend(self.declared.into_values());
        declarations
    }
}

impl TypeVisitor for Types {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        let name = T::ident(&self.config);
        if T::output_path().is_none() || self.declared.contains_key(&name) {
            return;
        }
        let docs = match name.as_str() {
            // In Rust these two are more than what they are in TypeScript, and so are their comments.
            "Channel" => {
                "A channel name: `private-…` requires a grant, `presence-…` also lists its members.".into()
            }
            "Payload" => "Any JSON value of the application.".into(),
            _ => plain(&T::docs().unwrap_or_default()),
        };
        let declaration = lay_out(&T::decl(&self.config));
        self.declared.insert(name, format!("\n{}export {declaration}\n", comment(&docs, "")));
        T::visit_dependencies(self);
    }
}

/// Brings a declaration of ts-rs into the layout of this project.
fn lay_out(declaration: &str) -> String {
    let Some((head, body)) = declaration.split_once(" = ") else { return declaration.into() };
    if let Some(fields) = body.strip_prefix("{ \n").and_then(|body| body.strip_suffix(" };")) {
        let name = head.trim_start_matches("type ");
        let mut text = format!("interface {name} {{\n");
        let mut docs = String::new();
        for line in fields.lines() {
            if line.starts_with("/**") || line.starts_with(" *") {
                docs.push_str(line);
                docs.push('\n');
                continue;
            }
            text.push_str(&comment(&plain(&docs), "  "));
            docs.clear();
            let field = line.trim().trim_end_matches(',').replace("Array<", "").replace('>', "[]");
            let _ = writeln!(text, "  {field};");
        }
        return text + "}";
    }
    let body = body.trim_end_matches(';');
    let choices: Vec<_> = body.split(" | ").collect();
    if let [only] = choices.as_slice() {
        return format!("{head} = {only};");
    }
    let mut text = format!("{head} =");
    for choice in choices {
        let choice = choice.replace("\"type\":", "type:");
        let choice = if choice.contains(" & ") { format!("({choice})") } else { choice };
        let _ = write!(text, "\n  | {choice}");
    }
    text + ";"
}

/// The text of a JSDoc comment, with links into the Rust crate turned into plain code.
fn plain(docs: &str) -> String {
    let lines = docs.lines().filter(|line| !matches!(line.trim(), "/**" | "*/"));
    let lines: Vec<&str> = lines.map(|line| line.trim().trim_start_matches('*').trim()).collect();
    lines.join("\n").replace("[`crate::", "`").replace("[`", "`").replace("`]", "`")
}

fn comment(text: &str, indent: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    if !text.contains('\n') {
        return format!("{indent}/** {text} */\n");
    }
    let mut comment = format!("{indent}/**\n");
    for line in text.lines() {
        let _ = writeln!(comment, "{}", format!("{indent} * {line}").trim_end());
    }
    comment + indent + " */\n"
}
