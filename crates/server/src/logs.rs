//! Logs on stderr: lines for people or JSON for programs. What is logged never holds a secret:
//! headers and bodies are not logged at all.
use std::time::Duration;

use runstone_db::SlowStatement;
use tracing::Level;
use tracing_subscriber::{
    Layer as _, filter::LevelFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{
    App,
    config::{LogFormat, LogSettings},
};

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

/// From now on slow statements are logged: which one, how long, how many rows; never a value.
pub(crate) fn slow_statements(app: &App) {
    let slow = Duration::from_millis(app.settings.log.slow_statement_ms);
    let db = app.store.database();
    let database = db.dialect().name();
    db.tell_slow(slow, move |slow| {
        let SlowStatement { name, took, .. } = slow;
        let (rows, failed) = (slow.rows, slow.failed);
        let ms = took.as_secs_f64() * 1000.0;
        tracing::warn!(
            statement = &**name,
            database,
            ms,
            rows,
            failed,
            "slow statement"
        );
    });
}
