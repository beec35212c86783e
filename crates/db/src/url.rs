//! Database URLs, read once for every server: user, hosts in their order, database, and options
//! that have the same names everywhere. What is wrong is named, what is secret never.
use crate::{
    error::{Class, Error, masked},
    options::Options,
    tls::{SslMode, Tls},
};
use rustls::ClientConfig;
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

/// What the URLs of one kind of server look like.
#[derive(Debug)]
pub(crate) struct Kind {
    /// A URL as it should be, for messages.
    pub(crate) example: &'static str,
    /// The port when none is given.
    pub(crate) port: u16,
    /// The driver's own options, beside those that every server has.
    pub(crate) native: &'static [&'static str],
}

/// A server, or the folder of its socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.starts_with('/') {
            f.write_str(&self.name)
        } else if self.name.contains(':') {
            write!(f, "[{}]:{}", self.name, self.port)
        } else {
            write!(f, "{}:{}", self.name, self.port)
        }
    }
}

/// What a URL says.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// In the order in which they are tried; never empty.
    pub(crate) hosts: Vec<Host>,
    pub(crate) database: Option<String>,
    pub(crate) tls: Tls,
    /// The caller's, with what the URL says in their place.
    pub(crate) options: Options,
    /// The URL without its password.
    pub(crate) shown: String,
    native: Vec<(String, String)>,
}

/// The options that every server has.
const COMMON: [&str; 12] = [
    "pool_size",
    "acquire_timeout_ms",
    "connect_timeout_ms",
    "statement_timeout_ms",
    "idle_s",
    "max_age_s",
    "sslmode",
    "sslrootcert",
    "host",
    "port",
    "user",
    "password",
];
/// The options of SQLite.
const OF_FILES: [&str; 4] = [
    "pool_size",
    "acquire_timeout_ms",
    "statement_timeout_ms",
    "busy_timeout_ms",
];
/// What the drivers add to those of servers.
const NATIVE: [&str; 7] = [
    "application_name",
    "ca",
    "encrypt",
    "host_name_in_certificate",
    "options",
    "target_session_attrs",
    "trust_server_certificate",
];
/// What is said of a piece behind a password, which may be the rest of it.
const REST_OF_PASSWORD: &str = "what stands behind the password is no option; in a password write \
     `%26` for `&`";
const DAY_MS: u64 = 86_400_000;
const YEAR_S: u64 = 366 * 86_400;

impl Target {
    /// Reads `url`; its options take the place of those in `options`.
    pub(crate) fn parse(url: &str, kind: &Kind, options: &Options) -> Result<Self, Error> {
        let shown = masked(url);
        read(url, kind, options, &shown).map_err(|why| {
            unavailable(format!(
                "the database URL `{shown}` is not understood: {why}"
            ))
        })
    }

    /// What rustls needs; an error where the file of authorities cannot be used.
    pub(crate) fn usable_tls(&self) -> Result<Option<Arc<ClientConfig>>, Error> {
        self.tls.client_config().map_err(|error| Error {
            message: format!("cannot connect to {}: {}", self.shown, error.message),
            ..error
        })
    }

