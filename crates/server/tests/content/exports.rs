//! Exports over HTTP: asked for, built in the background, downloaded in whole and in part.
use std::{
    io::{Cursor, Read as _},
    time::{Duration, Instant},
};

use reqwest::Method;
use runstone_testkit::on_databases;
use serde_json::{Value, json};
use zip::ZipArchive;

use crate::harness::Up;

/// Building takes far less, but the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

async fn asked(up: &Up, body: Value) -> String {
    let reply = up.post("/exports", body).await;
    let location = reply.header("location").to_owned();
    reply.is(202);
    location
}

async fn ready(up: &Up, place: &str) -> Value {
    let asked = Instant::now();
    loop {
        let export = up.get(place).await.ok();
        if export["status"] == "ready" {
            return export;
        }
        assert!(asked.elapsed() < PATIENCE, "{export}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Text that no compression makes small.
fn noise(mut state: u64) -> String {
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + u8::try_from(state % 90).unwrap())
    };
    std::iter::repeat_with(next).take(300_000).collect()
}

async fn fill(up: &Up) {
    for n in 1..=3 {
        let body = json!({ "type": "plan", "language": "en", "title": format!("Plan {n}"), "body": noise(n) });
        up.post("/documents", body).await.is(201);
    }
}

on_databases! {
    [sqlite Sqlite, postgres Postgres, mariadb Mariadb]

    async fn an_archive_is_downloaded_in_whole_and_in_part(up: &Up) {
        fill(up).await;
        let place = asked(up, json!({})).await;
        let export = ready(up, &place).await;
        assert_eq!((&export["documents"], &export["download_count"]), (&json!(3), &json!(0)));
        let download = format!("{place}/download");
        let whole = up.get(&download).await;
        assert_eq!((whole.status.as_u16(), whole.header("content-type")), (200, "application/zip"));
        assert_eq!(whole.header("accept-ranges"), "bytes");
        assert_eq!(whole.body.len() as u64, export["bytes"].as_u64().unwrap());
        assert!(whole.body.len() > 2 * 256 * 1024, "several pieces");
        let etag = whole.header("etag").to_owned();
        assert_eq!(etag, format!("\"{}\"", export["sha256"].as_str().unwrap()));

        let range = async |range: &str, if_range: &str| {
            let headers = [("range", range), ("if-range", if_range)];
            up.send(Method::GET, &download, &headers, Value::Null).await
        };
        let length = whole.body.len();
        for (text, from, to) in [
            ("bytes=0-99".to_owned(), 0, 100),
            ("bytes=262140-262150".to_owned(), 262_140, 262_151),
            (format!("bytes={}-", length - 5), length - 5, length),
            ("bytes=-7".to_owned(), length - 7, length),
        ] {
            let part = range(&text, &etag).await;
            assert_eq!(part.status.as_u16(), 206, "{text}");
            let said = format!("bytes {from}-{}/{length}", to - 1);
            assert_eq!(part.header("content-range"), said);
            assert_eq!(part.body, whole.body[from..to], "{text}");
        }
        assert_eq!(range("bytes=0-9", "\"another\"").await.body.len(), length);
        let outside = range("bytes=99999999-", &etag).await;
        assert_eq!(outside.header("content-range"), format!("bytes */{length}"));
        assert_eq!(outside.problem(416).0, "range_not_satisfiable");
        // The whole, the first hundred bytes, and the whole again; parts from further on do not count.
        assert_eq!(up.get(&place).await.ok()["download_count"], 3);

        let mut zip = ZipArchive::new(Cursor::new(whole.body)).unwrap();
        let mut manifest = String::new();
        zip.by_name("manifest.json").unwrap().read_to_string(&mut manifest).unwrap();
        assert_eq!(manifest.matches("\"sha256\"").count(), 3);
    }

    async fn an_archive_is_there_for_a_day(up: &Up) {
        let place = asked(up, json!({ "type": "memo" })).await;
        let export = ready(up, &place).await;
        assert_eq!((&export["documents"], &export["type"]), (&json!(0), &json!("memo")));
        up.wait_hours(23);
        assert_eq!(up.get(&format!("{place}/download")).await.status.as_u16(), 200);
        up.wait_hours(1);
        assert_eq!(up.get(&format!("{place}/download")).await.problem(404).0, "not_found");
        up.send(Method::DELETE, &place, &[], Value::Null).await.is(204);
        assert_eq!(up.get(&place).await.problem(404).0, "not_found");
        assert_eq!(up.get("/exports?total=true").await.ok()["total"], 0);
    }

    async fn another_projects_export_is_not_found(up: &Up) {
        let place = asked(up, json!({})).await;
        ready(up, &place).await;
        let other = up.other_project().await;
        let there = format!("{other}/exports/{}", place.rsplit('/').next().unwrap());
        assert_eq!(up.get(&there).await.problem(404).0, "not_found");
        assert_eq!(up.get(&format!("{there}/download")).await.problem(404).0, "not_found");
        assert_eq!(up.send(Method::DELETE, &there, &[], Value::Null).await.problem(404).0, "not_found");
        assert_eq!(up.all(&format!("{other}/exports"), 10).await, Vec::<Value>::new());
        let (_, pointers) = up.post("/exports", json!({ "type": "", "language": 1 })).await.problem(422);
        assert_eq!(pointers.len(), 2, "{pointers:?}");
    }
}
