//! Verbs: `/runs/{run}:cancel` is written that way and routed as `/runs/{run}/~cancel`, because the
//! router only knows whole segments.
use axum::http::{Uri, uri::PathAndQuery};

/// What a verb begins with inside the router.
const MARK: char = '~';

/// The router's path for a path of the table.
pub(crate) fn routed(path: &str) -> String {
    match split(path) {
        Some((before, verb)) => format!("{before}/{MARK}{verb}"),
        None => path.to_owned(),
    }
}

/// The path before a verb, and the verb.
fn split(path: &str) -> Option<(&str, &str)> {
    let last = path.rfind('/')?;
    let colon = path[last..].rfind(':')? + last;
    let verb = &path[colon + 1..];
    let plain = |b: u8| b.is_ascii_lowercase() || b == b'-' || b == b'_';
    (colon > last + 1 && !verb.is_empty() && verb.bytes().all(plain))
        .then(|| (&path[..colon], verb))
}

/// The router's form of a request's address; None for one that is written in that form already.
pub(crate) fn rewrite(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    if path.split('/').any(|segment| segment.starts_with(MARK)) {
        return None;
    }
    let Some((before, verb)) = split(path) else {
        return Some(uri.clone());
    };
    let query = uri.query().map(|query| format!("?{query}"));
    let path = format!("{before}/{MARK}{verb}{}", query.unwrap_or_default());
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Uri::from_parts(parts).ok()
}

/// The path as its caller wrote it, for a path in the router's form.
pub(crate) fn written(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((before, last)) if last.starts_with(MARK) && last.len() > 1 => {
            format!("{before}:{}", &last[1..])
        }
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_becomes_a_segment_and_nothing_else_does() {
        for (path, found) in [
            ("/runs/1:cancel", "/runs/1/~cancel"),
            ("/runs/1:cancel?x=a:b", "/runs/1/~cancel?x=a:b"),
            ("/flows:validate", "/flows/~validate"),
            (
                "/documents/a:b:update-state",
                "/documents/a:b/~update-state",
            ),
            ("/runs/1", "/runs/1"),
            ("/a:b/c", "/a:b/c"),
            ("/runs/:cancel", "/runs/:cancel"),
            ("/runs/1:", "/runs/1:"),
            ("/runs/1:2", "/runs/1:2"),
            ("/", "/"),
        ] {
            let uri: Uri = path.parse().unwrap_or_default();
            assert_eq!(
                rewrite(&uri).unwrap_or_default().to_string(),
                found,
                "{path}"
            );
            let before = path.split('?').next().unwrap_or_default();
            let routed = found.split('?').next().unwrap_or_default();
            assert_eq!(written(routed), before);
        }
    }

    #[test]
    fn the_routers_form_is_nobody_elses() {
        let uri: Uri = "/runs/1/~cancel".parse().unwrap_or_default();
        assert_eq!(rewrite(&uri), None);
    }
}
