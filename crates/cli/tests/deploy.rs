//! What is in `deploy/` fits the program: variables and settings are ones that it has, commands are
//! ones that it takes, times are in an order that lets a server end in peace. The unit is read by
//! systemd where there is one. Nothing is built or started here.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use runstone_server::config::KEYS;
use saphyr_parser::{Event, Parser};

const BINARY: &str = env!("CARGO_BIN_EXE_runstone");

fn folder() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.ancestors().nth(2).unwrap().join("deploy")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

/// Every scalar of a YAML document by its path, as in `services.runstone.environment.X`.
fn scalars(text: &str) -> BTreeMap<String, String> {
    /// A mapping with the key whose value comes next, or a list with its next number.
    enum Open {
        Map(Option<String>),
        List(usize),
    }
    fn path(open: &[Open]) -> String {
        let parts = open.iter().map(|open| match open {
            Open::Map(key) => key.clone().unwrap_or_default(),
            Open::List(number) => number.to_string(),
        });
        parts.collect::<Vec<_>>().join(".")
    }
    fn ended(open: &mut [Open]) {
        match open.last_mut() {
            Some(Open::Map(key)) => *key = None,
            Some(Open::List(number)) => *number += 1,
            None => {}
        }
    }
    let (mut open, mut found) = (Vec::new(), BTreeMap::new());
    for event in Parser::new_from_str(text) {
        match event.unwrap().0 {
            Event::MappingStart(..) => open.push(Open::Map(None)),
            Event::SequenceStart(..) => open.push(Open::List(0)),
            Event::MappingEnd | Event::SequenceEnd => {
                open.pop();
                ended(&mut open);
            }
            Event::Scalar(text, ..) => match open.last_mut() {
                Some(Open::Map(key @ None)) => *key = Some(text.into_owned()),
                _ => {
                    found.insert(path(&open), text.into_owned());
                    ended(&mut open);
                }
            },
            _ => {}
        }
    }
    found
}

/// The program in a folder, without any variables of its own.
fn command(args: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(BINARY);
    command.args(args).current_dir(folder);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("RUNSTONE_")) {
        command.env_remove(name);
    }
    command
}

/// What it says in an empty folder with nothing but these variables.
fn runstone(args: &[&str], variables: &[(String, String)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(args, folder.path());
    command.envs(variables.iter().cloned()).output().unwrap()
}

/// What the settings come to, which must be without fault.
fn settings(args: &[&str], variables: &[(String, String)]) -> String {
    let args: Vec<&str> = args.iter().copied().chain(["--print-config"]).collect();
    let said = runstone(&args, variables);
    let trouble = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.success(), "{trouble}");
    String::from_utf8(said.stdout).unwrap()
}

/// `30s` or `1m` in milliseconds.
fn ms(text: &str) -> u64 {
    let (number, unit) = text.split_at(text.len() - 1);
    let unit = match unit {
        "s" => 1_000,
        "m" => 60_000,
        _ => panic!("{text}"),
    };
    number.parse::<u64>().unwrap() * unit
}

