//! A step that waits exactly as long as a test wants: an HTTP server on loopback that the flow's
//! `gate` node asks, and that answers when it is told to.
use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
};

/// The server.
pub(crate) struct Gate(TcpListener);

/// A step that waits at the gate.
pub(crate) struct Waiting {
    stream: TcpStream,
    /// The `Idempotency-Key` it came with.
    pub(crate) key: String,
}

/// Passes `before`, waits at the gate, passes `after`.
const FLOW: &str = r#"
runstone: 1
name: gated
input: {type: object, required: [url], properties: {url: {type: string}}}
state: {trail: {type: array, reducer: append, default: []}}
start: before
nodes:
  before: {uses: set, with: {trail: before}}
  gate: {uses: http, with: {method: POST, url: "${{ input.url }}"}, out: {trail: "${{ result.body }}"}}
  after: {uses: set, with: {trail: after}}
edges: [before -> gate -> after -> end]
output: {trail: "${{ state.trail }}"}
"#;

impl Gate {
    pub(crate) fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    /// A flow with a step that waits at a gate; it takes `input.url`.
    pub(crate) fn flow() -> &'static str {
        FLOW
    }

    /// `url=…` for `--set`.
    pub(crate) fn set(&self) -> String {
        format!("url=http://{}/", self.0.local_addr().unwrap())
    }

    /// Waits until a step has come to the gate.
    pub(crate) fn arrival(&self) -> Waiting {
        let (stream, _) = self.0.accept().unwrap();
        let mut key = String::new();
        for line in BufReader::new(&stream).lines() {
            let line = line.unwrap();
            if let Some((name, value)) = line.split_once(": ")
                && name.eq_ignore_ascii_case("idempotency-key")
            {
                value.clone_into(&mut key);
            }
            if line.is_empty() {
                break;
            }
        }
        Waiting { stream, key }
    }
}

impl Waiting {
    /// Lets the step pass.
    pub(crate) fn open(mut self) {
        let answer = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 6\r\n\
                      connection: close\r\n\r\npassed";
        self.stream.write_all(answer.as_bytes()).unwrap();
    }
}
