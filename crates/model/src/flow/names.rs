//! Compiles the expressions of a flow file and checks every name in them: does it exist, and is it
//! in scope at this place? Evaluates nothing.
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    NodeIx, StateKey,
    doc::{Content, Doc},
    reader::{Path, Reader},
};
use crate::{
    expr::{Expr, ParseError, Reference, Root, Template},
    limits::MAX_TEMPLATE_BYTES,
    problem::Place,
};

/// What the flow declares.
pub(super) struct Names<'d> {
    pub(super) nodes: BTreeMap<&'d str, NodeIx>,
    pub(super) state: BTreeMap<String, usize>,
    pub(super) keys: &'d [StateKey],
    /// The input's properties; `None` when any name may be given.
    pub(super) input: Option<BTreeSet<String>>,
}

/// The roots in scope at one place of the file.
#[derive(Clone, Copy)]
pub(super) struct InScope(u16);

impl InScope {
    /// Everywhere.
    pub(super) const BASE: Self = Self(
        bit(Root::Input)
            | bit(Root::State)
            | bit(Root::Results)
            | bit(Root::Visits)
            | bit(Root::Run),
    );

    pub(super) fn with(self, root: Root) -> Self {
        Self(self.0 | bit(root))
    }

    pub(super) fn with_if(self, yes: bool, root: Root) -> Self {
        if yes { self.with(root) } else { self }
    }

    fn holds(self, root: Root) -> bool {
        self.0 & bit(root) != 0
    }
}

const fn bit(root: Root) -> u16 {
    1 << root as u16
}

/// With more texts than this, each is checked alone: looking for the place of a name in all of them
/// would take time that grows with the square of the file.
const CHECKED_TOGETHER: usize = 32;

/// Names whose exact place is looked for in one file; after that the start of the text must do.
const MAX_LOCATED: usize = 1_000;

const RUN_MEMBERS: [&str; 4] = ["id", "flow", "version", "started_at"];
const ERROR_MEMBERS: [&str; 8] = [
    "code",
    "class",
    "message",
    "causes",
    "node",
    "attempt",
    "retryable",
    "retry_after_ms",
];

/// Where the root is in scope, for the mend of a problem.
fn where_allowed(root: Root) -> &'static str {
    match root {
        Root::Item | Root::Index => {
            "it is known only in `with` and `out` of a node with `for_each`"
        }
        Root::Error => {
            "it is known only in `with` and `if` of a node that `on_error: {goto: …}` names, and on \
             the edges of a node with `on_error: continue`"
        }
        Root::Secrets => {
            "secrets may be used only in `with` of a kind that acts outside the run, as `http` does: \
             the results of others may hold what they were given, and results are kept"
        }
        Root::Result => {
            "it is known only in `out` and on the edges that leave the node; elsewhere write \
             `results.<node>`"
        }
        Root::Input | Root::State | Root::Results | Root::Visits | Root::Run => "",
    }
}

/// Compiles a value whose texts may hold `${{ }}`; `None` after reporting what is wrong.
pub(super) fn template(
    r: &mut Reader<'_>,
    names: &Names<'_>,
    doc: &Doc,
    path: &Path<'_>,
    scope: InScope,
) -> Option<Template> {
    let mut texts = 0;
    if !count_texts(r, doc, path, &mut texts) {
        return None;
    }
    match Template::compile(&doc.to_value()) {
        Ok(template) if texts <= CHECKED_TOGETHER => {
            check(r, names, doc, path, scope, &template.references());
            Some(template)
        }
        Ok(template) => {
            check_each(r, names, doc, path, scope);
            Some(template)
        }
        Err(errors) => {
            let before = r.problems.len();
            check_each(r, names, doc, path, scope);
            if r.problems.len() == before {
                for error in errors.iter().flat_map(ParseError::each) {
                    report(r, doc.at, path, error);
                }
            }
            None
        }
    }
}

/// Counts the texts with expressions; false after reporting one that is too long.
fn count_texts(r: &mut Reader<'_>, doc: &Doc, path: &Path<'_>, count: &mut usize) -> bool {
    match &doc.content {
        Content::Text(text, _) if text.contains("${{") => {
            *count += 1;
            let fits = text.len() <= MAX_TEMPLATE_BYTES;
            if !fits {
                let message =
                    format!("a text with expressions has at most {MAX_TEMPLATE_BYTES} bytes");
                let mend = "move the fixed part of the text to the input or the state";
                r.problem("too_large", doc.at, path, message, mend);
            }
            fits
        }
        Content::List(items) => {
            let mut items = items.iter().enumerate();
            items.all(|(i, item)| count_texts(r, item, &path.index(i), count))
        }
        Content::Map(entries) => entries
            .iter()
            .all(|e| count_texts(r, &e.value, &path.key(&e.key), count)),
        Content::Text(..) | Content::Null | Content::Bool(_) | Content::Number(_) => true,
    }
}

/// A template that stands for nothing, where a broken one was reported.
pub(super) fn no_template() -> Template {
    Template::constant(Value::Null)
}

/// Compiles each text alone, so that a problem gets the place of its text and those without syntax
/// errors are checked all the same.
fn check_each(r: &mut Reader<'_>, names: &Names<'_>, doc: &Doc, path: &Path<'_>, scope: InScope) {
    match &doc.content {
        Content::Text(text, _) => match Template::compile(&Value::String(text.clone())) {
            Ok(template) => check(r, names, doc, path, scope, &template.references()),
            Err(errors) => {
                for error in errors.iter().flat_map(ParseError::each) {
                    let place = r.inside(doc, error.offset);
                    report(r, place, path, error);
                }
            }
        },
        Content::List(items) => {
            for (i, item) in items.iter().enumerate() {
                check_each(r, names, item, &path.index(i), scope);
            }
        }
        Content::Map(entries) => {
            for entry in entries {
                check_each(r, names, &entry.value, &path.key(&entry.key), scope);
            }
        }
        Content::Null | Content::Bool(_) | Content::Number(_) => {}
    }
}

