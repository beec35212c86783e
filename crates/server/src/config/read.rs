//! Reads the settings from their three sources and puts them together.
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use runstone_db::masked;
use runstone_model::problem::nearest;

use super::{
    AuthSettings, KEYS, Key, Kind, LimitSettings, LogFormat, LogSettings, OidcSettings,
    RateSettings, RedisSettings, Settings, TraceSettings, check,
};

/// Where settings come from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file, if one is named.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// Names of our variables in the environment whose values are no text.
    pub unreadable: Vec<String>,
    /// Flags: the setting, its value, the flag's name.
    pub flags: Vec<(&'static str, String, &'static str)>,
    /// Defaults that the command changes: the setting and its value.
    pub defaults: Vec<(&'static str, &'static str)>,
}

/// One setting that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The file, the variable or the flag.
    pub source: String,
    /// The setting.
    pub key: String,
    /// What is wrong, and how to mend it.
    pub message: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.source, self.key, self.message)
    }
}

/// The settings, and where each comes from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    values: BTreeMap<&'static str, (String, String)>,
}

impl Loaded {
    /// The settings as a file, each with its source; secrets masked.
    #[must_use]
    pub fn print(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        for key in KEYS {
            let (of, name) = key.path.split_once('.').unwrap_or(("", key.path));
            if of != section {
                let space = if section.is_empty() { "" } else { "\n" };
                text.push_str(&format!("{space}[{of}]\n"));
                section = of;
            }
            match self.values.get(key.path) {
                Some((value, source)) => {
                    text.push_str(&format!("{name} = {}  # {source}\n", shown(key, value)));
                }
                None => text.push_str(&format!("# {name} is not set\n")),
            }
        }
        text
    }
}

/// A value as TOML, its secrets masked.
fn shown(key: &Key, value: &str) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    match key.kind {
        Kind::Number { .. } => value.to_owned(),
        Kind::DatabaseUrl | Kind::RedisUrl => quoted(&masked(value)),
        Kind::Secrets => {
            let names = items(value);
            let names = names.iter().filter_map(|item| item.split('=').next());
            let masked: Vec<String> = names.map(|name| quoted(&format!("{name}=***"))).collect();
            format!("[{}]", masked.join(", "))
        }
        Kind::List => {
            let items: Vec<String> = items(value).iter().map(|item| quoted(item)).collect();
            format!("[{}]", items.join(", "))
        }
        Kind::Text | Kind::Url | Kind::Listen | Kind::OneOf(_) => quoted(value),
    }
}

