//! Database servers for tests: where they are, and a schema of one's own on them.
//!
//! Starts none: `cargo xtask test` starts one server for all tests and names it in a variable.

use anyhow::{Context, Result};
use runstone_db::{Database, Options, Statement};
use uuid::Uuid;

/// Names the PostgreSQL server that tests may fill, as a URL.
pub const POSTGRES_VAR: &str = "RUNSTONE_TEST_POSTGRES_URL";

/// The URL of the PostgreSQL server for tests; without one, says so where the runner counts it.
pub fn postgres_url() -> Option<String> {
    let url = std::env::var(POSTGRES_VAR).ok();
    if url.is_none() {
        eprintln!("SKIPPED: {POSTGRES_VAR} is not set (`cargo xtask test` starts a server)");
    }
    url
}

/// An empty schema on a PostgreSQL server, removed with everything in it when this is dropped.
#[derive(Debug)]
pub struct FreshSchema {
    base_url: String,
    name: String,
    url: String,
}

impl FreshSchema {
    /// Makes the schema; `base_url` names a database in which schemas may be made.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub async fn new(base_url: &str) -> Result<Self> {
        let name = format!("t_{}", fresh_id().simple());
        execute(base_url, &format!("CREATE SCHEMA {name}")).await?;
        let mark = if base_url.contains('?') { '&' } else { '?' };
        let url = format!("{base_url}{mark}options=-c%20search_path%3D{name}");
        Ok(FreshSchema {
            base_url: base_url.to_owned(),
            name,
            url,
        })
    }

    /// Connections of this URL see this schema and nothing else.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for FreshSchema {
    fn drop(&mut self) {
        let (url, sql) = (
            self.base_url.clone(),
            format!("DROP SCHEMA {} CASCADE", self.name),
        );
        // A thread of its own: a drop cannot wait inside the runtime that it may run on.
        let removed = std::thread::spawn(move || -> Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(execute(&url, &sql))
        });
        match removed.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("schema {} is left behind: {error:#}", self.name),
            Err(_) => eprintln!("schema {} is left behind: removing it panicked", self.name),
        }
    }
}

async fn execute(url: &str, sql: &str) -> Result<()> {
    let options = Options {
        pool_size: 1,
        ..Options::default()
    };
    let db = Database::connect(url, options).await?;
    let statement = Statement::render("testkit.schema", sql, db.dialect())?;
    let done = db.execute(&statement, &[]).await;
    db.close().await;
    done.with_context(|| sql.to_owned()).map(drop)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a name that no other process takes; no run sees it"
)]
fn fresh_id() -> Uuid {
    Uuid::now_v7()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    async fn schemas_named(base_url: &str, name: &str) -> usize {
        let db = Database::connect(base_url, Options::default())
            .await
            .unwrap();
        let sql = "SELECT nspname FROM pg_namespace WHERE nspname = :name";
        let statement = Statement::render("test.schemas", sql, db.dialect()).unwrap();
        db.fetch_all(&statement, &[("name", name.into())])
            .await
            .unwrap()
            .len()
    }

    #[tokio::test]
    async fn postgres_schema_is_seen_by_its_url_and_gone_after_drop() {
        let Some(base) = postgres_url() else { return };
        let fresh = FreshSchema::new(&base).await.unwrap();
        execute(fresh.url(), "CREATE TABLE mine (n BIGINT)")
            .await
            .unwrap();
        execute(
            &base,
            &format!("INSERT INTO {}.mine VALUES (1)", fresh.name),
        )
        .await
        .unwrap();
        let name = fresh.name.clone();
        assert_eq!(schemas_named(&base, &name).await, 1);
        drop(fresh);
        assert_eq!(schemas_named(&base, &name).await, 0);
    }

    #[tokio::test]
    async fn an_unreachable_postgres_is_an_error() {
        let nobody = "postgres://nobody@127.0.0.1:1/none";
        assert!(FreshSchema::new(nobody).await.is_err());
    }
}
