//! What is MySQL's and MariaDB's own: their limits by name, their locks by class, statements that
//! are stopped on the server too, and other people's types.
use crate::fixture::{Fixture, INSERT, INSERT_VALUES, item, one_step, statement};
use runstone_db::{Class, Database, Decimal, Error, Options, Value};
use runstone_testkit::on_databases;
use std::{sync::Arc, time::Duration};
use tokio::sync::Barrier;

fn with(url: &str, option: &str) -> String {
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}{option}")
}

on_databases! {
    [mariadb Mariadb, mysql Mysql]

    async fn what_a_column_cannot_hold_names_the_column_and_not_the_value(fixture: Fixture) {
        let create = "CREATE TABLE narrow (a SMALLINT, b VARCHAR(3), c DATE, d INT NOT NULL)";
        fixture.execute(create).await.unwrap();
        for (column, value) in [
            ("a", Value::from(40_000)),
            ("a", "secret".into()),
            ("b", "secret".into()),
            ("c", "secret".into()),
            ("d", Value::Null),
        ] {
            let insert = format!("INSERT INTO narrow (d, {column}) VALUES (1, :v)");
            let insert = if column == "d" { "INSERT INTO narrow (d) VALUES (:v)" } else { &insert };
            let insert = fixture.statement(insert);
            // Prepared, and written out in a text.
            let one = fixture.db.execute(&insert, &[("v", value.clone())]).await;
            let two = vec![vec![value.clone()], vec![value]];
            let two = fixture.db.batch(one_step(&insert, two)).await;
            for error in [one.unwrap_err(), two.unwrap_err()] {
                assert_eq!(error.class, Class::Other, "{error}");
                assert!(error.message.to_lowercase().contains("column"), "{error}");
                assert!(error.message.contains(&format!("{column}'"))
                    || error.message.contains(&format!("{column}`")), "{error}");
                assert!(!error.message.contains("secret"), "{error}");
            }
        }
        assert_eq!(fixture.count("narrow").await, 0);
        fixture.end().await;
    }

    async fn a_row_beyond_the_packet_limit_names_the_setting(fixture: Fixture) {
        fixture.execute("CREATE TABLE wide (note LONGTEXT)").await.unwrap();
        let limit = fixture.fetch("SELECT @@max_allowed_packet AS n").await;
        let limit: usize = limit[0].get("n").unwrap();
        let insert = fixture.statement("INSERT INTO wide (note) VALUES (:note)");
        let note = Value::from("x".repeat(limit));
        let error = fixture.db.execute(&insert, &[("note", note)]).await.unwrap_err();
        assert!(error.message.contains("max_allowed_packet"), "{error}");
        assert_eq!(error.class, Class::Other, "trying again does not help");
        assert_eq!(fixture.count("wide").await, 0, "the pool goes on");
        fixture.end().await;
    }

    async fn a_statement_that_takes_too_long_is_stopped_on_the_server_too(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let batch = one_step(&fixture.statement(INSERT), vec![item(1)]);
        fixture.db.batch(batch).await.unwrap();
        let url = with(&fixture.url, "statement_timeout_ms=200");
        let db = Database::connect(&url, Options::default()).await.unwrap();
        // MySQL itself stops a SELECT only.
        let slow = statement(&db, "UPDATE item SET n = n + SLEEP(60)");
        let error = db.execute(&slow, &[]).await.unwrap_err();
        assert_eq!(error.class, Class::Timeout, "{error}");
        let running = "SELECT count(*) AS n FROM information_schema.processlist
                       WHERE info LIKE 'UPDATE item SET n = n + SLEEP%' AND db = DATABASE()";
        let (running, mut left) = (fixture.statement(running), -1);
        for _ in 0..1_000 {
            // MySQL fails while another session's statement holds bytes that are no text.
            if let Ok(rows) = fixture.db.fetch_all(&running, &[]).await {
                left = rows[0].get("n").unwrap();
            }
            if left == 0 {
                break;
            }
        }
        assert_eq!(left, 0, "it holds its locks");
        db.close().await;
        fixture.end().await;
    }

    async fn a_lock_that_is_not_given_up_is_busy(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let batch = one_step(&fixture.statement(INSERT), vec![item(1)]);
        fixture.db.batch(batch).await.unwrap();
        let url = with(&fixture.url, "statement_timeout_ms=1900");
        let other = Database::connect(&url, Options::default()).await.unwrap();
        let update = fixture.statement("UPDATE item SET n = 7");
        let error = fixture.db.transact({
            let (update, other) = (update.clone(), other.clone());
            move |tx| Box::pin(async move {
                tx.execute(&update, &[]).await?;
                Ok::<_, Error>(other.execute(&update, &[]).await.unwrap_err())
            })
        });
        let error = error.await.unwrap();
        assert_eq!(error.class, Class::Busy, "{error}");
        assert_eq!(other.execute(&update, &[]).await, Ok(1), "it was found, and is as it was");
        other.close().await;
        fixture.end().await;
    }

    async fn who_rests_in_a_transaction_loses_it_before_others_give_up_on_its_locks(
        fixture: Fixture
    ) {
        let fixture = fixture.with_items().await;
        let batch = one_step(&fixture.statement(INSERT), vec![item(1)]);
        fixture.db.batch(batch).await.unwrap();
        let add = fixture.statement("UPDATE item SET n = n + 1");
        let (locked, go) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let (db, theirs, there, gone) =
            (fixture.db.clone(), add.clone(), locked.clone(), go.clone());
        let resting = tokio::spawn(async move {
            db.transact(move |tx| {
                Box::pin(async move {
                    tx.execute(&theirs, &[]).await?;
                    there.wait().await;
                    gone.wait().await;
                    Ok(())
                })
            })
            .await
        });
        locked.wait().await;
        // Waits for the lock, for as long as a statement may take at most.
        assert_eq!(fixture.db.execute(&add, &[]).await, Ok(1));
        go.wait().await;
        let error = resting.await.unwrap().unwrap_err();
        assert_eq!(error.class, Class::Gone, "{error}");
        assert_eq!(fixture.fetch("SELECT n FROM item").await[0].get::<i64>("n"), Ok(2));
        fixture.end().await;
    }

    async fn of_two_that_wait_for_each_other_one_may_try_again(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let insert = fixture.statement(INSERT);
        let rows = vec![item(1), item(2)];
        fixture.db.batch(one_step(&insert, rows.clone())).await.unwrap();
        let ids: Vec<Value> = rows.iter().map(|row| row[0].clone()).collect();
        let update = fixture.statement("UPDATE item SET note = 'x' WHERE id = :id");
        let both_hold_one = Arc::new(Barrier::new(2));
        let tasks = [[0, 1], [1, 0]].map(|order| {
            let (db, update) = (fixture.db.clone(), Arc::clone(&update));
            let (ids, barrier) = (ids.clone(), Arc::clone(&both_hold_one));
            tokio::spawn(async move {
                db.transact(move |tx| Box::pin(async move {
                    tx.execute(&update, &[("id", ids[order[0]].clone())]).await?;
                    barrier.wait().await;
                    tx.execute(&update, &[("id", ids[order[1]].clone())]).await
                }))
                .await
            })
        });
        let mut done = Vec::new();
        for task in tasks {
            done.push(task.await.unwrap().map_err(|error| error.class));
        }
        done.sort_by_key(Result::is_ok);
        assert_eq!(done, [Err(Class::Serialization), Ok(1)]);
        fixture.end().await;
    }

    async fn sessions_are_strict_and_in_utc(fixture: Fixture) {
        let asked = "SELECT @@time_zone AS zone, CAST('a' AS CHAR) = 'A' AS sloppy,
                            'a' || \u{27}b\u{27} AS joined, '\\' AS slash";
        let mut row = fixture.fetch(asked).await.remove(0);
        assert_eq!(row.take::<String>("zone"), Ok("+00:00".to_owned()));
        assert_eq!(row.get::<bool>("sloppy"), Ok(false));
        assert_eq!(row.take::<String>("joined"), Ok("ab".to_owned()));
        assert_eq!(row.take::<String>("slash"), Ok("\\".to_owned()));
        fixture.end().await;
    }

    async fn other_peoples_types_can_be_read(fixture: Fixture) {
        fixture
            .execute(
                "CREATE TABLE theirs (a TINYINT UNSIGNED, b BIGINT UNSIGNED, c FLOAT, d YEAR,
                 e ENUM('x', 'y'), f JSON, g BIT(9), h DATETIME(3), i DATE, j DECIMAL(20, 3),
                 k TINYBLOB, l CHAR(5), m MEDIUMTEXT)",
            )
            .await
            .unwrap();
        fixture
            .execute(
                "INSERT INTO theirs VALUES (255, 18446744073709551615, 1.5, 2026, 'y', '[1]', 257,
                 '2001-09-09 01:46:40.123', '1970-01-02', 17.250, 'k', 'l', 'm')",
            )
            .await
            .unwrap();
        let row = fixture.fetch("SELECT * FROM theirs").await.remove(0);
        let most = Decimal::from(u64::MAX);
        let price = Decimal::new(1725, 2);
        assert_eq!(row.get::<u8>("a"), Ok(255));
        assert_eq!(row.get::<u64>("b"), Ok(u64::MAX));
        assert_eq!(row.get::<Decimal>("b"), Ok(most));
        assert_eq!(row.get::<f64>("c"), Ok(1.5));
        assert_eq!(row.get::<i64>("d"), Ok(2026));
        assert_eq!(row.get::<String>("e"), Ok("y".to_owned()));
        assert_eq!(row.get::<String>("f"), Ok("[1]".to_owned()));
        assert_eq!(row.get::<i64>("g"), Ok(257));
        assert_eq!(row.get::<Value>("h"), Ok(Value::Time(1_000_000_000_123_000)));
        assert_eq!(row.get::<Value>("i"), Ok(Value::Time(86_400_000_000)));
        assert_eq!(row.get::<Decimal>("j"), Ok(price));
        assert_eq!(row.get::<Vec<u8>>("k"), Ok(b"k".to_vec()));
        assert_eq!(row.get::<String>("l"), Ok("l".to_owned()));
        assert_eq!(row.get::<String>("m"), Ok("m".to_owned()));
        fixture.end().await;
    }

    async fn batches_of_every_size_are_whole_and_counted(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let (rows, one) = (fixture.statement(INSERT), fixture.statement(INSERT_VALUES));
        let touch = fixture.statement("UPDATE item SET note = note WHERE n = :n");
        let clear = fixture.statement("DELETE FROM item");
        for size in [1_u64, 2, 7, 8, 9, 100, 127, 700] {
            let mut batch = runstone_db::Batch::new();
            let items = |from: u64| (from..from + size).map(|n| item(i64::try_from(n).unwrap()));
            batch.push(&rows, items(0).collect(), Some(size));
            batch.push(&one, items(size).collect(), Some(size));
            batch.push(&touch, (0..3_i64).map(|n| vec![n.into()]).collect(), None);
            let counts = fixture.db.batch(batch.clone()).await;
            let touched = (2 * size).min(3);
            assert_eq!(counts, Ok(vec![size, size, touched]), "found, though nothing is changed");
            // The same keys again: nothing of it stays.
            batch.steps.rotate_left(1);
            let error = fixture.db.batch(batch).await.unwrap_err();
            assert_eq!((error.class, error.step), (Class::Unique, Some(0)), "{error}");
            let all = i64::try_from(2 * size).unwrap();
            assert_eq!(fixture.count("item").await, all);
            fixture.db.execute(&clear, &[]).await.unwrap();
        }
        fixture.end().await;
    }
}

#[tokio::test]
async fn nothing_listens_and_the_time_is_kept() {
    let url = "mysql://user:secret@127.0.0.1:1/shop";
    let began = std::time::Instant::now();
    let error = Database::connect(url, Options::default())
        .await
        .unwrap_err();
    assert_eq!(error.class, Class::Unavailable);
    assert!(error.message.contains("nothing listens there"), "{error}");
    assert!(!error.message.contains("secret"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(20));
}
