//! Callers that go away: whatever they began is finished or undone, and nothing stays open.
use crate::fixture::{Fixture, INSERT, INSERT_VALUES, item, one_step};
use runstone_db::{Batch, Dialect, Error};
use runstone_testkit::on_every_database;
use std::{
    collections::HashMap,
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

/// Polls `work` at most `polls` times and drops it.
pub(crate) async fn cut_short<T>(work: impl Future<Output = T>, polls: u32) -> Option<T> {
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
    let look = match fixture.db.dialect() {
        Dialect::Sqlite => {
            // A transaction left open on the only writer would fail the next BEGIN.
            let begun: Result<(), Error> =
                fixture.db.transact(|_| Box::pin(async { Ok(()) })).await;
            return i64::from(begun.is_err());
        }
        Dialect::Postgres => {
            "SELECT count(*) AS n FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
             WHERE l.relation = 'item'::regclass AND a.pid <> pg_backend_pid()"
        }
        Dialect::Mysql => {
            "SELECT count(*) AS n FROM information_schema.innodb_trx t
             JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
             WHERE p.db = DATABASE() AND p.id <> CONNECTION_ID()"
        }
        Dialect::Mssql => "SELECT CAST(@@TRANCOUNT AS BIGINT) AS n",
    };
    // What was thrown away may take the server a moment to notice.
    let (look, mut open) = (fixture.statement(look), -1);
    for _ in 0..1_000 {
        // MySQL cannot show a list of statements in which another session's holds bytes that are no
        // text; a moment later it can.
        let Ok(rows) = fixture.db.fetch_all(&look, &[]).await else {
            tokio::task::yield_now().await;
            continue;
        };
        open = rows[0].get("n").unwrap();
        if open == 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    open
}

/// A sequence of numbers that looks random and is the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// One caller that begins something and goes away in the middle of it.
async fn fickle_caller(fixture: &Fixture, round: i64, mut dice: Dice) {
    let rows = |count: i64| (0..count).map(|at| item(round * 100 + at)).collect();
    let insert = fixture.statement(INSERT);
    let polls = u32::try_from(dice.below(14)).unwrap();
    let db = &fixture.db;
    match dice.below(6) {
        0 => {
            let mut batch = Batch::new();
            batch.push(&insert, rows(32), Some(32));
            cut_short(db.batch(batch), polls).await.map(Result::unwrap);
        }
        1 => {
            let one = fixture.statement(INSERT_VALUES);
            let mut batch = Batch::new();
            batch.push(&one, rows(32), None);
            cut_short(db.batch(batch), polls).await.map(Result::unwrap);
        }
        2 => {
            // Its expectation is looked at before the commit, and never holds.
            let update = fixture.statement("UPDATE item SET note = :a WHERE n = :n");
            let mut batch = Batch::new();
            batch.push(&insert, rows(31), Some(31));
            batch.push(&update, vec![vec!["x".into(), (-1).into()]], Some(1));
            let done = cut_short(db.batch(batch), polls).await;
            assert!(done.is_none_or(|done| done.is_err()));
        }
        3 => {
            let work = db.transact(move |tx| {
                Box::pin(async move {
                    let (first, last) = (0..16, 16..32);
                    let rows = |part: std::ops::Range<i64>| {
                        part.map(|at| item(round * 100 + at)).collect()
                    };
                    tx.execute_rows(&insert, rows(first)).await?;
                    tokio::task::yield_now().await;
                    tx.execute_rows(&insert, rows(last)).await
                })
            });
            cut_short(work, polls).await.map(Result::unwrap);
        }
        4 => {
            let select = fixture.statement("SELECT * FROM item");
            cut_short(db.fetch_all(&select, &[]), polls)
                .await
                .map(Result::unwrap);
        }
        _ => {
            let update = fixture.statement("UPDATE item SET note = :a WHERE n = :n");
            let named = [("a", "y".into()), ("n", (round * 100 - 100).into())];
            cut_short(db.execute(&update, &named), polls)
                .await
                .map(Result::unwrap);
        }
    }
}

on_every_database! {
async fn callers_that_leave_at_random_points_leave_nothing_behind(fixture: Fixture) {
        let fixture = Arc::new(fixture.with_items().await);
        for flock in 0..25_i64 {
            let callers: Vec<_> = (0..8)
                .map(|caller| {
                    let (fixture, round) = (Arc::clone(&fixture), flock * 8 + caller);
                    let dice = Dice(u64::try_from(round).unwrap());
                    tokio::spawn(async move { fickle_caller(&fixture, round, dice).await })
                })
                .collect();
            for caller in callers {
                caller.await.unwrap();
            }
        }
        // Transactions run to their end although nobody waits for them.
        let began = Instant::now();
        while fixture.db.stats().in_use > 0 {
            assert!(began.elapsed() < Duration::from_secs(30));
            tokio::task::yield_now().await;
        }
        assert_eq!(open_transactions(&fixture).await, 0, "{}", fixture.url);
        let rows = fixture.fetch("SELECT n FROM item").await;
        let mut rounds: HashMap<i64, u32> = HashMap::new();
        for row in rows {
            *rounds
                .entry(row.get::<i64>("n").unwrap() / 100)
                .or_default() += 1;
        }
        rounds.retain(|_, count| *count != 32);
        assert_eq!(rounds, HashMap::new(), "halves on {}", fixture.url);
        for _ in 0..50 {
            assert_eq!(fixture.db.ping().await, Ok(()));
        }
        let stats = fixture.db.stats();
        assert!(stats.open <= stats.max && stats.waiting == 0, "{stats:?}");
        Arc::into_inner(fixture).unwrap().end().await;
    }

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
            .fetch("SELECT n - n % 100 AS first FROM item GROUP BY n - n % 100 HAVING count(*) <> 32")
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
