//! Every list of the table of routes, in every order that it allows: each item once, in order, also
//! while others are added; counted; and cursors that are only good for the order they came from.
use std::collections::BTreeMap;

use runstone_api::Operation;
use runstone_server::routes;
use runstone_testkit::on_every_database;
use serde_json::{Value, json};

use crate::harness::{DEFAULT, Service, greet};

/// Things of each sort.
const THINGS: usize = 7;

/// A server with several of everything, and the ids that paths name.
struct Filled<'a> {
    service: &'a Service,
    ids: BTreeMap<&'static str, String>,
    made: usize,
}

impl<'a> Filled<'a> {
    async fn new(service: &'a Service) -> Self {
        let mut filled = Self {
            service,
            ids: BTreeMap::new(),
            made: 0,
        };
        let mut long = greet();
        long["name"] = json!("long");
        let names: Vec<String> = (0..THINGS).map(|n| format!("n{n}")).collect();
        long["nodes"] = names
            .iter()
            .map(|name| (name.clone(), json!({ "uses": "set", "with": {} })))
            .collect();
        long["start"] = json!("n0");
        let mut edges: Vec<String> = names
            .windows(2)
            .map(|two| format!("{} -> {}", two[0], two[1]))
            .collect();
        edges.push(format!("n{} -> end", THINGS - 1));
        long["edges"] = json!(edges);
        long["output"] = json!({});
        service.flow(DEFAULT, long).await;
        let start = json!({ "flow": "long", "input": { "who": "Ada" } });
        let run = filled.post("/runs?wait=20s", start).await;
        filled.ids.insert("run", run);
        let thread = filled.post("/threads", json!({ "title": "The one" })).await;
        filled.ids.insert("thread", thread);
        let document = filled.document().await;
        filled.ids.insert("document", document.clone());
        for version in 1..THINGS {
            let write = Some(json!({ "body": format!("text {version}") }));
            let path = format!("/projects/{DEFAULT}/documents/{document}");
            service
                .write("PUT", &path, &format!("\"{version}\""), write)
                .await
                .ok(200);
        }
        for _ in 0..THINGS {
            filled.one_more().await;
        }
        // One changes out of turn.
        let path = format!("/projects/{DEFAULT}/documents/{document}");
        let write = Some(json!({ "body": "the last one" }));
        service
            .write("PUT", &path, &format!("\"{THINGS}\""), write)
            .await
            .ok(200);
        // The audit log is written behind the answers.
        loop {
            let newest = service.get("/audit?limit=1").await.ok(200);
            if newest["items"][0]["action"] == "documents.put" {
                return filled;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn post(&self, path: &str, body: Value) -> String {
        let said = self
            .service
            .post(&format!("/projects/{DEFAULT}{path}"), body)
            .await;
        assert!(said.status.is_success(), "{path}: {}", said.text);
        let made = said.json();
        made["id"].as_str().unwrap_or_default().to_owned()
    }

    async fn document(&self) -> String {
        let new = json!({ "type": "plan", "language": "en", "title": "Plan", "body": "# Plan" });
        self.post("/documents", new).await
    }

    /// Makes one more of everything that lists hold, somewhere in their orders.
    async fn one_more(&mut self) {
        let n = self.made;
        self.made += 1;
        // Not in the order of names.
        let name = format!("f{}{n}", (n * 5) % 7);
        let thread = self.ids["thread"].clone();
        self.document().await;
        self.post("/threads", json!({ "title": "T" })).await;
        let message = json!({ "role": "user", "content": format!("message {n}") });
        self.post(&format!("/threads/{thread}/messages"), message)
            .await;
        self.post("/agents/executions", json!({ "agent": "writer" }))
            .await;
        self.post("/exports", json!({})).await;
        self.post("/keys", json!({ "name": "k", "role": "viewer" }))
            .await;
        self.post(
            "/runs",
            json!({ "flow": "long", "input": { "who": "Bob" } }),
        )
        .await;
        let key = json!({ "name": "k", "role": "viewer" });
        self.service.post("/keys", key).await.ok(201);
        self.service.project(&name).await;
        let mut flow = greet();
        flow["name"] = json!(name);
        self.service.flow(DEFAULT, flow).await;
        let mut version = greet();
        version["description"] = json!(format!("{n}"));
        self.service.flow(DEFAULT, version).await;
        let member = format!("/projects/{DEFAULT}/members/{name}");
        let role = Some(json!({ "role": "viewer" }));
        self.service
            .call(&self.service.admin, "PUT", &member, role)
            .await
            .ok(200);
    }

    fn path(&self, list: &Operation) -> String {
        let mut path = list
            .path
            .replace("{project}", DEFAULT)
            .replace("{name}", "greet");
        for (name, id) in &self.ids {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        assert!(!path.contains('{'), "{path}: make one of these things");
        let needs_q = list
            .query
            .iter()
            .any(|parameter| parameter["required"] == true);
        format!("{path}?{}", if needs_q { "q=MESSAGE&" } else { "" })
    }

    async fn page(&self, list: &Operation, query: &str) -> Value {
        let path = format!("{}{query}", self.path(list));
        let request = self
            .service
            .request("GET", &path)
            .bearer_auth(&self.service.admin);
        let said = self.service.send(request).await;
        assert_eq!(said.status, 200, "{path}: {}", said.text);
        said.json()
    }

    /// All keys of a list, page by page; `between` is called after each page.
    async fn walk(&mut self, list: &Operation, query: &str, adds: usize) -> Vec<String> {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        for number in 0.. {
            let page = self.page(list, &format!("{query}{cursor}")).await;
            found.extend(
                page["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|item| key(list, item)),
            );
            let Some(next) = page["next_cursor"].as_str() else {
                break;
            };
            cursor = format!("&cursor={next}");
            if number < adds {
                self.one_more().await;
            }
        }
        found
    }
}

/// What tells an item from the others of its list, and sorts as the list does where that is by
/// creation: ids are in that order.
fn key(list: &Operation, item: &Value) -> String {
    let field = |name: &str| item[name].as_str().map(str::to_owned);
    let number = |name: &str| item[name].as_u64().map(|number| format!("{number:09}"));
    match list.id {
        "flows.list" => field("name"),
        "flows.versions" | "documents.versions" => number("version"),
        "runs.steps" | "runs.checkpoints" | "messages.list" => number("seq"),
        "members.list" => field("subject"),
        _ => field("id"),
    }
    .unwrap()
}

fn lists() -> impl Iterator<Item = &'static Operation> {
    let is_list = |operation: &&Operation| operation.query.iter().any(|p| p["name"] == "cursor");
    routes::operations().iter().filter(is_list)
}

fn sorts(list: &Operation) -> Vec<String> {
    let sort = list
        .query
        .iter()
        .find(|parameter| parameter["name"] == "sort")
        .unwrap();
    let all = sort["schema"]["enum"].as_array().unwrap();
    all.iter()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_list_can_be_sorted_either_way_and_counted() {
    let mut count = 0;
    for list in lists() {
        let sorts = sorts(list);
        assert!(sorts.len() >= 2, "{}", list.id);
        for name in sorts.iter().filter(|name| !name.starts_with('-')) {
            assert!(sorts.contains(&format!("-{name}")), "{}", list.id);
        }
        assert!(
            list.query
                .iter()
                .any(|parameter| parameter["name"] == "total"),
            "{}",
            list.id
        );
        count += 1;
    }
    assert_eq!(count, 18);
}

on_every_database! {
    async fn every_list_gives_each_item_once_in_every_order(service: &Service) {
        let mut filled = Filled::new(service).await;
        for list in lists() {
            for sort in sorts(list) {
                let about = format!("{} {sort}", list.id);
                let whole = filled.walk(list, &format!("sort={sort}&limit=500"), 0).await;
                assert!(whole.len() > 5, "{about}: {whole:?}");
                let paged = filled.walk(list, &format!("sort={sort}&limit=2"), 0).await;
                assert_eq!(paged, whole, "{about}");
                let mut other = match sort.strip_prefix('-') {
                    Some(name) => filled.walk(list, &format!("sort={name}&limit=3"), 0).await,
                    None => filled.walk(list, &format!("sort=-{sort}&limit=3"), 0).await,
                };
                other.reverse();
                assert_eq!(other, whole, "{about}");
                let mut sorted = whole.clone();
                sorted.sort_unstable();
                if sort.starts_with('-') {
                    sorted.reverse();
                }
                // Projects have names, and documents changes, in another order than their ids.
                let by_key = !(sort.ends_with("updated_at") || (list.id == "projects.list" && sort.ends_with("name")));
                assert_eq!(sorted == whole, by_key, "{about}: {whole:?}");
                let counted = filled.page(list, &format!("sort={sort}&limit=1&total=true")).await;
                assert_eq!(counted["total"], whole.len(), "{about}");
            }
        }
    }

    async fn items_that_are_added_meanwhile_neither_hide_nor_double_others(service: &Service) {
        let mut filled = Filled::new(service).await;
        for list in lists() {
            // The log of the writes is written a moment later, all of it in order.
            for sort in sorts(list).into_iter().filter(|_| !list.id.starts_with("audit.")) {
                let before = filled.walk(list, &format!("sort={sort}&limit=500"), 0).await;
                let during = filled.walk(list, &format!("sort={sort}&limit=4"), 2).await;
                let old: Vec<&String> = during.iter().filter(|key| before.contains(key)).collect();
                assert_eq!(old, before.iter().collect::<Vec<_>>(), "{} {sort}", list.id);
                let mut once = during.clone();
                once.sort_unstable();
                once.dedup();
                assert_eq!(once.len(), during.len(), "{} {sort}", list.id);
            }
        }
    }

    async fn a_cursor_is_good_for_its_own_order_only(service: &Service) {
        let filled = Filled::new(service).await;
        for list in lists() {
            let sorts = sorts(list);
            let page = filled.page(list, &format!("limit=1&sort={}", sorts[0])).await;
            let cursor = page["next_cursor"].as_str().unwrap();
            for query in [
                format!("sort={}&cursor={cursor}", sorts[1]),
                "cursor=AAAA".to_owned(),
                "sort=nonsense".to_owned(),
            ] {
                let path = format!("{}{query}", filled.path(list));
                let request = service.request("GET", &path).bearer_auth(&service.admin);
                let said = service.send(request).await;
                assert_eq!(said.code(), "invalid_query", "{path}");
                let wrong = if query.contains("cursor") { "cursor" } else { "sort" };
                assert_eq!(said.json()["errors"][0]["pointer"], wrong, "{path}");
            }
        }
    }
}
