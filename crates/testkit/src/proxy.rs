//! A TCP proxy that misbehaves on command: cuts, stalls, refuses, slows. Stands between a test and
//! a real server.
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
};

/// What it does with what passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Hands on everything.
    Pass,
    /// Hands on every piece this much later.
    Slow(Duration),
    /// Keeps connections open and hands on nothing.
    Stall,
    /// Closes every connection, also new ones.
    Cut,
    /// Closes every connection and does not listen.
    Refuse,
}

/// Gone when dropped, with every connection through it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    accepted: Arc<AtomicU64>,
    listening: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// In front of the server of `url`.
    ///
    /// # Panics
    /// The URL names no host, or no port is free.
    pub async fn before(url: &str) -> Self {
        let target = url[authority(url)].to_owned();
        let bound = TcpListener::bind("127.0.0.1:0").await;
        let listener = bound.unwrap_or_else(|error| panic!("no port for a proxy: {error}"));
        let address = listener.local_addr();
        let address = address.unwrap_or_else(|error| panic!("a proxy without a port: {error}"));
        let (mode, seen) = watch::channel(Mode::Pass);
        let accepted = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&accepted);
        let listening = tokio::spawn(listen(listener, address, target, seen, counted));
        Self {
            address,
            mode,
            accepted,
            listening,
        }
    }

    /// `url` by way of this proxy.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        let at = authority(url);
        format!("{}{}{}", &url[..at.start], self.address, &url[at.end..])
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, for old connections and new ones.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Connections that were made to it so far.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
        self.mode.send_replace(Mode::Cut);
    }
}

/// Where host and port stand.
fn authority(url: &str) -> std::ops::Range<usize> {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..]
        .find(['/', '?'])
        .map_or(url.len(), |at| start + at);
    let host = url[start..end]
        .rfind('@')
        .map_or(start, |at| start + at + 1);
    host..end
}

async fn listen(
    listener: TcpListener,
    address: SocketAddr,
    target: String,
    mut mode: watch::Receiver<Mode>,
    accepted: Arc<AtomicU64>,
) {
    let mut listener = Some(listener);
    loop {
        if *mode.borrow_and_update() == Mode::Refuse {
            drop(listener.take());
            if mode.changed().await.is_err() {
                return;
            }
            continue;
        }
        if listener.is_none() {
            let again = TcpListener::bind(address).await;
            listener = Some(again.unwrap_or_else(|error| panic!("{address} is lost: {error}")));
        }
        let Some(open) = &listener else { return };
        tokio::select! {
            arrived = open.accept() => {
                let Ok((client, _)) = arrived else { continue };
                accepted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(client, target.clone(), mode.clone()));
            }
            changed = mode.changed() => if changed.is_err() { return },
        }
    }
}

async fn serve(client: TcpStream, target: String, mode: watch::Receiver<Mode>) {
    let mut cut = mode.clone();
    let pass = async {
        let mut flows = mode.clone();
        // A proxy that stalls lets nobody through to the server either.
        let _ = flows.wait_for(|mode| *mode != Mode::Stall).await;
        let Ok(server) = TcpStream::connect(target).await else {
            return;
        };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        // When one side hangs up, so does the other.
        tokio::select! {
            () = copy(from_client, to_server, mode.clone()) => {}
            () = copy(from_server, to_client, mode.clone()) => {}
        }
    };
    tokio::select! {
        biased;
        _ = cut.wait_for(|mode| matches!(mode, Mode::Cut | Mode::Refuse)) => {}
        () = pass => {}
    }
}

async fn copy(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    mut mode: watch::Receiver<Mode>,
) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else {
            return;
        };
        let now = mode.wait_for(|mode| *mode != Mode::Stall).await;
        let Ok(now) = now.map(|mode| *mode) else {
            return;
        };
        if let Mode::Slow(pause) = now {
            tokio::time::sleep(pause).await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
