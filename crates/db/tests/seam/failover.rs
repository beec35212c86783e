//! PostgreSQL: servers that can only be read are passed over, those without a free connection are
//! waited for, those that are too old are refused.
use crate::fixture::{Fixture, INSERT, item, one_step, statement};
use runstone_db::{Class, Database, Options};
use runstone_testkit::proxy::Proxy;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

/// A server behind two addresses, and a user of the test's own.
struct Two {
    fixture: Fixture,
    hosts: (Proxy, Proxy),
    role: String,
}

impl Two {
    async fn new() -> Option<Self> {
        let fixture = Fixture::postgres().await?.with_items().await;
        let hosts = (
            Proxy::before(&fixture.url).await,
            Proxy::before(&fixture.url).await,
        );
        let role = format!("r_{}", uuid::Uuid::now_v7().simple());
        let create = format!("CREATE ROLE {role} LOGIN SUPERUSER");
        fixture.execute(&create).await.unwrap();
        Some(Self {
            fixture,
            hosts,
            role,
        })
    }

    fn url(&self, more: &str) -> String {
        let (one, two) = (self.hosts.0.address(), self.hosts.1.address());
        let url = self.hosts.0.url(&self.fixture.url);
        let (_, rest) = url.split_once('@').unwrap();
        let rest = rest.replace(&one.to_string(), &format!("{one},{two}"));
        format!("postgres://{}@{rest}{more}", self.role)
    }

    async fn end(self) {
        let drop = format!("DROP ROLE {}", self.role);
        self.fixture.execute(&drop).await.unwrap();
        self.fixture.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_turns_read_only_is_left_for_the_next_host() {
    let Some(two) = Two::new().await else {
        return;
    };
    let url = two.url("&pool_size=1");
    let db = Database::connect(&url, Options::default()).await.unwrap();
    let insert = two.fixture.statement(INSERT);
    db.batch(one_step(&insert, vec![item(1)])).await.unwrap();
    let demote = statement(&db, "SET default_transaction_read_only = on");
    db.execute(&demote, &[]).await.unwrap();
    let refused = db.batch(one_step(&insert, vec![item(2)])).await;
    let error = refused.unwrap_err();
    assert_eq!(error.class, Class::Unavailable, "{error}");
    assert!(error.message.contains("another host"), "{error}");
    let again = db.batch(one_step(&insert, vec![item(3)])).await;
    assert_eq!(again, Ok(vec![1]));
    db.close().await;
    two.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_can_only_be_read_is_passed_over() {
    let Some(two) = Two::new().await else {
        return;
    };
    let demote = format!(
        "ALTER ROLE {} SET default_transaction_read_only = on",
        two.role
    );
    two.fixture.execute(&demote).await.unwrap();
    let refused = Database::connect(&two.url(""), Options::default()).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.class, Class::Unavailable);
    let said = refused.message.matches("the server can only be read");
    assert_eq!(said.count(), 2, "{refused}");
    // Whoever asks for any, or only reads, gets the first.
    let any = two.url("&target_session_attrs=any");
    let read_only = Options {
        read_only: true,
        ..Options::default()
    };
    for (url, options) in [(any, Options::default()), (two.url(""), read_only)] {
        let reader = Database::connect(&url, options).await.unwrap();
        assert_eq!(reader.ping().await, Ok(()));
        reader.close().await;
    }
    two.end().await;
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
