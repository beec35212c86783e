//! A function found in source, as it travels between the nodes of a flow.
use runstone_engine::node::NodeError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tree_sitter::Tree;

use super::{
    language::{Language, NoTree},
    work::Stop,
};
use crate::with;

/// One function or method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Function {
    /// With the class, type or module around it: `Cart.total`, `Cart::total`.
    pub(super) name: String,
    pub(super) path: String,
    pub(super) language: Language,
    /// First line, from 1.
    pub(super) line: u32,
    /// Column of the first character, from 1.
    #[serde(default = "first")]
    pub(super) column: u32,
    /// Last line.
    pub(super) end_line: u32,
    pub(super) lines: u32,
    /// Without `self` and `cls`.
    pub(super) parameters: u32,
    #[serde(default)]
    pub(super) is_async: bool,
    /// Whether it has a docstring or doc comment.
    #[serde(default)]
    pub(super) doc: bool,
    /// Whether other modules may use it, as far as its own text says.
    #[serde(default)]
    pub(super) public: bool,
    /// Whether it is test code.
    #[serde(default)]
    pub(super) test: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
}

fn first() -> u32 {
    1
}

impl Function {
    /// The tree of the function alone.
    pub(super) fn parse(&self, stop: &Stop) -> Result<(Tree, &str), NodeError> {
        let source = self.source.as_deref().ok_or_else(|| {
            with::invalid(format!(
                "function `{}` ({}:{}) comes without its source; let code.extract give it \
                 (`keep_source: true`, the default)",
                self.name, self.path, self.line
            ))
        })?;
        match self.language.parse(source, stop) {
            Ok(tree) => Ok((tree, source)),
            Err(NoTree::Stopped) => stop.check().and_then(|()| self.unreadable()),
            Err(NoTree::Tangled) => self.unreadable(),
        }
    }

    fn unreadable<T>(&self) -> Result<T, NodeError> {
        Err(with::invalid(format!(
            "the source of `{}` ({}:{}) cannot be read as {}",
            self.name,
            self.path,
            self.line,
            Language::NAMES[self.language as usize]
        )))
    }

    /// The name without what stands around it.
    pub(super) fn short_name(&self) -> &str {
        self.name.rsplit(['.', ':']).next().unwrap_or(&self.name)
    }
}

/// JSON Schema of a list of functions as `with` takes it.
pub(super) fn list_schema() -> Value {
    json!({
        "type": "array",
        "description": "Functions as code.extract gives them",
        "items": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "path": {"type": "string"},
                "language": {"enum": Language::NAMES},
                "line": {"type": "integer", "minimum": 0},
                "column": {"type": "integer", "minimum": 0},
                "end_line": {"type": "integer", "minimum": 0},
                "lines": {"type": "integer", "minimum": 0},
                "parameters": {"type": "integer", "minimum": 0},
                "is_async": {"type": "boolean"},
                "doc": {"type": "boolean"},
                "public": {"type": "boolean"},
                "test": {"type": "boolean"},
                "source": {"type": "string"},
            },
            "required": ["name", "path", "language", "line", "end_line", "lines", "parameters"],
        },
    })
}
