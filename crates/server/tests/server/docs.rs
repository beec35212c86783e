//! The interface is what the documents say: the OpenAPI that is checked in, the table of roles, the
//! error codes, the settings, the page.
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use runstone_api::Code;
use runstone_server::{config, metrics::METRICS, routes};

use crate::harness::Service;

fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Holds the part of a document between two marks against what it must be; writes it when
/// `RUNSTONE_WRITE_DOCS` is set.
fn hold(file: &str, mark: &str, expected: &str) {
    let path = docs().join(file);
    let text = fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let from = text
        .find(&begin)
        .unwrap_or_else(|| panic!("{file} has no {begin}"))
        + begin.len();
    let to = from + text[from..].find(&end).unwrap();
    if std::env::var_os("RUNSTONE_WRITE_DOCS").is_some() {
        fs::write(&path, format!("{}{expected}{}", &text[..from], &text[to..])).unwrap();
    } else {
        assert_eq!(
            &text[from..to],
            expected,
            "write it with RUNSTONE_WRITE_DOCS=1"
        );
    }
}

#[test]
fn the_openapi_document_is_the_one_checked_in() {
    let made = format!(
        "{}\n",
        serde_json::to_string_pretty(&runstone_server::openapi()).unwrap()
    );
    let path = docs().join("openapi.json");
    if std::env::var_os("RUNSTONE_WRITE_DOCS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "docs/openapi.json is another; write it with RUNSTONE_WRITE_DOCS=1"
    );
}

#[test]
fn the_table_of_operations_and_roles_is_in_the_documents() {
    let mut table = "| operation | method and path | role |\n|---|---|---|\n".to_owned();
    for operation in routes::operations() {
        let (id, method, path) = (operation.id, operation.method, &operation.path);
        let role = operation.access.name();
        writeln!(table, "| `{id}` | `{method} {path}` | {role} |").unwrap();
    }
    hold("api.md", "operations", &table);
}

#[test]
fn the_orders_of_lists_are_in_the_documents() {
    let mut table = "| list | `sort` |\n|---|---|\n".to_owned();
    for operation in routes::operations() {
        let sort = operation.query.iter().find(|p| p["name"] == "sort");
        let Some(sort) = sort else { continue };
        let names = sort["schema"]["enum"].as_array().unwrap();
        // The other direction of each comes after it.
        let names = names.iter().step_by(2);
        let names: Vec<String> = names
            .map(|name| format!("`{}`", name.as_str().unwrap()))
            .collect();
        writeln!(table, "| `{}` | {} |", operation.id, names.join(", ")).unwrap();
    }
    hold("api.md", "orders", &table);
}

#[test]
fn the_error_codes_are_in_the_documents() {
    let mut table = "| code | status | what to do |\n|---|---|---|\n".to_owned();
    for code in Code::ALL {
        writeln!(
            table,
            "| `{}` | {} | {} |",
            code.name(),
            code.status(),
            code.mend()
        )
        .unwrap();
    }
    hold("api.md", "codes", &table);
}

#[test]
fn the_settings_are_in_the_documents() {
    let mut table =
        "| setting | variable | default | what it does |\n|---|---|---|---|\n".to_owned();
    for key in config::KEYS {
        let default = if key.default.is_empty() {
            String::new()
        } else {
            format!("`{}`", key.default)
        };
        writeln!(
            table,
            "| `{}` | `{}` | {default} | {} |",
            key.path,
            key.variable(),
            key.help
        )
        .unwrap();
    }
    hold("config.md", "settings", &table);
}

#[test]
fn the_metrics_are_in_the_documents() {
    let mut table = "| metric | kind | labels | what it tells |\n|---|---|---|---|\n".to_owned();
    for metric in METRICS {
        let labels: Vec<String> = metric.labels.iter().map(|l| format!("`{l}`")).collect();
        let (name, kind) = (metric.name, metric.kind.name());
        writeln!(
            table,
            "| `{name}` | {kind} | {} | {} |",
            labels.join(", "),
            metric.help
        )
        .unwrap();
    }
    hold("operations.md", "metrics", &table);
}