fn report(r: &mut Reader<'_>, place: Place, path: &Path<'_>, error: &ParseError) {
    r.problem("bad_expression", place, path, &*error.message, &*error.mend);
}

/// Compiles a condition: an expression without braces.
pub(super) fn condition(
    r: &mut Reader<'_>,
    names: &Names<'_>,
    doc: &Doc,
    path: &Path<'_>,
    scope: InScope,
) -> Option<Expr> {
    if let Content::Bool(b) = doc.content {
        return Expr::parse(if b { "true" } else { "false" }).ok();
    }
    let text = r.text(doc, path)?;
    let trimmed = text.trim();
    if trimmed.starts_with("${{") {
        let inner = trimmed
            .trim_start_matches("${{")
            .trim_end_matches("}}")
            .trim();
        let message = "a condition is written without `${{ }}`";
        r.problem(
            "bad_expression",
            doc.at,
            path,
            message,
            format!("write `{inner}`"),
        );
        return None;
    }
    match Expr::parse(text) {
        Ok(expr) => {
            check(r, names, doc, path, scope, expr.references());
            Some(expr)
        }
        Err(error) => {
            for error in error.each() {
                let place = r.inside(doc, error.offset);
                report(r, place, path, error);
            }
            None
        }
    }
}

fn check<'x>(
    r: &mut Reader<'_>,
    names: &Names<'_>,
    doc: &Doc,
    path: &Path<'_>,
    scope: InScope,
    references: impl IntoIterator<Item = &'x Reference>,
) {
    for reference in references {
        let root = reference.root.name();
        let Some((code, message, mend)) = trouble(r, names, scope, reference) else {
            continue;
        };
        let needle = match &reference.member {
            Some(member) => format!("{root}.{member}"),
            None => root.to_owned(),
        };
        let (place, path) = locate(r, doc, path, &needle).unwrap_or((doc.at, path.to_string()));
        r.problem(code, place, path, message, mend);
    }
}

/// As [`find`], for so many names as a person would look at.
fn locate(r: &mut Reader<'_>, doc: &Doc, path: &Path<'_>, needle: &str) -> Option<(Place, String)> {
    r.located += 1;
    if r.located > MAX_LOCATED {
        None
    } else {
        find(r, doc, path, needle)
    }
}

/// The first text under `doc` that holds `needle` as whole words.
fn find(r: &Reader<'_>, doc: &Doc, path: &Path<'_>, needle: &str) -> Option<(Place, String)> {
    match &doc.content {
        Content::Text(text, _) => {
            let at = text.match_indices(needle).map(|(i, _)| i).find(|i| {
                let word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
                !text[..*i].ends_with(word)
                    && !text[i + needle.len()..].starts_with(|c: char| c != '.' && word(c))
            })?;
            Some((r.inside(doc, text[..at].chars().count()), path.to_string()))
        }
        Content::List(items) => items
            .iter()
            .enumerate()
            .find_map(|(i, item)| find(r, item, &path.index(i), needle)),
        Content::Map(entries) => entries
            .iter()
            .find_map(|e| find(r, &e.value, &path.key(&e.key), needle)),
        Content::Null | Content::Bool(_) | Content::Number(_) => None,
    }
}

type Trouble = (&'static str, String, String);

fn trouble(
    r: &mut Reader<'_>,
    names: &Names<'_>,
    scope: InScope,
    reference: &Reference,
) -> Option<Trouble> {
    let root = reference.root;
    let shown = root.name();
    if !scope.holds(root) {
        let message = format!("`{shown}` is not known here");
        return Some(("out_of_scope", message, where_allowed(root).to_owned()));
    }
    let member = reference.member.as_deref()?;
    let unknown = |mend: String| {
        Some((
            "unknown_name",
            format!("`{shown}.{member}` does not exist"),
            mend,
        ))
    };
    match root {
        Root::State if !names.state.contains_key(member) => {
            let keys = names.state.keys().map(String::as_str);
            unknown(r.did_you_mean(member, keys, || {
                format!("declare `{member}` under `state:`")
            }))
        }
        Root::Results | Root::Visits if !names.nodes.contains_key(member) => {
            let nodes = names.nodes.keys().copied();
            unknown(r.did_you_mean(member, nodes, || "name a node of this flow".to_owned()))
        }
        Root::Input => {
            let known = names
                .input
                .as_ref()
                .filter(|known| !known.contains(member))?;
            let listed = known.iter().map(String::as_str);
            unknown(r.did_you_mean(member, listed, || {
                format!("add `{member}` to the properties of `input:`")
            }))
        }
        Root::Run if !RUN_MEMBERS.contains(&member) => {
            unknown(r.did_you_mean(member, RUN_MEMBERS, || one_of(shown, &RUN_MEMBERS)))
        }
        Root::Error if !ERROR_MEMBERS.contains(&member) => {
            unknown(r.did_you_mean(member, ERROR_MEMBERS, || one_of(shown, &ERROR_MEMBERS)))
        }
        _ => None,
    }
}

fn one_of(root: &str, members: &[&str]) -> String {
    format!("`{root}` has {}", members.join(", "))
}
