//! The configuration of a server, as its flags and environment variables say.

mod options;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use axum::http::HeaderValue;
use everwire_protocol::{Channel, ChannelKind, Feature, Limits};

use crate::{
    Error,
    accounts::{Bucket, Rates},
    admission::AdmissionRules,
    api::ApiKey,
    auth::{Rules, token::TokenKey},
    connection::{PresenceUsers, Settings},
    environment::WallClock,
    model::features::Features,
    transports::Origins,
};
use options::MIN_FREE_BYTES;
pub use options::{
    ApiKeyOptions, BackupOptions, CleanupOptions, Command, ListedUsers, LogFormat, Options, RestoreOptions,
    RunningOptions, SecretOptions, ServeOptions, StatsOptions, TokenOptions,
};

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
        let features = Features::without(&options.without);
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
                presence_users: listed_users(options.presence_users, &features),
                features,
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

/// Nobody is in `presence-users` of a server that lists no members or knows no status.
fn listed_users(listed: ListedUsers, features: &Features) -> PresenceUsers {
    if features.has(Feature::Presence) && features.has(Feature::Status) {
        listed.into()
    } else {
        PresenceUsers::Off
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
    use clap::{CommandFactory as _, Parser as _};

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
    fn features_can_be_left_out() {
        let without = |names: &str| config(&["--dev", "--without", names]).unwrap().session;
        let session = without("chats,status");
        assert_eq!(session.features.names(), ["presence", "receipts", "ephemeral", "history"]);
        // It would list the status of users.
        assert_eq!(session.presence_users, PresenceUsers::Off);
        assert_eq!(without("chats").presence_users, PresenceUsers::Everyone);
        let refused =
            Options::try_parse_from(["everwire-server", "--without", "core"]).unwrap_err().to_string();
        assert!(refused.contains("ephemeral"), "{refused}");
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
        // Clients would stay away for weeks.
        for flag in ["--goaway-delay-ms", "--goaway-spread-ms"] {
            assert!(Options::try_parse_from(["everwire-server", flag, "600001"]).is_err(), "{flag}");
            assert!(Options::try_parse_from(["everwire-server", flag, "0"]).is_ok(), "{flag}");
        }
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
