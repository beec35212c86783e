//! The same random verbs through the oracle and every real database give the same answers, and the
//! same is stored in the end. `RUNSTONE_DIFF_SEEDS` sets how many sequences.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::sync::Arc;

use runstone_store::{OpenOptions, SqlStore};
use runstone_testkit::{
    differential, on_every_database,
    servers::{Fixture, Fresh, TestDatabase},
};

const CALLS: usize = 400;

/// SQLite and the main servers get all sequences; the other versions of PostgreSQL a few.
fn seeds(database: TestDatabase) -> u64 {
    let all = std::env::var("RUNSTONE_DIFF_SEEDS").map_or(15_u64, |text| text.parse().unwrap());
    match database {
        TestDatabase::Postgres13 | TestDatabase::Postgres18 => all.div_ceil(5),
        _ => all,
    }
}

/// Makes its own databases: one a sequence.
struct On(TestDatabase);

impl Fixture for On {
    async fn open(database: TestDatabase) -> Option<Self> {
        database.is_there().then_some(Self(database))
    }
}

/// Plays one sequence on a database of its own, and answers what is stored in the end.
async fn play(database: TestDatabase, seed: u64) -> String {
    let fresh = Fresh::on(database).await.unwrap();
    let options = OpenOptions {
        migrate: true,
        ..OpenOptions::default()
    };
    let store = SqlStore::open(fresh.url(), options).await.unwrap();
    let dump = differential::run(Arc::new(store), seed, CALLS).await;
    dump.unwrap_or_else(|error| panic!("{}: {error:#}", database.name()))
}

on_every_database! {
    async fn slow_it_answers_as_the_oracle(on: On) {
        for seed in 0..seeds(on.0) {
            play(on.0, seed).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_all_there_are_hold_the_same_in_the_end() {
    let seed = 1_000;
    let expected = play(TestDatabase::Sqlite, seed).await;
    assert!(expected.lines().count() > 50, "{expected}");
    for database in TestDatabase::ALL {
        if database
            .variable()
            .is_some_and(|name| std::env::var_os(name).is_some())
        {
            assert_eq!(play(database, seed).await, expected, "{}", database.name());
        }
    }
}
