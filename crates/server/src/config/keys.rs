//! Every setting there is: name, kind, default, help. The reader, the report of what is wrong,
//! `--print-config` and docs/config.md all come from this table.

/// What a setting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A URL of a database; its password is never shown.
    DatabaseUrl,
    /// A URL of Redis; its password is never shown.
    RedisUrl,
    /// An `http://` or `https://` URL.
    Url,
    /// An address and a port.
    Listen,
    /// A whole number within bounds.
    Number {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Texts, in the environment separated by commas.
    List,
    /// Names with secret values, as in `name=value`, in the environment separated by commas.
    Secrets,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its place in the file, as in `server.listen`.
    pub path: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Its value when nobody says; empty: none.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
}

impl Key {
    /// Its name in the environment.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("RUNSTONE_{}", self.path.replace('.', "_").to_uppercase())
    }
}

const fn number(min: u64, max: u64) -> Kind {
    Kind::Number { min, max }
}

macro_rules! keys {
    ($($path:literal $kind:expr, $default:literal, $help:literal;)+) => {
        /// Every setting.
        pub const KEYS: &[Key] = &[$(Key {
            path: $path,
            kind: $kind,
            default: $default,
            help: $help,
        },)+];
    };
}

keys! {
    "server.listen" Kind::Listen, "127.0.0.1:7878", "Address and port to listen on.";
    "database.url" Kind::DatabaseUrl, "sqlite:runstone.db", "The database.";
    "auth.oidc_issuer" Kind::Url, "", "Issuer of bearer tokens (their `iss`). Its keys are found by OpenID discovery.";
    "auth.oidc_audience" Kind::Text, "", "What the tokens must be for (their `aud`). Needed with an issuer.";
    "auth.oidc_jwks_url" Kind::Url, "", "Where the issuer's keys are, when discovery does not tell.";
    "auth.oidc_admins" Kind::List, "", "Subjects (`sub`) that may do everything.";
    "auth.oidc_roles_claim" Kind::Text, "", "A claim of the tokens that gives roles in projects, as in `{\"<project's id>\": \"editor\"}`. Of this and membership the greater role counts.";
    "auth.key_cache_ms" number(0, 60_000), "2000", "How long a key that was looked up is believed: a key revoked on another server is refused at the latest after this.";
    "limits.body_bytes" number(1_024, 1 << 30), "25165824", "The largest request body.";
    "limits.header_bytes" number(8_192, 1 << 20), "32768", "The largest request head.";
    "limits.header_timeout_ms" number(100, 600_000), "10000", "How long a request head may take to arrive.";
    "limits.body_timeout_ms" number(100, 600_000), "30000", "How long a request body may take to arrive.";
    "limits.request_timeout_ms" number(100, 600_000), "30000", "How long an answer may take.";
    "limits.write_timeout_ms" number(100, 600_000), "30000", "A connection whose client takes nothing of what is sent to it for so long is closed.";
    "limits.concurrent_requests" number(1, 1_000_000), "2048", "Requests worked on at the same time; more get 503 with Retry-After.";
    "limits.connections" number(1, 1_000_000), "10000", "Connections at the same time; more wait to be accepted.";
    "limits.watchers" number(1, 1_000_000), "10000", "Watchers of runs at the same time; more get 503.";
    "limits.heartbeat_ms" number(100, 600_000), "15000", "How often watchers get a sign of life: a comment or a ping. Who answers no ping three times is cut off.";
    "limits.slow_watcher_ms" number(100, 600_000), "30000", "A watcher that takes nothing for so long is cut off.";
    "rate.per_key_per_s" number(0, 10_000_000), "0", "Requests a second for each key; 0: no limit.";
    "rate.per_address_per_s" number(0, 10_000_000), "0", "Requests a second for each address; 0: no limit.";
    "rate.failures_per_address_per_min" number(0, 1_000_000), "60", "Refused keys and tokens a minute for each address; valid ones are never counted. 0: no limit.";
    "cache.report_ms" number(0, 3_600_000), "5000", "How long a report (usage, statistics, sums) is kept at most. A write of its project ends that at once, a run that goes on by itself does not. 0: none are kept.";
    "redis.url" Kind::RedisUrl, "", "A Redis that servers share: rate limits count for all of them together, and reports are kept for all, until a write on any. Without it each server counts and keeps for itself.";
    "redis.prefix" Kind::Text, "runstone", "What its keys begin with: servers on one database need the same, others another.";
    "trace.otlp_endpoint" Kind::Url, "", "A collector that takes OTLP over HTTP, as in `http://collector:4318`: traces are sent to `/v1/traces` below it. Without it there are none.";
    "trace.otlp_headers" Kind::Secrets, "", "Headers for the collector, as in `authorization=Bearer …`.";
    "trace.service_name" Kind::Text, "runstone", "What the program is called in traces.";
    "trace.sample_percent" number(0, 100), "100", "How many of all traces are sent, chosen by their id: the same ones on every server.";
    "engine.lease_ms" number(100, 3_600_000), "10000", "A server not heard of for so long is dead; its runs are taken over.";
    "engine.max_live_runs" number(1, 1_000_000), "20000", "Runs executed by this server at the same time.";
    "http.allow" Kind::List, "", "Hosts and networks that `http` nodes may reach although they are private.";
    "shutdown.drain_ms" number(0, 600_000), "10000", "How long answers and steps under way get at the end.";
    "log.level" Kind::OneOf(&["error", "warn", "info", "debug", "trace"]), "info", "What is logged.";
    "log.slow_statement_ms" number(0, 3_600_000), "500", "A database statement that takes so long is logged with its name, time and rows, never its values; 0: none.";
    "log.format" Kind::OneOf(&["text", "json"]), "json", "How it is logged, on stderr.";
}
