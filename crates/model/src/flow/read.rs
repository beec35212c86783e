//! From a document to a [`Flow`]: the top keys, and the order in which the parts are read and
//! checked. Every problem is collected; a flow comes out only when there is none.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Edge, Flow, FlowLimits, Kinds, Node, NodeIx, canonical, check_graph, check_writes,
    doc::{Content, Doc},
    edges, input,
    names::{InScope, Names, template},
    nodes::{self, RawNode},
    reader::{Path, Reader},
    schema::KindSchemas,
    state, yaml,
};
use crate::{
    graph::{Graph, GraphError},
    limits::{DEFAULT_STEPS, MAX_STEPS},
    problem::{Problem, Problems},
};

/// The version of the format that `runstone:` must name.
pub(super) const FORMAT: u64 = 1;

/// Every key at the top of a flow file, in the order the formatter writes them.
pub(super) const TOP_KEYS: [&str; 11] = [
    "runstone",
    "name",
    "description",
    "input",
    "state",
    "start",
    "nodes",
    "edges",
    "output",
    "limits",
    "durability",
];

/// Every key of `limits:`.
pub(super) const LIMIT_KEYS: [&str; 2] = ["steps", "duration"];

impl Flow {
    /// Reads a flow file, YAML or JSON.
    ///
    /// # Errors
    /// All problems of the file, in order of place.
    pub fn parse(text: &str, kinds: &dyn Kinds) -> Result<Self, Problems> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (doc, _, problems) = yaml::read(text).map_err(|problem| Problems(vec![problem]))?;
        let mut reader = Reader::new(kinds, Some(text));
        reader.problems = problems;
        flow(reader, &doc)
    }

    /// Reads what [`Flow::canonical`] holds. Problems have paths but no places.
    ///
    /// # Errors
    /// All problems, for example a node kind that this program does not have.
    pub fn from_canonical(json: &str, kinds: &dyn Kinds) -> Result<Self, Problems> {
        let value = serde_json::from_str(json).map_err(|e| {
            Problems(vec![Problem {
                code: "syntax",
                place: crate::problem::Place::default(),
                path: String::new(),
                message: format!("the stored flow is not JSON: {e}"),
                mend: "save the flow again from its file".to_owned(),
            }])
        })?;
        flow(Reader::new(kinds, None), &Doc::from_value(&value))
    }
}

fn flow(mut r: Reader<'_>, root: &Doc) -> Result<Flow, Problems> {
    let read = match &root.content {
        Content::Map(_) => parts(&mut r, root),
        _ => {
            r.wrong_type(root, &Path::ROOT, "a map with the keys of a flow");
            None
        }
    };
    match read {
        Some(mut flow) if r.problems.is_empty() => {
            flow.warnings = sorted(r.warnings);
            Ok(flow)
        }
        _ => Err(Problems(sorted(r.problems))),
    }
}

/// In order of place, each once (an alias repeats the problems of its value).
fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|a, b| a.place.cmp(&b.place).then_with(|| a.path.cmp(&b.path)));
    problems.dedup();
    problems
}

fn parts(r: &mut Reader<'_>, root: &Doc) -> Option<Flow> {
    r.only_keys(root, &Path::ROOT, &TOP_KEYS, &nodes::LATER_NODE_KEYS);
    let name = head(r, root);
    let (input, input_check) = input::read(r, root.get("input"));
    let state = state::read(r, root.get("state"));
    let raw = nodes::raw_nodes(r, root.get("nodes"), root);
    let by_name: BTreeMap<&str, NodeIx> = raw
        .iter()
        .enumerate()
        .map(|(ix, raw)| (raw.name, ix))
        .collect();
    let names = Names {
        state: state
            .iter()
            .enumerate()
            .map(|(ix, key)| (key.name.clone(), ix))
            .collect(),
        keys: &state,
        input: input::names(input.as_ref()),
        nodes: by_name,
    };
    let error_targets: BTreeSet<&str> = nodes::error_targets(&raw);
    let mut schemas = KindSchemas::default();
    let mut nodes: Vec<_> = raw
        .iter()
        .map(|raw| {
            nodes::node(
                r,
                &names,
                &mut schemas,
                raw,
                error_targets.contains(raw.name),
            )
        })
        .collect();
    let edges = edges::read(r, &names, root.get("edges"), &raw, &mut nodes);
    let start = start(r, &names, root);
    let output = root
        .get("output")
        .and_then(|doc| template(r, &names, doc, &Path::ROOT.key("output"), InScope::BASE));
    let limits = limits(r, root.get("limits"));
    if raw.is_empty() {
        return None;
    }
    let start = start?;
    let graph = graph(r, &nodes, &edges.list, &raw, start)?;
    check_graph::check(r, &graph, &nodes, &edges, &raw, start);
    check_writes::check(r, &graph, &nodes, &edges, &names, &raw);
    Some(Flow {
        canonical: Arc::from(canonical::text(root, &raw, raw[start].name)),
        description: root
            .get("description")
            .and_then(Doc::as_text)
            .map(str::to_owned),
        name,
        input,
        input_check,
        start,
        nodes,
        edges: edges.list,
        output,
        limits,
        graph,
        warnings: Vec::new(),
        state,
    })
}

