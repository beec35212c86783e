//! An empty database for one test, gone with everything in it when the test is over: a file, a
//! schema of a PostgreSQL database, a database of the other servers.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use runstone_db::{Database, Dialect, Options, RetryPolicy, Statement, retry};
use tempfile::TempDir;
use uuid::Uuid;

use super::TestDatabase;

const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);

/// An empty database of one's own.
#[derive(Debug)]
pub struct Fresh {
    database: TestDatabase,
    dialect: Dialect,
    url: String,
    folder: TempDir,
    /// What to do on which server when it is dropped.
    removal: Option<Removal>,
}

#[derive(Debug)]
struct Removal {
    base_url: String,
    statements: Vec<String>,
}

impl Fresh {
    /// A new one; None, said aloud, where tests cannot run on `database` now.
    ///
    /// # Panics
    /// The server is named but cannot be used: that must not look like a passed test.
    pub async fn on(database: TestDatabase) -> Option<Self> {
        if !database.is_there() {
            return None;
        }
        let made = Self::make(database).await;
        Some(made.unwrap_or_else(|error| panic!("no fresh {}: {error:#}", database.name())))
    }

    /// Which database it is on.
    #[must_use]
    pub fn database(&self) -> TestDatabase {
        self.database
    }

    /// The dialect of its statements.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Connections of this URL see this database and nothing else.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A temporary folder that lives as long; SQLite's file is in it.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    async fn make(database: TestDatabase) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let Some(base_url) = database.url() else {
            let url = format!("sqlite:{}", folder.path().join("test.db").display());
            return Ok(Self {
                database,
                dialect: Dialect::Sqlite,
                url,
                folder,
                removal: None,
            });
        };
        let name = format!("t_{}", fresh_id().simple());
        let (make, url, statements) = plan(database, &base_url, &name)?;
        let dialect = execute_in_the_end(&base_url, &[make]).await?;
        Ok(Self {
            database,
            dialect,
            url,
            folder,
            removal: Some(Removal {
                base_url,
                statements,
            }),
        })
    }
}

/// The statement that makes it, its URL, the statements that remove it.
fn plan(
    database: TestDatabase,
    base_url: &str,
    name: &str,
) -> Result<(String, String, Vec<String>)> {
    Ok(match database {
        TestDatabase::Sqlite => bail!("SQLite has no server"),
        TestDatabase::Postgres13 | TestDatabase::Postgres | TestDatabase::Postgres18 => (
            format!("CREATE SCHEMA {name}"),
            with_option(base_url, &format!("options=-c%20search_path%3D{name}")),
            vec![format!("DROP SCHEMA {name} CASCADE")],
        ),
        // The server's own collation is left as it is: the product must not depend on it.
        TestDatabase::Mariadb | TestDatabase::Mysql => (
            format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"),
            with_database(base_url, name)?,
            vec![format!("DROP DATABASE {name}")],
        ),
        TestDatabase::Mssql => (
            format!("CREATE DATABASE {name}"),
            with_database(base_url, name)?,
            vec![format!("DROP DATABASE {name}")],
        ),
    })
}

/// `url` with one more `key=value`.
fn with_option(url: &str, option: &str) -> String {
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}{option}")
}

/// `scheme://user@host/other?options` with the name of another database.
fn with_database(url: &str, name: &str) -> Result<String> {
    let (scheme, rest) = url.split_once("://").context("the URL has no `://`")?;
    let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
    let host = place.split('/').next().unwrap_or_default();
    let mark = if options.is_empty() { "" } else { "?" };
    Ok(format!("{scheme}://{host}/{name}{mark}{options}"))
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let Some(Removal {
            base_url,
            statements,
        }) = self.removal.take()
        else {
            return;
        };
        let said = statements.join("; ");
        // A thread of its own: a drop cannot wait inside the runtime that it may run on.
        let removed = std::thread::spawn(move || -> Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime
                .block_on(execute_in_the_end(&base_url, &statements))
                .map(drop)
        });
        match removed.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("left behind, `{said}` failed: {error:#}"),
            Err(_) => eprintln!("left behind, `{said}` panicked"),
        }
    }
}

/// SQL Server makes databases one at a time, and refuses who comes meanwhile.
async fn execute_in_the_end(url: &str, texts: &[String]) -> Result<Dialect> {
    let mut tries = 1;
    loop {
        match execute(url, texts).await {
            Err(_) if url.starts_with("mssql") && tries < TRIES => {
                tokio::time::sleep(PAUSE * tries).await;
            }
            done => return done,
        }
        tries += 1;
    }
}

async fn execute(url: &str, texts: &[String]) -> Result<Dialect> {
    let options = Options {
        pool_size: 1,
        ..Options::default()
    };
    let db = Database::connect(url, options).await?;
    let mut done = Ok(());
    for text in texts {
        let statement = Statement::render("testkit.fresh", text, db.dialect())?;
        // The stand-in for SQL Server makes one database at a time.
        let patient = RetryPolicy {
            attempts: 30,
            ..RetryPolicy::default()
        };
        let executed = retry(patient, || db.execute(&statement, &[])).await;
        done = done.and(executed.with_context(|| text.clone()).map(drop));
    }
    db.close().await;
    done.map(|()| db.dialect())
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

    async fn open(url: &str) -> Result<Database, runstone_db::Error> {
        let options = Options {
            create: false,
            pool_size: 1,
            ..Options::default()
        };
        Database::connect(url, options).await
    }

    async fn can_read(url: &str) -> bool {
        let Ok(db) = open(url).await else {
            return false;
        };
        let read = Statement::render("test.read", "SELECT n FROM mine", db.dialect()).unwrap();
        let rows = db.fetch_all(&read, &[]).await;
        db.close().await;
        rows.is_ok_and(|rows| rows.len() == 1)
    }

    crate::on_every_database! {
        async fn what_is_written_is_seen_by_its_url_only_and_gone_after_the_drop(fresh: Fresh) {
            let other = Fresh::on(fresh.database()).await.unwrap();
            let texts = ["CREATE TABLE mine (n BIGINT)", "INSERT INTO mine VALUES (1)"];
            execute(fresh.url(), &texts.map(str::to_owned)).await.unwrap();
            assert!(can_read(fresh.url()).await);
            assert!(!can_read(other.url()).await);
            let url = fresh.url().to_owned();
            drop(fresh);
            assert!(!can_read(&url).await);
        }
    }

    #[test]
    fn a_database_is_put_into_a_url() {
        for (url, expected) in [
            ("mysql://u@h:1/a", "mysql://u@h:1/n"),
            ("mysql://u:p@h", "mysql://u:p@h/n"),
            (
                "mssql://u@h:1/a?encrypt=true&x=/y",
                "mssql://u@h:1/n?encrypt=true&x=/y",
            ),
        ] {
            assert_eq!(with_database(url, "n").unwrap(), expected);
        }
        assert!(with_database("runs.db", "n").is_err());
    }

    #[tokio::test]
    async fn an_unreachable_server_is_an_error() {
        let nobody = "postgres://nobody@127.0.0.1:1/none";
        assert!(execute(nobody, &[]).await.is_err());
    }
}
