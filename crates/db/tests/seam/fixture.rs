//! A fresh database for each test, opened.
use runstone_db::{Batch, Database, Dialect, Error, Options, Row, Statement, Value};
use runstone_testkit::servers::{Fixture as TestFixture, Fresh, TestDatabase};
use std::sync::Arc;
use uuid::Uuid;

pub(crate) const POSTGRES: &str = "RUNSTONE_TEST_POSTGRES_URL";

pub(crate) struct Fixture {
    pub(crate) db: Database,
    pub(crate) url: String,
    fresh: Option<Fresh>,
}

impl TestFixture for Fixture {
    async fn open(database: TestDatabase) -> Option<Self> {
        Self::with(database, Options::default()).await
    }
}

impl Fixture {
    /// None, said aloud, where there is no such database.
    pub(crate) async fn with(database: TestDatabase, options: Options) -> Option<Self> {
        let fresh = Fresh::on(database).await?;
        let url = fresh.url().to_owned();
        let db = Database::connect(&url, options).await.unwrap();
        let fresh = Some(fresh);
        Some(Self { db, url, fresh })
    }

    pub(crate) async fn sqlite() -> Self {
        Self::sqlite_with(Options::default()).await
    }

    pub(crate) async fn sqlite_with(options: Options) -> Self {
        Self::with(TestDatabase::Sqlite, options).await.unwrap()
    }

    pub(crate) async fn memory() -> Self {
        let url = "sqlite::memory:".to_owned();
        let db = Database::connect(&url, Options::default()).await.unwrap();
        let fresh = None;
        Self { db, url, fresh }
    }

    pub(crate) async fn postgres() -> Option<Self> {
        Self::postgres_with(Options::default()).await
    }

    pub(crate) async fn postgres_with(options: Options) -> Option<Self> {
        Self::with(TestDatabase::Postgres, options).await
    }

    pub(crate) fn statement(&self, text: &str) -> Arc<Statement> {
        Arc::new(statement(&self.db, text))
    }

    pub(crate) async fn execute(&self, text: &str) -> Result<u64, Error> {
        self.db.execute(&self.statement(text), &[]).await
    }

    pub(crate) async fn fetch(&self, text: &str) -> Vec<Row> {
        self.db.fetch_all(&self.statement(text), &[]).await.unwrap()
    }

    /// `SELECT count(*)` of a table.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        let rows = self
            .fetch(&format!("SELECT count(*) AS n FROM {table}"))
            .await;
        rows[0].get("n").unwrap()
    }

    /// A table `item (id, n, note)`: a UUID key, an integer, a text.
    pub(crate) async fn with_items(self) -> Self {
        let uuid = self.native(["BLOB", "UUID", "BINARY(16)", "BINARY(16)"]);
        self.execute(&format!(
            "CREATE TABLE item (id {uuid} PRIMARY KEY, n BIGINT NOT NULL, note TEXT)"
        ))
        .await
        .unwrap();
        self
    }

    /// The text for this database, out of those for SQLite, PostgreSQL, MySQL and SQL Server.
    pub(crate) fn native<'a>(&self, texts: [&'a str; 4]) -> &'a str {
        let [sqlite, postgres, mysql, mssql] = texts;
        match self.db.dialect() {
            Dialect::Sqlite => sqlite,
            Dialect::Postgres => postgres,
            Dialect::Mysql => mysql,
            Dialect::Mssql => mssql,
        }
    }

    /// Removes the database. Call it last.
    pub(crate) async fn end(self) {
        self.db.close().await;
        drop(self.fresh);
    }
}

pub(crate) fn statement(db: &Database, text: &str) -> Statement {
    Statement::render("test.one", text, db.dialect()).unwrap()
}

pub(crate) const INSERT: &str = "INSERT INTO item (id, n, note) {{rows id:uuid, n:int, note:text}}";
pub(crate) const INSERT_VALUES: &str = "INSERT INTO item (id, n, note) VALUES (:id, :n, :note)";

/// A row for [`INSERT`].
pub(crate) fn item(n: i64) -> Vec<Value> {
    vec![Uuid::now_v7().into(), n.into(), format!("note {n}").into()]
}

pub(crate) fn one_step(statement: &Arc<Statement>, rows: Vec<Vec<Value>>) -> Batch {
    let mut batch = Batch::new();
    batch.push(statement, rows, None);
    batch
}
