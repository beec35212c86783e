//! The HTTP server: a table of routes over the engine and the store, who may call them, limits, live
//! events, health, configuration. Handlers are thin: they read, ask one verb, and map.
mod app;
mod audit;
mod auth;
pub mod config;
mod docs;
mod fault;
mod health;
mod http;
mod live;
mod logs;
pub mod metrics;
mod outage;
mod redis;
mod report;
mod route;
pub mod routes;
mod server;
mod trace;
mod upkeep;

pub use app::{App, Parts};
pub use auth::{Caller, Scope, key::Secret};
pub use fault::{Answer, Fault};
pub use http::{
    extract::{
        Body, Params, Query, etag, etag_with, idempotency_key, if_match, if_match_small,
        invalid_body, invalid_query,
    },
    page::{Page, Paging, counted},
};
pub use logs::init as init_logs;
pub use route::Route;
pub use server::{Server, StartError};

/// The version of the program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The OpenAPI document of this program.
#[must_use]
pub fn openapi() -> serde_json::Value {
    runstone_api::document(VERSION, routes::operations())
}
