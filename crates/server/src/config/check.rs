//! Whether a value fits its setting, in words that help to mend it. Never repeats the value: it may
//! be a secret.
use std::net::SocketAddr;

use super::keys::Kind;

/// What people leave in files that they copied.
const PLACEHOLDERS: [&str; 7] = [
    "changeme",
    "change-me",
    "change_me",
    "todo",
    "fixme",
    "replace-me",
    "your-",
];

/// Why `text` does not fit; None when it does.
pub(super) fn wrong(kind: Kind, text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("is empty; leave the setting out instead".to_owned());
    }
    let lower = text.to_lowercase();
    let angled = lower.contains('<') && lower.contains('>');
    if angled
        || PLACEHOLDERS
            .iter()
            .any(|placeholder| lower.contains(placeholder))
    {
        return Some("is still a placeholder; put the real value there".to_owned());
    }
    match kind {
        Kind::Text | Kind::List => None,
        Kind::DatabaseUrl => {
            let known = [
                "sqlite:",
                "postgres://",
                "postgresql://",
                "mysql://",
                "mariadb://",
                "mssql://",
                "sqlserver://",
            ];
            let fits = known.iter().any(|scheme| text.starts_with(scheme));
            (!fits).then(|| {
                "must be a database URL, as in `sqlite:FILE` or `postgres://user@host/database`"
                    .to_owned()
            })
        }
        Kind::Url => {
            let rest = text
                .strip_prefix("https://")
                .or_else(|| text.strip_prefix("http://"));
            let fits = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
            (!fits).then(|| "must be a URL that begins with http:// or https://".to_owned())
        }
        Kind::Listen => text
            .parse::<SocketAddr>()
            .is_err()
            .then(|| "must be an address and a port, as in 127.0.0.1:7878 or [::]:7878".to_owned()),
        Kind::Number { min, max } => {
            let fits = text
                .parse::<u64>()
                .is_ok_and(|number| (min..=max).contains(&number));
            (!fits).then(|| format!("must be a whole number from {min} to {max}"))
        }
        Kind::OneOf(words) => {
            (!words.contains(&text)).then(|| format!("must be one of {}", words.join(", ")))
        }
    }
}
