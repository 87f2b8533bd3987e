//! The command line: flags, environment variables and commands.

use std::{fs, net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use everwire_protocol::Feature;

use crate::{Error, admission::AddressRange, auth::token::TokenKey, connection::PresenceUsers};

/// The Everwire server: accepts clients over WebSocket and HTTP polling on one port, stores their messages in SQLite, and
/// delivers them.
///
/// For development: `everwire-server --dev`, then connect a client to port 8787.
#[derive(Debug, Parser)]
#[command(name = "everwire-server", version, max_term_width = 110)]
pub struct Options {
    /// Options for serving, if no command is given.
    #[command(flatten)]
    pub serve: ServeOptions,
    /// A command to run instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// A command to run instead of serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create a token for development, and print it.
    Token(TokenOptions),
    /// Print statistics of a running server.
    Stats(StatsOptions),
    /// Clean up the database: stale sessions, ids of old sends, messages beyond the retention. A running server does this
    /// every five minutes, and is asked to do it now; without one, the command works on the file directly.
    Cleanup(CleanupOptions),
    /// Write a copy of the database to a new file, while a server uses it or not. Senders do not wait.
    Backup(BackupOptions),
    /// Put a copy in the place of the database. No server may be using it. The former database is kept beside it. Clients that have
    /// seen messages which the copy does not contain receive a gap.
    Restore(RestoreOptions),
}

/// Options for serving.
#[derive(Debug, Args)]
pub struct ServeOptions {
    /// Address and port to listen on. Port 0 selects a free one, which the first line of output shows.
    #[arg(long, env = "EVERWIRE_LISTEN", default_value = "127.0.0.1:8787", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// The database file; created if missing.
    #[arg(long, env = "EVERWIRE_DATABASE", default_value = "everwire.db", value_name = "FILE")]
    pub database: PathBuf,
    /// For development only: accept guests, who may use every channel except other users' private-user channels and chats
    /// of which they are not members. Pages of any origin may connect.
    #[arg(long, env = "EVERWIRE_DEV", value_parser = clap::builder::FalseyValueParser::new())]
    pub dev: bool,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show a comment as help")]
    pub secret: SecretOptions,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show a comment as help")]
    pub api_key: ApiKeyOptions,
    /// Origins whose pages may use this server, such as `https://chat.example`. Repeat the flag, or separate origins with
    /// commas. Pages from the server's own host are always allowed.
    #[arg(
        long = "allow-origin",
        env = "EVERWIRE_ALLOW_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    pub allow_origin: Vec<String>,
    /// Public channels that users may write to, such as `lobby` or `room.*`. Repeat the flag, or separate channels with
    /// commas. Without it only back ends write to public channels, and users whose token grants them; with --dev everybody
    /// does.
    #[arg(
        long = "public-write",
        env = "EVERWIRE_PUBLIC_WRITE",
        value_name = "CHANNEL",
        value_delimiter = ','
    )]
    pub public_write: Vec<String>,
    /// A directory to serve over HTTP on the same port, such as a built demo.
    #[arg(long, env = "EVERWIRE_SERVE_DIR", value_name = "DIRECTORY")]
    pub serve_dir: Option<PathBuf>,
    /// How many messages each channel keeps at least. Older ones are deleted; clients that missed them receive a gap event.
    #[arg(long, env = "EVERWIRE_RETENTION", default_value_t = 100_000, value_name = "MESSAGES")]
    pub retention: u64,
    /// How long the database keeps the text that edits and deletions have replaced, in seconds. Nobody is served it. 0: it is
    /// gone at once.
    #[arg(long, env = "EVERWIRE_EDIT_RETENTION", default_value_t = 0, value_name = "SECONDS")]
    pub edit_retention: u64,
    /// Free bytes where the database is, below which /readyz reports that the server is not ready.
    #[arg(long, env = "EVERWIRE_MIN_FREE_BYTES", default_value_t = MIN_FREE_BYTES, value_name = "BYTES")]
    pub min_free_bytes: u64,
    /// How many missed messages are replayed to a reconnecting client. If it missed more, it receives a gap event and
    /// resumes at the end.
    #[arg(long, env = "EVERWIRE_REPLAY_LIMIT", default_value_t = 10_000, value_name = "MESSAGES")]
    pub replay_limit: u64,
    /// Messages that a user may send per minute, over all connections. 0: no limit.
    #[arg(long, env = "EVERWIRE_SENDS_PER_MINUTE", default_value_t = 600, value_name = "MESSAGES")]
    pub sends_per_minute: u32,
    /// Typing announcements and signals that a session may send per second, with a burst of twice as many. 0: no limit.
    #[arg(long, env = "EVERWIRE_SIGNALS_PER_SECOND", default_value_t = 100, value_name = "SIGNALS")]
    pub signals_per_second: u32,
    /// Requests (history, chats, status) that a session may send per second, with a burst of three times as many.
    /// 0: no limit.
    #[arg(long, env = "EVERWIRE_REQUESTS_PER_SECOND", default_value_t = 20, value_name = "REQUESTS")]
    pub requests_per_second: u32,
    /// Reverse proxies whose X-Forwarded-For names the client, as addresses or networks such as 10.0.0.0/8. Repeat the flag,
    /// or separate them with commas. Without it, clients behind a proxy in a private network are not limited by address.
    #[arg(long, env = "EVERWIRE_TRUSTED_PROXY", value_name = "ADDRESS", value_delimiter = ',')]
    pub trusted_proxy: Vec<AddressRange>,
    /// Limit clients on this machine by address, like others. For tests of the limits.
    #[arg(long, env = "EVERWIRE_COUNT_LOOPBACK", value_parser = clap::builder::FalseyValueParser::new())]
    pub count_loopback: bool,
    /// Memory for messages that wait for slow readers, of all clients together, in MiB. Beyond it, the slowest are
    /// disconnected; they resume from their positions.
    #[arg(long, env = "EVERWIRE_QUEUE_MEMORY_MIB", default_value_t = 128, value_name = "MIB",
          value_parser = clap::value_parser!(u32).range(8..))]
    pub queue_memory_mib: u32,
    /// Who is listed in presence-users: nobody, the users with whom a subscriber shares a chat, or everyone.
    #[arg(long, env = "EVERWIRE_PRESENCE_USERS", default_value = "everyone", value_enum)]
    pub presence_users: ListedUsers,
    /// Features that this server does not offer: presence, receipts, status, chats, ephemeral (typing and signals) or
    /// history. Repeat the flag, or separate them with commas. Clients learn which ones there are from its welcome.
    #[arg(long, env = "EVERWIRE_WITHOUT", value_name = "FEATURE", value_delimiter = ',')]
    pub without: Vec<Feature>,
    /// Maximum subscriptions of a connection.
    #[arg(long, env = "EVERWIRE_MAX_SUBSCRIPTIONS", default_value_t = 256, value_name = "CHANNELS",
          value_parser = clap::value_parser!(u32).range(1..=256))]
    pub max_subscriptions: u32,
    /// Maximum size of a message's data, in bytes of JSON.
    #[arg(long, env = "EVERWIRE_MAX_PAYLOAD_BYTES", default_value_t = 32_768, value_name = "BYTES",
          value_parser = clap::value_parser!(u32).range(2..=32_768))]
    pub max_payload_bytes: u32,
    /// Maximum characters of a message that is a string or has a field `text`. By default only the bytes are limited.
    #[arg(long, env = "EVERWIRE_MAX_TEXT_CHARACTERS", value_name = "CHARACTERS",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub max_text_characters: Option<u32>,
    /// How long a connection may be silent before the server sends a ping. Common proxies close connections that are idle
    /// for 30 s.
    #[arg(long, env = "EVERWIRE_PING_INTERVAL_MS", default_value_t = 25_000, value_name = "MS",
          value_parser = clap::value_parser!(u32).range(100..=600_000))]
    pub ping_interval_ms: u32,
    /// Minimum delay before clients reconnect after a planned restart.
    #[arg(long, env = "EVERWIRE_GOAWAY_DELAY_MS", default_value_t = 500, value_name = "MS",
          value_parser = clap::value_parser!(u32).range(..=600_000))]
    pub goaway_delay_ms: u32,
    /// The time over which clients spread their reconnects after a planned restart, in addition to the delay.
    #[arg(long, env = "EVERWIRE_GOAWAY_SPREAD_MS", default_value_t = 5_000, value_name = "MS",
          value_parser = clap::value_parser!(u32).range(..=600_000))]
    pub goaway_spread_ms: u32,
    /// The log level: error, warn, info, debug or trace, optionally per module (`info,everwire_server::hub=debug`).
    #[arg(long, env = "EVERWIRE_LOG", default_value = "info", value_name = "LEVEL")]
    pub log: String,
    /// The format of the log, which is written to standard error.
    #[arg(long, env = "EVERWIRE_LOG_FORMAT", default_value = "text", value_enum)]
    pub log_format: LogFormat,
}