    /// One of the driver's own options.
    pub(crate) fn native(&self, name: &str) -> Option<&str> {
        self.native
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Connects to the first host that takes us, in their order. `connect` gets
    /// `connect_timeout` for each; when all fail, the error tells about each.
    pub(crate) async fn first_host<'a, T, W>(
        &'a self,
        connect: impl Fn(&'a Host) -> W,
    ) -> Result<T, Error>
    where
        W: Future<Output = Result<T, Error>>,
    {
        let limit = self.options.connect_timeout;
        let mut faults: Vec<(&Host, Error)> = Vec::new();
        for host in &self.hosts {
            let done = tokio::time::timeout(limit, connect(host)).await;
            let done = done.unwrap_or_else(|_| {
                Err(unavailable(format!(
                    "cannot connect to {}: {host} did not answer within {limit:?}; check the \
                     address, the firewall and the server",
                    self.shown
                )))
            });
            match done {
                Ok(conn) => return Ok(conn),
                Err(error) => faults.push((host, error)),
            }
        }
        let (_, first) = faults
            .first()
            .cloned()
            .ok_or_else(|| unavailable(format!("`{}` names no host", self.shown)))?;
        if faults.len() == 1 {
            return Err(first);
        }
        // Only when all are alive is it not the server's absence.
        let same = faults.iter().all(|(_, error)| error.class == first.class);
        let class = if same {
            first.class
        } else {
            Class::Unavailable
        };
        let start = format!("cannot connect to {}: ", self.shown);
        let each: Vec<String> = faults
            .iter()
            .map(|(host, error)| {
                let why = error.message.strip_prefix(&start);
                format!("{host}: {}", why.unwrap_or(&error.message))
            })
            .collect();
        Err(Error::new(class, format!("{start}{}", each.join("; "))))
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("shown", &self.shown)
            .field("hosts", &self.hosts)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// The path and the options of `sqlite:PATH?options`, without the scheme.
pub(crate) fn file<'a>(rest: &'a str, options: &Options) -> Result<(&'a str, Options), Error> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut options = options.clone();
    let mut set = || {
        for (key, value) in pairs(query)? {
            let name = key.as_str();
            match name {
                _ if !OF_FILES.contains(&name) => return Err(unknown(name, &OF_FILES, &[])),
                "pool_size" => options.readers = count(name, &value)?,
                "busy_timeout_ms" => options.busy_timeout = time(name, &value)?,
                _ => common(name, &value, &mut options)?,
            }
        }
        Ok(())
    };
    set().map_err(|why: String| {
        unavailable(format!(
            "the database URL `sqlite:{path}?…` is not understood: {why}"
        ))
    })?;
    Ok((path, options))
}

fn read(url: &str, kind: &Kind, options: &Options, shown: &str) -> Result<Target, String> {
    let shaped = |why: &str| format!("{why}; write `{}`", kind.example);
    let (_, rest) = url
        .split_once("://")
        .ok_or_else(|| shaped("`://` is missing"))?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let of_password = match authority.contains('@') {
        false => tail.contains('@'),
        // In the query it may stand for itself.
        true => tail.split('?').next().unwrap_or(tail).contains('@'),
    };
    if of_password && authority.contains(':') {
        return Err("in a password write `%2F` for `/` and `%3F` for `?`".to_owned());
    }
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (login, None),
    };
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    let mut target = Target {
        user: some(decoded(user, "the user")?),
        password: password.map(|p| decoded(p, "the password")).transpose()?,
        hosts: Vec::new(),
        database: some(decoded(path.trim_start_matches('/'), "the database")?),
        tls: Tls::default(),
        options: options.clone(),
        shown: shown.to_owned(),
        native: Vec::new(),
    };
    let (mut names, mut ports) = (hosts.to_owned(), None);
    for (key, value) in pairs(query)? {
        match key.as_str() {
            "host" => names = value,
            "port" => ports = Some(value),
            "user" => target.user = some(value),
            "password" => target.password = Some(value),
            "sslmode" => target.tls.mode = Some(SslMode::parse(&value)?),
            "sslrootcert" => target.tls.root = Some(PathBuf::from(value)),
            name if COMMON.contains(&name) => common(name, &value, &mut target.options)?,
            name if kind.native.contains(&name) => target.native.push((key, value)),
            name => return Err(unknown(name, &COMMON, kind.native)),
        }
    }
    target.tls.check()?;
    let port = match ports {
        Some(text) => port(&text)?,
        None => kind.port,
    };
    for name in names.split(',').filter(|name| !name.is_empty()) {
        target.hosts.push(host(name, port)?);
    }
    if target.hosts.is_empty() {
        return Err(shaped("it names no host"));
    }
    Ok(target)
}

fn common(name: &str, value: &str, options: &mut Options) -> Result<(), String> {
    match name {
        "pool_size" => options.pool_size = count(name, value)?,
        "acquire_timeout_ms" => options.acquire_timeout = time(name, value)?,
        "connect_timeout_ms" => options.connect_timeout = time(name, value)?,
        "statement_timeout_ms" => options.statement_timeout = time(name, value)?,
        "idle_s" => options.idle_age = Duration::from_secs(number(name, value, 0, YEAR_S)?),
        "max_age_s" => options.max_age = Duration::from_secs(number(name, value, 0, YEAR_S)?),
        _ => return Err(format!("the option `{name}` cannot stand here")),
    }
    Ok(())
}

fn unknown(name: &str, known: &[&str], native: &[&str]) -> String {
    let mut all: Vec<&str> = known.iter().chain(native).copied().collect();
    all.sort_unstable();
    let all = all.join(", ");
    format!("the option `{name}` is not known; there are {all}")
}

/// Whether any kind of database has an option of that name.
pub(crate) fn is_option(name: &str) -> bool {
    COMMON.contains(&name) || OF_FILES.contains(&name) || NATIVE.contains(&name)
}

/// The name of an option, decoded where that can be done.
pub(crate) fn name_of(key: &str) -> String {
    decoded(key, "").unwrap_or_else(|_| key.to_owned())
}

/// The options, decoded. Each may stand once.
fn pairs(query: &str) -> Result<Vec<(String, String)>, String> {
    let mut all: Vec<(String, String)> = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let behind = all.iter().any(|(known, _)| known == "password");
        if behind
            && !part
                .split_once('=')
                .is_some_and(|(key, _)| is_option(&name_of(key)))
        {
            return Err(REST_OF_PASSWORD.to_owned());
        }
        let Some((key, value)) = part.split_once('=') else {
            return Err(format!(
                "the option `{part}` has no value; write `{part}=…`"
            ));
        };
        let key = decoded(key, "the name of an option")?;
        if all.iter().any(|(known, _)| *known == key) {
            return Err(format!("the option `{key}` is given twice"));
        }
        let value = decoded(value, &format!("the option `{key}`"))?;
        all.push((key, value));
    }
    Ok(all)
}

