//! The documentation's `curl` lines, run as they are written: blocks marked `sh service` of a page,
//! one after the other in one shell. `RUNSTONE_URL` says where the server is.
use std::{path::Path, process::Stdio, time::Duration};

use runstone_testkit::{
    on_databases,
    servers::{Fresh, TestDatabase},
};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::{Up, up};

const README: &str = include_str!("../../../../README.md");
const API: &str = include_str!("../../../../docs/api.md");
/// Printed between blocks.
const CUT: &str = "-- the next block --";

fn blocks(page: &str) -> Vec<&str> {
    let opened = page.split("```sh service\n").skip(1);
    opened
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// Runs the blocks; before each but the first also `between`. What each printed; None, said aloud,
/// where there is no curl.
async fn play(folder: &Path, here: &Up, blocks: &[&str], between: &str) -> Option<Vec<String>> {
    let there = |program: &str| {
        let said = std::process::Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        said.is_ok_and(|status| status.success())
    };
    if let Some(missing) = ["curl", "python3"].into_iter().find(|name| !there(name)) {
        eprintln!("SKIPPED: there is no {missing}");
        return None;
    }
    let script = blocks.join(&format!("\necho; echo '{CUT}'\n{between}\n"));
    let mut shell = Command::new("sh");
    shell.args(["-e", "-u", "-c", &script]).current_dir(folder);
    shell.env("RUNSTONE_URL", &here.url).kill_on_drop(true);
    let said = tokio::time::timeout(Duration::from_secs(120), shell.output());
    let said = said.await.unwrap().unwrap();
    let text = String::from_utf8(said.stdout).unwrap();
    let wrong = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{}: {wrong}\n{text}", said.status);
    assert!(!text.contains("\"trace_id\""), "a request failed: {text}");
    Some(text.split(CUT).map(|part| part.trim().to_owned()).collect())
}

/// The JSON documents that stand one after the other at the beginning of `text`.
fn documents(text: &str) -> Vec<Value> {
    let read = serde_json::Deserializer::from_str(text).into_iter();
    read.map_while(Result::ok).collect()
}

/// Everything that the README's lines promise.
fn as_promised(said: &[String]) {
    let [started, watched, wrote] = said else {
        panic!("the README has other blocks now: {said:?}")
    };
    assert_eq!(documents(started)[0]["name"], "greet");

    let (events, run) = watched.rsplit_once("\n\n").unwrap();
    let ids: Vec<&str> = events
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .collect();
    assert_eq!(ids, ["1", "2", "3"]);
    assert!(events.contains("event: run_completed"), "{events}");
    let run = &documents(run)[0];
    assert_eq!(
        (&run["status"], &run["output"]),
        (&json!("completed"), &json!("Hello, Ada!"))
    );

    let documents = documents(wrote);
    let [second, third, versions, diff] = documents.as_slice() else {
        panic!("{wrote}")
    };
    assert_eq!(
        (&second["version"], &third["version"]),
        (&json!(2), &json!(3))
    );
    let numbers = versions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["version"]);
    assert_eq!(numbers.collect::<Vec<_>>(), [3, 2, 1]);
    assert!(diff.to_string().contains("Wednesday"), "{diff}");
    assert!(wrote.contains("manifest.json"), "{wrote}");
    assert!(wrote.contains("documents/moving-"), "{wrote}");
}

on_databases! {
    [sqlite Sqlite, postgres Postgres, mariadb Mariadb]
    async fn the_curl_lines_of_the_readme_do_what_it_says(fresh: &Fresh) {
        let folder = tempfile::tempdir().unwrap();
        let mut args = vec!["dev", "--listen", "127.0.0.1:0"];
        // SQLite as people get it: an empty folder and nothing said.
        if fresh.database() != TestDatabase::Sqlite {
            args.extend(["--db", fresh.url()]);
        }
        let server = up(folder.path(), &args);
        if let Some(said) = play(folder.path(), &server, &blocks(README), "").await {
            as_promised(&said);
            assert!(folder.path().join("documents.zip").exists());
        }
    }

    async fn the_curl_lines_of_the_api_do_what_it_says(fresh: &Fresh) {
        let folder = tempfile::tempdir().unwrap();
        let args = ["dev", "--listen", "127.0.0.1:0", "--db", fresh.url()];
        let server = up(folder.path(), &args);
        let Some(said) = play(folder.path(), &server, &blocks(API), "").await else {
            return;
        };
        assert!(said[0].contains("Hello, Ada!") && said[0].contains("event: run_completed"), "{said:?}");
    }
}

#[tokio::test]
async fn what_one_server_starts_another_one_shows_postgres() {
    let Some(fresh) = Fresh::on(TestDatabase::Postgres).await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let args = ["dev", "--listen", "127.0.0.1:0", "--db", fresh.url()];
    let (here, there) = (up(folder.path(), &args), up(folder.path(), &args));
    // The same lines; from the second block on they ask the other server.
    let between = format!(
        "P={}${{P#\"$RUNSTONE_URL\"}} RUNSTONE_URL={}",
        there.url, there.url
    );
    if let Some(said) = play(folder.path(), &here, &blocks(README), &between).await {
        as_promised(&said);
    }
}
