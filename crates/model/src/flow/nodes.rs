//! Reads `nodes:` into [`Node`]s. Edges, also those of `route:`, are read in `edges`.
use super::{
    Join, Node, OnError, Out,
    doc::{Content, Doc},
    names::{InScope, Names, condition, no_template, template},
    options,
    reader::{NODE_NAME, Path, Reader, is_name},
    schema::KindSchemas,
    state::check_constant,
};
use crate::{expr::Root, limits::MAX_NODES, problem::Place};

/// The kind whose `with` is the patch to the state.
pub(super) const SET: &str = "set";

/// Every key of a node; the last one, `name`, only in a list of nodes.
pub(super) const NODE_KEYS: [&str; 14] = [
    "uses",
    "description",
    "if",
    "for_each",
    "max_parallel",
    "on_item_error",
    "with",
    "out",
    "retry",
    "timeout",
    "on_error",
    "join",
    "route",
    "name",
];

/// Keys of a node whose feature is not built yet.
pub(super) const LATER_NODE_KEYS: [&str; 9] = [
    "interrupt",
    "compensate",
    "cache",
    "at_most_once",
    "queue",
    "concurrency",
    "rate",
    "priority",
    "durability",
];

pub(super) const RETRY_KEYS: [&str; 6] =
    ["max_attempts", "initial", "factor", "max", "jitter", "on"];

/// Attempts when `retry:` does not say how many.
pub(super) const DEFAULT_ATTEMPTS: u32 = 3;
pub(super) const MOST_ATTEMPTS: u32 = 1_000;
pub(super) const MOST_PARALLEL: u32 = 1_000;

/// A node before its values are read.
pub(super) struct RawNode<'d> {
    pub(super) name: &'d str,
    pub(super) at: Place,
    pub(super) doc: &'d Doc,
    /// Whether it has its name as a key of its own.
    listed: bool,
}

/// The nodes by name: a map, or a list of maps with `name` (what the stored form uses, because JSON
/// maps have no order and the order of the nodes matters).
pub(super) fn raw_nodes<'d>(
    r: &mut Reader<'_>,
    doc: Option<&'d Doc>,
    root: &Doc,
) -> Vec<RawNode<'d>> {
    let path = Path::ROOT.key("nodes");
    let Some(doc) = doc else {
        let mend = "add for example `nodes: {first: {uses: log, with: {message: hello}}}`";
        r.problem(
            "missing_key",
            root.at,
            path,
            "the flow has no `nodes`",
            mend,
        );
        return Vec::new();
    };
    let named: Vec<RawNode<'d>> = match &doc.content {
        Content::Map(entries) => entries
            .iter()
            .map(|e| RawNode {
                name: &e.key,
                at: e.at,
                doc: &e.value,
                listed: false,
            })
            .collect(),
        Content::List(items) => {
            let mut named = Vec::with_capacity(items.len());
            for (i, item) in items.iter().enumerate() {
                let path = path.index(i);
                if r.map(item, &path).is_none() {
                    continue;
                }
                match item.get("name") {
                    Some(name) => {
                        let name_path = path.key("name");
                        if let Some(text) = r.text(name, &name_path) {
                            named.push(RawNode {
                                name: text,
                                at: name.at,
                                doc: item,
                                listed: true,
                            });
                        }
                    }
                    None => r.problem(
                        "missing_key",
                        item.at,
                        path,
                        "a node in a list has no `name`",
                        "add `name:`",
                    ),
                }
            }
            named
        }
        _ => {
            r.wrong_type(doc, &path, "a map of nodes");
            return Vec::new();
        }
    };
    check_names(r, doc, &path, named)
}

fn check_names<'d>(
    r: &mut Reader<'_>,
    doc: &Doc,
    path: &Path<'_>,
    named: Vec<RawNode<'d>>,
) -> Vec<RawNode<'d>> {
    if named.is_empty() && r.problems.is_empty() {
        r.bad_value(doc, path, "the flow has no nodes", "add at least one");
    }
    if named.len() > MAX_NODES {
        let message = format!(
            "the flow has {} nodes; at most {MAX_NODES} are read",
            named.len()
        );
        r.problem("too_large", doc.at, path, message, "split the flow");
        return Vec::new();
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut kept = Vec::with_capacity(named.len());
    for raw in named {
        let path = path.key(raw.name);
        if matches!(raw.name, "end" | "fail") {
            let message = format!(
                "`{}` is an end of the flow, not a name for a node",
                raw.name
            );
            r.problem("bad_name", raw.at, path, message, "rename the node");
        } else if !is_name(raw.name, true) {
            let message = format!("`{}` cannot be the name of a node", raw.name);
            r.problem("bad_name", raw.at, path, message, NODE_NAME);
        }
        if seen.insert(raw.name) {
            kept.push(raw);
        } else {
            let message = format!("two nodes are named `{}`", raw.name);
            r.problem("duplicate_key", raw.at, path, message, "rename one of them");
        }
    }
    kept
}

/// Names that `on_error: {goto: …}` of any node leads to.
pub(super) fn error_targets<'d>(raw: &[RawNode<'d>]) -> std::collections::BTreeSet<&'d str> {
    raw.iter()
        .filter_map(|raw| raw.doc.get("on_error")?.get("goto")?.as_text())
        .collect()
}

