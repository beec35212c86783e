//! The configuration: one TOML file, then the environment, then flags. Everything that is wrong is
//! reported at once, before anything starts.
mod check;
mod keys;
mod read;

use std::{fmt, net::SocketAddr};

pub use keys::{KEYS, Key, Kind};
pub use read::{Loaded, Sources, Trouble, load};

/// What was configured.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The database's URL.
    pub database_url: String,
    /// Who may call.
    pub auth: AuthSettings,
    /// Sizes, times, numbers.
    pub limits: LimitSettings,
    /// Requests in time.
    pub rate: RateSettings,
    /// How long a report is good at most; 0: none are kept.
    pub report_ms: u64,
    /// What servers share.
    pub redis: Option<RedisSettings>,
    /// Where traces go.
    pub trace: Option<TraceSettings>,
    /// A server not heard of for so long is dead.
    pub lease_ms: u64,
    /// Runs executed at the same time.
    pub max_live_runs: usize,
    /// Hosts and networks that `http` nodes may reach.
    pub http_allow: String,
    /// How long things under way get at the end.
    pub drain_ms: u64,
    /// Logs.
    pub log: LogSettings,
}

/// Who may call.
#[derive(Clone, Debug, Default)]
pub struct AuthSettings {
    /// Nobody is asked: only for `runstone dev`.
    pub off: bool,
    /// The issuer of tokens.
    pub oidc: Option<OidcSettings>,
    /// How long a key that was looked up is believed.
    pub key_cache_ms: u64,
}

/// An issuer of tokens.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    /// Its `iss`.
    pub issuer: String,
    /// The `aud` that tokens must have.
    pub audience: String,
    /// Where its keys are, if discovery does not tell.
    pub jwks_url: Option<String>,
    /// Subjects that may do everything.
    pub admins: Vec<String>,
    /// The claim that gives roles in projects.
    pub roles_claim: Option<String>,
}

/// Sizes, times, numbers.
#[derive(Clone, Debug)]
pub struct LimitSettings {
    /// The largest body.
    pub body_bytes: usize,
    /// The largest head.
    pub header_bytes: usize,
    /// How long a head may take.
    pub header_timeout_ms: u64,
    /// How long a body may take.
    pub body_timeout_ms: u64,
    /// How long an answer may take.
    pub request_timeout_ms: u64,
    /// When a client that takes nothing of its answer is cut off.
    pub write_timeout_ms: u64,
    /// Requests worked on at the same time.
    pub concurrent_requests: usize,
    /// Connections at the same time.
    pub connections: usize,
    /// Watchers at the same time.
    pub watchers: usize,
    /// How often watchers get a sign of life.
    pub heartbeat_ms: u64,
    /// When a watcher that takes nothing is cut off.
    pub slow_watcher_ms: u64,
}

/// Requests in time; 0 is no limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct RateSettings {
    /// For each key.
    pub per_key_per_s: u64,
    /// For each address.
    pub per_address_per_s: u64,
    /// Refused keys for each address.
    pub failures_per_address_per_min: u64,
}

/// A Redis that servers share.
#[derive(Clone)]
pub struct RedisSettings {
    /// Where it is.
    pub url: String,
    /// What its keys begin with.
    pub prefix: String,
}

impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = runstone_db::masked(&self.url);
        write!(f, "RedisSettings({url}, {})", self.prefix)
    }
}

/// A collector of traces.
#[derive(Clone)]
pub struct TraceSettings {
    /// Where it is, without the path.
    pub endpoint: String,
    /// Headers for it; their values are secrets.
    pub headers: Vec<(String, String)>,
    /// What the program is called.
    pub service_name: String,
    /// How many of all traces are sent, 0 to 100.
    pub sample_percent: u64,
}

impl fmt::Debug for TraceSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = runstone_db::masked(&self.endpoint);
        let (name, percent) = (&self.service_name, self.sample_percent);
        write!(f, "TraceSettings({endpoint}, {name}, {percent} %)")
    }
}

/// Logs.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// How.
    pub format: LogFormat,
    /// A statement that takes so long is logged; 0: none.
    pub slow_statement_ms: u64,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}
