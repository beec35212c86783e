//! The same random verbs through the oracle and every real store give the same answers.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::sync::Arc;

use runstone_store::{OpenOptions, SqlStore};
use runstone_testkit::{
    differential,
    servers::{FreshSchema, postgres_url},
};

fn seeds() -> u64 {
    std::env::var("RUNSTONE_DIFF_SEEDS").map_or(15, |text| text.parse().unwrap())
}

async fn open(url: &str) -> Arc<SqlStore> {
    let options = OpenOptions {
        migrate: true,
        ..OpenOptions::default()
    };
    Arc::new(SqlStore::open(url, options).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_sqlite_answers_as_the_oracle() {
    for seed in 0..seeds() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&format!("sqlite:{}", folder.path().join("t.db").display())).await;
        differential::run(store, seed, 400).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_postgres_answers_as_the_oracle() {
    let Some(url) = postgres_url() else {
        return;
    };
    for seed in 0..seeds() {
        let schema = FreshSchema::new(&url).await.unwrap();
        let store = open(schema.url()).await;
        differential::run(store, seed, 400).await.unwrap();
    }
}
