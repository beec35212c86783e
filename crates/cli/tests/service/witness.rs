//! The world outside: an HTTP server on loopback that notes which request came how often, by its
//! `Idempotency-Key`, and
//! refuses requests while it is told to.
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// What it saw.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    counts: Arc<Mutex<BTreeMap<String, u32>>>,
    refusing: Arc<AtomicBool>,
}

/// The server; its thread ends with the test's process.
pub(crate) struct Witness {
    address: SocketAddr,
    pub(crate) seen: Seen,
}

impl Witness {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Seen::default();
        let noting = seen.clone();
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let seen = noting.clone();
                thread::spawn(move || seen.answer(stream));
            }
        });
        Self { address, seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Seen {
    /// From now on requests are refused, or taken again.
    pub(crate) fn refuse(&self, refusing: bool) {
        self.refusing.store(refusing, Ordering::SeqCst);
    }

    /// How often each key came.
    pub(crate) fn counts(&self) -> BTreeMap<String, u32> {
        self.counts.lock().unwrap().clone()
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut key = None;
        for line in BufReader::new(&stream).lines() {
            // A caller that was killed has not asked.
            let Ok(line) = line else { return };
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(": ")
                && name.eq_ignore_ascii_case("idempotency-key")
            {
                key = Some(value.to_owned());
            }
        }
        let Some(key) = key else { return };
        *self.counts.lock().unwrap().entry(key).or_default() += 1;
        let status = match self.refusing.load(Ordering::SeqCst) {
            true => "422 Unprocessable Content",
            false => "200 OK",
        };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        // Who asked may be gone.
        let _ = stream.write_all(answer.as_bytes());
    }
}
