//! The languages that can be reviewed, how a file's name tells them apart, and parsing under a limit
//! on effort: text that is no source must not keep a thread busy.
use std::{ops::ControlFlow, path::Path};

use serde::{Deserialize, Serialize};
use tree_sitter::{ParseOptions, ParseState, Parser, Tree};

use super::work::Stop;

/// A language with a grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Language {
    Python,
    Rust,
}

/// Why there is no tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoTree {
    /// The work is no longer wanted.
    Stopped,
    /// The parser made no headway: this is not source code.
    Tangled,
}

/// Calls of the progress callback a text may cost, at the least and for each byte. Real source needs
/// about 0.02 a byte.
const EFFORT_AT_LEAST: usize = 20_000;
const EFFORT_PER_BYTE: usize = 1;

impl Language {
    pub(super) const NAMES: [&'static str; 2] = ["python", "rust"];

    /// The language of a file by its name.
    pub(super) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "py" | "pyi" => Some(Self::Python),
            "rs" => Some(Self::Rust),
            _ => None,
        }
    }

    /// Parses `source`; errors in it are nodes of the tree.
    pub(super) fn parse(self, source: &str, stop: &Stop) -> Result<Tree, NoTree> {
        let grammar = match self {
            Self::Python => tree_sitter_python::LANGUAGE,
            Self::Rust => tree_sitter_rust::LANGUAGE,
        };
        let mut parser = Parser::new();
        // A grammar of another generation than the library would be a broken build.
        parser
            .set_language(&grammar.into())
            .map_err(|_| NoTree::Tangled)?;
        let mut effort = EFFORT_AT_LEAST + source.len() * EFFORT_PER_BYTE;
        let mut progress = |_: &ParseState| {
            effort = effort.saturating_sub(1);
            if effort == 0 || stop.asked() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        let bytes = source.as_bytes();
        parser
            .parse_with_options(
                &mut |at, _| bytes.get(at..).unwrap_or_default(),
                None,
                Some(ParseOptions::new().progress_callback(&mut progress)),
            )
            .ok_or_else(|| {
                if stop.asked() {
                    NoTree::Stopped
                } else {
                    NoTree::Tangled
                }
            })
    }
}
