//! Documents over HTTP.
use reqwest::Method;
use runstone_testkit::on_databases;
use serde_json::{Value, json};

use crate::harness::{Reply, Up};

fn plan(body: &str) -> Value {
    json!({ "type": "plan", "language": "en", "title": "Moving house", "body": body })
}

/// What of an ETag is the version.
fn version_of(reply: &Reply) -> &str {
    let etag = reply.header("etag").strip_prefix('"').unwrap();
    etag.split_once('-').unwrap().0
}

async fn made(up: &Up, body: &str) -> String {
    let reply = up.post("/documents", plan(body)).await;
    assert_eq!(version_of(&reply), "1");
    let location = reply.header("location").to_owned();
    let document = reply.is(201);
    assert!(
        location.ends_with(document["id"].as_str().unwrap()),
        "{location}"
    );
    location
}

on_databases! {
    [sqlite Sqlite, postgres Postgres, mariadb Mariadb]

    async fn a_document_lives_through_versions(up: &Up) {
        let place = made(up, "# Plan\n\nWe move on Monday.\nBring tea.\n").await;
        let tuesday = json!({ "body": "# Plan\n\nWe move on Tuesday.\nBring tea.\n", "note": "late" });
        let written = up.write(Method::PUT, &place, "\"1\"", tuesday).await;
        assert_eq!(version_of(&written), "2");
        assert_eq!(written.ok()["title"], "Moving house");

        let diff = up.get(&format!("{place}/diff")).await.ok();
        assert_eq!((&diff["from"], &diff["to"]), (&json!(1), &json!(2)));
        assert_eq!((&diff["added"], &diff["removed"]), (&json!(1), &json!(1)));
        let unified = "--- version 1\n+++ version 2\n@@ -1,4 +1,4 @@\n # Plan\n \n\
            -We move on Monday.\n+We move on Tuesday.\n Bring tea.\n";
        assert_eq!(diff["unified"], unified);
        let first = up.get(&format!("{place}/diff?to=1&context=0")).await.ok();
        assert_eq!((&first["from"], &first["added"]), (&json!(0), &json!(4)));

        let verb = format!("{place}:rollback");
        let back = up.write(Method::POST, &verb, "\"2\"", json!({ "to": 1 })).await;
        assert_eq!(back.ok()["version"], 3);
        let latest = up.get(&format!("{place}/latest")).await;
        assert_eq!(version_of(&latest), "3");
        let latest = latest.ok();
        assert_eq!(latest["body"], "# Plan\n\nWe move on Monday.\nBring tea.\n");
        assert_eq!((&latest["restored_from"], &latest["version"]), (&json!(1), &json!(3)));
        let two = up.get(&format!("{place}/versions/2")).await.ok();
        assert_eq!((&two["note"], &two["restored_from"]), (&json!("late"), &Value::Null));
        let versions = up.all(&format!("{place}/versions"), 2).await;
        let numbers: Vec<_> = versions.iter().map(|version| &version["version"]).collect();
        assert_eq!(numbers, [3, 2, 1]);
        assert!(versions.iter().all(|version| version.get("body").is_none()));
    }

    async fn the_server_computes_the_scores(up: &Up) {
        let mut new = plan("# Plan\n\nTODO: see [there](#nowhere).\n");
        new["required_sections"] = json!(["Costs"]);
        let place = up.post("/documents", new).await.header("location").to_owned();
        let quality = up.get(&format!("{place}/latest")).await.ok()["quality"].clone();
        let found = quality["findings"].as_array().unwrap();
        let codes: Vec<_> = found.iter().map(|finding| finding["code"].as_str().unwrap()).collect();
        assert_eq!(codes, ["missing_section", "broken_anchor", "placeholder"]);
        assert_eq!(quality["readability"]["formula"], "flesch_reading_ease");
        assert_eq!(quality["links"], 0.0);
        let given = json!({ "body": "x", "quality": { "overall": 100 } });
        let refused = up.write(Method::PUT, &place, "\"1\"", given).await;
        assert_eq!(refused.problem(422).0, "invalid_body");
    }

    async fn a_writer_must_have_read_the_newest_version(up: &Up) {
        let place = made(up, "one").await;
        let body = || json!({ "body": "two" });
        let missing = up.send(Method::PUT, &place, &[], body()).await;
        assert_eq!(missing.problem(428).0, "version_required");
        for wrong in ["1", "W/\"1\"", "\"x\"", "*", "\"-1\"", "\"99999999999\""] {
            let reply = up.write(Method::PUT, &place, wrong, body()).await;
            assert_eq!(reply.problem(400).0, "invalid_header", "{wrong}");
        }
        up.write(Method::PUT, &place, "\"1\"", body()).await.ok();
        for (method, path, body) in [
            (Method::PUT, place.clone(), body()),
            (Method::DELETE, place.clone(), Value::Null),
            (Method::POST, format!("{place}:rollback"), json!({ "to": 1 })),
        ] {
            let stale = up.write(method, &path, "\"1\"", body).await;
            assert_eq!(stale.header("etag"), "\"2\"");
            let problem = stale.is(412);
            assert_eq!((&problem["code"], &problem["version"]), (&json!("stale_version"), &json!(2)));
        }
    }

    async fn of_many_writers_at_once_one_wins(up: &Up) {
        let place = made(up, "one").await;
        let writes = (0..8).map(|n| {
            let body = json!({ "body": format!("by {n}") });
            up.write(Method::PUT, &place, "\"1\"", body)
        });
        let replies = futures::future::join_all(writes).await;
        let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
    }

    async fn a_deleted_document_is_not_found_until_it_is_restored(up: &Up) {
        let place = made(up, "one").await;
        let read = up.get(&place).await;
        let early = up.post(&format!("{place}:purge"), Value::Null).await;
        assert_eq!(early.problem(409).0, "conflict");
        up.write(Method::DELETE, &place, "\"1\"", Value::Null).await.is(204);
        for path in ["", "/latest", "/versions", "/versions/1", "/diff"] {
            assert_eq!(up.get(&format!("{place}{path}")).await.problem(404).0, "not_found");
        }
        let gone = up.write(Method::PUT, &place, "\"1\"", json!({ "body": "two" })).await;
        assert_eq!(gone.problem(404).0, "not_found");
        let deleted = up.get("/documents?deleted=true&total=true").await.ok();
        assert_eq!((&deleted["total"], deleted["items"].as_array().unwrap().len()), (&json!(1), 1));
        let back = up.post(&format!("{place}:restore"), Value::Null).await;
        let (etag, back) = (back.header("etag").to_owned(), back.ok());
        assert_eq!(back["deleted_at"], Value::Null);
        // It is not what it was: `updated_at` is another. Who read it before is told so.
        assert_ne!(etag, read.header("etag"));
        for (seen, status) in [(read.header("etag"), 200), (etag.as_str(), 304)] {
            let again = up.send(Method::GET, &place, &[("if-none-match", seen)], Value::Null).await;
            assert_eq!((again.status.as_u16(), again.header("etag")), (status, etag.as_str()));
        }
        up.write(Method::DELETE, &place, &etag, Value::Null).await.is(204);
        up.post(&format!("{place}:purge"), Value::Null).await.is(204);
        assert_eq!(up.post(&format!("{place}:restore"), Value::Null).await.problem(404).0, "not_found");
        assert_eq!(up.get("/documents?deleted=true&total=true").await.ok()["total"], 0);
    }

    async fn lists_are_paged_filtered_and_searched(up: &Up) {
        for n in 0..5 {
            let mut new = plan(&format!("text number {n}"));
            new["title"] = json!(format!("Plan {n}"));
            new["type"] = json!(if n < 2 { "memo" } else { "plan" });
            up.post("/documents", new).await.is(201);
        }
        let titles = async |path: &str| -> Vec<String> {
            let found = up.all(path, 2).await;
            found.iter().map(|document| document["title"].as_str().unwrap().to_owned()).collect()
        };
        let all = ["Plan 4", "Plan 3", "Plan 2", "Plan 1", "Plan 0"];
        assert_eq!(titles("/documents").await, all);
        assert_eq!(titles("/documents?type=memo").await, ["Plan 1", "Plan 0"]);
        assert_eq!(titles("/documents?q=NUMBER%203").await, ["Plan 3"]);
        assert_eq!(titles("/documents?q=%25").await, Vec::<String>::new());
        assert_eq!(titles("/documents?language=de").await, Vec::<String>::new());
        let (code, names) = up.get("/documents?limit=0&q=&sort=x&cursor=%00").await.problem(400);
        assert_eq!(code, "invalid_query");
        assert!(["limit", "q", "sort"].iter().all(|name| names.iter().any(|n| n == name)), "{names:?}");
        assert_eq!(titles("/documents?q=number&deleted=true").await, Vec::<String>::new());
        let cursor = up.get("/documents?limit=1").await.ok()["next_cursor"].clone();
        let foreign = up.get(&format!("/threads?cursor={}", cursor.as_str().unwrap())).await;
        assert_eq!(foreign.problem(400).0, "invalid_query");
    }

    async fn every_field_that_is_wrong_is_named_at_once(up: &Up) {
        let wrong = json!({
            "type": "Not A Type", "language": "x", "title": "", "body": "a\u{0}b",
            "author": 7, "extra": true,
        });
        let (code, pointers) = up.post("/documents", wrong).await.problem(422);
        assert_eq!(code, "invalid_body");
        for pointer in ["/type", "/language", "/title", "/body", "/author"] {
            assert!(pointers.iter().any(|found| found == pointer), "{pointer}: {pointers:?}");
        }
        let mut sections = plan("x");
        sections["required_sections"] = json!(["Costs", "", "  "]);
        let (_, pointers) = up.post("/documents", sections).await.problem(422);
        assert_eq!(pointers, ["/required_sections/1", "/required_sections/2"]);
        let place = made(up, "one").await;
        let verb = format!("{place}:rollback");
        let back = up.write(Method::POST, &verb, "\"1\"", json!({ "to": 9 })).await;
        assert_eq!(back.problem(422).1, ["/to"]);
        for missing in ["/versions/0", "/versions/2", "/versions/x", "/versions/-1", "/diff?to=5"] {
            assert_eq!(up.get(&format!("{place}{missing}")).await.problem(404).0, "not_found");
        }
    }

    async fn another_projects_document_is_not_found(up: &Up) {
        let place = made(up, "one").await;
        let other = up.other_project().await;
        let id = place.rsplit('/').next().unwrap();
        let there = format!("{other}/documents/{id}");
        for path in ["", "/latest", "/versions", "/versions/1", "/diff"] {
            assert_eq!(up.get(&format!("{there}{path}")).await.problem(404).0, "not_found");
        }
        for (method, verb, body) in [
            (Method::PUT, "", json!({ "body": "x" })),
            (Method::DELETE, "", Value::Null),
            (Method::POST, ":rollback", json!({ "to": 1 })),
            (Method::POST, ":restore", Value::Null),
            (Method::POST, ":purge", Value::Null),
        ] {
            let reply = up.write(method, &format!("{there}{verb}"), "\"1\"", body).await;
            assert_eq!(reply.problem(404).0, "not_found", "{verb}");
        }
        assert_eq!(up.all(&format!("{other}/documents"), 10).await, Vec::<Value>::new());
        assert_eq!(up.get(&place).await.ok()["version"], 1);
    }
}
