//! Batches: all or nothing, and exactly as many rows as expected.
use crate::fixture::{Fixture, INSERT, INSERT_VALUES, item, one_step};
use runstone_db::{Batch, Class, Value};
use runstone_testkit::on_every_database;

on_every_database! {
    async fn a_failing_step_takes_the_whole_batch_back(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        for text in [INSERT, INSERT_VALUES] {
            let insert = fixture.statement(text);
            let twice = item(1);
            let mut batch = Batch::new();
            batch.push(&insert, vec![twice.clone(), item(2)], None);
            batch.push(&insert, vec![item(3), twice], None);
            let error = fixture.db.batch(batch).await.unwrap_err();
            assert_eq!(
                (error.class, error.step),
                (Class::Unique, Some(1)),
                "{error}"
            );
            assert_eq!(error.statement.as_deref(), Some("test.one"));
            assert_eq!(fixture.count("item").await, 0);
            // The connection is as good as new.
            assert_eq!(
                fixture.db.batch(one_step(&insert, vec![item(4)])).await,
                Ok(vec![1])
            );
            fixture.execute("DELETE FROM item").await.unwrap();
        }
        fixture.end().await;
    }

    async fn a_duplicate_in_a_batch_of_one_is_unique_too(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let insert = fixture.statement(INSERT);
        let row = item(1);
        fixture
            .db
            .batch(one_step(&insert, vec![row.clone()]))
            .await
            .unwrap();
        let error = fixture
            .db
            .batch(one_step(&insert, vec![row]))
            .await
            .unwrap_err();
        assert_eq!(error.class, Class::Unique);
        assert_eq!(fixture.count("item").await, 1);
        fixture.end().await;
    }

    async fn a_missed_expectation_takes_the_whole_batch_back(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let insert = fixture.statement(INSERT);
        let update = fixture.statement("UPDATE item SET n = :new WHERE n = :old");
        let change = |old: i64| vec![vec![Value::from(100), old.into()]];
        fixture
            .db
            .batch(one_step(&insert, vec![item(1), item(2)]))
            .await
            .unwrap();

        let mut batch = Batch::new();
        batch.push(&insert, vec![item(3)], Some(1));
        batch.push(&update, change(1), Some(1));
        batch.push(&update, change(77), Some(1));
        let error = fixture.db.batch(batch).await.unwrap_err();
        assert_eq!((error.class, error.step), (Class::Expectation, Some(2)));
        assert_eq!(
            error.to_string(),
            "expected to change 1 rows, changed 0; the whole batch was rolled back \
             (statement test.one, step 2 of the batch)"
        );
        assert_eq!(fixture.count("item").await, 2);
        assert_eq!(fixture.count("item WHERE n = 100").await, 0);

        // A single statement must not slip through by committing itself.
        let mut single = Batch::new();
        single.push(&update, change(1), Some(2));
        assert_eq!(
            fixture.db.batch(single).await.unwrap_err().class,
            Class::Expectation
        );
        let nothing = fixture.statement("INSERT INTO item (id, n, note) {{rows id:uuid, n:int, note:text}} {{insert_or_nothing id}}");
        let mut single = Batch::new();
        let row = item(5);
        single.push(&nothing, vec![row.clone(), row], Some(2));
        assert_eq!(
            fixture.db.batch(single).await.unwrap_err().class,
            Class::Expectation
        );
        assert_eq!(fixture.count("item WHERE n IN (5, 100)").await, 0);

        let mut batch = Batch::new();
        batch.push(&insert, vec![item(3), item(4)], Some(2));
        batch.push(&update, change(1), Some(1));
        batch.push(&update, change(77), None);
        assert_eq!(fixture.db.batch(batch).await, Ok(vec![2, 1, 0]));
        assert_eq!(fixture.count("item").await, 4);
        fixture.end().await;
    }

    async fn a_wrong_expectation_of_a_plain_insert_changes_nothing(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let insert = fixture.statement(INSERT);
        for (rows, expect) in [(1, 2), (2, 1), (1, 0)] {
            let mut batch = Batch::new();
            batch.push(&insert, (0..rows).map(item).collect(), Some(expect));
            assert_eq!(
                fixture.db.batch(batch).await.unwrap_err().class,
                Class::Expectation
            );
        }
        assert_eq!(fixture.count("item").await, 0);
        fixture.end().await;
    }

    async fn upsert_and_insert_or_nothing_count_what_they_changed(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let upsert = fixture.statement(
            "INSERT INTO item (id, n, note) {{rows id:uuid, n:int, note:text}} {{upsert id: n, note}}",
        );
        let nothing = fixture.statement(
            "INSERT INTO item (id, n, note) {{rows id:uuid, n:int, note:text}} {{insert_or_nothing id}}",
        );
        let (one, two) = (item(1), item(2));
        let changed = vec![one[0].clone(), 11.into(), Value::Null];
        let mut batch = Batch::new();
        batch.push(&upsert, vec![one.clone()], Some(1));
        batch.push(&upsert, vec![changed, two], Some(2));
        batch.push(&nothing, vec![one, item(3)], Some(1));
        assert_eq!(fixture.db.batch(batch).await, Ok(vec![1, 2, 1]));
        let rows = fixture.fetch("SELECT n, note FROM item ORDER BY n").await;
        let rows: Vec<(i64, Option<String>)> = rows
            .iter()
            .map(|row| (row.get("n").unwrap(), row.get("note").unwrap()))
            .collect();
        assert_eq!(
            rows,
            [
                (2, Some("note 2".to_owned())),
                (3, Some("note 3".to_owned())),
                (11, None)
            ]
        );
        fixture.end().await;
    }

    async fn empty_batches_and_steps_do_nothing(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let insert = fixture.statement(INSERT);
        assert_eq!(fixture.db.batch(Batch::new()).await, Ok(vec![]));
        assert_eq!(
            fixture.db.batch(one_step(&insert, vec![])).await,
            Ok(vec![0])
        );
        let mut batch = Batch::new();
        batch.push(&insert, vec![], None);
        batch.push(&insert, vec![item(1)], None);
        assert_eq!(fixture.db.batch(batch).await, Ok(vec![0, 1]));
        let mut batch = Batch::new();
        batch.push(&insert, vec![], Some(1));
        assert_eq!(
            fixture.db.batch(batch).await.unwrap_err().class,
            Class::Expectation
        );
        let short = one_step(&insert, vec![vec![Value::Null]]);
        let error = fixture.db.batch(short).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "a row of the batch has 1 values, the statement has 3 parameters \
             (statement test.one, step 0 of the batch)"
        );
        fixture.end().await;
    }

    async fn batches_from_64_tasks_are_all_there_once(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let insert = fixture.statement(INSERT);
        let tasks: Vec<_> = (0..64)
            .map(|task: i64| {
                let (db, insert) = (fixture.db.clone(), insert.clone());
                tokio::spawn(async move {
                    for round in 0..8 {
                        // Some small enough for the caller's thread, some not.
                        let rows = if round % 2 == 0 { 1 } else { 40 };
                        let rows = (0..rows).map(|n| item(task * 10_000 + round * 100 + n));
                        db.batch(one_step(&insert, rows.collect())).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(fixture.count("item").await, 64 * 4 * 41);
        let distinct = fixture
            .fetch("SELECT count(DISTINCT n) AS n FROM item")
            .await;
        assert_eq!(distinct[0].get::<i64>("n"), Ok(64 * 4 * 41));
        fixture.end().await;
    }

    async fn more_executions_than_one_flight_holds_are_still_one_transaction(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let insert = fixture.statement(INSERT_VALUES);
        let rows: Vec<_> = (0..700).map(item).collect();
        assert_eq!(
            fixture.db.batch(one_step(&insert, rows.clone())).await,
            Ok(vec![700])
        );
        fixture.execute("DELETE FROM item").await.unwrap();
        let mut twice: Vec<_> = rows.clone();
        twice.push(rows[0].clone());
        let error = fixture
            .db
            .batch(one_step(&insert, twice))
            .await
            .unwrap_err();
        assert_eq!(error.class, Class::Unique);
        assert_eq!(fixture.count("item").await, 0);
        fixture.end().await;
    }
}
