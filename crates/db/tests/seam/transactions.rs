//! Interactive transactions: commit on Ok, nothing left on an error or a panic.
use crate::fixture::{Fixture, INSERT, INSERT_VALUES, item};
use runstone_db::{Class, Error, RetryPolicy, Value, retry};
use runstone_testkit::{on_every_database, servers::stands_in};
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

#[tokio::test(start_paused = true)]
async fn only_classes_that_may_pass_are_tried_again() {
    for (class, wanted) in [(Class::Busy, 4), (Class::Gone, 4), (Class::Unique, 1)] {
        let calls = AtomicU32::new(0);
        let policy = RetryPolicy {
            attempts: 4,
            ..RetryPolicy::default()
        };
        let done: Result<(), Error> = retry(policy, || async {
            calls.fetch_add(1, Ordering::Relaxed);
            Err(Error::new(class, "again"))
        })
        .await;
        assert_eq!(done.unwrap_err().class, class);
        assert_eq!(calls.load(Ordering::Relaxed), wanted, "{class:?}");
    }
    let calls = AtomicU32::new(0);
    let done = retry(RetryPolicy::default(), || async {
        match calls.fetch_add(1, Ordering::Relaxed) {
            2 => Ok("third"),
            _ => Err(Error::new(Class::Serialization, "again")),
        }
    })
    .await;
    assert_eq!(done, Ok("third"));
}

#[test]
fn pauses_double_up_to_the_longest() {
    let policy = RetryPolicy::default();
    let ceilings: Vec<Duration> = (1..=9).map(|attempt| policy.ceiling(attempt)).collect();
    let wanted = [5, 10, 20, 40, 80, 160, 320, 500, 500].map(Duration::from_millis);
    assert_eq!(ceilings, wanted);
    assert_eq!(policy.ceiling(u32::MAX), Duration::from_millis(500));
}

