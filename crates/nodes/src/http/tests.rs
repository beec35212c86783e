//! `http` against a real server on loopback, and the guard against everything that tries to get
//! around it. Timeouts here run on tokio's paused clock or on a server that never answers.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use futures::future::FutureExt;
use runstone_engine::node::Cancelled;
use runstone_model::ids::RunId;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

mod guarding;
mod talking;

/// A server that answers each connection with the next of its answers and keeps what it was sent.
struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn answering<S: Into<String>>(answers: impl IntoIterator<Item = S>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        let answers: Vec<String> = answers.into_iter().map(Into::into).collect();
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read_request(&mut stream).await;
                kept.lock().unwrap().push(request);
                stream.write_all(answer.as_bytes()).await.unwrap();
                let _ = stream.shutdown().await;
            }
        });
        Self { address, seen }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn read_request(stream: &mut tokio::net::TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length:")?
                        .trim()
                        .parse()
                        .ok()
                })
                .unwrap_or(0);
            if body.len() >= length {
                return text;
            }
        }
        match stream.read(&mut buffer).await.unwrap() {
            0 => return text,
            n => request.extend_from_slice(&buffer[..n]),
        }
    }
}

/// An answer that closes its connection, so that each request is a connection of its own.
fn answer(status: &str, headers: &[&str], body: &str) -> String {
    let mut text = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    format!("{text}\r\n{body}")
}

fn loopback() -> Policy {
    "127.0.0.1".parse().unwrap()
}

fn context() -> Context {
    Context {
        run: RunId("00000000-0000-0000-0000-000000000000".parse().unwrap()),
        node: Arc::from("fetch"),
        visit: 1,
        item: None,
        attempt: 1,
        started_at: runstone_model::time::Timestamp(1_000_000),
        idempotency_key: Arc::from("run-1/fetch/1"),
        cancelled: Cancelled::default(),
    }
}

async fn send(http: &Http, with: Value) -> Result<Value, NodeError> {
    http.run(context(), with)
        .await
        .map(|outcome| outcome.result)
}

/// A resolver that knows one address for every name.
fn resolving_to(addresses: &'static [&'static str]) -> Lookup {
    Arc::new(move |_| {
        let found: Vec<IpAddr> = addresses.iter().map(|a| a.parse().unwrap()).collect();
        async move {
            if found.is_empty() {
                Err(io::Error::other("no such name"))
            } else {
                Ok(found)
            }
        }
        .boxed()
    })
}
