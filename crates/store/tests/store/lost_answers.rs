//! The connection breaks in the middle of a commit, and nobody can know whether it took effect:
//! every commit ends up written exactly once. A proxy in between eats the server's answers.
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use runstone_db::Dialect;
use runstone_store::{Claim, Error, OpenOptions, SqlStore, Store as _};
use runstone_testkit::on_every_server;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::harness::{TestDb, at, create, flow, row, rows, run_id, server_id};

/// What the proxy does, and what it has done.
#[derive(Default)]
struct Proxy {
    /// Eat the next answer and close that connection.
    eat: AtomicBool,
    /// So many answers pass before.
    after: AtomicUsize,
    /// The server's answers name what was done.
    tells: AtomicBool,
    /// How many answers it ate; on PostgreSQL, which says so, only those to an INSERT.
    eaten: AtomicUsize,
}

impl Proxy {
    async fn connection(self: Arc<Self>, client: TcpStream, server: SocketAddr) {
        let Ok(server) = TcpStream::connect(server).await else {
            return;
        };
        let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
            (client.into_split(), server.into_split());
        let requests = tokio::spawn(async move {
            let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
        });
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
            let eat = self.eat.load(Ordering::SeqCst)
                && self
                    .after
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                        left.checked_sub(1)
                    })
                    .is_err();
            if eat && self.eat.swap(false, Ordering::SeqCst) {
                let insert = buffer[..read].windows(7).any(|part| part == b"INSERT ");
                let counts = insert || !self.tells.load(Ordering::SeqCst);
                self.eaten.fetch_add(usize::from(counts), Ordering::SeqCst);
                break;
            }
            if to_client.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
        requests.abort();
    }
}

/// A proxy before the server of `url`, and the URL that goes through it.
async fn proxied(url: &str) -> (Arc<Proxy>, String) {
    let (head, rest) = url
        .split_once('@')
        .expect("the test URL has the form scheme://user@host/db");
    let (host, tail) = rest.split_once('/').unwrap();
    assert!(host.contains(':'), "the test URL names no port");
    let server = tokio::net::lookup_host(host).await.unwrap().next().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let proxy = Arc::new(Proxy::default());
    let serving = Arc::clone(&proxy);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(Arc::clone(&serving).connection(client, server));
        }
    });
    (proxy, format!("{head}@127.0.0.1:{port}/{tail}"))
}

async fn store_behind_a_proxy(db: &TestDb) -> (Arc<Proxy>, SqlStore) {
    db.store().await;
    let (proxy, url) = proxied(&db.url).await;
    proxy
        .tells
        .store(db.dialect == Dialect::Postgres, Ordering::SeqCst);
    let store = SqlStore::open(&url, OpenOptions::default()).await.unwrap();
    (proxy, store)
}

on_every_server! {
    async fn a_commit_whose_answer_is_lost_is_written_once(db: &TestDb) {
        let (proxy, store) = store_behind_a_proxy(db).await;
        let flow = flow(&store, "f").await;
        let run = run_id();
        store
            .commit(create(run, flow, Some(server_id())))
            .await
            .unwrap();
        for round in 0..20 {
            // The first one warms the connection up, so that the second one's answer is the INSERT's.
            store.commit(rows(run, 1, [2 * round + 1])).await.unwrap();
            proxy.eat.store(true, Ordering::SeqCst);
            store.commit(rows(run, 1, [2 * round + 2])).await.unwrap();
        }
        let found: Vec<_> = store
            .journal(run, 0, 100)
            .await
            .unwrap()
            .into_iter()
            .map(|row| row.row)
            .collect();
        assert_eq!(found, (1..=40).map(row).collect::<Vec<_>>());
        let eaten = proxy.eaten.load(Ordering::SeqCst);
        assert!(eaten >= 10, "most of the commits had landed: {eaten}");
    }

    async fn a_claim_whose_answer_is_lost_is_never_taken_for_none(db: &TestDb) {
        let (proxy, store) = store_behind_a_proxy(db).await;
        let flow = flow(&store, "f").await;
        let (mut failed, mut succeeded) = (0, 0);
        // One answer later each time, until a claim has had all of its own.
        for after in 0..100 {
            for _ in 0..3 {
                store.commit(create(run_id(), flow, None)).await.unwrap();
            }
            let me = server_id();
            let claim = Claim { server: me, now: at(100), expired_before: at(50), limit: 3, only: None };
            proxy.after.store(after, Ordering::SeqCst);
            proxy.eat.store(true, Ordering::SeqCst);
            let claimed = store.claim(claim).await;
            proxy.eat.store(false, Ordering::SeqCst);
            let owned = store.owned(me, None).await.unwrap();
            match claimed {
                Ok(claimed) => {
                    let claimed: Vec<_> = claimed.into_iter().map(|claimed| claimed.run).collect();
                    assert_eq!(claimed, owned, "after {after} answers");
                    succeeded += 1;
                }
                // Who is told so looks what it owns.
                Err(Error::Unavailable(_)) => failed += 1,
                Err(error) => panic!("after {after} answers: {error}"),
            }
            // What was not taken is not in the way of the next round.
            let other = Claim { server: server_id(), limit: 100, ..claim };
            store.claim(other).await.unwrap();
            if succeeded == 3 {
                break;
            }
        }
        assert!(failed > 2 && succeeded == 3, "{failed} failed, {succeeded} succeeded");
    }

    async fn groups_whose_answer_is_lost_are_written_once(db: &TestDb) {
        let (proxy, store) = store_behind_a_proxy(db).await;
        let store = Arc::new(store);
        let flow = flow(&store, "f").await;
        let tasks: Vec<_> = (0..40)
            .map(|_| {
                let (store, proxy) = (Arc::clone(&store), Arc::clone(&proxy));
                tokio::spawn(async move {
                    let run = run_id();
                    store
                        .commit(create(run, flow, Some(server_id())))
                        .await
                        .unwrap();
                    for seq in 1..=10 {
                        proxy.eat.store(seq % 3 == 0, Ordering::SeqCst);
                        store.commit(rows(run, 1, [seq])).await.unwrap();
                    }
                    run
                })
            })
            .collect();
        for task in tasks {
            let run = task.await.unwrap();
            proxy.eat.store(false, Ordering::SeqCst);
            let found = store.journal(run, 0, 100).await;
            let found = match found {
                Ok(found) => found,
                // The proxy may have eaten this very answer.
                Err(_) => store.journal(run, 0, 100).await.unwrap(),
            };
            let found: Vec<_> = found.into_iter().map(|row| row.row).collect();
            assert_eq!(found, (1..=10).map(row).collect::<Vec<_>>());
        }
    }
}
