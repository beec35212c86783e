//! Callers that go away: whatever they began is finished or undone, and nothing stays open.
use crate::fixture::{Fixture, INSERT, INSERT_VALUES, item, one_step};
use runstone_db::{Batch, Dialect, Error};
use runstone_testkit::on_every_database;
use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::Poll,
};

/// Polls `work` at most `polls` times and drops it.
async fn cut_short<T>(work: impl Future<Output = T>, polls: u32) -> Option<T> {
    let mut work = pin!(work);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(cx).map(Some)
    })
    .await
}

/// How many sessions of this test stand in a transaction.
async fn open_transactions(fixture: &Fixture) -> i64 {
    if fixture.db.dialect() == Dialect::Sqlite {
        // A transaction left open on the only writer would fail the next BEGIN.
        let begun: Result<(), Error> = fixture.db.transact(|_| Box::pin(async { Ok(()) })).await;
        return i64::from(begun.is_err());
    }
    // What was thrown away may take the server a moment to notice.
    let mut open = 0;
    for _ in 0..1_000 {
        let rows = fixture
            .fetch(
                "SELECT count(*) AS n FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
                 WHERE l.relation = 'item'::regclass AND a.pid <> pg_backend_pid()",
            )
            .await;
        open = rows[0].get("n").unwrap();
        if open == 0 {
            break;
        }
    }
    open
}

on_every_database! {
    async fn a_dropped_batch_takes_effect_as_a_whole_or_not_at_all(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let (insert, one) = (fixture.statement(INSERT), fixture.statement(INSERT_VALUES));
        let update = fixture.statement("UPDATE item SET note = :a WHERE n = :n");
        for round in 0..60_i64 {
            let mut batch = Batch::new();
            batch.push(
                &insert,
                (0..30).map(|i| item(round * 100 + i)).collect(),
                Some(30),
            );
            batch.push(
                &one,
                vec![item(round * 100 + 30), item(round * 100 + 31)],
                None,
            );
            // An expectation that needs a look before the commit, in every other round.
            let expect = (round % 2 == 0).then_some(1);
            batch.push(
                &update,
                vec![vec!["x".into(), (round * 100).into()]],
                expect,
            );
            let polls = u32::try_from(round % 8).unwrap();
            if let Some(done) = cut_short(fixture.db.batch(batch), polls).await {
                assert_eq!(done, Ok(vec![30, 2, 1]));
            }
        }
        assert_eq!(open_transactions(&fixture).await, 0, "{}", fixture.url);
        let halves = fixture
            .fetch("SELECT n / 100 AS round FROM item GROUP BY n / 100 HAVING count(*) <> 32")
            .await;
        assert_eq!(halves, [], "{}", fixture.url);
        fixture.end().await;
    }

    async fn a_dropped_transact_runs_to_its_end(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let insert = fixture.statement(INSERT);
        let finished = Arc::new(AtomicU32::new(0));
        let mut begun = 0;
        for polls in 0..10 {
            let (insert, finished) = (insert.clone(), Arc::clone(&finished));
            let work = fixture.db.transact(move |tx| {
                Box::pin(async move {
                    tx.execute_rows(&insert, vec![item(1)]).await?;
                    tokio::task::yield_now().await;
                    tx.execute_rows(&insert, vec![item(2)]).await?;
                    finished.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                })
            });
            cut_short(work, polls).await;
            begun += i64::from(polls > 0);
        }
        while i64::from(finished.load(Ordering::SeqCst)) < begun {
            tokio::task::yield_now().await;
        }
        assert_eq!(open_transactions(&fixture).await, 0);
        assert_eq!(fixture.count("item").await, begun * 2);
        fixture.end().await;
    }

    async fn dropped_reads_leave_the_pool_usable(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let insert = fixture.statement(INSERT);
        fixture
            .db
            .batch(one_step(&insert, (0..100).map(item).collect()))
            .await
            .unwrap();
        let select = fixture.statement("SELECT * FROM item");
        for polls in 0..40 {
            cut_short(fixture.db.fetch_all(&select, &[]), polls % 5).await;
        }
        assert_eq!(fixture.count("item").await, 100);
        let stats = fixture.db.stats();
        assert!(stats.open <= stats.max, "{stats:?}");
        fixture.end().await;
    }
}
