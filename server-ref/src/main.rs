//! The program: parses flags, starts the server, and stops it on a signal. Everything else is in the library.

use std::{fmt::Display, io::Write as _, process::ExitCode};

use clap::Parser;
use everwire_server::{
    Error,
    auth::token::Claims,
    config::{
        BackupOptions, CleanupOptions, Command, Config, LogFormat, Options, RestoreOptions, RunningOptions,
        ServeOptions, StatsOptions, TokenOptions,
    },
    environment::wall_ms,
    logs,
    operator::{self, Running},
    server::Server,
    store::{Removed, sqlite::backup},
};
use tracing_subscriber::{
    Layer as _, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match options.command {
        Some(Command::Token(options)) => token(options),
        Some(Command::Stats(options)) => stats(&options),
        Some(Command::Cleanup(options)) => cleanup(&options),
        Some(Command::Backup(options)) => backup(&options),
        Some(Command::Restore(options)) => restore(&options),
        None => serve(options.serve),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // There is nobody left who could be told.
            let _ = writeln!(std::io::stderr(), "everwire-server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(options: ServeOptions) -> Result<(), Error> {
    // Dropped last: it writes the last lines.
    let _flush = start_log(&options)?;
    let config = Config::try_from(options)?;
    // Every connection is an open file, and the usual soft limit is 1024.
    let open_files = rlimit::increase_nofile_limit(u64::MAX);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::System { what: "cannot start", source })?;
    runtime.block_on(async {
        // Before anything is served, so that an early signal is not lost.
        let signal = stop_signal()?;
        let server = Server::start(config).await?;
        match open_files {
            Ok(open_files) => tracing::info!(open_files, "limit of open files"),
            Err(error) => tracing::warn!(%error, "the limit of open files could not be raised"),
        }
        // Tools wait for this line. If nobody reads it the server is not held up, and if it cannot be written nothing else fails.
        let line = format!("everwire-server listening on http://{}", server.address());
        std::thread::spawn(move || print(&line));
        let name = signal.await;
        tracing::info!(signal = name, "stopping");
        server.stop().await;
        Ok(())
    })
}

#[cfg(unix)]
fn stop_signal() -> Result<impl Future<Output = &'static str>, Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen =
        |kind| signal(kind).map_err(|source| Error::System { what: "cannot listen to signals", source });
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> Result<impl Future<Output = &'static str>, Error> {
    Ok(async {
        // If Ctrl-C cannot be handled, the server runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        "Ctrl-C"
    })
}

fn start_log(options: &ServeOptions) -> Result<logs::LogFlush, Error> {
    let filter: Targets = options
        .log
        .parse()
        .map_err(|error| Error::Setting(format!("--log {:?} cannot be used: {error}", options.log)))?;
    let (writer, flush) = logs::start(std::io::stderr());
    let log = tracing_subscriber::fmt::layer().with_writer(writer);
    let log = match options.log_format {
        LogFormat::Text => {
            log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).with_target(false).boxed()
        }
        LogFormat::Json => log.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(log.with_filter(filter)).init();
    Ok(flush)
}

fn stats(options: &StatsOptions) -> Result<(), Error> {
    let running = running(&options.running)?;
    let stats = running.stats()?;
    if options.running.json { print_json(&stats) } else { print(operator::table(&stats).trim_end()) }
}

fn cleanup(options: &CleanupOptions) -> Result<(), Error> {
    let running = running(&options.running)?;
    // Standard output is for the result.
    let progress = |removed: &Removed| {
        // Progress that cannot be shown is no reason to stop.
        let _ = writeln!(std::io::stderr(), "{removed} so far");
    };
    let cleanup = operator::cleanup(&options.database, options.retention, &running, progress);
    let done = runtime()?.block_on(cleanup)?;
    if options.running.json {
        return print_json(&done);
    }
    print(&done)
}

fn backup(options: &BackupOptions) -> Result<(), Error> {
    runtime()?.block_on(backup::backup(&options.database, &options.copy))?;
    print(&format_args!("copied {} to {}", options.database.display(), options.copy.display()))
}

fn restore(options: &RestoreOptions) -> Result<(), Error> {
    let kept = runtime()?.block_on(backup::restore(&options.copy, &options.database))?;
    print(&format_args!("restored {} from {}", options.database.display(), options.copy.display()))?;
    kept.map_or(Ok(()), |kept| print(&format_args!("the former database is {}", kept.display())))
}

fn running(options: &RunningOptions) -> Result<Running, Error> {
    Ok(Running { server: options.server.clone(), key: options.api_key.text()? })
}

fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::System { what: "cannot start", source })
}

fn print_json(value: &impl serde::Serialize) -> Result<(), Error> {
    let text = serde_json::to_string(value);
    print(&text.map_err(|error| Error::Setting(format!("cannot serialize as JSON: {error}")))?)
}

/// Writes a line to standard output. Its reader may be gone, or the disk full.
fn print(line: &(impl Display + ?Sized)) -> Result<(), Error> {
    let mut out = std::io::stdout();
    let written = writeln!(out, "{line}").and_then(|()| out.flush());
    written.map_err(|source| Error::System { what: "cannot write to standard output", source })
}

fn token(options: TokenOptions) -> Result<(), Error> {
    let TokenOptions { user, name, valid_for, id, grants, secret } = options;
    let key = secret.key()?.ok_or_else(|| {
        Error::Setting(
            "give the server's token secret with EVERWIRE_JWT_SECRET, --jwt-secret or --jwt-secret-file"
                .into(),
        )
    })?;
    let iat = wall_ms() / 1000;
    let exp = iat + valid_for;
    print(&key.make(&Claims { sub: user, name, exp, iat: Some(iat.into()), jti: id, nbf: None, grants })?)
}
