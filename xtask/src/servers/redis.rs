//! Redis, for tests of limits and caches that several servers share: found on the machine, or
//! unpacked from a package of Debian. It keeps nothing, so that a killed one has forgotten all.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::debian::Tree;
use super::unprivileged::Owner;
use super::watched::{Plan, Watched};
use super::{Server, Wishes, cache};
use crate::process::{capture, human, on_path};

pub(super) fn start(wishes: &Wishes) -> Result<Server> {
    let begin = Instant::now();
    let program: Vec<OsString> = match on_path("redis-server") {
        Some(found) => vec![found.into()],
        None => Tree::of("bookworm", "redis-server")?.program("usr/bin/redis-server")?,
    };
    let said = capture(
        Command::new(&program[0])
            .args(&program[1..])
            .arg("--version"),
    )?;
    let version = said
        .split_whitespace()
        .find_map(|word| word.strip_prefix("v="))
        .unwrap_or("of an unknown version")
        .to_owned();
    let owner = Owner::find()?;
    let empty = cache::once("data-redis", |draft| {
        owner.take(draft)?;
        std::fs::create_dir(draft.join("data"))?;
        owner.take(&draft.join("data"))
    })?;
    let watched = Watched::start(&Plan {
        name: "Redis",
        owner,
        within: wishes.within.as_deref(),
        prepared: &empty.join("data"),
        stop: "KILL",
        line: &|folder, port| {
            let mut line = line(&program, folder, port);
            line.extend(wishes.settings.iter().map(OsString::from));
            line
        },
        ready: &|_, port| answers(port),
    })?;
    let port = watched.port;
    let time = human(begin.elapsed());
    eprintln!("Redis {version} on port {port}, ready in {time}");
    Ok(Server {
        version,
        url: format!("redis://127.0.0.1:{port}"),
        watched,
    })
}

fn line(program: &[OsString], folder: &Path, port: u16) -> Vec<OsString> {
    let mut line = program.to_vec();
    let port = port.to_string();
    for words in [
        ["--port", &port],
        ["--bind", "127.0.0.1"],
        ["--save", ""],
        ["--appendonly", "no"],
        ["--daemonize", "no"],
    ] {
        line.extend(words.map(OsString::from));
    }
    line.push("--dir".into());
    line.push(folder.join("data").into());
    line
}

/// Whether it answers a `PING`.
fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let mut said = [0; 5];
    let asked = stream
        .set_read_timeout(Some(Duration::from_secs(1)))
        .and_then(|()| stream.write_all(b"PING\r\n"))
        .and_then(|()| stream.read_exact(&mut said));
    asked.is_ok() && said == *b"+PONG"
}
