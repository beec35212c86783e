//! Logs on stderr: lines for people or JSON for programs. What is logged never holds a secret:
//! headers and bodies are not logged at all.
use tracing::Level;
use tracing_subscriber::{
    Layer as _, filter::LevelFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::config::{LogFormat, LogSettings};

/// Starts logging; a second call does nothing.
pub fn init(settings: &LogSettings) {
    let level = LevelFilter::from_level(settings.level.parse().unwrap_or(Level::INFO));
    let layer = match settings.format {
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(std::io::stderr)
            .boxed(),
        LogFormat::Text => fmt::layer()
            .compact()
            .with_target(false)
            .with_writer(std::io::stderr)
            .boxed(),
    };
    // Somebody who embeds the server may have a subscriber already.
    let _ = tracing_subscriber::registry()
        .with(layer.with_filter(level))
        .try_init();
}
