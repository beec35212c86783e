//! Every route there is, by noun. A new noun is a module with `routes()` and one line in [`all`].
mod agents;
mod documents;
mod exports;
mod flows;
mod keys;
mod once;
pub(crate) mod projects;
pub(crate) mod quota;
mod runs;
mod system;
mod threads;
mod versioned;
mod window;

use std::sync::LazyLock;

use runstone_api::Operation;

use crate::Route;

pub(crate) use once::remembered_since;

/// The whole table, in the order of the documentation.
#[must_use]
pub fn all() -> Vec<Route> {
    let mut all = system::routes();
    all.extend(projects::routes());
    all.extend(flows::routes());
    all.extend(runs::routes());
    all.extend(documents::routes());
    all.extend(threads::routes());
    all.extend(agents::routes());
    all.extend(exports::routes());
    all.extend(keys::routes());
    all
}

/// The paths of the table.
pub(crate) fn paths() -> impl Iterator<Item = &'static str> {
    let operations = operations().iter();
    operations.map(|operation| operation.path.as_str())
}

/// The table without its handlers, made once.
#[must_use]
pub fn operations() -> &'static [Operation] {
    static OPERATIONS: LazyLock<Vec<Operation>> =
        LazyLock::new(|| all().into_iter().map(|route| route.operation).collect());
    &OPERATIONS
}
