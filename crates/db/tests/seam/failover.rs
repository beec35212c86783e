//! PostgreSQL: servers that can only be read are passed over, those without a free connection are
//! waited for, those that are too old are refused.
use crate::fixture::{Fixture, INSERT, item, one_step, statement};
use runstone_db::{Class, Database, Options};
use runstone_testkit::proxy::Proxy;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_can_only_be_read_is_passed_over() {
    let Some(fixture) = Fixture::postgres().await else {
        return;
    };
    let fixture = fixture.with_items().await;
    let (standby, primary) = (
        Proxy::before(&fixture.url).await,
        Proxy::before(&fixture.url).await,
    );
    // Sessions that come by way of the first host say that they cannot write.
    let url = |hosts: String, more: &str| {
        standby
            .url(&fixture.url)
            .replace(&standby.address().to_string(), &hosts)
            + more
    };
    let both = format!("{},{}", standby.address(), primary.address());
    let role = format!("r_{}", uuid::Uuid::now_v7().simple());
    fixture
        .execute(&format!("CREATE ROLE {role} LOGIN SUPERUSER"))
        .await
        .unwrap();
    let as_role = |url: String| {
        let (_, rest) = url.split_once('@').unwrap();
        format!("postgres://{role}@{rest}")
    };
    // Both hosts are one server: only after the connection is made it turns read-only.
    let db = Database::connect(
        &as_role(url(both.clone(), "&pool_size=1")),
        Options::default(),
    )
    .await
    .unwrap();
    let insert = fixture.statement(INSERT);
    db.batch(one_step(&insert, vec![item(1)])).await.unwrap();
    let demote = statement(&db, "SET default_transaction_read_only = on");
    db.execute(&demote, &[]).await.unwrap();
    let error = db
        .batch(one_step(&insert, vec![item(2)]))
        .await
        .unwrap_err();
    assert_eq!(error.class, Class::Unavailable, "{error}");
    assert!(error.message.contains("another host"), "{error}");
    assert_eq!(
        db.batch(one_step(&insert, vec![item(3)])).await,
        Ok(vec![1])
    );
    db.close().await;

    fixture
        .execute(&format!(
            "ALTER ROLE {role} SET default_transaction_read_only = on"
        ))
        .await
        .unwrap();
    let refused = Database::connect(&as_role(url(both.clone(), "")), Options::default())
        .await
        .unwrap_err();
    assert_eq!(refused.class, Class::Unavailable);
    assert_eq!(
        refused
            .message
            .matches("the server can only be read")
            .count(),
        2,
        "{refused}"
    );
    let any = as_role(url(both.clone(), "&target_session_attrs=any"));
    let reader = Database::connect(&any, Options::default()).await.unwrap();
    assert_eq!(reader.ping().await, Ok(()));
    reader.close().await;
    // One who only reads takes either.
    let options = Options {
        read_only: true,
        ..Options::default()
    };
    let reader = Database::connect(&as_role(url(both, "")), options).await;
    reader.unwrap().close().await;
    fixture.execute(&format!("DROP ROLE {role}")).await.unwrap();
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_without_free_connections_is_waited_for() {
    let Some(fixture) = Fixture::postgres().await else {
        return;
    };
    let role = format!("r_{}", uuid::Uuid::now_v7().simple());
    fixture
        .execute(&format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT 3"))
        .await
        .unwrap();
    let (_, rest) = fixture.url.split_once('@').unwrap();
    let db = Database::connect(
        &format!("postgres://{role}@{rest}&pool_size=10"),
        Options::default(),
    )
    .await
    .unwrap();
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                let nap = statement(&db, "SELECT 1 AS one, pg_sleep(0.01) AS nap");
                db.fetch_all(&nap, &[]).await
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().map(|rows| rows.len()), Ok(1));
    }
    assert!(db.stats().open <= 3, "{:?}", db.stats());
    assert_eq!(db.health().failures, 0, "it is busy, not away");
    db.close().await;
    // The role goes when the server has noticed that its sessions are over.
    let gone = format!("DROP ROLE {role}");
    fixture.execute(&gone).await.unwrap();
    fixture.end().await;
}

/// Takes a connection as PostgreSQL does, and says that it is so old.
async fn old_server(version: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut length = [0; 4];
            client.read_exact(&mut length).await.unwrap();
            let mut startup = vec![0; u32::from_be_bytes(length) as usize - 4];
            client.read_exact(&mut startup).await.unwrap();
            let mut answer = b"R\0\0\0\x08\0\0\0\0S".to_vec();
            let setting = format!("server_version\0{version}\0");
            answer.extend((4 + u32::try_from(setting.len()).unwrap()).to_be_bytes());
            answer.extend(setting.as_bytes());
            answer.extend(b"Z\0\0\0\x05I");
            client.write_all(&answer).await.unwrap();
            // Until the other side hangs up.
            let _ = client.read(&mut [0; 64]).await;
        }
    });
    format!("postgres://u:secret@{address}/db?sslmode=disable")
}

#[tokio::test]
async fn a_server_that_is_too_old_is_refused_with_its_version() {
    let url = old_server("12.22 (Debian 12.22-1)").await;
    let error = Database::connect(&url, Options::default())
        .await
        .unwrap_err();
    assert_eq!(error.class, Class::Unavailable);
    assert!(
        error.message.ends_with(
            "the server is PostgreSQL 12.22 (Debian 12.22-1); PostgreSQL 13 or newer is needed"
        ),
        "{error}"
    );
    assert!(!error.message.contains("secret"));
    let new = old_server("19beta1").await;
    let db = Database::connect(&new, Options::default()).await;
    db.unwrap().close().await;
}
