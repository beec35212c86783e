//! The database as an administrator sees it, and its upkeep.
use std::time::{Duration, Instant};

use runstone_testkit::{on_every_database, servers::stands_in};
use serde_json::json;

use crate::harness::{DEFAULT, Service};

const HANG: Duration = Duration::from_secs(30);

on_every_database! {
    async fn the_schema_and_the_sizes_of_tables_are_told(service: &Service) {
        let told = service.get("/database").await.ok(200);
        let schema = &told["schema"];
        assert_eq!((&schema["version"], &schema["drift"]), (&schema["known"], &json!([])));
        let migrations = schema["migrations"].as_array().unwrap();
        assert_eq!(schema["known"], migrations.len());
        assert!(migrations.iter().all(|one| one["applied_at"].is_string()), "{schema}");
        let tables = told["tables"].as_array().unwrap();
        let names: Vec<&str> = tables.iter().map(|table| table["name"].as_str().unwrap()).collect();
        assert!(names.contains(&"runs") && names.contains(&"journal"), "{names:?}");
        assert!(tables.iter().all(|table| table["bytes"].is_u64() && table["rows"].is_u64()), "{told}");
    }

    async fn the_upkeep_is_done_and_told(service: &Service) {
        let done = service.call(&service.admin, "POST", "/database:maintain", None).await.ok(200);
        let lacks = stands_in(service.store.database(), "it has no UPDATE STATISTICS").await;
        assert_eq!(done["complete"], !lacks, "{done}");
        let steps = done["steps"].as_array().unwrap();
        let told = steps.iter().all(|step| step.get("problem").is_some() == lacks);
        assert!(steps.len() >= 2 && told, "{done}");
        let owner = service.key(Some(DEFAULT), "owner").await;
        let said = service.call(&owner, "POST", "/database:maintain", None).await;
        assert_eq!(said.code(), "forbidden");
        // The log is written behind the answers.
        let began = Instant::now();
        loop {
            let said = service.get("/audit?limit=500").await.ok(200);
            let mut entries = said["items"].as_array().unwrap().iter();
            if entries.any(|entry| entry["action"] == "system.maintain" && entry["status"] == 200) {
                break;
            }
            assert!(began.elapsed() < HANG, "{said}");
        }
    }
}
