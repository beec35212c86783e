//! Whether a value fits its setting, in words that help to mend it. Never repeats the value: it may
//! be a secret.
use std::net::SocketAddr;

use super::{keys::Kind, read::items};

/// What people leave in files that they copied, anywhere in a value.
const PLACEHOLDERS: [&str; 4] = ["changeme", "change-me", "change_me", "replace-me"];
/// The same, where it is all there is: `todo.db` is a good name.
const WHOLE: [&str; 2] = ["todo", "fixme"];
/// The same, where a part of a value begins: `login.your-company.example` is a good name.
const YOUR: [&str; 4] = ["your-", "//your-", ":your-", "@your-"];

fn is_placeholder(text: &str) -> bool {
    let lower = text.to_lowercase();
    let angled = lower.contains('<') && lower.contains('>');
    angled
        || PLACEHOLDERS.iter().any(|word| lower.contains(word))
        || WHOLE.iter().any(|word| lower == *word)
        || lower.starts_with(YOUR[0])
        || YOUR[1..].iter().any(|part| lower.contains(part))
}

/// A header out of `name=value`.
pub(super) fn header(item: &str) -> Option<(String, String)> {
    let (name, value) = item.split_once('=')?;
    let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
    let fits = axum::http::HeaderName::try_from(&name).is_ok()
        && axum::http::HeaderValue::try_from(&value).is_ok();
    fits.then_some((name, value))
}

/// Why `text` does not fit; None when it does.
pub(super) fn wrong(kind: Kind, text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("is empty; leave the setting out instead".to_owned());
    }
    if is_placeholder(text) {
        return Some("is still a placeholder; put the real value there".to_owned());
    }
    match kind {
        Kind::Text | Kind::List => None,
        Kind::Secrets => {
            let wrong = items(text).iter().any(|item| header(item).is_none());
            wrong.then(|| "must be headers, as in `name=value`".to_owned())
        }
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
        Kind::RedisUrl => {
            let scheme = text.starts_with("redis://") || text.starts_with("rediss://");
            let fits = scheme && redis::Client::open(text).is_ok();
            (!fits).then(|| {
                "must be a URL of Redis, as in `redis://host:6379` or, with TLS, \
                 `rediss://user:password@host:6379/0`"
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_to_fill_in_is_told_from_names_that_look_like_it() {
        for left in [
            "TODO",
            "<password>",
            "changeme",
            "your-issuer",
            "https://your-issuer.example",
            "postgres://user:your-password@host/db",
        ] {
            assert!(is_placeholder(left), "{left}");
        }
        for name in [
            "sqlite:/srv/todo.db",
            "postgres://u@h/todolist",
            "todo-app",
            "https://login.your-company.example",
            "sqlite:fixme.db",
        ] {
            assert!(!is_placeholder(name), "{name}");
        }
    }
}
