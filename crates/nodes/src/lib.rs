//! The built-in node kinds, one module each. A kind only does its work: retries, time limits of the
//! step, journaling and the state belong to the engine.
pub mod assert;
#[cfg(feature = "code")]
pub mod code;
#[cfg(feature = "http")]
pub mod http;
pub mod log;
pub mod set;
pub mod sleep;
pub mod span;
pub mod template;
mod with;

#[cfg(feature = "code")]
use std::path::PathBuf;
use std::sync::Arc;

use runstone_engine::node::Node;

/// What the built-in kinds need to know of the program they run in.
#[derive(Clone, Default)]
pub struct Builtin {
    /// Which private addresses `http` may reach; the default is none.
    #[cfg(feature = "http")]
    pub http: http::Policy,
    /// The folder that relative paths of `code.extract` start from; empty: the current folder.
    #[cfg(feature = "code")]
    pub workspace: PathBuf,
    /// Whether `code.extract` is kept inside `workspace` (a server must, a command line need not).
    #[cfg(feature = "code")]
    pub confine: bool,
    /// Where `log` lines go besides the step's result.
    pub log: Option<log::Sink>,
}

/// Every built-in kind, ready to be registered.
#[must_use]
pub fn builtin(options: Builtin) -> Vec<Arc<dyn Node>> {
    #[cfg_attr(
        not(feature = "code"),
        expect(unused_mut, reason = "kinds behind features")
    )]
    let mut kinds: Vec<Arc<dyn Node>> = vec![
        Arc::new(set::Set),
        Arc::new(template::Template::default()),
        Arc::new(assert::Assert),
        Arc::new(log::Log::new(options.log)),
        Arc::new(sleep::Sleep),
        #[cfg(feature = "http")]
        Arc::new(http::Http::new(options.http)),
    ];
    #[cfg(feature = "code")]
    kinds.extend(code::kinds(options.workspace, options.confine));
    kinds
}
