//! The rules of `code.detect`: how bad each is, and the limits a flow may set. Finding the places is
//! in the languages' modules; advice is in [`super::suggest`].
use runstone_engine::node::NodeError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tree_sitter::Node;

use super::{
    function::Function,
    language::Language,
    metrics::{Metrics, is_function},
    python, rust,
    scan::{is_comment, marker},
    syntax::{Go, Step, count, text, walk},
    work::Stop,
};

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Rule {
    TooComplex,
    TooLong,
    TooManyParameters,
    DeepNesting,
    MissingDoc,
    BareExcept,
    BroadExcept,
    MutableDefault,
    DynamicCode,
    NoneComparison,
    Unwrap,
    Panic,
    DebugLeft,
    Todo,
    SyntaxError,
}

/// How much an issue matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Severity {
    Info,
    Warning,
    Error,
}

impl Severity {
    pub(super) const NAMES: [&'static str; 3] = ["info", "warning", "error"];

    /// Points of an issue that comes without its own.
    pub(super) fn points(self) -> u32 {
        match self {
            Self::Info => 1,
            Self::Warning => 4,
            Self::Error => 8,
        }
    }
}

impl Rule {
    pub(super) const NAMES: [&'static str; 15] = [
        "too_complex",
        "too_long",
        "too_many_parameters",
        "deep_nesting",
        "missing_doc",
        "bare_except",
        "broad_except",
        "mutable_default",
        "dynamic_code",
        "none_comparison",
        "unwrap",
        "panic",
        "debug_left",
        "todo",
        "syntax_error",
    ];

    pub(super) fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// Severity and points of one issue; `excess` is how far a limit is passed.
    pub(super) fn weigh(self, excess: u32) -> (Severity, u32) {
        use Severity::{Error, Info, Warning};
        match self {
            Self::TooComplex => (
                if excess > 10 { Error } else { Warning },
                5 + excess.min(10),
            ),
            Self::TooLong => (Warning, 3 + (excess / 20).min(5)),
            Self::TooManyParameters => (Warning, 2 + excess.min(4)),
            Self::DeepNesting => (Warning, 3 + 2 * excess.min(3)),
            Self::BareExcept | Self::MutableDefault => (Error, 6),
            Self::DynamicCode | Self::SyntaxError => (Error, 8),
            Self::BroadExcept | Self::Panic => (Warning, 4),
            Self::Unwrap => (Warning, 3),
            Self::DebugLeft => (Info, 2),
            Self::MissingDoc | Self::NoneComparison | Self::Todo => (Info, 1),
        }
    }

    /// Whether test code may do it.
    fn spares_tests(self) -> bool {
        matches!(
            self,
            Self::MissingDoc | Self::Unwrap | Self::Panic | Self::DebugLeft
        )
    }
}

/// The limits a flow may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    /// Cyclomatic complexity.
    pub(super) complexity: u32,
    /// Lines of a function.
    pub(super) lines: u32,
    pub(super) parameters: u32,
    pub(super) nesting: u32,
    /// Public functions of fewer lines need no documentation.
    pub(super) undocumented_lines: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            complexity: 10,
            lines: 60,
            parameters: 5,
            nesting: 4,
            undocumented_lines: 5,
        }
    }
}

/// JSON Schema of [`Limits`].
pub(super) fn limits_schema() -> Value {
    let limit = |default: u32, what: &str| {
        json!({"type": "integer", "minimum": 0, "maximum": 1_000_000, "default": default,
               "description": what})
    };
    let Limits {
        complexity,
        lines,
        parameters,
        nesting,
        undocumented_lines,
    } = Limits::default();
    json!({
        "type": "object",
        "description": "The most a function may have before it is an issue",
        "properties": {
            "complexity": limit(complexity, "Cyclomatic complexity"),
            "lines": limit(lines, "Lines"),
            "parameters": limit(parameters, "Parameters, without self"),
            "nesting": limit(nesting, "Branches and loops inside each other"),
            "undocumented_lines": limit(undocumented_lines, "Lines a public function may have \
                                                             without documentation"),
        },
        "additionalProperties": false,
    })
}

/// A place where a rule is broken, inside one function's source.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Finding {
    pub(super) rule: Rule,
    /// Row and column from 0, relative to the function.
    pub(super) row: u32,
    pub(super) column: u32,
    /// What was found there.
    pub(super) what: String,
    /// For a rule with a limit: what is and what may be.
    pub(super) measured: Option<(u32, u32)>,
}