/// Reads one node. What is wrong is reported; the node then holds something harmless instead.
pub(super) fn node(
    r: &mut Reader<'_>,
    names: &Names<'_>,
    schemas: &mut KindSchemas,
    raw: &RawNode<'_>,
    error_target: bool,
) -> Node {
    let nodes = Path::ROOT.key("nodes");
    let path = nodes.key(raw.name);
    let doc = raw.doc;
    let uses = if r.map(doc, &path).is_some() {
        let known = &NODE_KEYS[..NODE_KEYS.len() - usize::from(!raw.listed)];
        r.only_keys(doc, &path, known, &LATER_NODE_KEYS);
        if let Some(text) = doc.get("description") {
            r.text(text, &path.key("description"));
        }
        uses(r, doc, &path, raw.at)
    } else {
        String::new()
    };
    let maps = doc.get("for_each").is_some();
    let base = InScope::BASE.with_if(error_target, Root::Error);
    let items = |scope: InScope| scope.with_if(maps, Root::Item).with_if(maps, Root::Index);
    // An unknown kind is reported as that, whatever it is given.
    let acts = r.kinds.get(&uses).is_none_or(|kind| kind.side_effects);
    let with_scope = items(base).with_if(acts, Root::Secrets);
    let with = with(r, names, schemas, (doc, raw.at), &path, &uses, with_scope);
    let condition = doc
        .get("if")
        .and_then(|when| condition(r, names, when, &path.key("if"), base));
    Node {
        name: raw.name.to_owned(),
        with,
        out: out(
            r,
            names,
            doc,
            &path,
            &uses,
            items(InScope::BASE.with(Root::Result)),
        ),
        retry: doc
            .get("retry")
            .map(|d| options::retry(r, d, &path.key("retry")))
            .unwrap_or_default(),
        timeout: doc
            .get("timeout")
            .and_then(|timeout| r.some_duration(timeout, &path.key("timeout"))),
        on_error: doc
            .get("on_error")
            .and_then(|on_error| options::on_error(r, on_error, &path.key("on_error")))
            .unwrap_or(OnError::Fail),
        condition,
        for_each: options::for_each(r, names, doc, &path),
        join: doc
            .get("join")
            .and_then(|join| r.word(join, &path.key("join"), &JOINS))
            .unwrap_or_default(),
        uses,
        outgoing: Vec::new(),
        error_edge: None,
    }
}

const JOINS: [(&str, Join); 3] = [
    ("all", Join::All),
    ("each", Join::Each),
    ("first", Join::First),
];

fn uses(r: &mut Reader<'_>, doc: &Doc, path: &Path<'_>, at: Place) -> String {
    let Some(uses) = doc.get("uses") else {
        let mend = "add `uses:` with a node kind, for example `uses: log`";
        r.problem(
            "missing_key",
            at,
            path,
            "the node does not say what it `uses`",
            mend,
        );
        return String::new();
    };
    let path = path.key("uses");
    let Some(kind) = r.text(uses, &path) else {
        return String::new();
    };
    if r.kinds.get(kind).is_none() {
        let known = r.kinds.names();
        let mend = r.did_you_mean(kind, known.iter().map(String::as_str), || {
            format!("known kinds: {}", known.join(", "))
        });
        r.problem(
            "unknown_kind",
            uses.at,
            path,
            format!("unknown node kind `{kind}`"),
            mend,
        );
    }
    kind.to_owned()
}

fn with(
    r: &mut Reader<'_>,
    names: &Names<'_>,
    schemas: &mut KindSchemas,
    (node, at): (&Doc, Place),
    path: &Path<'_>,
    uses: &str,
    scope: InScope,
) -> crate::expr::Template {
    let path = path.key("with");
    let empty = Doc {
        at,
        content: Content::Map(Vec::new()),
    };
    let doc = node.get("with").unwrap_or(&empty);
    let template = template(r, names, doc, &path, scope);
    if template.is_some() {
        schemas.check_with(r, uses, doc, &path);
    }
    if uses == SET
        && let Content::Map(entries) = &doc.content
    {
        for entry in entries {
            let path = path.key(&entry.key);
            if let Some(ix) = state_key(r, names, &entry.key, entry.at, &path) {
                check_constant(r, &names.keys[ix], &entry.value, &path);
            }
        }
    }
    template.unwrap_or_else(no_template)
}

/// The declared state key of that name, or a problem.
fn state_key(
    r: &mut Reader<'_>,
    names: &Names<'_>,
    key: &str,
    at: Place,
    path: &Path<'_>,
) -> Option<usize> {
    let found = names.state.get(key).copied();
    if found.is_none() {
        let mend = r.did_you_mean(key, names.state.keys().map(String::as_str), || {
            format!("declare `{key}` under `state:`")
        });
        let message = format!("the state key `{key}` is not declared");
        r.problem("undeclared_state", at, path, message, mend);
    }
    found
}

fn out(
    r: &mut Reader<'_>,
    names: &Names<'_>,
    node: &Doc,
    path: &Path<'_>,
    uses: &str,
    scope: InScope,
) -> Out {
    let Some(doc) = node.get("out") else {
        return if uses == SET { Out::With } else { Out::None };
    };
    let path = path.key("out");
    if uses == SET {
        let message = "`set` writes the state through its `with`; it has no `out`";
        r.problem(
            "misplaced_key",
            doc.at,
            path,
            message,
            "move the keys to `with`",
        );
        return Out::With;
    }
    match &doc.content {
        Content::Map(entries) => {
            let mut keys = Vec::with_capacity(entries.len());
            for entry in entries {
                let path = path.key(&entry.key);
                let index = state_key(r, names, &entry.key, entry.at, &path);
                let value = template(r, names, &entry.value, &path, scope);
                if let Some(ix) = index {
                    check_constant(r, &names.keys[ix], &entry.value, &path);
                }
                keys.extend(index.zip(value));
            }
            Out::Keys(keys)
        }
        Content::Text(text, _) if text.contains("${{") => {
            Out::Object(template(r, names, doc, &path, scope).unwrap_or_else(no_template))
        }
        _ => {
            r.wrong_type(
                doc,
                &path,
                "a map from state keys to values, or one `${{ }}`",
            );
            Out::None
        }
    }
}
