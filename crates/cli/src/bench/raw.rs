//! The yardstick: bare driver calls in this process, right before, with rows of the same size in
//! batches of the same size.
use std::time::Duration;

use anyhow::Context as _;
use runstone_db::bare::{self, Load, Rate};

/// How long the yardstick writes.
const TIME: Duration = Duration::from_secs(3);

/// What the bare driver does on the database of `url`.
pub(super) async fn measure(url: &str, batch: usize, body_bytes: usize) -> anyhow::Result<Rate> {
    let load = Load {
        batch,
        body_bytes,
        time: TIME,
    };
    let Some(path) = url.strip_prefix("sqlite:") else {
        let scheme = url.split(':').next().unwrap_or_default();
        return Ok(match scheme {
            "mysql" | "mariadb" => bare::mysql(url, &load).await?,
            "mssql" | "sqlserver" => bare::mssql(url, &load).await?,
            _ => bare::postgres(url, &load).await?,
        });
    };
    // On the same disk as the database itself.
    let parent = std::path::Path::new(path)
        .parent()
        .filter(|p| !p.as_os_str().is_empty());
    let folder = tempfile::tempdir_in(parent.unwrap_or_else(|| std::path::Path::new(".")))
        .context("no folder for the yardstick's file")?;
    let file = folder.path().join("raw.db");
    Ok(tokio::task::spawn_blocking(move || bare::sqlite(&file, &load)).await??)
}