/// Who is listed in `presence-users`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListedUsers {
    /// Nobody.
    Off,
    /// The users with whom a subscriber shares a chat.
    Companions,
    /// All users who are online.
    Everyone,
}

impl From<ListedUsers> for PresenceUsers {
    fn from(listed: ListedUsers) -> Self {
        match listed {
            ListedUsers::Off => Self::Off,
            ListedUsers::Companions => Self::Companions,
            ListedUsers::Everyone => Self::Everyone,
        }
    }
}

/// The default of `--min-free-bytes`: the largest write-ahead log, and some space for messages.
pub(super) const MIN_FREE_BYTES: u64 = 128 * 1024 * 1024;

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text lines.
    Text,
    /// One JSON object per line.
    Json,
}

/// The secret for signing tokens.
#[derive(Debug, Args)]
pub struct SecretOptions {
    /// The secret for tokens (JWT, HS256), at least 16 bytes. Prefer the environment variable or a file: flags are visible
    /// to other users of the machine.
    #[arg(long, env = "EVERWIRE_JWT_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub jwt_secret: Option<String>,
    /// A file that contains the secret.
    #[arg(long, env = "EVERWIRE_JWT_SECRET_FILE", value_name = "FILE", conflicts_with = "jwt_secret")]
    pub jwt_secret_file: Option<PathBuf>,
}

