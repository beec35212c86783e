//! `code.*`: review of source code on syntax trees.
use std::{path::PathBuf, sync::Arc};

use runstone_engine::node::Node;

/// The kinds of this group.
pub(crate) fn kinds(_workspace: PathBuf, _confine: bool) -> Vec<Arc<dyn Node>> {
    Vec::new()
}
