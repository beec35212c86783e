//! The pool that every server's driver uses, on every server there is: enough for 500 callers,
//! fair, no older than allowed, and whole again after the server was away.
use crate::fixture::{Fixture, statement};
use runstone_db::{Circuit, Class, Database, Dialect, Error, Options, Value};
use runstone_testkit::{
    on_every_server,
    proxy::{Mode, Proxy},
};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// Longer than anything here may take.
const HANG: Duration = Duration::from_secs(30);

async fn connect(url: &str, options: Options) -> Database {
    Database::connect(url, options).await.unwrap()
}

fn with(url: &str, option: &str) -> String {
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}{option}")
}

/// Polls until it is so.
async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !so().await {
        assert!(began.elapsed() < HANG, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Takes a connection and holds it until told.
async fn hold(
    db: &Database,
) -> (
    oneshot::Sender<()>,
    tokio::task::JoinHandle<Result<(), Error>>,
) {
    let (begun, go) = (oneshot::channel(), oneshot::channel::<()>());
    let db = db.clone();
    let holding = tokio::spawn(async move {
        db.transact(move |_| {
            Box::pin(async move {
                begun.0.send(()).unwrap();
                go.1.await.map_err(|_| Error::other("nobody is there"))
            })
        })
        .await
    });
    begun.1.await.unwrap();
    (go.0, holding)
}

/// What tells one connection from another.
async fn session(db: &Database) -> i64 {
    let sql = match db.dialect() {
        Dialect::Sqlite => "SELECT 1 AS id",
        Dialect::Postgres => "SELECT pg_backend_pid() AS id",
        Dialect::Mysql => "SELECT CONNECTION_ID() AS id",
        Dialect::Mssql => "SELECT CAST(@@SPID AS BIGINT) AS id",
    };
    let rows = db.fetch_all(&statement(db, sql), &[]).await.unwrap();
    rows[0].get("id").unwrap()
}

on_every_server! {
    async fn five_hundred_callers_share_twenty_connections(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        // Twenty logins at once are no race: what stands in for SQL Server takes its time for each.
        let options = "pool_size=20&connect_timeout_ms=60000&acquire_timeout_ms=120000";
        let db = connect(&with(&fixture.url, options), Options::default()).await;
        assert_eq!(db.stats().max, 20, "the URL says so");
        let insert = Arc::new(statement(&db, crate::fixture::INSERT_VALUES));
        let select = Arc::new(statement(&db, "SELECT n FROM item WHERE n = :n"));
        let tasks: Vec<_> = (0..500_i64)
            .map(|n| {
                let (db, insert, select) = (db.clone(), insert.clone(), select.clone());
                tokio::spawn(async move {
                    let values = crate::fixture::item(n);
                    let named: Vec<_> = ["id", "n", "note"].into_iter().zip(values).collect();
                    db.execute(&insert, &named).await?;
                    let n = [("n", Value::from(n))];
                    let found = db.fetch_all(&select, &n).await?;
                    assert_eq!(found.len(), 1);
                    db.transact(move |tx| {
                        Box::pin(async move { tx.fetch_all(&select, &n).await.map(|r| r.len()) })
                    })
                    .await
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), Ok(1), "{}", fixture.url);
        }
        let stats = db.stats();
        assert!(stats.created <= 20 && stats.open <= 20, "{stats:?}");
        let reused = stats.reused as f64 / (stats.reused + stats.created) as f64;
        assert!(reused > 0.95, "{reused}: {stats:?}");
        assert_eq!((stats.in_use, stats.waiting), (0, 0), "{stats:?}");
        assert!(
            stats.wait_us > 0 && stats.wait_max_us <= stats.wait_us,
            "{stats:?}"
        );
        db.close().await;
        fixture.end().await;
    }

    async fn a_refused_statement_costs_no_connection(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let db = connect(&with(&fixture.url, "pool_size=1"), Options::default()).await;
        let insert = Arc::new(statement(&db, crate::fixture::INSERT));
        let once = crate::fixture::item(1);
        let named: Vec<_> = ["id", "n", "note"].into_iter().zip(once.clone()).collect();
        assert_eq!(db.execute(&insert, &named).await, Ok(1));
        for n in 2..12 {
            let error = db.execute(&insert, &named).await.unwrap_err();
            assert_eq!(error.class, Class::Unique);
            let batch = crate::fixture::one_step(&insert, vec![once.clone()]);
            assert_eq!(db.batch(batch).await.unwrap_err().class, Class::Unique);
            // Whoever has it next finds nothing of that.
            let batch = crate::fixture::one_step(&insert, vec![crate::fixture::item(n)]);
            assert_eq!(db.batch(batch).await, Ok(vec![1]));
            let (values, insert) = (crate::fixture::item(-n), Arc::clone(&insert));
            let kept = db.transact(move |tx| {
                Box::pin(async move { tx.execute_rows(&insert, vec![values]).await })
            });
            assert_eq!(kept.await, Ok(1));
        }
        assert_eq!(fixture.count("item").await, 21);
        assert_eq!(db.stats().created, 1, "{:?}", db.stats());
        db.close().await;
        fixture.end().await;
    }

    async fn whoever_asks_first_is_served_first(fixture: Fixture) {
        let db = connect(&with(&fixture.url, "pool_size=1"), Options::default()).await;
        let (go, holding) = hold(&db).await;
        let served = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = Vec::new();
        for caller in 0..20_usize {
            let (mine, served) = (db.clone(), Arc::clone(&served));
            waiting.push(tokio::spawn(async move {
                mine.transact(move |_| {
                    Box::pin(async move {
                        served.lock().unwrap().push(caller);
                        Ok(())
                    })
                })
                .await
            }));
            until("it waits", async || db.stats().waiting == caller + 1).await;
            // It counts as waiting an instant before it stands in the queue.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        }
        go.send(()).unwrap();
        holding.await.unwrap().unwrap();
        for caller in waiting {
            caller.await.unwrap().unwrap();
        }
        let order = served.lock().unwrap().clone();
        assert_eq!(order, (0..20).collect::<Vec<_>>());
        fixture.end().await;
    }

    async fn what_nobody_uses_is_closed(fixture: Fixture) {
        let options = Options {
            idle_age: Duration::from_millis(100),
            ..Options::default()
        };
        let db = connect(&fixture.url, options).await;
        assert_eq!(db.stats().open, 1);
        until("it is closed", async || db.stats().open == 0).await;
        db.ping().await.unwrap();
        assert_eq!(db.stats().created, 2);
        db.close().await;
        fixture.end().await;
    }

    async fn no_connection_grows_older_than_allowed(fixture: Fixture) {
        let options = Options {
            pool_size: 1,
            max_age: Duration::from_millis(150),
            ..Options::default()
        };
        let db = connect(&fixture.url, options).await;
        let first = session(&db).await;
        let began = Instant::now();
        // It is never idle, and replaced all the same.
        until("another one", async || session(&db).await != first).await;
        assert!(began.elapsed() < HANG);
        assert!(db.stats().created >= 2);
        db.close().await;
        fixture.end().await;
    }

    async fn a_restart_behind_the_pool_is_not_noticed_by_those_who_come_later(fixture: Fixture) {
        let proxy = Proxy::before(&fixture.url).await;
        let options = Options {
            pool_size: 5,
            ..Options::default()
        };
        let db = connect(&proxy.url(&fixture.url), options).await;
        let (mut holds, mut holding) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            let (go, held) = hold(&db).await;
            holds.push(go);
            holding.push(held);
        }
        for go in holds {
            go.send(()).unwrap();
        }
        for held in holding {
            held.await.unwrap().unwrap();
        }
        assert_eq!(db.stats().idle, 5);
        proxy.set(Mode::Cut);
        let error = db.ping().await.unwrap_err();
        assert!(
            matches!(error.class, Class::Gone | Class::Unavailable),
            "{error:?}"
        );
        proxy.set(Mode::Pass);
        // One caller at most had to find out; the other idle ones are not tried.
        until("it is there again", async || db.ping().await.is_ok()).await;
        for _ in 0..20 {
            assert_eq!(db.ping().await, Ok(()), "{}", fixture.url);
        }
        db.close().await;
        fixture.end().await;
    }

    async fn while_the_server_is_away_callers_fail_at_once_and_one_tries(fixture: Fixture) {
        let proxy = Proxy::before(&fixture.url).await;
        let db = connect(&proxy.url(&fixture.url), Options::default()).await;
        assert_eq!(db.health().circuit, Circuit::Closed);
        proxy.set(Mode::Cut);
        until("the circuit opens", async || {
            let error = db.ping().await.unwrap_err();
            assert!(!error.message.contains("secret"), "{error}");
            db.health().circuit == Circuit::Open
        })
        .await;
        let (tried, began) = (proxy.accepted(), Instant::now());
        let mut refused = 0_u64;
        while began.elapsed() < Duration::from_millis(1_500) {
            let error = db.ping().await.unwrap_err();
            assert_eq!(error.class, Class::Unavailable, "{error:?}");
            refused += 1;
            tokio::task::yield_now().await;
        }
        let tried = proxy.accepted() - tried;
        assert!(
            refused > 1_000 && tried <= 20,
            "{tried} tries for {refused} callers"
        );
        let health = db.health();
        assert!(
            health.failures >= 3 && health.last_error.is_some(),
            "{health:?}"
        );
        proxy.set(Mode::Pass);
        until("it is there again", async || db.ping().await.is_ok()).await;
        assert_eq!(db.health().circuit, Circuit::Closed);
        assert_eq!(db.health().last_error, None);
        db.close().await;
        fixture.end().await;
    }

    async fn a_server_made_slow_is_waited_for(fixture: Fixture) {
        let proxy = Proxy::before(&fixture.url).await;
        let db = connect(&proxy.url(&fixture.url), Options::default()).await;
        proxy.set(Mode::Slow(Duration::from_millis(20)));
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move { db.ping().await })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), Ok(()));
        }
        db.close().await;
        fixture.end().await;
    }

    async fn a_server_that_says_nothing_is_given_up_and_nobody_is_left_hanging(fixture: Fixture) {
        let proxy = Proxy::before(&fixture.url).await;
        // The stand-in for SQL Server takes its time to connect.
        let connect_ms = match fixture.db.dialect() {
            Dialect::Mssql => 5_000,
            _ => 1_000,
        };
        let options = format!(
            "pool_size=3&statement_timeout_ms=200&connect_timeout_ms={connect_ms}\
             &acquire_timeout_ms={}",
            connect_ms * 3
        );
        let url = with(&proxy.url(&fixture.url), &options);
        let db = connect(&url, Options::default()).await;
        proxy.set(Mode::Stall);
        let tasks: Vec<_> = (0..12)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move { db.ping().await })
            })
            .collect();
        for task in tasks {
            let error = task.await.unwrap().unwrap_err();
            assert!(
                matches!(
                    error.class,
                    Class::Timeout | Class::Unavailable | Class::Busy | Class::Gone
                ),
                "{error:?}"
            );
        }
        proxy.set(Mode::Pass);
        until("it is there again", async || db.ping().await.is_ok()).await;
        db.close().await;
        fixture.end().await;
    }

    async fn a_transaction_does_not_wait_for_ever_for_a_server_that_says_nothing(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let proxy = Arc::new(Proxy::before(&fixture.url).await);
        let options = "pool_size=3&statement_timeout_ms=500";
        let url = with(&proxy.url(&fixture.url), options);
        let db = connect(&url, Options::default()).await;
        let insert = Arc::new(statement(&db, crate::fixture::INSERT));
        let select = Arc::new(statement(&db, "SELECT n FROM item"));
        for at_commit in [false, true] {
            let (insert, stalled) = (Arc::clone(&insert), Arc::clone(&proxy));
            let work = db.transact(move |tx| {
                Box::pin(async move {
                    tx.execute_rows(&insert, vec![crate::fixture::item(1)]).await?;
                    stalled.set(Mode::Stall);
                    if !at_commit {
                        tx.execute_rows(&insert, vec![crate::fixture::item(2)]).await?;
                    }
                    Ok(())
                })
            });
            let done = tokio::time::timeout(HANG, work).await;
            let error = done.expect("it waits for ever").unwrap_err();
            assert!(matches!(error.class, Class::Timeout | Class::Gone), "{error:?}");
            proxy.set(Mode::Pass);
            until("it is there again", async || db.ping().await.is_ok()).await;
        }
        // On PostgreSQL a snapshot waits for as long as the connection stands, on purpose.
        if db.dialect() != Dialect::Postgres {
            let mut snapshot = db.snapshot().await.unwrap();
            proxy.set(Mode::Stall);
            let done = tokio::time::timeout(HANG, snapshot.fetch_all(&select, &[])).await;
            let error = done.expect("it waits for ever").unwrap_err();
            assert!(matches!(error.class, Class::Timeout | Class::Gone), "{error:?}");
            proxy.set(Mode::Pass);
        }
        until("nothing is held", async || db.stats().in_use <= 1).await;
        db.close().await;
        fixture.end().await;
    }

    async fn when_the_first_host_is_away_the_second_is_used(fixture: Fixture) {
        let (one, two) = (
            Proxy::before(&fixture.url).await,
            Proxy::before(&fixture.url).await,
        );
        let both = one.url(&fixture.url).replace(
            &one.address().to_string(),
            &format!("{},{}", one.address(), two.address()),
        );
        let db = connect(&both, Options::default()).await;
        assert!(one.accepted() > 0);
        assert_eq!(two.accepted(), 0);
        one.set(Mode::Refuse);
        until("the second serves", async || db.ping().await.is_ok()).await;
        assert!(two.accepted() > 0);
        two.set(Mode::Cut);
        until("both are away", async || {
            matches!(db.ping().await, Err(error) if error.message.contains(&format!("{}: ", one.address()))
                && error.message.contains(&format!("{}: ", two.address())))
        })
        .await;
        one.set(Mode::Pass);
        until("the first serves", async || db.ping().await.is_ok()).await;
        db.close().await;
        fixture.end().await;
    }
}