impl SecretOptions {
    /// The key, if a secret is configured.
    ///
    /// # Errors
    /// [`Error::Setting`] if the secret is too short or its file cannot be read.
    pub fn key(&self) -> Result<Option<TokenKey>, Error> {
        let secret = match (&self.jwt_secret, &self.jwt_secret_file) {
            (Some(secret), _) => secret.clone(),
            (None, Some(file)) => {
                fs::read_to_string(file).map(|text| text.trim().to_owned()).map_err(|error| {
                    Error::Setting(format!("cannot read the token secret from {}: {error}", file.display()))
                })?
            }
            (None, None) => return Ok(None),
        };
        TokenKey::new(&secret).map(Some)
    }
}

/// The API key for back ends.
#[derive(Debug, Args)]
pub struct ApiKeyOptions {
    /// The API key with which back ends use the HTTP API, at least 16 bytes. Without one, back ends are refused. Prefer the
    /// environment variable or a file: flags are visible to other users of the machine.
    #[arg(long, env = "EVERWIRE_API_KEY", value_name = "KEY", hide_env_values = true)]
    pub api_key: Option<String>,
    /// A file that contains the key.
    #[arg(long, env = "EVERWIRE_API_KEY_FILE", value_name = "FILE", conflicts_with = "api_key")]
    pub api_key_file: Option<PathBuf>,
}

impl ApiKeyOptions {
    /// The key, if one is configured.
    ///
    /// # Errors
    /// [`Error::Setting`] if its file cannot be read.
    pub fn text(&self) -> Result<Option<String>, Error> {
        match (&self.api_key, &self.api_key_file) {
            (Some(key), _) => Ok(Some(key.clone())),
            (None, Some(file)) => match fs::read_to_string(file) {
                Ok(text) => Ok(Some(text.trim().to_owned())),
                Err(error) => {
                    Err(Error::Setting(format!("cannot read the API key from {}: {error}", file.display())))
                }
            },
            (None, None) => Ok(None),
        }
    }
}

/// The server to query.
#[derive(Debug, Args)]
pub struct RunningOptions {
    /// The URL of the running server.
    #[arg(long, env = "EVERWIRE_SERVER", default_value = "http://127.0.0.1:8787", value_name = "URL")]
    pub server: String,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show a comment as help")]
    pub api_key: ApiKeyOptions,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Options of `stats`.
#[derive(Debug, Args)]
pub struct StatsOptions {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show a comment as help")]
    pub running: RunningOptions,
}

/// Options of `cleanup`.
#[derive(Debug, Args)]
pub struct CleanupOptions {
    /// The database file.
    #[arg(long, env = "EVERWIRE_DATABASE", default_value = "everwire.db", value_name = "FILE")]
    pub database: PathBuf,
    /// How many messages each channel keeps at least, if no server is running.
    #[arg(long, env = "EVERWIRE_RETENTION", default_value_t = 100_000, value_name = "MESSAGES",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub retention: u64,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show a comment as help")]
    pub running: RunningOptions,
}

/// Options of `backup`.
#[derive(Debug, Args)]
pub struct BackupOptions {
    /// The database file.
    #[arg(long, env = "EVERWIRE_DATABASE", default_value = "everwire.db", value_name = "FILE")]
    pub database: PathBuf,
    /// The file to write. It must not exist.
    #[arg(value_name = "COPY")]
    pub copy: PathBuf,
}

/// Options of `restore`.
#[derive(Debug, Args)]
pub struct RestoreOptions {
    /// The database file.
    #[arg(long, env = "EVERWIRE_DATABASE", default_value = "everwire.db", value_name = "FILE")]
    pub database: PathBuf,
    /// A copy that `backup` has written.
    #[arg(value_name = "COPY")]
    pub copy: PathBuf,
}

/// The claims of the token to create.
#[derive(Debug, Args)]
pub struct TokenOptions {
    /// The user id.
    #[arg(long, value_name = "ID")]
    pub user: String,
    /// The name that others see.
    #[arg(long)]
    pub name: Option<String>,
    /// The validity, in seconds.
    #[arg(long, default_value_t = 3600, value_name = "SECONDS")]
    pub valid_for: u64,
    /// The id of the token, by which it can be revoked.
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// A channel to grant, or a pattern that ends in `*`. Can be repeated.
    #[arg(long = "grant", value_name = "CHANNEL")]
    pub grants: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show a comment as help")]
    pub secret: SecretOptions,
}
