//! Finds the functions and the comment markers of one source text. What counts as a function is said
//! by the language's module.
use serde::{Deserialize, Serialize};
use tree_sitter::Node;

use super::{
    function::Function,
    language::{Language, NoTree},
    python, rust,
    syntax::{Go, Step, count, line, text, walk},
    work::Stop,
};

/// Comments that ask for work that are listed for one file.
const MAX_MARKERS: usize = 1000;

/// What one source text holds.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) functions: Vec<Function>,
    pub(super) markers: Vec<Marker>,
    /// Where the first thing stands that the grammar does not know.
    pub(super) syntax_error_line: Option<u32>,
    /// Bytes of source kept with the functions.
    pub(super) source_bytes: usize,
    /// Functions inside each other repeat their text; this one did so beyond the room given.
    pub(super) too_large: bool,
}

/// A comment that asks for work, outside of any function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Marker {
    pub(super) line: u32,
    pub(super) text: String,
}

/// A node that gives what is inside it a name.
#[derive(Debug)]
pub(super) enum Opens {
    /// A class, type, trait or module; inside `test` everything is test code.
    Scope {
        name: String,
        test: bool,
    },
    Function(Found),
}

/// What a language says of a function node.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) parameters: u32,
    pub(super) is_async: bool,
    pub(super) doc: bool,
    pub(super) public: bool,
    pub(super) test: bool,
}

/// Reads one source text. With `room`, each function keeps its text, at most so many bytes in all.
pub(super) fn scan(
    language: Language,
    path: &str,
    source: &str,
    room: Option<usize>,
    stop: &Stop,
) -> Result<Scan, NoTree> {
    let tree = language.parse(source, stop)?;
    let mut state = State {
        language,
        path,
        source,
        room,
        open: Vec::new(),
        functions_open: 0,
        attributes: rust::Attributes::default(),
        found: Scan::default(),
    };
    let ended = walk(&tree, stop, |step| {
        match step {
            Step::Enter(node) => state.enter(node),
            Step::Leave(node) => state.leave(node),
        }
        Go::In
    });
    if !ended {
        return Err(NoTree::Stopped);
    }
    // The walk meets a function before those inside it; lines order them all.
    state
        .found
        .functions
        .sort_by_key(|function| (function.line, function.column));
    Ok(state.found)
}

struct State<'s> {
    language: Language,
    path: &'s str,
    source: &'s str,
    room: Option<usize>,
    open: Vec<Open>,
    functions_open: usize,
    attributes: rust::Attributes,
    found: Scan,
}

struct Open {
    node: usize,
    name: String,
    test: bool,
    function: bool,
}

impl State<'_> {
    fn enter(&mut self, node: Node<'_>) {
        if (node.is_error() || node.is_missing()) && self.found.syntax_error_line.is_none() {
            self.found.syntax_error_line = Some(line(node));
        }
        if is_comment(node) && self.functions_open == 0 {
            self.mark(node);
        }
        let opens = match self.language {
            Language::Python => python::opens(node, self.source),
            Language::Rust => self.attributes.opens(node, self.source),
        };
        match opens {
            Some(Opens::Scope { name, test }) => {
                let test = test || self.in_test();
                self.open.push(Open {
                    node: node.id(),
                    name,
                    test,
                    function: false,
                });
            }
            Some(Opens::Function(found)) => self.function(node, found),
            None => {}
        }
    }

    fn leave(&mut self, node: Node<'_>) {
        if let Some(closed) = self.open.pop_if(|open| open.node == node.id()) {
            self.functions_open -= usize::from(closed.function);
        }
        if self.language == Language::Rust {
            self.attributes.leave(node);
        }
    }

    fn in_test(&self) -> bool {
        self.open.last().is_some_and(|open| open.test)
    }

    fn function(&mut self, node: Node<'_>, found: Found) {
        let separator = match self.language {
            Language::Python => ".",
            Language::Rust => "::",
        };
        // Names of every scope would be quadratic in the depth of the nesting; three tell enough.
        let around = self
            .open
            .iter()
            .rev()
            .take(3)
            .map(|open| open.name.as_str());
        let mut name: Vec<&str> = around.filter(|name| !name.is_empty()).collect();
        name.reverse();
        name.push(&found.name);
        let name = name.join(separator);
        let source = self.keep(node);
        let test = found.test || self.in_test() || is_test_path(self.path, self.language);
        let (start, end) = (node.start_position(), node.end_position());
        self.found.functions.push(Function {
            name,
            path: self.path.to_owned(),
            language: self.language,
            line: count(start.row).saturating_add(1),
            column: count(start.column).saturating_add(1),
            end_line: count(end.row).saturating_add(1),
            lines: count(end.row - start.row).saturating_add(1),
            parameters: found.parameters,
            is_async: found.is_async,
            doc: found.doc,
            public: found.public && self.functions_open == 0,
            test,
            source,
        });
        self.functions_open += 1;
        self.open.push(Open {
            node: node.id(),
            name: found.name,
            test,
            function: true,
        });
    }

    fn keep(&mut self, node: Node<'_>) -> Option<String> {
        let room = self.room?;
        let text = text(node, self.source);
        if self.found.source_bytes + text.len() > room {
            self.found.too_large = true;
            return None;
        }
        self.found.source_bytes += text.len();
        Some(text.to_owned())
    }

    fn mark(&mut self, node: Node<'_>) {
        for (at, row) in text(node, self.source).lines().enumerate() {
            if marker(row).is_some() && self.found.markers.len() < MAX_MARKERS {
                let text: String = row.trim().chars().take(120).collect();
                let line = line(node).saturating_add(count(at));
                self.found.markers.push(Marker { line, text });
            }
        }
    }
}

/// Whether a node is a comment in either language.
pub(super) fn is_comment(node: Node<'_>) -> bool {
    matches!(node.kind(), "comment" | "line_comment" | "block_comment")
}

/// The word in a line of comment that asks for work.
pub(super) fn marker(row: &str) -> Option<&'static str> {
    const MARKERS: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];
    row.split(|c: char| !c.is_alphanumeric() && c != '_')
        .find_map(|word| MARKERS.into_iter().find(|marker| *marker == word))
}

/// Test files by the languages' habits.
fn is_test_path(path: &str, language: Language) -> bool {
    let mut parts = path.rsplit('/');
    let file = parts.next().unwrap_or_default();
    let folder = parts.any(|part| matches!(part, "tests" | "test"));
    match language {
        Language::Python => {
            folder
                || file.starts_with("test_")
                || file.ends_with("_test.py")
                || file == "conftest.py"
        }
        Language::Rust => folder || file == "tests.rs",
    }
}
