//! A store that speaks S3: moto's server, which the test starts on loopback. `RUNSTONE_TEST_MOTO`
//! names its program; without one it is installed below the target folder, and where that cannot be
//! done the test says so.
use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use crate::place::{Place, Said, until};

/// The server; stopped when it is dropped.
struct Moto {
    child: Child,
    url: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("RUNSTONE_TEST_MOTO") {
        return Some(named.into());
    }
    let venv = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("moto");
    let program = venv.join("bin/moto_server");
    let done = venv.join("installed");
    if done.exists() {
        return Some(program);
    }
    let quietly = |command: &mut Command| {
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    let made = quietly(Command::new("python3").args(["-m", "venv"]).arg(&venv))
        && quietly(Command::new(venv.join("bin/pip")).args(["install", "moto[s3,server]"]))
        && std::fs::write(done, "").is_ok();
    if !made {
        eprintln!("SKIPPED: moto, a server that speaks S3, cannot be installed with pip");
    }
    made.then_some(program)
}

impl Moto {
    fn start() -> Option<Self> {
        let program = program()?;
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        until("moto", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Some(Self { child, url })
    }

    fn run(&self, place: &Place, args: &[&str]) -> Said {
        let mut command = place.command(args);
        command
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "hunter2")
            .env("AWS_REGION", "us-east-1");
        let said: Said = command.output().unwrap().into();
        assert!(!said.err.contains("hunter2") && !said.out.contains("hunter2"));
        said
    }

    fn done(&self, place: &Place, args: &[&str]) -> Said {
        let said = self.run(place, args);
        assert_eq!(said.code, 0, "{args:?}: {said:?}");
        said
    }

    /// Makes a bucket, as nobody but its owner can.
    fn bucket(&self, name: &str) {
        use std::io::{Read as _, Write as _};
        let host = self.url.trim_start_matches("http://");
        let mut stream = std::net::TcpStream::connect(host).unwrap();
        let request = format!(
            "PUT /{name} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[test]
fn slow_archives_lie_in_a_store_that_speaks_s3() {
    let Some(moto) = Moto::start() else { return };
    let place = Place::new();
    let missing = moto.run(&place, &["backup", "s3://none/flows"]);
    missing.refused(&["s3://none/flows", "mend: "]);
    moto.bucket("vault");
    let to = "s3://vault/flows/prod";
    let first = moto
        .done(&place, &["backup", to, "--json", "--full-every", "5"])
        .json();
    let first = first["archive"].as_str().unwrap();
    assert!(
        first.starts_with("s3://vault/flows/prod/runstone-20"),
        "{first}"
    );
    place.another_run();
    let second = moto
        .done(&place, &["backup", to, "--json", "--full-every", "5"])
        .json();
    assert_eq!(second["rows"]["runs"], 1, "an increment to what lies there");
    place.another_run();
    let third = moto.done(
        &place,
        &[
            "backup",
            to,
            "--json",
            "--since",
            second["archive"].as_str().unwrap(),
        ],
    );
    assert_eq!(third.json()["parent"], second["id"]);
    let listed = moto.done(&place, &["backup", "list", to, "--json"]).json();
    assert_eq!(listed["archives"].as_array().unwrap().len(), 3);
    moto.done(&place, &["backup", "verify", to]);
    moto.done(&place, &["backup", "verify", first]);
    moto.done(&place, &["restore", to, "--db", "sqlite:copy.db"]);
    assert_eq!(place.runs("sqlite:copy.db"), 3);
    moto.done(&place, &["restore", first, "--db", "sqlite:first.db"]);
    assert_eq!(place.runs("sqlite:first.db"), 1);
    let deeper = "s3://vault/flows/prod/other/";
    moto.done(&place, &["backup", deeper]);
    let last = moto
        .done(&place, &["backup", to, "--keep", "1", "--json"])
        .json();
    assert_eq!(last["deleted"].as_array().unwrap().len(), 3);
    let listed = moto.done(&place, &["backup", "list", to, "--json"]).json();
    assert_eq!(listed["archives"].as_array().unwrap().len(), 1);
    let listed = moto.done(&place, &["backup", "list", deeper, "--json"]);
    let others = listed.json()["archives"].as_array().unwrap().len();
    assert_eq!(others, 1, "what lies deeper belongs to others");
}

#[test]
fn slow_a_large_archive_goes_to_s3_in_parts() {
    let Some(moto) = Moto::start() else { return };
    let place = Place::new();
    // Noise does not shrink: three parts of 16 MiB.
    let noise: String = (0_u64..520_000)
        .map(|n| {
            format!(
                "{:016x}",
                n.wrapping_add(1)
                    .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                    .rotate_left(29)
                    .wrapping_mul(0xbf58_476d_1ce4_e5b9)
            )
        })
        .collect();
    for run in 0..10 {
        let input = serde_json::json!({"noise": &noise[run * 16..], "run": run}).to_string();
        std::fs::write(place.path("input.json"), input).unwrap();
        let flow = "{runstone: 1, name: noise, input: {type: object}, start: a, nodes: {a: {uses: set, \
            with: {}}}, edges: [a -> end]}";
        std::fs::write(place.path("noise.yaml"), flow).unwrap();
        place.done(&["run", "noise.yaml", "--input", "input.json", "-q"]);
    }
    moto.bucket("vault");
    let made = moto
        .done(&place, &["backup", "s3://vault", "--json"])
        .json();
    assert!(made["bytes"].as_u64().unwrap() > 33 << 20, "{made}");
    moto.done(
        &place,
        &["backup", "verify", made["archive"].as_str().unwrap()],
    );
    moto.done(&place, &["restore", "s3://vault", "--db", "sqlite:copy.db"]);
    assert_eq!(place.runs("sqlite:copy.db"), 11);
}

#[test]
fn a_store_that_does_not_answer_and_a_wrong_url_are_named() {
    let place = Place::new();
    place
        .run(&["backup", "s3:bucket"])
        .refused(&["s3:bucket", "s3://bucket/prefix"]);
    place.run(&["backup", "s3://"]).refused(&["no bucket"]);
}
