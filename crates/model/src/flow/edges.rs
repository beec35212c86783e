//! Reads `edges:`, `route:` and `on_error: {goto}` into [`Edge`]s, and checks what can be told from
//! the edges of one node. What needs the whole graph is in `check_graph`.
use std::collections::HashSet;

use super::{
    Edge, Fires, Node, NodeIx, OnError, Target,
    doc::{Content, Doc},
    names::{InScope, Names, condition, template},
    nodes::RawNode,
    reader::{Path, Reader},
};
use crate::{expr::Root, limits::MAX_EDGES, problem::Place};

/// Every key of an edge.
pub(super) const EDGE_KEYS: [&str; 6] = ["from", "to", "when", "else", "max", "message"];
/// Every key of one line of `route:`.
pub(super) const ROUTE_KEYS: [&str; 4] = ["when", "to", "max", "message"];
/// The most firings `max` may allow.
pub(super) const MOST_FIRINGS: u64 = 1_000_000;

/// The edges read so far.
#[derive(Default)]
pub(super) struct Edges {
    pub(super) list: Vec<Edge>,
    /// Per edge: where it is written.
    pub(super) origin: Vec<Origin>,
    /// Whether some edge could not be read, so that the graph is not the one meant.
    pub(super) incomplete: bool,
    seen: HashSet<(NodeIx, Target, String)>,
}

/// Where an edge is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) at: Place,
    from: From,
    written: Written,
}

/// What the edge says of when it fires, also when the expression could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Always,
    When,
    Else,
    Route,
    Error,
}

#[derive(Clone, Copy, Debug)]
enum From {
    Edges(usize),
    Route(NodeIx, usize),
    Goto(NodeIx),
}

impl Origin {
    pub(super) fn path(&self, nodes: &[Node]) -> String {
        match self.from {
            From::Edges(i) => format!("edges[{i}]"),
            From::Route(node, i) => format!("nodes.{}.route[{i}]", nodes[node].name),
            From::Goto(node) => format!("nodes.{}.on_error.goto", nodes[node].name),
        }
    }
}