fn host(text: &str, default: u16) -> Result<Host, String> {
    let text = decoded(text, "a host")?;
    if text.starts_with('/') {
        return Ok(Host {
            name: text,
            port: default,
        });
    }
    let (name, tail) = match text.strip_prefix('[') {
        Some(rest) => rest
            .split_once(']')
            .ok_or("a host begins with `[` and has no `]`")?,
        None => match text.rfind(':') {
            Some(at) => text.split_at(at),
            None => (text.as_str(), ""),
        },
    };
    let port = match tail.strip_prefix(':') {
        Some(text) => port(text)?,
        None if tail.is_empty() => default,
        None => return Err(format!("`{tail}` behind a host is no port")),
    };
    if name.is_empty() {
        return Err("a host's name is missing before its port".to_owned());
    }
    Ok(Host {
        name: name.to_owned(),
        port,
    })
}

fn port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err("the port must be a number from 1 to 65535".to_owned()),
    }
}

fn count(name: &str, value: &str) -> Result<usize, String> {
    let count = number(name, value, 1, 10_000)?;
    usize::try_from(count).map_err(|_| format!("`{name}` is too large"))
}

fn time(name: &str, value: &str) -> Result<Duration, String> {
    number(name, value, 1, DAY_MS).map(Duration::from_millis)
}

fn number(name: &str, value: &str, least: u64, most: u64) -> Result<u64, String> {
    match value.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!(
            "the option `{name}` must be a whole number from {least} to {most}"
        )),
    }
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// `%41` as `A`. `place` is named when it cannot be read, because the text may be a secret.
fn decoded(text: &str, place: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, more)) = rest.split_first() {
        rest = more;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let digit = |at: usize| rest.get(at).and_then(|b| char::from(*b).to_digit(16));
        let (Some(high), Some(low)) = (digit(0), digit(1)) else {
            return Err(format!(
                "{place} has a `%` without two hex digits; write `%25`"
            ));
        };
        bytes.extend(u8::try_from(high * 16 + low));
        rest = rest.get(2..).unwrap_or_default();
    }
    String::from_utf8(bytes).map_err(|_| format!("{place} is not UTF-8"))
}

fn unavailable(message: impl Into<String>) -> Error {
    Error::new(Class::Unavailable, message)
}

#[cfg(test)]
mod tests;
