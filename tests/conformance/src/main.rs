//! The command line of the conformance suite.

use std::{fs, path::PathBuf, process::ExitCode, sync::Arc};

use clap::Parser;
use everwire_conformance::{
    dialogue::Dialogue,
    error::{Error, Result},
    play::Server,
    play_all,
    report::Report,
    tokens::Tokens,
};

/// Plays scripted dialogues against an Everwire server, and reports which requirements of the protocol hold.
#[derive(Parser)]
#[command(version, about)]
struct Options {
    /// The server, such as http://localhost:8787.
    #[arg(long, value_name = "ADDRESS")]
    server: String,
    /// The file with the secret of the server's tokens. Without one the users are guests, and what guests may not do is
    /// skipped.
    #[arg(long, value_name = "FILE")]
    jwt_secret_file: Option<PathBuf>,
    /// A directory of dialogues.
    #[arg(long, value_name = "DIRECTORY")]
    dialogues: PathBuf,
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
    let tokens = match &options.jwt_secret_file {
        Some(path) => {
            let secret = fs::read(path).map_err(|source| Error::File { path: path.clone(), source })?;
            Some(Tokens::new(secret.trim_ascii())?)
        }
        None => None,
    };
    let filter = options.filter.unwrap_or_default();
    let mut dialogues = Dialogue::read_all(&options.dialogues)?;
    dialogues.retain(|dialogue| dialogue.name.contains(&filter));
    if dialogues.is_empty() {
        return Err(Error::Argument(format!("no dialogue in {} fits", options.dialogues.display())));
    }
    let dialogues: Vec<_> = dialogues.into_iter().map(Arc::new).collect();
    let played = play_all(&Server::new(&options.server, tokens), &dialogues).await;
    let report = Report::new(dialogues.iter().map(AsRef::as_ref).zip(played).collect());
    if options.json {
        println!("{:#}", report.json());
    } else {
        println!("{}", report.text());
    }
    Ok(report.passed())
}
