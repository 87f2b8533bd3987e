//! The command line of the conformance suite.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Parser;
use everwire_conformance::{
    all_for_servers,
    dialogue::Dialogue,
    error::{Error, Result},
    planted::{DEVIATIONS, missed},
    play::Server,
    play_all,
    report::Report,
    requirements::Class,
    tokens::Tokens,
};
use serde_json::json;

/// Plays scripted dialogues against an Everwire server, and reports which requirements of the protocol hold.
#[derive(Parser)]
#[command(version, about)]
struct Options {
    /// The address of the server, such as `http://localhost:8787`.
    #[arg(long, value_name = "ADDRESS")]
    server: String,
    /// The file with the secret of the server's tokens. Without one the users are guests, and what guests may not do is
    /// skipped.
    #[arg(long, value_name = "FILE")]
    jwt_secret_file: Option<PathBuf>,
    /// The file with the key for the HTTP API that the reference server has for back ends. Without one, what a back end has to
    /// take part in is skipped.
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// Play dialogues that take half a minute and more, too.
    #[arg(long)]
    slow: bool,
    /// Instead of the result for the server itself, show that the dialogues find planted deviations: those that a proxy before it
    /// makes.
    #[arg(long)]
    planted: bool,
    /// What the server lacks and its welcome does not say: `send-limit`. Can be given several times.
    #[arg(long, value_name = "WHAT")]
    without: Vec<String>,
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
    let secret = options.jwt_secret_file.as_deref().map(read_secret).transpose()?;
    let tokens = secret.map(|secret| Tokens::new(secret.as_bytes())).transpose()?;
    let api_key = options.api_key_file.as_deref().map(read_secret).transpose()?;
    let filter = options.filter.unwrap_or_default();
    let mut dialogues = match &options.dialogues {
        Some(directory) => Dialogue::read_all(directory)?,
        None => all_for_servers()?,
    };
    dialogues.retain(|dialogue| dialogue.name.contains(&filter));
    if dialogues.is_empty() {
        return Err(Error::Argument(format!("no dialogue is named {filter}")));
    }
    let dialogues: Vec<_> = dialogues.into_iter().map(Arc::new).collect();
    let server = Server::new(&options.server, tokens)
        .with_api_key(api_key)
        .with_slow(options.slow)
        .without(options.without)
        .as_welcomed()
        .await?;
    if options.planted {
        return planted(&server, &dialogues, options.json).await;
    }
    let played = play_all(&server, &dialogues).await;
    let report = Report::new(Class::Server, dialogues.iter().map(AsRef::as_ref).zip(played).collect());
    if options.json {
        println!("{:#}", report.json());
    } else {
        println!("{}", report.text());
    }
    Ok(report.passed())
}

async fn planted(server: &Server, dialogues: &[Arc<Dialogue>], as_json: bool) -> Result<bool> {
    let missed = missed(server, dialogues).await?;
    let found = DEVIATIONS.len() - missed.len();
    if as_json {
        println!("{:#}", json!({"planted": DEVIATIONS.len(), "found": found, "missed": missed}));
    } else {
        for name in &missed {
            println!("MISSED   {name}");
        }
        println!("{} deviations planted, {found} found", DEVIATIONS.len());
    }
    Ok(missed.is_empty())
}

fn read_secret(path: &Path) -> Result<String> {
    let text = fs::read_to_string(path).map_err(|source| Error::File { path: path.into(), source })?;
    Ok(text.trim().to_owned())
}
