//! `dev` and `serve` as people start them: ready at once, refused when something is wrong.
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{rounds, said, up};

#[tokio::test]
async fn dev_is_ready_at_once_and_parks_its_runs_at_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = up(folder.path(), &["dev", "--listen", "127.0.0.1:0"]);
    // Not a benchmark: only that nothing waits for something.
    assert!(server.ready < Duration::from_secs(10), "{:?}", server.ready);
    server.post("/flows", "", rounds(5, 300)).await;
    let run = server.post("/runs", "", json!({ "flow": "rounds" })).await;
    let id = run["id"].as_str().unwrap();
    server.signal("TERM");
    assert!(server.child.wait().unwrap().success());
    let again = up(folder.path(), &["dev", "--listen", "127.0.0.1:0"]);
    let seen = again.watched(id, "").await;
    let run = again.get(&format!("/runs/{id}"), "").await;
    assert_eq!(
        (&run["status"], &run["output"]),
        (&json!("completed"), &json!({ "n": 5 }))
    );
    assert_eq!(seen, (1..=seen.len() as u64).collect::<Vec<_>>());
}

#[test]
fn dev_listens_on_this_machine_only() {
    let folder = tempfile::tempdir().unwrap();
    let said = said(folder.path(), &["dev", "--listen", "0.0.0.0:0"]);
    assert_eq!(said.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&said.stderr).contains("nobody is asked for a key"));
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing was made"
    );
}

#[tokio::test]
async fn serve_wants_a_key_takes_it_and_refuses_it_once_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["serve", "--listen", "127.0.0.1:0"];
    let refused = said(folder.path(), &args);
    assert_eq!(refused.status.code(), Some(2));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        told.contains("there is no key and no issuer") && told.contains("runstone keys create"),
        "{told}"
    );

    let made = said(
        folder.path(),
        &[
            "keys", "create", "--name", "first", "--role", "admin", "--json",
        ],
    );
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let (key, id) = (made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
    let server = up(folder.path(), &args);
    assert_eq!(
        server.request("GET", "", "").send().await.unwrap().status(),
        401
    );
    assert_eq!(
        server
            .request("GET", "", key)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let listed = said(folder.path(), &["keys", "list"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(
        listed.contains(id) && listed.contains("valid") && !listed.contains(key),
        "{listed}"
    );
    assert!(
        said(folder.path(), &["keys", "revoke", id])
            .status
            .success()
    );
    let begun = Instant::now();
    while server
        .request("GET", "", key)
        .send()
        .await
        .unwrap()
        .status()
        != 401
    {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "it is still taken"
        );
    }
}

#[test]
fn wrong_settings_are_told_together_and_the_right_ones_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("wrong.toml"),
        "[server]\nlisten = \"x\"\n[lgo]\nlevel = \"info\"\n",
    )
    .unwrap();
    let wrong = said(folder.path(), &["serve", "--config", "wrong.toml"]);
    let told = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        told.contains("server.listen") && told.contains("did you mean log.level?"),
        "{told}"
    );
    let url = "postgres://me:hunter2@127.0.0.1/db";
    let right = said(folder.path(), &["serve", "--db", url, "--print-config"]);
    let printed = String::from_utf8_lossy(&right.stdout).into_owned();
    assert!(
        right.status.success() && printed.contains("# --db") && !printed.contains("hunter2"),
        "{printed}"
    );
}
