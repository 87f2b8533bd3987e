//! Flags and environment variables, and the configuration that results.

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc};

use axum::http::HeaderValue;
use clap::{Args, Parser, Subcommand, ValueEnum};
use everwire_protocol::{Channel, ChannelKind, Limits};

use crate::{
    Error,
    accounts::{Bucket, Rates},
    admission::{AddressRange, AdmissionRules},
    api::ApiKey,
    auth::{Rules, token::TokenKey},
    connection::{PresenceUsers, Settings},
    environment::WallClock,
    transports::Origins,
};

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
    #[arg(long, env = "EVERWIRE_GOAWAY_DELAY_MS", default_value_t = 500, value_name = "MS")]
    pub goaway_delay_ms: u32,
    /// The time over which clients spread their reconnects after a planned restart, in addition to the delay.
    #[arg(long, env = "EVERWIRE_GOAWAY_SPREAD_MS", default_value_t = 5_000, value_name = "MS")]
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
const MIN_FREE_BYTES: u64 = 128 * 1024 * 1024;

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

/// The configuration of a server.
#[derive(Debug)]
pub struct Config {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The database file.
    pub database: PathBuf,
    /// Whether guests are accepted.
    pub dev: bool,
    /// The key for tokens.
    pub key: Option<TokenKey>,
    /// The API key of back ends.
    pub api_key: Option<ApiKey>,
    /// The public channels that users may write to.
    pub public_write: Vec<String>,
    /// The origins whose pages may use the server.
    pub origins: Origins,
    /// A directory to serve.
    pub serve_dir: Option<PathBuf>,
    /// Whose addresses are counted.
    pub admission: AdmissionRules,
    /// How many entries each channel keeps.
    pub retention: u64,
    /// How long replaced and deleted text is kept, in s.
    pub edit_retention_s: u64,
    /// Maximum typing announcements and signals of a session per second; 0: no limit.
    pub signals_per_second: u32,
    /// Maximum requests of a session per second; 0: no limit.
    pub requests_per_second: u32,
    /// How long a leave is delayed, in ms.
    pub leave_grace_ms: u64,
    /// Minimum delay before clients reconnect, in ms.
    pub goaway_delay_ms: u32,
    /// The time over which they spread their reconnects, in ms.
    pub goaway_spread_ms: u32,
    /// Free bytes below which the server is not ready.
    pub min_free_bytes: u64,
    /// The wall clock.
    pub wall: WallClock,
    /// The settings of connections.
    pub session: Settings,
}

impl Config {
    /// A development server on a free port of this machine.
    pub fn dev(database: PathBuf) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            database,
            dev: true,
            key: None,
            api_key: None,
            public_write: Vec::new(),
            origins: Origins::Any,
            serve_dir: None,
            admission: AdmissionRules::default(),
            retention: 100_000,
            edit_retention_s: 0,
            signals_per_second: 100,
            requests_per_second: 20,
            leave_grace_ms: u64::from(everwire_protocol::limits::LEAVE_GRACE_MS),
            goaway_delay_ms: 500,
            goaway_spread_ms: 5_000,
            min_free_bytes: MIN_FREE_BYTES,
            wall: WallClock::default(),
            session: Settings::default(),
        }
    }

    /// The permissions.
    pub(crate) fn rules(&mut self) -> Rules {
        let bucket = |per_second: u32, times| Bucket { per_second, burst: per_second.saturating_mul(times) };
        let rates = Rates::new(
            self.session.limits.sends_per_minute,
            bucket(self.signals_per_second, 2),
            bucket(self.requests_per_second, 3),
        );
        let (public_write, wall) = (std::mem::take(&mut self.public_write), Some(self.wall.clone()));
        Rules { dev: self.dev, key: self.key.take(), rates, public_write, bans: Arc::default(), wall }
    }
}

impl TryFrom<ServeOptions> for Config {
    type Error = Error;