fn graph(
    r: &mut Reader<'_>,
    nodes: &[Node],
    edges: &[Edge],
    raw: &[RawNode<'_>],
    start: NodeIx,
) -> Option<Graph> {
    match Graph::new(nodes.len(), start, &check_graph::pairs(edges)) {
        Ok(graph) => Some(graph),
        Err(error) => {
            let GraphError::TooDeep { node } = error;
            let name = &nodes[node].name;
            let message = format!("{error}, which is `{name}`");
            r.problem(
                "too_deep",
                raw[node].at,
                format!("nodes.{name}"),
                message,
                "split the flow",
            );
            None
        }
    }
}

/// `runstone`, `name`, `description`, `durability`; gives the name.
fn head(r: &mut Reader<'_>, root: &Doc) -> String {
    match root.get("runstone") {
        Some(doc) => {
            let path = Path::ROOT.key("runstone");
            match &doc.content {
                Content::Number(n) if n.as_u64() == Some(FORMAT) => {}
                _ => {
                    let message = "this program reads format 1 of flow files only";
                    r.bad_value(doc, &path, message, "write `runstone: 1`");
                }
            }
        }
        None => r.problem(
            "missing_key",
            root.at,
            "runstone",
            "the file does not say which format it has",
            "add `runstone: 1` as the first line",
        ),
    }
    if let Some(doc) = root.get("description") {
        r.text(doc, &Path::ROOT.key("description"));
    }
    if let Some(doc) = root.get("durability") {
        let path = Path::ROOT.key("durability");
        match doc.as_text() {
            Some("sync") => {}
            Some(other @ ("async" | "exit")) => {
                r.not_yet(doc.at, &path, &format!("durability: {other}"));
            }
            _ => {
                let message = "`durability` can only be `sync`";
                r.bad_value(
                    doc,
                    &path,
                    message,
                    "write `durability: sync`, or remove the key",
                );
            }
        }
    }
    let Some(doc) = root.get("name") else {
        let mend = "add for example `name: my_flow`";
        r.problem(
            "missing_key",
            root.at,
            "name",
            "the flow has no `name`",
            mend,
        );
        return String::new();
    };
    let path = Path::ROOT.key("name");
    let Some(name) = r.text(doc, &path) else {
        return String::new();
    };
    if !is_flow_name(name) {
        let message = format!("`{name}` cannot be the name of a flow");
        let mend = "use a small letter, then small letters, digits, `_` and `-`, at most 63";
        r.problem("bad_name", doc.at, path, message, mend);
    }
    name.to_owned()
}

/// `[a-z][a-z0-9_-]{0,62}`
fn is_flow_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && name.len() <= 63
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
}

fn start(r: &mut Reader<'_>, names: &Names<'_>, root: &Doc) -> Option<NodeIx> {
    let Some(doc) = root.get("start") else {
        return Some(0);
    };
    let path = Path::ROOT.key("start");
    let name = r.text(doc, &path)?;
    let found = names.nodes.get(name).copied();
    if found.is_none() {
        let known = names.nodes.keys().copied();
        let mend = r.did_you_mean(name, known, || "name a node of this flow".to_owned());
        let message = format!("there is no node `{name}` to start at");
        r.problem("unknown_node", doc.at, path, message, mend);
    }
    found
}

fn limits(r: &mut Reader<'_>, doc: Option<&Doc>) -> FlowLimits {
    let mut limits = FlowLimits {
        steps: DEFAULT_STEPS,
        duration: None,
    };
    let path = Path::ROOT.key("limits");
    let Some(doc) = doc else { return limits };
    if r.map(doc, &path).is_none() {
        return limits;
    }
    r.only_keys(doc, &path, &LIMIT_KEYS, &[]);
    if let Some(steps) = doc.get("steps") {
        limits.steps = r
            .whole(steps, &path.key("steps"), 1, MAX_STEPS)
            .unwrap_or(DEFAULT_STEPS);
    }
    if let Some(duration) = doc.get("duration") {
        limits.duration = r.some_duration(duration, &path.key("duration"));
    }
    limits
}