impl Finding {
    pub(super) fn at(node: Node<'_>, rule: Rule, what: String) -> Self {
        let place = node.start_position();
        Self {
            rule,
            row: count(place.row),
            column: count(place.column),
            what,
            measured: None,
        }
    }

    fn over(rule: Rule, is: u32, limit: u32, what: String) -> Option<Self> {
        let measured = Some((is, limit));
        (is > limit).then_some(Self {
            rule,
            row: 0,
            column: 0,
            what,
            measured,
        })
    }
}

/// Every issue of one function, in order of place.
pub(super) fn find(
    function: &Function,
    metrics: Metrics,
    limits: &Limits,
    stop: &Stop,
) -> Result<Vec<Finding>, NodeError> {
    let mut found = by_numbers(function, metrics, limits);
    in_source(function, stop, &mut found)?;
    let name = function.short_name();
    found.retain(|finding| {
        let spared = function.test && finding.rule.spares_tests();
        // A program's entry may print.
        let prints = name == "main" && finding.rule == Rule::DebugLeft && finding.what != "dbg!";
        !(spared || prints)
    });
    found.sort_by_key(|finding| (finding.row, finding.column, finding.rule));
    found.dedup_by_key(|finding| (finding.row, finding.column, finding.rule));
    Ok(found)
}

fn by_numbers(function: &Function, metrics: Metrics, limits: &Limits) -> Vec<Finding> {
    let Metrics {
        cyclomatic,
        nesting,
        ..
    } = metrics;
    let undocumented = function.public
        && !function.doc
        && function.lines > limits.undocumented_lines
        && function.short_name() != "main";
    let missing = Finding {
        rule: Rule::MissingDoc,
        row: 0,
        column: 0,
        what: "it is public and says nothing of itself".to_owned(),
        measured: None,
    };
    [
        Finding::over(
            Rule::TooComplex,
            cyclomatic,
            limits.complexity,
            format!(
                "its cyclomatic complexity is {cyclomatic}, more than {}",
                limits.complexity
            ),
        ),
        Finding::over(
            Rule::TooLong,
            function.lines,
            limits.lines,
            format!(
                "it has {} lines, more than {}",
                function.lines, limits.lines
            ),
        ),
        Finding::over(
            Rule::TooManyParameters,
            function.parameters,
            limits.parameters,
            format!(
                "it takes {} parameters, more than {}",
                function.parameters, limits.parameters
            ),
        ),
        Finding::over(
            Rule::DeepNesting,
            nesting,
            limits.nesting,
            format!(
                "its branches are nested {nesting} deep, more than {}",
                limits.nesting
            ),
        ),
        undocumented.then_some(missing),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// An `except` clause that may turn out to pass the error on.
struct Caught {
    node: usize,
    finding: Finding,
    raises: bool,
}

fn in_source(function: &Function, stop: &Stop, found: &mut Vec<Finding>) -> Result<(), NodeError> {
    let (tree, source) = function.parse(stop)?;
    let mut inside = false;
    let mut caught: Vec<Caught> = Vec::new();
    let ended = walk(&tree, stop, |step| match step {
        Step::Enter(node) => {
            if is_function(node) && std::mem::replace(&mut inside, true) {
                return Go::Past;
            }
            if is_comment(node) {
                comment(node, source, found);
            }
            match function.language {
                Language::Rust => rust::inspect(node, source, found),
                Language::Python => {
                    python::inspect(node, source, found);
                    if let Some((rule, what)) = python::catches(node, source) {
                        let finding = Finding::at(node, rule, what);
                        caught.push(Caught {
                            node: node.id(),
                            finding,
                            raises: false,
                        });
                    }
                    if let ("raise_statement", Some(last)) = (node.kind(), caught.last_mut()) {
                        last.raises = true;
                    }
                }
            }
            inside |= is_function(node);
            Go::In
        }
        Step::Leave(node) => {
            if let Some(last) = caught.pop_if(|last| last.node == node.id())
                && !(last.raises && last.finding.rule == Rule::BroadExcept)
            {
                found.push(last.finding);
            }
            Go::In
        }
    });
    if ended { Ok(()) } else { stop.check() }
}

fn comment(node: Node<'_>, source: &str, found: &mut Vec<Finding>) {
    let place = node.start_position();
    for (at, row) in text(node, source).lines().enumerate() {
        if let Some(word) = marker(row) {
            found.push(Finding {
                rule: Rule::Todo,
                row: count(place.row + at),
                column: if at == 0 { count(place.column) } else { 0 },
                what: format!("a comment says {word}"),
                measured: None,
            });
        }
    }
}