    fn try_from(options: ServeOptions) -> Result<Self, Error> {
        let key = options.secret.key()?;
        if key.is_none() && !options.dev {
            return Err(Error::Setting(
                "nobody could sign in: give a token secret with EVERWIRE_JWT_SECRET or --jwt-secret-file, or use \
                 --dev to try things out"
                    .into(),
            ));
        }
        if options.retention == 0 {
            return Err(Error::Setting("--retention must be at least 1".into()));
        }
        let origins = if options.dev && options.allow_origin.is_empty() {
            Origins::Any
        } else {
            Origins::Listed(
                options.allow_origin.iter().map(|origin| read_origin(origin)).collect::<Result<_, _>>()?,
            )
        };
        if let Some(directory) = options.serve_dir.as_ref().filter(|directory| !directory.is_dir()) {
            return Err(Error::Setting(format!(
                "cannot serve {}: there is no such directory; build the application first",
                directory.display()
            )));
        }
        if let Some(wrong) = options.public_write.iter().find(|name| !is_public(name)) {
            return Err(Error::Setting(format!(
                "--public-write is for public channels, and {wrong:?} is none; grants in tokens open private-… and presence-…"
            )));
        }
        Ok(Self {
            listen: options.listen,
            database: options.database,
            dev: options.dev,
            key,
            api_key: options.api_key.text()?.map(|key| ApiKey::new(&key)).transpose()?,
            public_write: options.public_write,
            origins,
            serve_dir: options.serve_dir,
            admission: AdmissionRules {
                trusted_proxies: options.trusted_proxy,
                count_loopback: options.count_loopback,
            },
            retention: options.retention,
            edit_retention_s: options.edit_retention,
            signals_per_second: options.signals_per_second,
            requests_per_second: options.requests_per_second,
            leave_grace_ms: u64::from(everwire_protocol::limits::LEAVE_GRACE_MS),
            goaway_delay_ms: options.goaway_delay_ms,
            goaway_spread_ms: options.goaway_spread_ms,
            min_free_bytes: options.min_free_bytes,
            wall: WallClock::default(),
            session: Settings {
                ping_interval_ms: options.ping_interval_ms,
                replay_limit: options.replay_limit,
                presence_users: options.presence_users.into(),
                total_queue_bytes: options.queue_memory_mib as usize * 1024 * 1024,
                limits: Limits {
                    payload_bytes: options.max_payload_bytes,
                    subscriptions: options.max_subscriptions,
                    sends_per_minute: Some(options.sends_per_minute).filter(|most| *most > 0),
                    text_characters: options.max_text_characters,
                    ..Settings::default().limits
                },
                ..Settings::default()
            },
        })
    }
}

/// Whether a name or pattern means public channels.
fn is_public(pattern: &str) -> bool {
    let name = pattern.strip_suffix('*').unwrap_or(pattern);
    pattern == "*" || Channel::new(name).is_ok_and(|channel| channel.kind() == ChannelKind::Public)
}

fn read_origin(text: &str) -> Result<HeaderValue, Error> {
    let origin = text.trim().trim_end_matches('/');
    let host = origin.split_once("://").map(|(_, host)| host);
    match (host, HeaderValue::from_str(origin)) {
        (Some(host), Ok(value)) if !host.is_empty() && !host.contains('/') => Ok(value),
        _ => Err(Error::Setting(format!(
            "{text:?} is not an origin; it looks like https://chat.example, without a path"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn config(arguments: &[&str]) -> Result<Config, Error> {
        let arguments = std::iter::once(&"everwire-server").chain(arguments);
        Config::try_from(Options::try_parse_from(arguments).unwrap().serve)
    }

    #[test]
    fn the_flags_are_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn a_server_that_nobody_could_use_does_not_start() {
        assert!(config(&[]).unwrap_err().to_string().contains("--dev"));
        assert!(config(&["--dev", "--serve-dir", "/no/such"]).unwrap_err().to_string().contains("/no/such"));
        assert!(config(&["--dev", "--retention", "0"]).is_err());
        assert!(config(&["--jwt-secret", "short"]).unwrap_err().to_string().contains("16 at least"));
        let opened = |names: &str| config(&["--dev", "--public-write", names]);
        assert_eq!(opened("lobby,room.*,*").unwrap().public_write, ["lobby", "room.*", "*"]);
        for wrong in ["private-orders", "presence-*", "", "a b"] {
            assert!(opened(wrong).unwrap_err().to_string().contains("--public-write"), "{wrong}");
        }
    }

    #[test]
    fn limits_are_what_is_announced() {
        let limits = |arguments: &[&str]| config(&[&["--dev"], arguments].concat()).unwrap().session.limits;
        assert_eq!((limits(&[]).sends_per_minute, limits(&[]).text_characters), (Some(600), None));
        assert_eq!(limits(&["--sends-per-minute", "0"]).sends_per_minute, None);
        let told = limits(&[
            "--sends-per-minute",
            "100",
            "--max-text-characters",
            "500",
            "--max-subscriptions",
            "3",
        ]);
        assert_eq!(
            (told.sends_per_minute, told.text_characters, told.subscriptions),
            (Some(100), Some(500), 3)
        );
        assert!(Options::try_parse_from(["everwire-server", "--max-payload-bytes", "40000"]).is_err());
    }

    #[test]
    fn only_a_development_server_lets_in_pages_of_any_origin() {
        assert!(matches!(config(&["--dev"]).unwrap().origins, Origins::Any));
        let listed =
            config(&["--jwt-secret", "0123456789abcdef", "--allow-origin", "https://a.example/,http://b:1"]);
        assert!(
            matches!(listed.unwrap().origins, Origins::Listed(origins) if origins == ["https://a.example", "http://b:1"])
        );
        assert!(
            config(&["--dev", "--allow-origin", "chat.example"]).unwrap_err().to_string().contains("origin")
        );
    }
}
