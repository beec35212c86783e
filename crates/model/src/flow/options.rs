//! The options of a node that are read the same way whatever its kind: `retry`, `on_error`,
//! `for_each`.
use super::{
    ForEach, OnError, OnItemError, Retry,
    doc::{Content, Doc},
    names::{InScope, Names, no_template, template},
    nodes::{DEFAULT_ATTEMPTS, MOST_ATTEMPTS, MOST_PARALLEL, RETRY_KEYS},
    reader::{Path, Reader},
};
use crate::limits::DEFAULT_PARALLEL;

pub(super) fn retry(r: &mut Reader<'_>, doc: &Doc, path: &Path<'_>) -> Retry {
    let mut retry = Retry::default();
    if r.map(doc, path).is_none() {
        return retry;
    }
    r.only_keys(doc, path, &RETRY_KEYS, &[]);
    retry.max_attempts = doc
        .get("max_attempts")
        .and_then(|d| r.whole(d, &path.key("max_attempts"), 1, MOST_ATTEMPTS.into()))
        .and_then(|n| u32::try_from(n).ok())
        .unwrap_or(DEFAULT_ATTEMPTS);
    if let Some(d) = doc.get("initial") {
        retry.initial = r.duration(d, &path.key("initial")).unwrap_or(retry.initial);
        retry.max = retry.max.max(retry.initial);
    }
    if let Some(d) = doc.get("max") {
        let max = r.duration(d, &path.key("max"));
        if max.is_some_and(|max| max < retry.initial) {
            let mend = "make `max` at least as long as `initial`";
            r.bad_value(d, &path.key("max"), "`max` is shorter than `initial`", mend);
        }
        retry.max = max.unwrap_or(retry.max);
    }
    if let Some(d) = doc.get("factor") {
        retry.factor = r
            .number(d, &path.key("factor"), 1.0, 100.0)
            .unwrap_or(retry.factor);
    }
    if let Some(d) = doc.get("jitter") {
        retry.jitter = r
            .number(d, &path.key("jitter"), 0.0, 1.0)
            .unwrap_or(retry.jitter);
    }
    if let Some(d) = doc.get("on") {
        let path = path.key("on");
        for (i, class) in r.list(d, &path).unwrap_or_default().iter().enumerate() {
            retry.on.extend(r.class(class, &path.index(i)));
        }
    }
    retry
}

pub(super) fn on_error(r: &mut Reader<'_>, doc: &Doc, path: &Path<'_>) -> Option<OnError> {
    if let Content::Map(_) = doc.content {
        r.only_keys(doc, path, &["goto"], &[]);
        return match doc.get("goto") {
            Some(target) => r.text(target, &path.key("goto")).map(|_| OnError::Goto),
            None => {
                r.bad_value(
                    doc,
                    path,
                    "`goto` names no node",
                    "write `on_error: {goto: <node>}`",
                );
                None
            }
        };
    }
    match doc.as_text() {
        Some("fail") => Some(OnError::Fail),
        Some("continue") => Some(OnError::Continue),
        _ => {
            let mend = "write `fail`, `continue` or `{goto: <node>}`";
            r.bad_value(doc, path, "`on_error` is none of its three forms", mend);
            None
        }
    }
}

const ON_ITEM_ERROR: [(&str, OnItemError); 2] = [
    ("fail", OnItemError::Fail),
    ("continue", OnItemError::Continue),
];

pub(super) fn for_each(
    r: &mut Reader<'_>,
    names: &Names<'_>,
    node: &Doc,
    path: &Path<'_>,
) -> Option<ForEach> {
    let max_parallel = node.get("max_parallel");
    let on_item_error = node.get("on_item_error");
    let Some(doc) = node.get("for_each") else {
        for (key, given) in [
            ("max_parallel", max_parallel),
            ("on_item_error", on_item_error),
        ] {
            if let Some(given) = given {
                let message = format!("`{key}` has no meaning without `for_each`");
                let mend = "add `for_each:`, or remove the key";
                r.problem("misplaced_key", given.at, path.key(key), message, mend);
            }
        }
        return None;
    };
    let list_path = path.key("for_each");
    let is_list = match &doc.content {
        Content::List(_) => true,
        Content::Text(text, _) => text.trim().starts_with("${{") && text.trim().ends_with("}}"),
        _ => false,
    };
    if !is_list {
        r.wrong_type(doc, &list_path, "a list, or `${{ }}` that gives one");
    }
    let list = template(r, names, doc, &list_path, InScope::BASE);
    let max_parallel = max_parallel
        .and_then(|d| r.whole(d, &path.key("max_parallel"), 1, MOST_PARALLEL.into()))
        .and_then(|n| u32::try_from(n).ok())
        .unwrap_or(DEFAULT_PARALLEL);
    let on_item_error = on_item_error
        .and_then(|d| r.word(d, &path.key("on_item_error"), &ON_ITEM_ERROR))
        .unwrap_or(OnItemError::Fail);
    Some(ForEach {
        list: list.unwrap_or_else(no_template),
        max_parallel,
        on_item_error,
    })
}