/// What is written in backquotes in a text.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_risk_is_held_by_tests_that_are_there() {
    let text = fs::read_to_string(docs().join("security.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| **API"));
    let root = docs().join("..");
    let mut risks = 0;
    for row in rows {
        risks += 1;
        let held_by = row.trim_end_matches('|').rsplit('|').next().unwrap();
        let (mut source, mut tests) = (None, 0);
        for name in quoted(held_by) {
            if name.ends_with(".rs") {
                let own = format!("crates/server/tests/server/{name}");
                let path = root.join(if name.contains('/') { name } else { &own });
                let read = fs::read_to_string(&path);
                source = Some(read.unwrap_or_else(|error| panic!("{name}: {error}")));
            } else {
                let source = source
                    .as_ref()
                    .unwrap_or_else(|| panic!("{name} is in no file"));
                assert!(
                    source.contains(&format!("fn {name}(")),
                    "there is no test {name}"
                );
                tests += 1;
            }
        }
        assert!(tests > 0, "no test is named: {row}");
    }
    assert_eq!(risks, 10, "the OWASP API top ten");
}

#[test]
fn every_operation_says_what_it_does_and_has_a_name_of_its_own() {
    let mut ids: Vec<&str> = routes::operations().iter().map(|o| o.id).collect();
    for operation in routes::operations() {
        assert!(!operation.summary.is_empty(), "{}", operation.id);
        assert!(!operation.answers.is_empty(), "{}", operation.id);
        let body = operation.body.as_ref();
        assert!(
            body.is_none_or(|body| body.example.is_some()),
            "{}",
            operation.id
        );
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

/// The text of every file below a folder.
fn sources(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else {
            all.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_error_code_is_answered_somewhere() {
    let mut all = String::new();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    sources(&folder, &mut all);
    for code in Code::ALL {
        let used = all.matches(&format!("Code::{code:?}")).count();
        // What an operation says it can fail with is no use of it.
        let said = all.lines().filter(|line| line.contains(".fails(&["));
        let said = said.filter(|line| line.contains(&format!("Code::{code:?}")));
        assert!(used > said.count(), "nothing answers with {}", code.name());
    }
}

#[test]
fn every_list_has_the_same_most_items() {
    let mut lists = 0;
    for operation in routes::operations() {
        for parameter in operation.query.iter().filter(|p| p["name"] == "limit") {
            assert_eq!(parameter["schema"]["maximum"], runstone_api::MAX_LIMIT);
            lists += 1;
        }
    }
    assert!(lists > 10, "{lists}");
}

#[tokio::test]
async fn the_page_is_not_sent_again_to_who_has_it() {
    let service = Service::with_keys().await;
    for path in ["/docs", "/openapi.json"] {
        let first = service.send(service.request("GET", path)).await;
        assert_eq!(first.status, 200);
        let etag = first.header("etag").to_owned();
        assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
        let again = service
            .request("GET", path)
            .header("If-None-Match", format!("\"x\", {etag}"));
        let again = service.send(again).await;
        assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
        assert_eq!(again.header("etag"), etag);
        let other = service
            .request("GET", path)
            .header("If-None-Match", "\"x\"");
        assert_eq!(service.send(other).await.status, 200);
    }
    service.stop().await;
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere() {
    let service = Service::with_keys().await;
    let said = service.send(service.request("GET", "/docs")).await;
    assert_eq!(said.status, 200);
    for from_elsewhere in ["<script", "src=", "url(", "@import", "http://", "https://"] {
        assert!(!said.text.contains(from_elsewhere), "{from_elsewhere}");
    }
    assert!(said.text.contains("runs.start"));
    let said = service.send(service.request("GET", "/openapi.json")).await;
    assert_eq!(said.json(), runstone_server::openapi());
    service.stop().await;
}