/// Reads all edges and hangs them on their nodes.
pub(super) fn read(
    r: &mut Reader<'_>,
    names: &Names<'_>,
    edges: Option<&Doc>,
    raw: &[RawNode<'_>],
    nodes: &mut [Node],
) -> Edges {
    let mut read = Edges::default();
    let path = Path::ROOT.key("edges");
    let listed = match edges {
        Some(doc) => r.list(doc, &path),
        None => Some([].as_slice()),
    };
    read.incomplete = listed.is_none();
    for (i, doc) in listed.unwrap_or_default().iter().enumerate() {
        if read.list.len() > MAX_EDGES {
            break;
        }
        match &doc.content {
            Content::Text(text, _) => read.chain(r, names, doc, text, i),
            Content::Map(_) => read.long(r, names, nodes, doc, i),
            _ => {
                read.incomplete = true;
                r.wrong_type(
                    doc,
                    &path.index(i),
                    "an edge (`a -> b`, or a map with from and to)",
                );
            }
        }
    }
    for (ix, raw) in raw.iter().enumerate() {
        read.route(r, names, nodes, ix, raw);
        read.goto(r, names, nodes, ix, raw);
    }
    if read.list.len() > MAX_EDGES {
        let at = edges.map_or(Place::default(), |d| d.at);
        let message = format!("the flow has more than {MAX_EDGES} edges");
        r.problem("too_large", at, path, message, "split the flow");
    }
    for (ix, edge) in read.list.iter().enumerate() {
        match edge.fires {
            Fires::Error => nodes[edge.from].error_edge = Some(ix),
            _ => nodes[edge.from].outgoing.push(ix),
        }
    }
    check_each_node(r, &read, raw, nodes);
    read
}

impl Edges {
    fn push(&mut self, edge: Edge, at: Place, from: From, written: Written) {
        self.list.push(edge);
        self.origin.push(Origin { at, from, written });
    }

    /// `a -> b -> end`
    fn chain(&mut self, r: &mut Reader<'_>, names: &Names<'_>, doc: &Doc, text: &str, i: usize) {
        let edges = Path::ROOT.key("edges");
        let path = edges.index(i);
        let parts: Vec<&str> = text.split("->").collect();
        if parts.len() < 2 {
            self.incomplete = true;
            let message = format!("`{text}` is not an edge");
            r.bad_value(
                doc,
                &path,
                message,
                "write `from -> to`, for example `first -> second`",
            );
            return;
        }
        let mut offset = 0;
        let mut before: Option<(NodeIx, Place)> = None;
        for (n, part) in parts.iter().enumerate() {
            let lead = part.chars().take_while(|c| c.is_whitespace()).count();
            let at = r.inside(doc, offset + lead);
            offset += part.chars().count() + 2;
            let name = part.trim();
            let to = self.target(r, names, name, at, &path);
            if let (Some((from, from_at)), Some(to)) = (before, to) {
                let edge = Edge {
                    from,
                    to,
                    fires: Fires::Always,
                    max: None,
                    message: None,
                };
                self.duplicate(r, &edge, "", from_at, &path);
                self.push(edge, from_at, From::Edges(i), Written::Always);
            }
            before = match to {
                Some(Target::Node(ix)) => Some((ix, at)),
                Some(Target::End | Target::Fail) if n + 1 < parts.len() => {
                    self.incomplete = true;
                    let message = format!("an edge cannot leave `{name}`");
                    r.problem("bad_value", at, path, message, "put it last in the chain");
                    None
                }
                _ => None,
            };
        }
    }

    /// `{from, to, when | else, max, message}`
    fn long(&mut self, r: &mut Reader<'_>, names: &Names<'_>, nodes: &[Node], doc: &Doc, i: usize) {
        let edges = Path::ROOT.key("edges");
        let path = edges.index(i);
        r.only_keys(doc, &path, &EDGE_KEYS, &[]);
        let from = self.end(r, names, doc, &path, "from");
        let to = self.end(r, names, doc, &path, "to");
        let from = match from {
            Some(Target::Node(ix)) => Some(ix),
            Some(Target::End | Target::Fail) => {
                let message = "an edge cannot leave `end` or `fail`";
                r.problem(
                    "bad_value",
                    doc.at,
                    path.key("from"),
                    message,
                    "name a node",
                );
                None
            }
            None => None,
        };
        let scope = edge_scope(from.map(|ix| &nodes[ix]));
        let (fires, shown, written) = fires(r, names, doc, &path, scope);
        let (max, message) = extras(r, names, doc, &path, scope, to);
        let (Some(from), Some(to)) = (from, to) else {
            self.incomplete = true;
            return;
        };
        let edge = Edge {
            from,
            to,
            fires,
            max,
            message,
        };
        self.duplicate(r, &edge, &shown, doc.at, &path);
        self.push(edge, doc.at, From::Edges(i), written);
    }

    fn end(
        &mut self,
        r: &mut Reader<'_>,
        names: &Names<'_>,
        doc: &Doc,
        path: &Path<'_>,
        key: &'static str,
    ) -> Option<Target> {
        let Some(end) = doc.get(key) else {
            let message = format!("the edge has no `{key}`");
            r.problem(
                "missing_key",
                doc.at,
                path,
                message,
                format!("add `{key}:` with a node"),
            );
            return None;
        };
        let path = path.key(key);
        let text = r.text(end, &path)?;
        self.target(r, names, text, end.at, &path)
    }

    fn target(
        &mut self,
        r: &mut Reader<'_>,
        names: &Names<'_>,
        name: &str,
        at: Place,
        path: &Path<'_>,
    ) -> Option<Target> {
        match name {
            "end" => return Some(Target::End),
            "fail" => return Some(Target::Fail),
            _ => {}
        }
        if let Some(ix) = names.nodes.get(name) {
            return Some(Target::Node(*ix));
        }
        self.incomplete = true;
        let (message, mend) = if name.is_empty() {
            (
                "an end of the edge is missing".to_owned(),
                "name a node, `end` or `fail`".to_owned(),
            )
        } else {
            let known = names.nodes.keys().copied().chain(["end", "fail"]);
            let mend = r.did_you_mean(name, known, || format!("add `{name}` under `nodes:`"));
            (format!("there is no node `{name}`"), mend)
        };
        r.problem("unknown_node", at, path, message, mend);
        None
    }

    fn duplicate(
        &mut self,
        r: &mut Reader<'_>,
        edge: &Edge,
        shown: &str,
        at: Place,
        path: &Path<'_>,
    ) {
        if !self.seen.insert((edge.from, edge.to, shown.to_owned())) {
            let message = "the same edge is given a second time";
            r.problem("duplicate_edge", at, path, message, "remove one of the two");
        }
    }

    fn route(
        &mut self,
        r: &mut Reader<'_>,
        names: &Names<'_>,
        nodes: &[Node],
        ix: NodeIx,
        raw: &RawNode<'_>,
    ) {
        let Some(doc) = raw.doc.get("route") else {
            return;
        };
        let all = Path::ROOT.key("nodes");
        let node = all.key(raw.name);
        let path = node.key("route");
        let Some(lines) = r.list(doc, &path) else {
            self.incomplete = true;
            return;
        };
        if lines.is_empty() {
            r.bad_value(
                doc,
                &path,
                "the route is empty",
                "add a line, or remove `route`",
            );
        }
        let scope = edge_scope(Some(&nodes[ix]));
        for (i, line) in lines.iter().enumerate() {
            let path = path.index(i);
            if r.map(line, &path).is_none() {
                self.incomplete = true;
                continue;
            }
            r.only_keys(line, &path, &ROUTE_KEYS, &[]);
            let to = self.end(r, names, line, &path, "to");
            let when = line.get("when");
            if when.is_none() && i + 1 < lines.len() {
                let message = "a line without `when` always matches, so those after it never do";
                r.problem(
                    "bad_else",
                    line.at,
                    path,
                    message,
                    "put it last, or give it a `when`",
                );
            }
            let expr = when.and_then(|w| condition(r, names, w, &path.key("when"), scope));
            let (max, message) = extras(r, names, line, &path, scope, to);
            if let Some(to) = to {
                let fires = Fires::Route(expr);
                let edge = Edge {
                    from: ix,
                    to,
                    fires,
                    max,
                    message,
                };
                self.push(edge, line.at, From::Route(ix, i), Written::Route);
            }
        }
    }

    fn goto(
        &mut self,
        r: &mut Reader<'_>,
        names: &Names<'_>,
        nodes: &[Node],
        ix: NodeIx,
        raw: &RawNode<'_>,
    ) {
        if nodes[ix].on_error != OnError::Goto {
            return;
        }
        let all = Path::ROOT.key("nodes");
        let node = all.key(raw.name);
        let on_error = node.key("on_error");
        let goto = on_error.key("goto");
        let Some(doc) = raw.doc.get("on_error").and_then(|d| d.get("goto")) else {
            return;
        };
        let Some(to) = doc
            .as_text()
            .and_then(|name| self.target(r, names, name, doc.at, &goto))
        else {
            return;
        };
        let edge = Edge {
            from: ix,
            to,
            fires: Fires::Error,
            max: None,
            message: None,
        };
        self.push(edge, doc.at, From::Goto(ix), Written::Error);
    }
}

fn edge_scope(from: Option<&Node>) -> InScope {
    let continues = from.is_some_and(|node| node.on_error == OnError::Continue);
    InScope::BASE
        .with(Root::Result)
        .with_if(continues, Root::Error)
}

/// When the edge fires, and the same as a text that tells equal edges.
fn fires(
    r: &mut Reader<'_>,
    names: &Names<'_>,
    doc: &Doc,
    path: &Path<'_>,
    scope: InScope,
) -> (Fires, String, Written) {
    let otherwise = doc.get("else");
    let is_else = match otherwise.map(|d| &d.content) {
        None => false,
        Some(Content::Bool(true)) => true,
        Some(_) => {
            if let Some(d) = otherwise {
                let mend = "write `else: true`, or remove the key";
                r.bad_value(d, &path.key("else"), "`else` can only be true", mend);
            }
            true
        }
    };
    let Some(when) = doc.get("when") else {
        return if is_else {
            (Fires::Else, "else".to_owned(), Written::Else)
        } else {
            (Fires::Always, String::new(), Written::Always)
        };
    };
    if is_else {
        let message = "an edge with `when` cannot also be `else`";
        r.problem("bad_else", doc.at, path, message, "keep one of the two");
    }
    let expr = condition(r, names, when, &path.key("when"), scope);
    let shown = format!("when {}", when.as_text().unwrap_or_default().trim());
    // A broken condition was reported; it must not be taken for an edge that always fires.
    (expr.map_or(Fires::Else, Fires::When), shown, Written::When)
}

fn extras(
    r: &mut Reader<'_>,
    names: &Names<'_>,
    doc: &Doc,
    path: &Path<'_>,
    scope: InScope,
    to: Option<Target>,
) -> (Option<u32>, Option<crate::expr::Template>) {
    let max = doc
        .get("max")
        .and_then(|d| r.whole(d, &path.key("max"), 1, MOST_FIRINGS))
        .and_then(|n| u32::try_from(n).ok());
    let message = doc.get("message").and_then(|d| {
        let path = path.key("message");
        if to.is_some_and(|to| to != Target::Fail) {
            let text = "only an edge to `fail` has a `message`";
            r.problem(
                "misplaced_key",
                d.at,
                path,
                text,
                "remove it, or lead the edge to `fail`",
            );
        }
        r.text(d, &path)?;
        template(r, names, d, &path, scope)
    });
    (max, message)
}

/// `else` and `route` make sense only together with, or without, other edges of the node.
fn check_each_node(r: &mut Reader<'_>, edges: &Edges, raw: &[RawNode<'_>], nodes: &[Node]) {
    for (ix, node) in nodes.iter().enumerate() {
        let mut whens = 0;
        let mut elses = Vec::new();
        let mut plain = None;
        for edge in &node.outgoing {
            let origin = &edges.origin[*edge];
            match origin.written {
                Written::When => whens += 1,
                Written::Else => elses.push(origin),
                Written::Always | Written::Route | Written::Error => {}
            }
            if origin.written != Written::Route {
                plain.get_or_insert(origin);
            }
        }
        let name = &node.name;
        match elses.as_slice() {
            [] => {}
            [only] if whens == 0 && !edges.incomplete => {
                let message = format!("`{name}` has an `else` edge but no edge with `when`");
                let mend = "add an edge with `when`, or remove `else`";
                r.problem("bad_else", only.at, only.path(nodes), message, mend);
            }
            [_] => {}
            [_, second, ..] => {
                let message = format!("`{name}` has two `else` edges");
                let mend = "keep one; to start two nodes, lead it to a node that starts both";
                r.problem("bad_else", second.at, second.path(nodes), message, mend);
            }
        }
        if let Some(plain) = plain.filter(|_| raw[ix].doc.get("route").is_some()) {
            let message = format!("`{name}` has `route:` and also this edge");
            let mend = "make the edge a line of the route, or replace the route by edges";
            r.problem(
                "route_and_edges",
                plain.at,
                plain.path(nodes),
                message,
                mend,
            );
        }
    }
}