on_every_database! {
    async fn it_sees_its_own_writes_and_commits(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let (insert, rows) = (fixture.statement(INSERT_VALUES), fixture.statement(INSERT));
        let select = fixture.statement("SELECT n FROM item WHERE n = :n");
        let returning = fixture.statement(fixture.native([
            "UPDATE item SET n = n + 10 WHERE n = :n RETURNING n",
            "UPDATE item SET n = n + 10 WHERE n = :n RETURNING n",
            "SELECT n + 10 AS n FROM item WHERE n = :n",
            "UPDATE item SET n = n + 10 OUTPUT inserted.n WHERE n = :n",
        ]));
        let sum = fixture
            .db
            .transact(move |tx| {
                Box::pin(async move {
                    let values = item(1);
                    let named: Vec<_> = ["id", "n", "note"].into_iter().zip(values).collect();
                    assert_eq!(tx.execute(&insert, &named).await?, 1);
                    assert_eq!(tx.execute_rows(&rows, vec![item(2), item(3)]).await?, 2);
                    let one = tx.fetch_optional(&select, &[("n", 1.into())]).await?;
                    assert_eq!(one.unwrap().get::<i64>("n"), Ok(1));
                    assert_eq!(tx.fetch_optional(&select, &[("n", 9.into())]).await?, None);
                    let keys = vec![vec![Value::from(1)], vec![2.into()], vec![77.into()]];
                    let changed = tx.fetch_rows(&returning, keys).await?;
                    changed
                        .iter()
                        .map(|row| row.get::<i64>("n"))
                        .sum::<Result<i64, Error>>()
                })
            })
            .await;
        assert_eq!(sum, Ok(23));
        assert_eq!(fixture.count("item").await, 3);
        fixture.end().await;
    }

    async fn an_error_or_a_panic_rolls_back(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let insert = fixture.statement(INSERT);
        for panics in [false, true] {
            let insert = insert.clone();
            let done: Result<(), Error> = fixture
                .db
                .transact(move |tx| {
                    Box::pin(async move {
                        tx.execute_rows(&insert, vec![item(1)]).await?;
                        assert!(!panics, "on purpose");
                        Err(Error::expectation("found something else"))
                    })
                })
                .await;
            let error = done.unwrap_err();
            let wanted = if panics {
                Class::Other
            } else {
                Class::Expectation
            };
            assert_eq!(error.class, wanted, "{error}");
            assert_eq!(fixture.count("item").await, 0);
        }
        // The writer and the pool go on.
        let counts = fixture
            .db
            .batch(crate::fixture::one_step(&insert, vec![item(1)]))
            .await;
        assert_eq!(counts, Ok(vec![1]));
        fixture.end().await;
    }

    async fn an_error_that_the_work_swallows_still_rolls_back(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let insert = fixture.statement(INSERT);
        let one = item(1);
        let there = crate::fixture::one_step(&insert, vec![one.clone()]);
        fixture.db.batch(there).await.unwrap();
        let done = fixture
            .db
            .transact({
                let insert = insert.clone();
                move |tx| {
                    Box::pin(async move {
                        tx.execute_rows(&insert, vec![item(2)]).await?;
                        let taken = tx.execute_rows(&insert, vec![one]).await;
                        assert_eq!(taken.unwrap_err().class, Class::Unique);
                        let later = tx.execute_rows(&insert, vec![item(3)]).await;
                        assert!(later.is_err(), "it goes on behind an error");
                        Ok(())
                    })
                }
            })
            .await;
        assert_eq!(done.unwrap_err().class, Class::Unique);
        assert_eq!(fixture.count("item").await, 1);
        fixture.end().await;
    }

    async fn a_statement_given_up_half_way_ends_the_transaction(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let insert = fixture.statement(INSERT);
        let done = fixture
            .db
            .transact({
                let insert = insert.clone();
                move |tx| {
                    Box::pin(async move {
                        tx.execute_rows(&insert, vec![item(1)]).await?;
                        let rows = (2..400).map(item).collect();
                        let work = tx.execute_rows(&insert, rows);
                        let finished = crate::cancel::cut_short(work, 1).await;
                        assert!(finished.is_none(), "too fast to be left half-way");
                        let later = tx.execute_rows(&insert, vec![item(500)]).await;
                        assert!(later.is_err(), "it goes on behind half a statement");
                        Ok(())
                    })
                }
            })
            .await;
        assert!(done.is_err(), "{done:?}");
        assert_eq!(fixture.count("item").await, 0);
        let again = crate::fixture::one_step(&insert, vec![item(1)]);
        assert_eq!(fixture.db.batch(again).await, Ok(vec![1]));
        fixture.end().await;
    }

    async fn several_rows_are_refused_where_one_is_wanted(fixture: Fixture) {
        let two = fixture.statement("SELECT 1 AS a UNION ALL SELECT 2");
        let error = fixture.db.fetch_optional(&two, &[]).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected at most one row, got 2 (statement test.one)"
        );
        fixture.end().await;
    }

    async fn concurrent_increments_all_count(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        fixture
            .db
            .batch(crate::fixture::one_step(
                &fixture.statement(INSERT),
                vec![item(0)],
            ))
            .await
            .unwrap();
        let unlocked = "`WITH (UPDLOCK)` locks nothing there; an UPDATE takes the lock instead";
        let lock = stands_in(&fixture.db, unlocked).await;
        let lock = lock.then(|| fixture.statement("UPDATE item SET n = n"));
        let read = fixture.native([
            "SELECT n FROM item",
            "SELECT n FROM item FOR UPDATE",
            "SELECT n FROM item FOR UPDATE",
            "SELECT n FROM item WITH (UPDLOCK)",
        ]);
        let (read, write) = (
            fixture.statement(read),
            fixture.statement("UPDATE item SET n = :n"),
        );
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (db, read, write) = (fixture.db.clone(), read.clone(), write.clone());
                let lock = lock.clone();
                tokio::spawn(async move {
                    db.transact(move |tx| {
                        Box::pin(async move {
                            if let Some(lock) = lock {
                                tx.execute(&lock, &[]).await?;
                            }
                            let row = tx.fetch_optional(&read, &[]).await?.unwrap();
                            let next = row.get::<i64>("n")? + 1;
                            tx.execute(&write, &[("n", next.into())]).await
                        })
                    })
                    .await
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), Ok(1));
        }
        assert_eq!(
            fixture.fetch("SELECT n FROM item").await[0].get::<i64>("n"),
            Ok(20)
        );
        fixture.end().await;
    }
}
