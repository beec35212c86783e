//! Every route there is, by noun. A new noun is a module with `routes()` and one line in [`all`].
mod flows;
mod keys;
mod projects;
mod runs;
mod system;

use std::sync::LazyLock;

use runstone_api::Operation;

use crate::Route;

/// The whole table, in the order of the documentation.
#[must_use]
pub fn all() -> Vec<Route> {
    let mut all = system::routes();
    all.extend(projects::routes());
    all.extend(flows::routes());
    all.extend(runs::routes());
    all.extend(keys::routes());
    all
}

/// The table without its handlers, made once.
#[must_use]
pub fn operations() -> &'static [Operation] {
    static OPERATIONS: LazyLock<Vec<Operation>> =
        LazyLock::new(|| all().into_iter().map(|route| route.operation).collect());
    &OPERATIONS
}