pub(super) fn items(value: &str) -> Vec<String> {
    let parts = value.split(',').map(str::trim);
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Variables with our prefix that are no settings.
const OTHERS: [&str; 3] = [
    "RUNSTONE_CONFIG",
    "RUNSTONE_BACKUP_PASSPHRASE",
    "RUNSTONE_BENCH_KEY",
];
/// What other variables begin with that are no settings.
const FAMILIES: [&str; 2] = ["RUNSTONE_SECRET_", "RUNSTONE_TEST_"];

/// Reads everything; or says everything that is wrong.
///
/// # Errors
/// Every setting that is wrong, missing or unknown.
pub fn load(sources: &Sources) -> Result<Loaded, Vec<Trouble>> {
    let mut reader = Reader::default();
    for key in KEYS {
        let own = sources.defaults.iter().find(|(path, _)| *path == key.path);
        let default = own.map_or(key.default, |(_, value)| value);
        if !default.is_empty() {
            reader
                .values
                .insert(key.path, (default.to_owned(), "default".to_owned()));
        }
    }
    if let Some(file) = &sources.file {
        reader.file(file);
    }
    for (name, value) in &sources.environment {
        reader.variable(name, value);
    }
    for name in &sources.unreadable {
        let message = "is not UTF-8; write it in ASCII, or put it into the file";
        reader.trouble("the environment", name, message);
    }
    for (path, value, flag) in &sources.flags {
        reader.set(path, value.clone(), format!("--{flag}"), path);
    }
    let settings = reader.settings();
    match settings {
        Some(settings) if reader.troubles.is_empty() => Ok(Loaded {
            settings,
            values: reader.values,
        }),
        _ => Err(reader.troubles),
    }
}

#[derive(Default)]
struct Reader {
    values: BTreeMap<&'static str, (String, String)>,
    troubles: Vec<Trouble>,
}

impl Reader {
    fn trouble(&mut self, source: &str, key: &str, message: impl Into<String>) {
        self.troubles.push(Trouble {
            source: source.to_owned(),
            key: key.to_owned(),
            message: message.into(),
        });
    }

    /// Takes a value; `name` is what its source calls it.
    fn set(&mut self, path: &str, value: String, source: String, name: &str) {
        let Some(key) = KEYS.iter().find(|key| key.path == path) else {
            let near = nearest(path, KEYS.iter().map(|key| key.path));
            let mend = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
            self.trouble(&source, name, format!("is not a setting{mend}"));
            return;
        };
        match check::wrong(key.kind, &value) {
            Some(message) => self.trouble(&source, name, message),
            None => {
                self.values.insert(key.path, (value, source));
            }
        }
    }

    fn file(&mut self, file: &Path) {
        let source = file.display().to_string();
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => {
                return self.trouble(&source, "the file", format!("cannot be read: {error}"));
            }
        };
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                let error: toml::de::Error = error;
                let message = error.message().to_owned();
                let line = error.span().map_or(0, |span| {
                    1 + text
                        .bytes()
                        .take(span.start)
                        .filter(|b| *b == b'\n')
                        .count()
                });
                return self.trouble(
                    &source,
                    &format!("line {line}"),
                    format!("is not TOML: {message}"),
                );
            }
        };
        for (section, value) in table {
            let toml::Value::Table(keys) = value else {
                self.trouble(&source, &section, "must be a section, as in [server]");
                continue;
            };
            for (name, value) in keys {
                let path = format!("{section}.{name}");
                match text_of(&value) {
                    Some(value) => self.set(&path, value, source.clone(), &path),
                    None => self.trouble(
                        &source,
                        &path,
                        "must be a text, a number or a list of texts",
                    ),
                }
            }
        }
    }

    fn variable(&mut self, name: &str, value: &str) {
        let other = OTHERS.contains(&name) || FAMILIES.iter().any(|begin| name.starts_with(begin));
        if !name.starts_with("RUNSTONE_") || other || value.is_empty() {
            return;
        }
        match KEYS.iter().find(|key| key.variable() == name) {
            Some(key) => self.set(
                key.path,
                value.to_owned(),
                "the environment".to_owned(),
                name,
            ),
            None => {
                let names: Vec<String> = KEYS.iter().map(Key::variable).collect();
                let known = names.iter().map(String::as_str).chain(OTHERS);
                let near = nearest(name, known);
                let mend = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
                self.trouble("the environment", name, format!("is not a setting{mend}"));
            }
        }
    }

    fn text(&self, path: &str) -> Option<String> {
        self.values.get(path).map(|(value, _)| value.clone())
    }

    fn number<T: TryFrom<u64>>(&self, path: &str) -> Option<T> {
        let number: u64 = self.values.get(path)?.0.parse().ok()?;
        T::try_from(number).ok()
    }

    fn oidc(&mut self) -> Option<OidcSettings> {
        let audience = self.text("auth.oidc_audience");
        let jwks_url = self.text("auth.oidc_jwks_url");
        let admins = self.text("auth.oidc_admins");
        let Some(issuer) = self.text("auth.oidc_issuer") else {
            if audience.is_some() || jwks_url.is_some() || admins.is_some() {
                let message = "is missing, but other settings of an issuer are there";
                self.trouble("the configuration", "auth.oidc_issuer", message);
            }
            return None;
        };
        let Some(audience) = audience else {
            let message = "is missing: without it, tokens for other programs would be taken";
            self.trouble("the configuration", "auth.oidc_audience", message);
            return None;
        };
        Some(OidcSettings {
            issuer,
            audience,
            jwks_url,
            roles_claim: self.text("auth.oidc_roles_claim"),
            admins: items(&admins.unwrap_or_default()),
        })
    }

    fn redis(&self) -> Option<RedisSettings> {
        Some(RedisSettings {
            url: self.text("redis.url")?,
            prefix: self.text("redis.prefix")?,
        })
    }

    fn trace(&self) -> Option<TraceSettings> {
        let headers = items(&self.text("trace.otlp_headers").unwrap_or_default());
        Some(TraceSettings {
            endpoint: self.text("trace.otlp_endpoint")?,
            headers: headers
                .iter()
                .filter_map(|item| check::header(item))
                .collect(),
            service_name: self.text("trace.service_name")?,
            sample_percent: self.number("trace.sample_percent")?,
        })
    }

    fn settings(&mut self) -> Option<Settings> {
        let oidc = self.oidc();
        let format = match self.text("log.format")?.as_str() {
            "text" => LogFormat::Text,
            _ => LogFormat::Json,
        };
        Some(Settings {
            listen: self.text("server.listen")?.parse().ok()?,
            database_url: self.text("database.url")?,
            auth: AuthSettings {
                off: false,
                oidc,
                key_cache_ms: self.number("auth.key_cache_ms")?,
            },
            limits: LimitSettings {
                body_bytes: self.number("limits.body_bytes")?,
                header_bytes: self.number("limits.header_bytes")?,
                header_timeout_ms: self.number("limits.header_timeout_ms")?,
                body_timeout_ms: self.number("limits.body_timeout_ms")?,
                request_timeout_ms: self.number("limits.request_timeout_ms")?,
                write_timeout_ms: self.number("limits.write_timeout_ms")?,
                concurrent_requests: self.number("limits.concurrent_requests")?,
                connections: self.number("limits.connections")?,
                watchers: self.number("limits.watchers")?,
                heartbeat_ms: self.number("limits.heartbeat_ms")?,
                slow_watcher_ms: self.number("limits.slow_watcher_ms")?,
            },
            rate: RateSettings {
                per_key_per_s: self.number("rate.per_key_per_s")?,
                per_address_per_s: self.number("rate.per_address_per_s")?,
                failures_per_address_per_min: self.number("rate.failures_per_address_per_min")?,
            },
            report_ms: self.number("cache.report_ms")?,
            redis: self.redis(),
            trace: self.trace(),
            lease_ms: self.number("engine.lease_ms")?,
            max_live_runs: self.number("engine.max_live_runs")?,
            http_allow: self.text("http.allow").unwrap_or_default(),
            drain_ms: self.number("shutdown.drain_ms")?,
            log: LogSettings {
                level: self.text("log.level")?,
                format,
                slow_statement_ms: self.number("log.slow_statement_ms")?,
            },
        })
    }
}

/// A value of the file as the text that the environment would have.
fn text_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Array(items) => {
            let items: Option<Vec<&str>> = items.iter().map(toml::Value::as_str).collect();
            items.map(|items| items.join(","))
        }
        toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_)
        | toml::Value::Table(_) => None,
    }
}
