//! What travels over HTTP: wire types, error codes, roles, cursors, and the OpenAPI document made of
//! the server's table of operations. No handler, no IO.
pub mod access;
pub mod agents;
pub mod code;
pub mod cursor;
pub mod documents;
pub mod exports;
pub mod flows;
pub mod keys;
pub mod list;
mod openapi;
pub mod operation;
pub mod problem;
pub mod projects;
pub mod runs;
pub mod system;
pub mod threads;

pub use access::{Access, Role};
pub use code::Code;
pub use list::{List, Sort, SortKey};
pub use openapi::document;
pub use operation::Operation;
pub use problem::{FieldError, Problem};

/// What every path of the API begins with; the system's own (`/health`, …) stand outside.
pub const BASE: &str = "/api/v1";

/// Items of a page when nobody says.
pub const DEFAULT_LIMIT: u32 = 50;
/// The most items of a page.
pub const MAX_LIMIT: u32 = 500;
