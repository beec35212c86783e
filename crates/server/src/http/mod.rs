//! What every request goes through, whatever it asks for: reading, limits, headers, the accept loop.
pub(crate) mod accept;
pub(crate) mod extract;
pub(crate) mod gate;
pub(crate) mod page;
pub(crate) mod schema;
pub(crate) mod unchanged;
pub(crate) mod verb;
