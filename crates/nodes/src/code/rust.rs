//! What is what in Rust's grammar: functions, branches, and the mistakes `code.detect` knows.
use tree_sitter::Node;

use super::{
    metrics::{Cognitive, Role},
    rules::{Finding, Rule},
    scan::{Found, Opens},
    syntax::{count, text},
};

/// Attributes and doc comments stand before what they belong to; one entry per level of the tree.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    levels: Vec<Pending>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Pending {
    test: bool,
    doc: bool,
}

impl Attributes {
    /// Whether `node` opens a type, a module or a function. Called for every node in order.
    pub(super) fn opens(&mut self, node: Node<'_>, source: &str) -> Option<Opens> {
        let before = self.take(node, source);
        self.levels.push(Pending::default());
        match node.kind() {
            "impl_item" => {
                let name = field(node, "type", source);
                let plain = name.split('<').next().unwrap_or_default().to_owned();
                Some(Opens::Scope {
                    name: plain,
                    test: before.test,
                })
            }
            "trait_item" => Some(Opens::Scope {
                name: field(node, "name", source),
                test: before.test,
            }),
            // A module's name says little that the path does not.
            "mod_item" => Some(Opens::Scope {
                name: String::new(),
                test: before.test,
            }),
            "function_item" => Some(Opens::Function(function(node, source, before))),
            _ => None,
        }
    }

    /// Called when the walk leaves a node.
    pub(super) fn leave(&mut self, _node: Node<'_>) {
        self.levels.pop();
    }

    /// What stands before `node`; an attribute or a comment adds to it instead.
    fn take(&mut self, node: Node<'_>, source: &str) -> Pending {
        let mut none = Pending::default();
        let pending = self.levels.last_mut().unwrap_or(&mut none);
        match node.kind() {
            "attribute_item" => {
                let attribute = text(node, source);
                pending.test |= is_test(attribute);
                pending.doc |= attribute.starts_with("#[doc");
                Pending::default()
            }
            "line_comment" | "block_comment" => {
                let comment = text(node, source);
                pending.doc |= (comment.starts_with("///") && !comment.starts_with("////"))
                    || (comment.starts_with("/**") && comment.len() > 5);
                Pending::default()
            }
            _ if !node.is_named() => Pending::default(),
            _ => std::mem::take(pending),
        }
    }
}

/// `#[test]`, `#[tokio::test]`, `#[cfg(test)]`, `#[cfg(all(test, …))]`.
fn is_test(attribute: &str) -> bool {
    let inner = attribute
        .trim_start_matches(['#', '['])
        .trim_end_matches(']');
    let (path, arguments) = inner.split_once('(').unwrap_or((inner, ""));
    let path = path.trim();
    match path {
        "cfg" => {
            let mut words = arguments.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.any(|word| word == "test") && !arguments.contains("not(test")
        }
        _ => path
            .rsplit("::")
            .next()
            .is_some_and(|last| matches!(last, "test" | "rstest")),
    }
}

fn field(node: Node<'_>, name: &str, source: &str) -> String {
    node.child_by_field_name(name)
        .map(|child| text(child, source).to_owned())
        .unwrap_or_default()
}

fn function(node: Node<'_>, source: &str, before: Pending) -> Found {
    let mut cursor = node.walk();
    let mut found = Found {
        name: field(node, "name", source),
        parameters: 0,
        is_async: false,
        doc: before.doc,
        public: false,
        test: before.test,
    };
    for child in node.children(&mut cursor) {
        match child.kind() {
            // `pub(crate)` and narrower are for the crate's own readers.
            "visibility_modifier" => found.public = text(child, source) == "pub",
            "function_modifiers" => {
                found.is_async = text(child, source)
                    .split_whitespace()
                    .any(|word| word == "async");
            }
            "parameters" => found.parameters = parameters(child),
            _ => {}
        }
    }
    found
}

/// Parameters without `self`.
fn parameters(list: Node<'_>) -> u32 {
    let mut cursor = list.walk();
    let named = list.named_children(&mut cursor).filter(|child| {
        !matches!(
            child.kind(),
            "self_parameter" | "attribute_item" | "line_comment" | "block_comment"
        ) && !child.is_error()
    });
    count(named.count())
}

