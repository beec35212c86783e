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
/// `operations` are the paths of the table: what ends like a verb that they do not have is a name.
pub(crate) fn rewrite<'a>(uri: &Uri, operations: impl Iterator<Item = &'a str>) -> Option<Uri> {
    let path = uri.path();
    let mut verbs = operations.filter(|path| split(path).is_some()).map(routed);
    let last = path.rsplit('/').next().unwrap_or_default();
    if last.starts_with(MARK) {
        return (!verbs.any(|verb| matches(&verb, path))).then(|| uri.clone());
    }
    let Some((before, verb)) = split(path) else {
        return Some(uri.clone());
    };
    let path = format!("{before}/{MARK}{verb}");
    if !verbs.any(|verb| matches(&verb, &path)) {
        return Some(uri.clone());
    }
    let query = uri.query().map(|query| format!("?{query}"));
    let path = path + &query.unwrap_or_default();
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Uri::from_parts(parts).ok()
}

/// Whether `path` is one of the pattern `route`, both in the router's form.
pub(crate) fn matches(route: &str, path: &str) -> bool {
    let (mut route, mut path) = (route.split('/'), path.split('/'));
    loop {
        match (route.next(), path.next()) {
            (None, None) => return true,
            (Some(pattern), Some(segment)) if pattern == segment => {}
            (Some(pattern), Some(segment)) if pattern.starts_with('{') && !segment.is_empty() => {}
            _ => return false,
        }
    }
}

/// The path as its caller wrote it, for a path in the router's form.
pub(crate) fn written<'a>(path: &str, operations: impl Iterator<Item = &'a str>) -> String {
    let mut verbs = operations.filter(|path| split(path).is_some()).map(routed);
    match path.rsplit_once('/') {
        Some((before, last))
            if last.starts_with(MARK) && verbs.any(|verb| matches(&verb, path)) =>
        {
            format!("{before}:{}", &last[1..])
        }
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [&str; 6] = [
        "/runs/{run}",
        "/runs/{run}:cancel",
        "/flows:validate",
        "/documents/{document}:update-state",
        "/members/{subject}",
        "/a/{b}/c:d",
    ];

    fn rewritten(path: &str) -> Option<String> {
        let uri: Uri = path.parse().unwrap_or_default();
        rewrite(&uri, TABLE.into_iter()).map(|uri| uri.to_string())
    }

    #[test]
    fn a_verb_of_the_table_becomes_a_segment_and_nothing_else_does() {
        for (path, found) in [
            ("/runs/1:cancel", "/runs/1/~cancel"),
            ("/runs/1:cancel?x=a:b", "/runs/1/~cancel?x=a:b"),
            ("/flows:validate", "/flows/~validate"),
            (
                "/documents/a:b:update-state",
                "/documents/a:b/~update-state",
            ),
            ("/a/x:y/c:d", "/a/x:y/c/~d"),
            ("/runs/1", "/runs/1"),
            ("/runs/1:stop", "/runs/1:stop"),
            ("/members/user:ada", "/members/user:ada"),
            ("/members/user:cancel", "/members/user:cancel"),
            ("/a:b/c", "/a:b/c"),
            ("/runs/:cancel", "/runs/:cancel"),
            ("/runs/1:", "/runs/1:"),
            ("/runs/1:2", "/runs/1:2"),
            ("/", "/"),
        ] {
            assert_eq!(rewritten(path).as_deref(), Some(found), "{path}");
            let before = path.split('?').next().unwrap_or_default();
            let routed = found.split('?').next().unwrap_or_default();
            assert_eq!(written(routed, TABLE.into_iter()), before);
        }
    }

    #[test]
    fn the_routers_form_is_nobody_elses() {
        assert_eq!(rewritten("/runs/1/~cancel"), None);
        assert_eq!(rewritten("/members/~ada").as_deref(), Some("/members/~ada"));
        assert_eq!(written("/members/~ada", TABLE.into_iter()), "/members/~ada");
    }
}