/// The value of `drain_ms` among settings as they are printed.
fn drain_ms(settings: &str) -> u64 {
    let line = settings
        .lines()
        .find_map(|line| line.strip_prefix("drain_ms = "));
    line.unwrap().split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn the_variables_of_the_containers_are_settings() {
    let compose = scalars(&read("compose.yaml"));
    let environment = "services.runstone.environment.";
    let variables: Vec<(String, String)> = compose
        .iter()
        .filter_map(|(path, value)| Some((path.strip_prefix(environment)?.to_owned(), value)))
        .map(|(name, value)| (name, value.replace("${POSTGRES_PASSWORD:?set it}", "word")))
        .collect();
    let known: Vec<String> = KEYS.iter().map(|key| key.variable()).collect();
    assert!(variables.len() >= 3, "{variables:?}");
    for (name, value) in &variables {
        assert!(known.contains(name), "there is no setting {name}");
        assert!(!value.contains("${"), "{name}: {value}");
    }
    let settings = settings(&["serve"], &variables);
    assert!(settings.contains("listen = \"0.0.0.0:7878\""), "{settings}");
    assert!(
        !settings.contains("word"),
        "a password is shown: {settings}"
    );

    let grace = &compose["services.runstone.stop_grace_period"];
    assert!(
        ms(grace) > drain_ms(&settings),
        "killed before it has drained"
    );
    // The database is the one of the other service.
    let of = |key: &str| &compose[&format!("services.postgres.environment.POSTGRES_{key}")];
    let url = format!(
        "postgres://{}:{}@postgres/{}",
        of("USER"),
        of("PASSWORD"),
        of("DB")
    );
    assert_eq!(compose[&format!("{environment}RUNSTONE_DATABASE_URL")], url);
    let needs = "services.runstone.depends_on.postgres.condition";
    assert_eq!(compose[needs], "service_healthy");
}

#[test]
fn the_image_is_built_by_the_toolchain_of_the_workspace_and_starts_a_server() {
    let (file, manifest) = (read("Dockerfile"), read("../Cargo.toml"));
    let version = manifest.split("rust-version = \"").nth(1).unwrap();
    let version = version.split('"').next().unwrap();
    assert!(file.contains(&format!("FROM rust:{version}-")), "{version}");
    let known: Vec<String> = KEYS.iter().map(|key| key.variable()).collect();
    let variables: Vec<(String, String)> = file
        .lines()
        .filter_map(|line| line.strip_prefix("ENV ")?.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert!(
        variables.iter().all(|(name, _)| known.contains(name)),
        "{variables:?}"
    );
    assert!(file.contains("ENTRYPOINT [\"runstone\"]\nCMD [\"serve\"]"));
    let settings = settings(&["serve"], &variables);
    let port = settings
        .lines()
        .find(|line| line.starts_with("listen"))
        .unwrap();
    assert!(
        port.contains(":7878") && file.contains("EXPOSE 7878"),
        "{port}"
    );
}

#[test]
fn the_image_is_healthy_while_its_server_answers() {
    let file = read("Dockerfile");
    let check = file
        .lines()
        .find_map(|line| line.trim().strip_prefix("CMD [\"bash\""));
    let check: Vec<String> = serde_json::from_str(&format!("[\"bash\"{}", check.unwrap())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut server = command(&["dev", "--listen", "127.0.0.1:0"], folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let port = line.trim().rsplit(':').next().unwrap().to_owned();
    let healthy = || {
        let mut command = Command::new("bash");
        command.arg("-c").arg(check[2].replace("7878", &port));
        command.stderr(Stdio::null()).status()
    };
    // It may take a moment after it listens: docker asks again too.
    let began = Instant::now();
    let mut before = healthy();
    while before.as_ref().is_ok_and(|said| !said.success())
        && began.elapsed() < Duration::from_secs(30)
    {
        before = healthy();
    }
    server.kill().unwrap();
    server.wait().unwrap();
    match before {
        Err(_) => eprintln!("SKIPPED: there is no bash"),
        Ok(before) => {
            assert!(before.success(), "not healthy while it answers: {before}");
            assert!(!healthy().unwrap().success(), "healthy without a server");
        }
    }
}

/// The value of a directive of the unit.
fn directive(unit: &str, name: &str) -> String {
    let line = unit
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name}=")));
    line.unwrap_or_else(|| panic!("no {name}")).to_owned()
}

#[test]
fn the_unit_starts_a_server_and_waits_until_it_has_drained() {
    let unit = read("runstone.service");
    let start = directive(&unit, "ExecStart");
    let args = start.strip_prefix("/usr/local/bin/runstone ").unwrap();
    let file = folder().join("runstone.toml").display().to_string();
    let args = args.replace("/etc/runstone/runstone.toml", &file);
    let args: Vec<&str> = args.split(' ').collect();
    let url = "postgres://runstone:word@db.internal/runstone".to_owned();
    let settings = settings(&args, &[("RUNSTONE_DATABASE_URL".to_owned(), url)]);
    let stop: u64 = directive(&unit, "TimeoutStopSec").parse().unwrap();
    assert!(
        stop * 1_000 > drain_ms(&settings),
        "killed before it has drained"
    );
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let there = Command::new("systemd-analyze").arg("--version").output();
    if !there.is_ok_and(|said| said.status.success()) {
        eprintln!("SKIPPED: there is no systemd-analyze");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runstone.service");
    // It looks whether the program is there.
    let unit = read("runstone.service").replace("/usr/local/bin/runstone", BINARY);
    std::fs::write(&file, unit).unwrap();
    let said = Command::new("systemd-analyze")
        .arg("verify")
        .arg(&file)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&said.stderr).into_owned();
    // Of other units on the machine it may say what it wants.
    let ours: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("runstone.service"))
        .collect();
    assert!(said.status.success() && ours.is_empty(), "{told}");
}
