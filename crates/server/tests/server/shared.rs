//! Two servers on one database: what is kept in memory by one is never older than what the other
//! wrote.
use runstone_testkit::{
    on_every_server,
    servers::{Fixture, Fresh, TestDatabase},
};
use serde_json::json;

use crate::harness::{DEFAULT, Service, greet, settings};

/// Both servers.
struct Two {
    one: Service,
    other: Service,
    _fresh: Fresh,
}

impl Fixture for Two {
    async fn open(database: TestDatabase) -> Option<Self> {
        let fresh = Fresh::on(database).await?;
        let start = async || {
            let mut settings = settings(Vec::new());
            settings.database_url = fresh.url().to_owned();
            Service::start(settings, None).await
        };
        let (one, other) = (start().await, start().await);
        Some(Self {
            one,
            other,
            _fresh: fresh,
        })
    }
}

/// Starts the flow there; answers what it says.
async fn greeting(service: &Service) -> String {
    let path = format!("/projects/{DEFAULT}/runs?wait=30s");
    let start = json!({ "flow": "greet", "input": { "who": "Ada" } });
    let ended = service.post(&path, start).await.ok(200);
    ended["output"]["greeting"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

on_every_server! {
    async fn a_flow_that_one_server_stores_or_deletes_is_so_on_the_other_at_once(two: &Two) {
        let path = format!("/projects/{DEFAULT}/flows/greet");
        for round in 0..5 {
            let mut flow = greet();
            let says = format!("Hello {round}, ${{{{ input.who }}}}!");
            flow["nodes"]["greet"]["with"]["greeting"] = json!(says);
            let put = json!({ "definition": flow });
            // What the other one has given is known here.
            match two.other.get(&path).await.header("etag") {
                "" => two.one.call(&two.one.admin, "PUT", &path, Some(put)).await.ok(200),
                etag => two.one.write("PUT", &path, etag, Some(put)).await.ok(200),
            };
            for service in [&two.other, &two.one] {
                assert_eq!(greeting(service).await, format!("Hello {round}, Ada!"));
                let found = service.get(&path).await.ok(200);
                assert_eq!(found["version"], round + 1);
                assert!(found["definition"].to_string().contains(&format!("Hello {round}")));
            }
        }
        let mut unused = greet();
        unused["name"] = json!("unused");
        two.one.flow(DEFAULT, unused).await;
        let path = format!("/projects/{DEFAULT}/flows/unused");
        let read = two.other.get(&path).await;
        two.one.write("DELETE", &path, read.header("etag"), None).await.ok(204);
        assert_eq!(two.other.get(&path).await.code(), "not_found");
        let start = json!({ "flow": "unused", "input": { "who": "Ada" } });
        let runs = format!("/projects/{DEFAULT}/runs");
        assert_eq!(two.other.post(&runs, start).await.code(), "not_found");
    }
}
