//! `code.extract`: the functions of a file, a folder or a text.
use std::path::PathBuf;

use futures::future::{BoxFuture, FutureExt};
use runstone_engine::node::{Context, Node, NodeError, Outcome, Spec};
use runstone_model::failure::Class;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    files::{self, Gathered, MAX_FILE_BYTES, MAX_SKIPPED, Source, Workspace},
    function::{self, Function},
    language::{Language, NoTree},
    scan::{Marker, scan},
    syntax::count,
    work::{Stop, blocking},
};
use crate::with;

/// Bytes of function source in one result; with the rest of it this stays below the limit on results.
const MAX_SOURCE_BYTES: usize = 6 << 20;
/// Functions in one result.
const MAX_FUNCTIONS: usize = 20_000;

/// The kind `code.extract`.
#[derive(Clone, Debug)]
pub struct Extract {
    workspace: Workspace,
}

impl Extract {
    /// Relative paths start from `workspace` (empty: the current folder); `confine` keeps every path
    /// inside it.
    #[must_use]
    pub fn new(workspace: PathBuf, confine: bool) -> Self {
        let root = match workspace.as_os_str().is_empty() {
            true => PathBuf::from("."),
            false => workspace,
        };
        Self {
            workspace: Workspace { root, confine },
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct With {
    path: Option<String>,
    language: Option<Language>,
    source: Option<String>,
    keep_source: Option<bool>,
}

/// A file in the result.
#[derive(Serialize)]
struct File {
    path: String,
    language: Language,
    lines: u32,
    /// How many functions it holds.
    functions: u32,
    markers: Vec<Marker>,
    syntax_error_line: Option<u32>,
}

impl With {
    fn gather(&self, workspace: &Workspace, stop: &Stop) -> Result<Gathered, NodeError> {
        match (&self.path, &self.source) {
            (Some(_), Some(_)) => Err(with::invalid(
                "give either `path` or a `source` text, not both",
            )),
            (Some(path), None) => files::gather(workspace, path, self.language, stop),
            (None, Some(text)) => {
                let language = self.language.ok_or_else(|| {
                    with::invalid("a `source` text needs its `language`: python or rust")
                })?;
                if text.len() as u64 > MAX_FILE_BYTES || text.contains('\0') {
                    return Err(with::invalid(format!(
                        "the `source` text is binary or larger than {} KiB",
                        MAX_FILE_BYTES >> 10
                    )));
                }
                let path = "source".to_owned();
                let source = Source {
                    path,
                    language,
                    text: text.clone(),
                };
                Ok(Gathered {
                    sources: vec![source],
                    ..Gathered::default()
                })
            }
            (None, None) => Err(with::invalid(
                "give a `path`, or a `source` text and its `language`",
            )),
        }
    }
}

fn all(with: &With, workspace: &Workspace, stop: &Stop) -> Result<Value, NodeError> {
    let mut gathered = with.gather(workspace, stop)?;
    let keep = with.keep_source.unwrap_or(true);
    let mut files: Vec<File> = Vec::new();
    let mut functions: Vec<Function> = Vec::new();
    let mut room = if keep { MAX_SOURCE_BYTES } else { 0 };
    for Source {
        path,
        language,
        text,
    } in std::mem::take(&mut gathered.sources)
    {
        stop.check()?;
        let found = match scan(language, &path, &text, keep.then_some(room), stop) {
            Ok(found) => found,
            Err(NoTree::Stopped) => {
                return Err(NodeError::new(
                    Class::Cancelled,
                    "stopped while reading source code",
                ));
            }
            Err(NoTree::Tangled) => {
                gathered.skip(
                    &path,
                    "it cannot be parsed: it does not look like source".into(),
                );
                continue;
            }
        };
        if found.too_large || functions.len() + found.functions.len() > MAX_FUNCTIONS {
            gathered.skip(&path, "more functions than one result holds".to_owned());
            continue;
        }
        room -= found.source_bytes;
        files.push(File {
            path,
            language,
            lines: count(text.lines().count()),
            functions: count(found.functions.len()),
            markers: found.markers,
            syntax_error_line: found.syntax_error_line,
        });
        functions.extend(found.functions);
    }
    let skipped_count = gathered.skipped.len();
    gathered.skipped.truncate(MAX_SKIPPED);
    Ok(json!({
        "files": files,
        "functions": functions,
        "lines": files.iter().map(|file| u64::from(file.lines)).sum::<u64>(),
        "skipped": gathered.skipped,
        "skipped_count": skipped_count,
        "other_files": gathered.other_files,
    }))
}

fn result_schema() -> Value {
    let number = json!({"type": "integer", "minimum": 0});
    json!({
        "type": "object",
        "properties": {
            "files": {"type": "array", "items": {
                "type": "object",
                "properties": {
                    "path": {"type": "string"},
                    "language": {"enum": Language::NAMES},
                    "lines": number,
                    "functions": number,
                    "markers": {"type": "array"},
                    "syntax_error_line": {"type": ["integer", "null"]},
                },
            }},
            "functions": function::list_schema(),
            "lines": number,
            "skipped": {"type": "array", "items": {
                "type": "object",
                "properties": {"path": {"type": "string"}, "reason": {"type": "string"}},
            }},
            "skipped_count": number,
            "other_files": number,
        },
        "required": ["files", "functions", "lines", "skipped", "skipped_count", "other_files"],
    })
}

impl Node for Extract {
    fn spec(&self) -> Spec {
        Spec {
            name: "code.extract",
            summary: "Finds the functions in Python and Rust source",
            with: json!({
                "type": "object",
                "properties": {
                    "path": {
                        "type": "string", "minLength": 1,
                        "description": "A file or a folder; relative to the workspace",
                    },
                    "source": {
                        "type": "string",
                        "description": "A text to read instead of a path",
                    },
                    "keep_source": {
                        "type": "boolean", "default": true,
                        "description": "Whether each function comes with its text, which \
                                        code.complexity and code.detect need",
                    },
                    "language": {
                        "enum": Language::NAMES,
                        "description": "Of `source` or of the file; with a folder: only this one",
                    },
                },
                "anyOf": [{"required": ["path"]}, {"required": ["source", "language"]}],
                "additionalProperties": false,
            }),
            result: result_schema(),
            side_effects: false,
            instant: false,
        }
    }

    fn run<'a>(&'a self, ctx: Context, with: Value) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        let workspace = self.workspace.clone();
        async move {
            let with: With = with::read("code.extract", with)?;
            let work = move |stop: &Stop| all(&with, &workspace, stop);
            blocking(ctx.cancelled, work).await.map(Outcome::from)
        }
        .boxed()
    }
}
