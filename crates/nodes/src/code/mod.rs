//! `code.*`: review of Python and Rust source on syntax trees. Every kind is a pure function of the
//! source: the same files give the same functions, numbers, issues, suggestions and score.
mod advice;
mod complexity;
mod detect;
mod extract;
mod files;
mod function;
mod issue;
mod language;
mod metrics;
mod python;
mod rules;
mod rust;
mod scan;
mod score;
mod suggest;
mod syntax;
mod work;

use std::{path::PathBuf, sync::Arc};

use runstone_engine::node::Node;

pub use self::{
    complexity::Complexity, detect::Detect, extract::Extract, score::Score, suggest::Suggest,
};

/// The kinds of this group.
pub(crate) fn kinds(workspace: PathBuf, confine: bool) -> Vec<Arc<dyn Node>> {
    vec![
        Arc::new(Extract::new(workspace, confine)),
        Arc::new(Complexity),
        Arc::new(Detect),
        Arc::new(Suggest),
        Arc::new(Score),
    ]
}
