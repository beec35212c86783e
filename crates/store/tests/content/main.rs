//! Documents, threads, agent executions and exports on real databases, one suite on all of them.
#![expect(clippy::unwrap_used, reason = "tests")]

mod agents;
mod doctor;
mod documents;
mod exports;
mod projects;
mod purge;
mod threads;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use runstone_db::Statement;
use runstone_model::{ids::ProjectId, time::Timestamp};
use runstone_store::{OpenOptions, ProjectText, SqlStore};
use runstone_testkit::servers::{Fixture, Fresh, TestDatabase};
use uuid::Uuid;

/// A migrated store with two projects.
pub(crate) struct Content {
    pub(crate) store: Arc<SqlStore>,
    pub(crate) project: ProjectId,
    pub(crate) other: ProjectId,
    _fresh: Fresh,
}

impl Fixture for Content {
    async fn open(database: TestDatabase) -> Option<Self> {
        let fresh = Fresh::on(database).await?;
        let options = OpenOptions {
            migrate: true,
            who: "a test".to_owned(),
            ..OpenOptions::default()
        };
        let store = SqlStore::open(fresh.url(), options).await.unwrap();
        let other = ProjectId(fresh_id());
        let text = ProjectText {
            name: "other".to_owned(),
            ..ProjectText::default()
        };
        store.insert_project(other, text, at(1)).await.unwrap();
        Some(Self {
            store: Arc::new(store),
            project: ProjectId::DEFAULT,
            other,
            _fresh: fresh,
        })
    }
}

/// A new UUID, in order of creation.
pub(crate) fn fresh_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let count = u128::from(NEXT.fetch_add(1, Ordering::Relaxed));
    Uuid::from_u128((0x0190_0000_0000 << 80) | (7 << 76) | (count << 64) | (2 << 62))
}

pub(crate) fn at(us: i64) -> Timestamp {
    Timestamp(us)
}

/// Says of all texts in a table that they have 1 MiB.
pub(crate) async fn grown(store: &SqlStore, table: &str) {
    let db = store.database();
    let text = format!("UPDATE {table} SET bytes = 1048576");
    let statement = Statement::render("test", &text, db.dialect()).unwrap();
    db.execute(&statement, &[]).await.unwrap();
}
