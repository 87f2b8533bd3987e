//! The command line of the conformance suite.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::{Args, Parser, Subcommand};
use everwire_conformance::{
    Peer, all_for_servers,
    client::{self, Client},
    dialogue::{Dialogue, Play, for_clients},
    error::{Error, Result},
    planted::{DEVIATIONS, missed},
    play::Server,
    play_all,
    report::Report,
    requirements::Class,
    tokens::Tokens,
};
use serde_json::json;

/// Plays scripted dialogues against an Everwire server or client, and reports which requirements of the protocol hold.
#[derive(Parser)]
#[command(version, about)]
struct Options {
    #[command(subcommand)]
    peer: Under,
}

/// What is under test.
#[derive(Subcommand)]
enum Under {
    /// Play dialogues against a server.
    Server(ServerOptions),
    /// Play dialogues, as a server, against a client behind an adapter.
    Client(ClientOptions),
}

#[derive(Args)]
struct ServerOptions {
    /// The address of the server, such as `http://localhost:8787`.
    #[arg(long, value_name = "URL")]
    address: String,
    /// The file with the secret of the server's tokens. Without one the users are guests, and what guests may not do is
    /// skipped.
    #[arg(long, value_name = "FILE")]
    jwt_secret_file: Option<PathBuf>,
    /// The file with the key for the HTTP API that the reference server has for back ends. Without one, what a back end has to
    /// take part in is skipped.
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// What the server lacks and its welcome does not say: `send-limit`. Can be given several times.
    #[arg(long, value_name = "WHAT")]
    without: Vec<String>,
    #[command(flatten)]
    how: How,
}

#[derive(Args)]
struct ClientOptions {
    /// The command of the shell that starts the client's adapter, such as `python3 -m everwire_third --adapter`.
    #[arg(long, value_name = "COMMAND")]
    adapter: String,
    #[command(flatten)]
    how: How,
}

/// What both sides have.
#[derive(Args)]
struct How {
    /// Play dialogues that take half a minute and more, too.
    #[arg(long)]
    slow: bool,
    /// Instead of the result for the peer itself, show that the dialogues find deviations that are planted in it.
    #[arg(long)]
    planted: bool,
    /// A directory of dialogues to play instead of those that this program contains.
    #[arg(long, value_name = "DIRECTORY")]
    dialogues: Option<PathBuf>,
    /// Play only dialogues whose name contains this.
    filter: Option<String>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("everwire-conformance: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run(options: Options) -> Result<bool> {
    match options.peer {
        Under::Server(options) => server(options).await,
        Under::Client(options) => client(&options).await,
    }
}

async fn server(options: ServerOptions) -> Result<bool> {
    let secret = options.jwt_secret_file.as_deref().map(read_secret).transpose()?;
    let tokens = secret.map(|secret| Tokens::new(secret.as_bytes())).transpose()?;
    let api_key = options.api_key_file.as_deref().map(read_secret).transpose()?;
    let dialogues = options.how.dialogues(all_for_servers)?;
    let server = Server::new(&options.address, tokens)
        .with_api_key(api_key)
        .with_slow(options.how.slow)
        .without(options.without)
        .as_welcomed()
        .await?;
    if options.how.planted {
        return Ok(options.how.tell_planted(DEVIATIONS.len(), &missed(&server, &dialogues).await?));
    }
    Ok(options.how.play(Class::Server, &server, &dialogues).await)
}

async fn client(options: &ClientOptions) -> Result<bool> {
    let dialogues = options.how.dialogues(for_clients)?;
    let client = Client::new(&options.adapter).with_slow(options.how.slow);
    if options.how.planted {
        let missed = client::missed(&client, &dialogues).await;
        return Ok(options.how.tell_planted(client::DEVIATIONS.len(), &missed));
    }
    Ok(options.how.play(Class::Client, &client, &dialogues).await)
}

impl How {
    /// The dialogues that are to be played.
    fn dialogues<S: Play>(
        &self,
        contained: impl FnOnce() -> Result<Vec<Dialogue<S>>>,
    ) -> Result<Vec<Arc<Dialogue<S>>>> {
        let filter = self.filter.as_deref().unwrap_or_default();
        let mut dialogues = match &self.dialogues {
            Some(directory) => Dialogue::read_all(directory)?,
            None => contained()?,
        };
        dialogues.retain(|dialogue| dialogue.name.contains(filter));
        if dialogues.is_empty() {
            return Err(Error::Argument(format!("no dialogue is named {filter}")));
        }
        Ok(dialogues.into_iter().map(Arc::new).collect())
    }

    /// Plays them, and prints what has come out.
    async fn play<P: Peer>(&self, class: Class, peer: &P, dialogues: &[Arc<Dialogue<P::Step>>]) -> bool {
        let played = play_all(peer, dialogues).await;
        let report = Report::new(class, dialogues.iter().map(AsRef::as_ref).zip(played).collect());
        if self.json {
            println!("{:#}", report.json());
        } else {
            println!("{}", report.text());
        }
        report.passed()
    }

    fn tell_planted(&self, planted: usize, missed: &[&str]) -> bool {
        let found = planted - missed.len();
        if self.json {
            println!("{:#}", json!({"planted": planted, "found": found, "missed": missed}));
        } else {
            for name in missed {
                println!("MISSED   {name}");
            }
            println!("{planted} deviations planted, {found} found");
        }
        missed.is_empty()
    }
}

fn read_secret(path: &Path) -> Result<String> {
    let text = fs::read_to_string(path).map_err(|source| Error::File { path: path.into(), source })?;
    Ok(text.trim().to_owned())
}
