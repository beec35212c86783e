//! One kept-alive HTTP/1.1 connection, as thin as can be: the generator shares the cores with what it
//! measures. Plain HTTP, answers with a length; knows nothing of the API.
use std::{io, time::Duration};

use anyhow::{Context as _, bail, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Headers of an answer that are read.
const MOST_HEADERS: usize = 64;
/// The largest answer that is taken.
const LARGEST: usize = 64 << 20;
/// An answer that takes longer is an error.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where requests go, and what each of them carries.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// `host:port`.
    authority: String,
    /// The header with the key, with its line end; empty without one.
    key: String,
}

/// An answer's status; its body is in the connection until the next call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    from: usize,
    until: usize,
    closes: bool,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Target {
    /// Reads `http://host:port`.
    pub(super) fn read(url: &str, key: Option<&str>) -> anyhow::Result<Self> {
        let authority = url
            .strip_prefix("http://")
            .map(|rest| rest.trim_end_matches('/'));
        let authority = authority.filter(|rest| !rest.is_empty() && !rest.contains('/'));
        let authority = authority.context(
            "--server must be http://HOST:PORT and nothing more: the generator speaks plain HTTP",
        )?;
        let plain = |key: &str| key.bytes().all(|b| b.is_ascii_graphic());
        ensure!(key.is_none_or(plain), "the key is none of this server's");
        let key = key.map_or_else(String::new, |key| {
            format!("authorization: Bearer {key}\r\n")
        });
        let authority = match authority.contains(':') {
            true => authority.to_owned(),
            false => format!("{authority}:80"),
        };
        Ok(Self { authority, key })
    }

    /// A request without a body.
    pub(super) fn get(&self, path: &str) -> Vec<u8> {
        let Self { authority, key } = self;
        format!("GET {path} HTTP/1.1\r\nhost: {authority}\r\n{key}\r\n").into_bytes()
    }

    /// A request whose answer ends with its connection: a stream of events.
    pub(super) fn stream(&self, path: &str) -> Vec<u8> {
        let Self { authority, key } = self;
        format!("GET {path} HTTP/1.0\r\nhost: {authority}\r\n{key}\r\n").into_bytes()
    }

    /// A request with a JSON body.
    pub(super) fn post(&self, path: &str, body: &str) -> Vec<u8> {
        let Self { authority, key } = self;
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nhost: {authority}\r\n{key}content-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    pub(super) async fn connect(&self) -> anyhow::Result<Connection> {
        let stream = TcpStream::connect(&self.authority).await;
        let stream = stream.with_context(|| format!("no connection to {}", self.authority))?;
        stream.set_nodelay(true)?;
        Ok(Connection {
            stream,
            buffer: Vec::with_capacity(64 << 10),
        })
    }
}

impl Connection {
    /// Sends a request and reads its whole answer.
    pub(super) async fn call(&mut self, request: &[u8]) -> anyhow::Result<Head> {
        let answered = tokio::time::timeout(PATIENCE, self.exchange(request)).await;
        answered.with_context(|| format!("no answer within {PATIENCE:?}"))?
    }

    /// Sends a request and hands over the connection, to read a stream from it.
    pub(super) async fn open(mut self, request: &[u8]) -> io::Result<TcpStream> {
        self.stream.write_all(request).await?;
        Ok(self.stream)
    }

    /// The body of the last answer.
    pub(super) fn body(&self, head: Head) -> &[u8] {
        self.buffer.get(head.from..head.until).unwrap_or_default()
    }

    async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Head> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the server closed the connection in mid-answer");
            if let Some(head) = head(&self.buffer)? {
                ensure!(!head.closes, "the server closes the connection");
                while self.buffer.len() < head.until {
                    let read = self.stream.read_buf(&mut self.buffer).await?;
                    ensure!(read > 0, "the server closed the connection in mid-answer");
                }
                return Ok(head);
            }
            ensure!(self.buffer.len() < LARGEST, "the answer's head has no end");
        }
    }
}

/// The head of an answer, once all of it is there.
fn head(bytes: &[u8]) -> anyhow::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(from) = answer.parse(bytes)? else {
        return Ok(None);
    };
    let status = answer.code.unwrap_or(0);
    let mut length = matches!(status, 204 | 304).then_some(0);
    let mut closes = false;
    for header in answer.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            let text = std::str::from_utf8(header.value)?.trim();
            length = Some(
                text.parse::<usize>()
                    .context("a length that is no number")?,
            );
        } else if header.name.eq_ignore_ascii_case("connection") {
            closes = header.value.eq_ignore_ascii_case(b"close");
        }
    }
    let Some(length) = length.filter(|length| *length < LARGEST) else {
        bail!("an answer ({status}) without a length, which the generator does not read");
    };
    Ok(Some(Head {
        status,
        from,
        until: from + length,
        closes,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let text = b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello";
        for end in 0..text.len() - 5 {
            assert!(matches!(head(&text[..end]), Ok(None)), "{end}");
        }
        let found = head(text).ok().flatten();
        assert_eq!(
            found.map(|head| (head.status, &text[head.from..head.until])),
            Some((201, &b"hello"[..]))
        );
        assert!(head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert!(head(b"nothing of HTTP\r\n\r\n").is_err());
    }

    #[test]
    fn only_plain_addresses_are_taken() {
        for wrong in ["https://a:1", "a:1", "http://", "http://a:1/api", ""] {
            assert!(Target::read(wrong, None).is_err(), "{wrong}");
        }
        assert!(Target::read("http://a:1/", Some("two\r\nlines")).is_err());
        let target = Target::read("http://a:1/", Some("k"));
        let sent = target.map(|target| String::from_utf8_lossy(&target.get("/x")).into_owned());
        let wanted = "GET /x HTTP/1.1\r\nhost: a:1\r\nauthorization: Bearer k\r\n\r\n";
        assert_eq!(sent.ok().as_deref(), Some(wanted));
    }
}
