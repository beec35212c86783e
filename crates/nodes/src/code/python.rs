//! What is what in Python's grammar: functions, branches, and the mistakes `code.detect` knows.
use tree_sitter::Node;

use super::{
    metrics::{Cognitive, Role},
    rules::{Finding, Rule},
    scan::{Found, Opens},
    syntax::{count, text},
};

/// Whether `node` opens a class or a function.
pub(super) fn opens(node: Node<'_>, source: &str) -> Option<Opens> {
    match node.kind() {
        "class_definition" => {
            let name = name(node, source);
            let test = name.starts_with("Test");
            Some(Opens::Scope { name, test })
        }
        "function_definition" => Some(Opens::Function(function(node, source))),
        _ => None,
    }
}

fn name(node: Node<'_>, source: &str) -> String {
    node.child_by_field_name("name")
        .map(|name| text(name, source).to_owned())
        .unwrap_or_default()
}

fn function(node: Node<'_>, source: &str) -> Found {
    let name = name(node, source);
    let hidden = name.starts_with('_') && !(name.starts_with("__") && name.ends_with("__"));
    Found {
        parameters: parameters(node, source),
        is_async: node.child(0).is_some_and(|child| child.kind() == "async"),
        doc: has_docstring(node),
        public: !hidden && !name.starts_with("__"),
        test: name.starts_with("test_"),
        name,
    }
}

/// Parameters without the separators `/` and `*`, and without a first `self` or `cls`.
fn parameters(function: Node<'_>, source: &str) -> u32 {
    let Some(list) = function.child_by_field_name("parameters") else {
        return 0;
    };
    let mut cursor = list.walk();
    let named = list
        .named_children(&mut cursor)
        .enumerate()
        .filter(|(at, child)| {
            let separator = matches!(
                child.kind(),
                "keyword_separator" | "positional_separator" | "comment"
            );
            let receiver = *at == 0 && matches!(text(*child, source), "self" | "cls");
            !separator && !receiver && !child.is_error()
        });
    count(named.count())
}

fn has_docstring(function: Node<'_>) -> bool {
    let Some(body) = function.child_by_field_name("body") else {
        return false;
    };
    let mut cursor = body.walk();
    let first = body
        .named_children(&mut cursor)
        .find(|child| child.kind() != "comment");
    first.is_some_and(|first| {
        first.kind() == "string"
            || (first.kind() == "expression_statement"
                && first
                    .named_child(0)
                    .is_some_and(|text| text.kind() == "string"))
    })
}

/// What a node adds to the metrics; `parent` is its parent's kind.
pub(super) fn role(node: Node<'_>, parent: &str, source: &str) -> Role {
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
    let decision = Role {
        decisions: 1,
        ..Role::default()
    };
    match node.kind() {
        "if_statement" | "for_statement" | "while_statement" => nested,
        "elif_clause" => flat(1),
        "else_clause" if parent != "try_statement" => flat(0),
        "except_clause" => Role {
            deepens: false,
            ..nested
        },
        "try_statement" => Role {
            deepens: true,
            ..Role::default()
        },
        "match_statement" => Role {
            decisions: 0,
            ..nested
        },
        "case_clause" if is_wildcard(node, source) => Role::default(),
        "conditional_expression" => Role {
            deepens: false,
            ..nested
        },
        "case_clause" | "for_in_clause" | "if_clause" => decision,
        "lambda" => Role {
            nests: true,
            ..Role::default()
        },
        "boolean_operator" => decision,
        _ => Role::default(),
    }
}

/// The operator of `a and b`, `a or b`.
pub(super) fn logical(node: Node<'_>) -> Option<&'static str> {
    if node.kind() != "boolean_operator" {
        return None;
    }
    match node.child_by_field_name("operator")?.kind() {
        "and" => Some("and"),
        _ => Some("or"),
    }
}

/// `case _:` takes what is left and decides nothing.
fn is_wildcard(case: Node<'_>, source: &str) -> bool {
    case.named_child(0)
        .is_some_and(|pattern| text(pattern, source) == "_")
}

/// Looks for the mistakes that one node shows by itself.
pub(super) fn inspect(node: Node<'_>, source: &str, found: &mut Vec<Finding>) {
    let mut add = |rule, what: &str| found.push(Finding::at(node, rule, what.to_owned()));
    match node.kind() {
        "call" => {
            let called = node
                .child_by_field_name("function")
                .map(|f| text(f, source));
            match called.unwrap_or_default() {
                "print" => add(Rule::DebugLeft, "print()"),
                "breakpoint" | "pdb.set_trace" => add(Rule::DebugLeft, "a debugger call"),
                "eval" => add(Rule::DynamicCode, "eval()"),
                "exec" => add(Rule::DynamicCode, "exec()"),
                _ => {}
            }
        }
        "default_parameter" | "typed_default_parameter" => {
            let value = node.child_by_field_name("value");
            if let Some(what) = value.and_then(|value| mutable(value, source)) {
                let name = node
                    .child_by_field_name("name")
                    .map_or("", |name| text(name, source));
                add(
                    Rule::MutableDefault,
                    &format!("`{name}` defaults to a {what}"),
                );
            }
        }
        "comparison_operator" if compares_none(node) => {
            add(Rule::NoneComparison, "== or != with None");
        }
        _ => {}
    }
}

fn mutable(value: Node<'_>, source: &str) -> Option<&'static str> {
    match value.kind() {
        "list" | "list_comprehension" => Some("list"),
        "dictionary" | "dictionary_comprehension" => Some("dict"),
        "set" | "set_comprehension" => Some("set"),
        "call" => match text(value.child_by_field_name("function")?, source) {
            "list" => Some("list"),
            "dict" => Some("dict"),
            "set" => Some("set"),
            _ => None,
        },
        _ => None,
    }
}

fn compares_none(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    let (mut equality, mut none) = (false, false);
    for child in node.children(&mut cursor) {
        equality |= matches!(child.kind(), "==" | "!=");
        none |= child.kind() == "none";
    }
    equality && none
}

/// What an `except` clause catches: `None` when it names a narrow class.
pub(super) fn catches(node: Node<'_>, source: &str) -> Option<(Rule, String)> {
    if node.kind() != "except_clause" {
        return None;
    }
    let mut cursor = node.walk();
    let first = node
        .named_children(&mut cursor)
        .find(|child| child.kind() != "comment")?;
    let class = match first.kind() {
        "block" => return Some((Rule::BareExcept, "except:".to_owned())),
        "as_pattern" => first.named_child(0)?,
        _ => first,
    };
    match text(class, source) {
        name @ ("Exception" | "BaseException") => {
            Some((Rule::BroadExcept, format!("except {name}")))
        }
        _ => None,
    }
}
