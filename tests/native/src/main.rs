//! The client core with the driver of everwire-client for tokio, behind an adapter of the conformance suite: lines of JSON on standard
//! input and output (tests/conformance/adapters/README.md). It shows that the core conforms without a browser.

mod adapter;
mod application;
mod driver;
mod events;

use std::{future::pending, time::Duration};

use everwire_client::native::Report;
use futures_channel::mpsc::{self, UnboundedSender};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    time::{sleep, timeout},
};

use adapter::{Client, Unfit};
use events::emit;
use everwire_client_core::Input;

/// Its name and version.
const CLIENT: &str = concat!("everwire-native/", env!("CARGO_PKG_VERSION"));

/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    events::emit_ready();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let (sender, mut reports) = mpsc::unbounded();
    let mut client: Option<Client> = None;
    loop {
        let due = client.as_ref().and_then(Client::timeout);
        let timer = async {
            match due {
                Some(ms) => sleep(Duration::from_millis(ms)).await,
                None => pending().await,
            }
        };
        tokio::select! {
            // Without a `close` it ends like a process that is killed.
            line = lines.next_line() => match line {
                Ok(Some(line)) => if command(&mut client, &line, &sender).await { break },
                Ok(None) | Err(_) => break,
            },
            Some(report) = reports.next() => if let Some(client) = &mut client {
                client.take(report);
            },
            () = timer => if let Some(client) = &mut client {
                client.tell(Input::Timeout);
            },
        }
    }
}

/// Carries out a command. Returns whether it was the last one.
async fn command(client: &mut Option<Client>, line: &str, reports: &UnboundedSender<Report>) -> bool {
    let command: Value = match serde_json::from_str(line) {
        Ok(command) => command,
        Err(error) => {
            emit("invalid_command", json!({"message": error.to_string()}));
            return false;
        }
    };
    let done = match (command["command"].as_str(), client.as_mut()) {
        (Some("close"), client) => {
            if let Some(client) = client {
                let _ = timeout(GOODBYE, client.close()).await;
            }
            emit("exit", Value::Null);
            return true;
        }
        (Some("connect"), None) => {
            Client::connect(&command, reports.clone()).map(|connected| *client = Some(connected))
        }
        (_, Some(client)) => client.command(&command),
        (_, None) => Err(Unfit::Invalid("connect comes first".into())),
    };
    match done {
        Ok(()) => {}
        Err(Unfit::Refused(code, message)) => {
            let reference = &command["ref"];
            emit("failed", json!({"ref": reference, "code": code.as_str(), "message": message}));
        }
        Err(Unfit::Invalid(message)) => {
            emit("invalid_command", json!({"ref": command["ref"], "message": message}));
        }
        Err(Unfit::Unsupported) => {
            emit("unsupported", json!({"ref": command["ref"], "command": command["command"]}));
        }
    }
    false
}
