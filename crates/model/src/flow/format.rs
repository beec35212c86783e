//! `runstone fmt`: one layout for every flow file. Keeps each comment at the line it belongs to, or
//! refuses; never changes what the file says.
use super::{
    comments::{self, Comments},
    doc::{Content, Doc, Entry},
    edges::{EDGE_KEYS, ROUTE_KEYS},
    layout,
    nodes::{NODE_KEYS, RETRY_KEYS},
    read::{LIMIT_KEYS, TOP_KEYS},
    state::STATE_KEYS,
    yaml,
};
use crate::problem::{Place, Problem, Problems};

/// The file in the one layout; a JSON file stays JSON. Formatting twice changes nothing more.
///
/// # Errors
/// The file cannot be read, uses aliases, or holds a comment in a place where it would get lost.
/// Unknown keys and the like are no reason to refuse: the file need not be valid.
pub fn format(text: &str) -> Result<String, Problems> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // YAML knows three kinds of line ends, and means the same by each.
    let text = &text.replace("\r\n", "\n").replace('\r', "\n");
    let (mut doc, scalars, problems) = yaml::read(text).map_err(|p| Problems(vec![p]))?;
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    let is_json = text.trim_start().starts_with('{')
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    order(&mut doc, Part::Flow);
    if is_json {
        return Ok(layout::json(&doc));
    }
    if scalars.aliases {
        let message = "the formatter does not keep anchors and aliases";
        return Err(refuse(
            Place::default(),
            message,
            "write the values out, or leave it as it is",
        ));
    }
    let comments = comments::find(text, &scalars.scalars);
    let out = layout::yaml(&doc, &comments);
    verify(&doc, &comments, &out)?;
    Ok(out)
}

fn refuse(place: Place, message: &str, mend: &str) -> Problems {
    let (message, mend) = (message.to_owned(), mend.to_owned());
    Problems(vec![Problem {
        code: "cannot_format",
        place,
        path: String::new(),
        message,
        mend,
    }])
}

/// The layout must say what the file said, comments included; else nothing is written.
fn verify(doc: &Doc, comments: &Comments, out: &str) -> Result<(), Problems> {
    let same = yaml::read(out).is_ok_and(|(again, layout, _)| {
        let kept = comments::find(out, &layout.scalars);
        let texts = |c: &Comments| {
            let mut all: Vec<String> = c.iter().map(|comment| comment.text.clone()).collect();
            all.sort();
            all
        };
        again.to_value() == doc.to_value() && texts(&kept) == texts(comments)
    });
    if same {
        return Ok(());
    }
    match comments.iter().next() {
        Some(first) => Err(refuse(
            first.place,
            "a comment stands where the formatter cannot keep it",
            "put comments on lines of their own, before a key or a list item",
        )),
        None => Err(refuse(
            Place::default(),
            "the formatter cannot write this file so that it says the same",
            "leave it as it is, and report it with the file",
        )),
    }
}

/// Which map of a flow file this is, for the order of its keys.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Flow,
    State,
    StateKey,
    Nodes,
    Node,
    Retry,
    Edges,
    Edge,
    Route,
    RouteLine,
    Limits,
    /// Values that belong to the user: their order stays.
    Other,
}

/// Sorts the keys that the format knows; those it does not know follow in their order.
fn order(doc: &mut Doc, part: Part) {
    let known: &[&str] = match part {
        Part::Flow => &TOP_KEYS,
        Part::StateKey => &STATE_KEYS,
        Part::Node => &NODE_KEYS,
        Part::Retry => &RETRY_KEYS,
        Part::Edge => &EDGE_KEYS,
        Part::RouteLine => &ROUTE_KEYS,
        Part::Limits => &LIMIT_KEYS,
        Part::State | Part::Nodes | Part::Edges | Part::Route => &[],
        Part::Other => return,
    };
    match &mut doc.content {
        Content::Map(entries) => {
            let rank = |e: &Entry| {
                known
                    .iter()
                    .position(|k| *k == e.key)
                    .unwrap_or(known.len())
            };
            entries.sort_by_key(rank);
            for entry in entries {
                order(&mut entry.value, inside(part, &entry.key));
            }
        }
        Content::List(items) => {
            let item = match part {
                Part::Nodes => Part::Node,
                Part::Edges => Part::Edge,
                Part::Route => Part::RouteLine,
                _ => Part::Other,
            };
            for doc in items {
                order(doc, item);
            }
        }
        _ => {}
    }
}

fn inside(part: Part, key: &str) -> Part {
    match (part, key) {
        (Part::Flow, "state") => Part::State,
        (Part::Flow, "nodes") => Part::Nodes,
        (Part::Flow, "edges") => Part::Edges,
        (Part::Flow, "limits") => Part::Limits,
        (Part::State, _) => Part::StateKey,
        (Part::Nodes, _) => Part::Node,
        (Part::Node, "retry") => Part::Retry,
        (Part::Node, "route") => Part::Route,
        _ => Part::Other,
    }
}