/// What a node adds to the metrics; `parent` is its parent's kind.
pub(super) fn role(node: Node<'_>, parent: &str) -> Role {
    let nested = Role {
        decisions: 1,
        cognitive: Cognitive::Nested,
        nests: true,
        deepens: true,
    };
    let flat = |decisions| Role {
        decisions,
        cognitive: Cognitive::Flat,
        ..Role::default()
    };
    match node.kind() {
        "if_expression" if parent == "else_clause" => flat(1),
        "if_expression" | "while_expression" | "for_expression" => nested,
        "loop_expression" => Role {
            decisions: 0,
            ..nested
        },
        "match_expression" => Role {
            decisions: arms(node).saturating_sub(1),
            ..nested
        },
        "else_clause" if !holds_if(node) => flat(0),
        // `let … else`
        "let_declaration" if node.child_by_field_name("alternative").is_some() => flat(1),
        // A guard: `pattern if condition =>`
        "if" if parent == "match_pattern" => Role {
            decisions: 1,
            ..Role::default()
        },
        "&&" | "||" if matches!(parent, "binary_expression" | "let_chain") => Role {
            decisions: 1,
            ..Role::default()
        },
        "closure_expression" => Role {
            nests: true,
            ..Role::default()
        },
        "break_expression" | "continue_expression"
            if node
                .named_child(0)
                .is_some_and(|child| child.kind() == "label") =>
        {
            flat(0)
        }
        _ => Role::default(),
    }
}

/// The operator of `a && b`, `a || b`.
pub(super) fn logical(node: Node<'_>) -> Option<&'static str> {
    match node.kind() {
        "let_chain" => Some("&&"),
        "binary_expression" => match node.child_by_field_name("operator")?.kind() {
            "&&" => Some("&&"),
            "||" => Some("||"),
            _ => None,
        },
        _ => None,
    }
}

fn arms(node: Node<'_>) -> u32 {
    let Some(body) = node.child_by_field_name("body") else {
        return 0;
    };
    let mut cursor = body.walk();
    count(
        body.named_children(&mut cursor)
            .filter(|child| child.kind() == "match_arm")
            .count(),
    )
}

fn holds_if(else_clause: Node<'_>) -> bool {
    let mut cursor = else_clause.walk();
    else_clause
        .named_children(&mut cursor)
        .any(|child| child.kind() == "if_expression")
}

/// Looks for the mistakes that one node shows by itself.
pub(super) fn inspect(node: Node<'_>, source: &str, found: &mut Vec<Finding>) {
    match node.kind() {
        "call_expression" => {
            let method = node
                .child_by_field_name("function")
                .filter(|function| function.kind() == "field_expression")
                .and_then(|function| function.child_by_field_name("field"));
            if let Some(method) = method {
                unwrap(method, source, found);
            }
        }
        "macro_invocation" => {
            let name = node
                .child_by_field_name("macro")
                .map(|name| text(name, source));
            let (rule, what) = match name.unwrap_or_default() {
                name @ ("panic" | "todo" | "unimplemented") => (Rule::Panic, name),
                name @ ("dbg" | "println" | "eprintln" | "print" | "eprint") => {
                    (Rule::DebugLeft, name)
                }
                _ => return,
            };
            found.push(Finding::at(node, rule, format!("{what}!")));
        }
        "token_tree" => in_macro(node, source, found),
        _ => {}
    }
}

fn unwrap(method: Node<'_>, source: &str, found: &mut Vec<Finding>) {
    if let name @ ("unwrap" | "expect") = text(method, source) {
        found.push(Finding::at(method, Rule::Unwrap, format!(".{name}()")));
    }
}

/// Inside a macro's brackets the grammar knows only tokens: `.` `unwrap` `(…)`.
fn in_macro(tokens: Node<'_>, source: &str, found: &mut Vec<Finding>) {
    let mut cursor = tokens.walk();
    let (mut dot, mut method) = (false, None);
    for child in tokens.children(&mut cursor) {
        match (child.kind(), method.take()) {
            ("token_tree", Some(method)) => unwrap(method, source, found),
            ("identifier", _) if dot => method = Some(child),
            _ => {}
        }
        dot = child.kind() == ".";
    }
}
