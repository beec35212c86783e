//! Every statement on every database: it can be prepared, it reads as expected, and the hot ones
//! use the index that their first comment names.
use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use runstone_db::{Class, Dialect, Direction, Error, Leg, Statement, Value};
use runstone_store::{OpenOptions, SqlStore};
use runstone_testkit::on_every_database;
use uuid::Uuid;

use crate::harness::TestDb;

/// The statements whose plan matters: they run often, or on large tables.
const HOT: [&str; 36] = [
    "blob.by_hashes",
    "document.count_versions",
    "document.get",
    "document.version",
    "export.expired",
    "flow.count_versions",
    "flow.newest",
    "flow.version",
    "flow.version_by_hash",
    "idempotency.find",
    "journal.count",
    "journal.heads",
    "journal.page",
    "journal.since_snapshot",
    "journal.take_over",
    "key.get",
    "label.count",
    "label.of_runs",
    "member.get",
    "message.count",
    "project.get",
    "project.runs_in",
    "run.cancel_requested",
    "run.claimable_due",
    "run.claimable_one",
    "run.claimable_owned",
    "run.claimable_unowned",
    "run.count",
    "run.count_by_flow",
    "run.dead_owners",
    "run.facts",
    "run.finish",
    "run.in_project",
    "run.next_wake",
    "run.owned",
    "run.records",
];

/// The lists whose plans matter, each in every order and on every page.
const LISTS: [&str; 31] = [
    "agent.page",
    "agent.page_of_agent",
    "agent.page_of_correlation",
    "audit.page",
    "audit.page_of_project",
    "document.keys",
    "document.keys_by_update",
    "document.keys_of_type",
    "document.versions",
    "export.page",
    "flow.page",
    "flow.versions",
    "journal.project_page",
    "key.page_of_project",
    "label.runs",
    "member.page",
    "message.keys",
    "message.keys_in_project",
    "message.page",
    "message.search",
    "message.search_project",
    "project.page",
    "project.page_by_name",
    "run.ids",
    "run.ids_by_flow",
    "run.ids_by_project",
    "run.ids_by_status",
    "thread.page",
    "document.search",
    "document.search_by_update",
    "document.search_of_type",
];

fn hot() -> impl Iterator<Item = &'static str> {
    let wanted =
        |name: &&str| HOT.contains(name) || (base(name) != *name && LISTS.contains(&base(name)));
    SqlStore::statement_names().filter(wanted)
}

/// The name of a statement's file: without the page that it reads.
fn base(name: &str) -> &str {
    let page = name.rsplit_once('.').filter(|(rest, _)| rest.contains('.'));
    page.map_or(name, |(list, _)| list)
}

/// The page that a statement reads.
fn leg(name: &str) -> Option<Leg> {
    Some(match name.strip_prefix(base(name))? {
        ".first_up" => Leg::new(Direction::Up, true),
        ".next_up" => Leg::new(Direction::Up, false),
        ".first_down" => Leg::new(Direction::Down, true),
        ".next_down" => Leg::new(Direction::Down, false),
        _ => return None,
    })
}

/// The text of a statement in the folder, as the catalog picks it for `dialect`.
fn text(name: &str, dialect: Dialect) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql");
    let (aggregate, verb) = base(name).split_once('.').unwrap();
    let own = folder
        .join(aggregate)
        .join(format!("{verb}.{}.sql", dialect.name()));
    let neutral = folder.join(aggregate).join(format!("{verb}.sql"));
    fs::read_to_string(own)
        .or_else(|_| fs::read_to_string(neutral))
        .unwrap()
}

/// A value that fits a parameter of that name.
fn sample(name: &str) -> Value {
    match name {
        "ids" => [Uuid::nil()].into_iter().collect(),
        "statuses" | "hashes" => ["running"].into_iter().collect(),
        "id" | "beyond" | "project" | "flow_version" | "server" | "owner" | "run" | "run_id"
        | "before" | "first" => Uuid::nil().into(),
        "name" | "definition" | "status" | "output" | "error" | "input" | "node" | "hash_text"
        | "key" | "role" | "subject" | "value" | "actor" | "action" | "target" | "trace_id"
        | "address" | "description" | "settings" | "quotas" => "text".into(),
        _ => 1_i64.into(),
    }
}

/// Parameters whose type depends on the statement.
fn sample_in(statement: &str, name: &str) -> Value {
    if matches!(name, "edge" | "to") {
        return edge(statement);
    }
    let aggregate = statement.split('.').next().unwrap_or_default();
    if matches!(
        aggregate,
        "agent" | "document" | "export" | "message" | "thread"
    ) {
        return sample_of_content(statement, name);
    }
    if aggregate == "backup" {
        return sample_of_backup(statement, name);
    }
    match (statement, name) {
        ("flow.version_by_hash" | "flow.insert_version", "flow") => Uuid::nil().into(),
        ("run.ids_by_flow", "flow") => "text".into(),
        ("flow.version_by_hash" | "flow.insert_version", "hash") => vec![0_u8; 32].into(),
        ("blob.insert_or_nothing", "hash") => "00".repeat(32).into(),
        ("doctor.blob_hashes", "after") => "00".into(),
        (
            "doctor.journals"
            | "doctor.runs_page"
            | "doctor.documents_page"
            | "doctor.threads_page"
            | "doctor.exports_page",
            "after",
        ) => Uuid::nil().into(),
        ("doctor.journal_blob_refs", "last") => Uuid::nil().into(),
        ("idempotency.forget" | "idempotency.forget_old", "before") => 1.into(),
        ("label.count" | "run.count_by_flow", "flow") => "text".into(),
        ("label.count" | "run.count" | "run.count_by_flow", "oldest" | "newest") => {
            Uuid::nil().into()
        }
        ("idempotency.insert_or_nothing" | "key.insert" | "key.rotate", "hash" | "old_hash") => {
            vec![0_u8; 32].into()
        }
        ("audit.insert", "status") => 1.into(),
        ("journal.insert" | "journal.take_over", "body") => "{}".into(),
        (_, "body") => vec![0_u8].into(),
        _ => sample(name),
    }
}

/// What a page begins beyond.
fn edge(list: &str) -> Value {
    match list {
        "flow.page"
        | "member.page"
        | "project.page_by_name"
        | "project.page_of_subject_by_name" => "text".into(),
        "document.versions"
        | "flow.versions"
        | "journal.project_page"
        | "message.count_found"
        | "message.keys"
        | "message.page"
        | "message.search" => 1.into(),
        _ => Uuid::nil().into(),
    }
}

/// The same for backups: parameters are called as the columns are.
fn sample_of_backup(statement: &str, name: &str) -> Value {
    let rows = statement.starts_with("backup.insert_");
    match (statement, name) {
        ("backup.blob_sizes", "hash") => "00".into(),
        ("backup.members_rest" | "backup.idempotency_rest", "after") => "text".into(),
        (_, "ids") => [Uuid::nil()].into_iter().collect(),
        (_, "definition_hash" | "secret_hash" | "old_hash" | "request_hash" | "hash") => {
            vec![0_u8; 32].into()
        }
        ("backup.insert_export_chunks" | "backup.insert_snapshots", "body") => vec![0_u8].into(),
        ("backup.insert_audit", "status") => 1.into(),
        (_, "id" | "run") => Uuid::nil().into(),
        (_, "trace_id" | "correlation_id") => "text".into(),
        (_, column) if column.ends_with("_id") => Uuid::nil().into(),
        (
            _,
            "agent" | "model" | "currency" | "message" | "sha256" | "selection" | "title" | "type"
            | "language" | "metadata" | "content" | "search_text" | "author" | "note" | "required"
            | "quality" | "idem_key" | "body" | "action" | "actor" | "address" | "target"
            | "subject" | "role" | "name" | "value" | "description" | "settings" | "quotas"
            | "definition" | "status" | "input" | "output" | "error",
        ) if rows => "text".into(),
        _ => 1_i64.into(),
    }
}

/// The same for documents, threads, agents and exports.
fn sample_of_content(statement: &str, name: &str) -> Value {
    match (statement, name) {
        ("message.delete_older" | "message.older", "before") => 1.into(),
        ("document.delete", "ids") => [Uuid::nil()].into_iter().collect(),
        (_, "after" | "before" | "id" | "project" | "run" | "thread") => Uuid::nil().into(),
        ("export.insert_chunk", "body") => vec![0_u8].into(),
        (_, "hash") => vec![0_u8; 32].into(),
        (
            _,
            "agent" | "author" | "body" | "content" | "correlation" | "currency" | "error"
            | "input" | "language" | "message" | "metadata" | "model" | "name" | "note" | "output"
            | "pattern" | "quality" | "required" | "role" | "search_text" | "selection" | "sha256"
            | "status" | "title" | "type",
        ) => "text".into(),
        _ => 1_i64.into(),
    }
}

async fn explain(store: &SqlStore, name: &str) -> Vec<String> {
    let dialect = store.database().dialect();
    let prefix = match dialect {
        Dialect::Sqlite => "EXPLAIN QUERY PLAN ",
        Dialect::Postgres => "EXPLAIN (COSTS OFF) ",
        Dialect::Mysql => "EXPLAIN FORMAT=JSON ",
        Dialect::Mssql => "",
    };
    let text = format!("{prefix}{}", text(name, dialect));
    let plan = match leg(name) {
        None => Statement::render(name, &text, dialect),
        Some(leg) => Statement::render_page(name, &text, dialect, leg),
    };
    let plan = plan.unwrap();
    let params: Vec<(&str, Value)> = plan
        .params()
        .iter()
        .map(|param| (param.as_str(), sample_in(base(name), param)))
        .collect();
    if dialect == Dialect::Mssql {
        carry_out(store, plan.clone(), &params).await;
        return Vec::new();
    }
    let rows = store.database().fetch_all(&plan, &params).await;
    let rows = rows.unwrap_or_else(|error| panic!("{name} on {dialect}: {error}"));
    let column = match dialect {
        Dialect::Sqlite => "detail",
        Dialect::Postgres => "QUERY PLAN",
        Dialect::Mysql => "EXPLAIN",
        Dialect::Mssql => return Vec::new(),
    };
    rows.iter().map(|row| row.get(column).unwrap()).collect()
}

/// SQL Server has no EXPLAIN that is a statement: this one is carried out and undone. The values may
/// break a constraint, which is to have been understood.
async fn carry_out(store: &SqlStore, plan: Statement, params: &[(&str, Value)]) {
    let values: Vec<Value> = params.iter().map(|(_, value)| value.clone()).collect();
    let name = plan.name().to_owned();
    let done: Result<(), Error> = store
        .database()
        .transact(move |tx| {
            Box::pin(async move {
                tx.fetch_rows(&plan, vec![values]).await?;
                Err(Error::expectation("understood"))
            })
        })
        .await;
    let error = done.unwrap_err();
    let understood = matches!(error.class, Class::Expectation | Class::Unique);
    let broken = matches!(error.code, Some(515 | 547 | 2628 | 8152));
    assert!(understood || broken, "{name}: {error:?}");
}

on_every_database! {
    async fn every_statement_is_understood(db: &TestDb) {
        let store = db.store().await;
        for name in SqlStore::statement_names() {
            explain(&store, name).await;
        }
    }
}

#[tokio::test]
async fn sqlite_uses_the_indexes() {
    let db = TestDb::sqlite().await;
    let store = db.store().await;
    let mut plans = String::new();
    for name in hot() {
        writeln!(plans, "{name}").unwrap();
        for line in explain(&store, name).await {
            assert!(
                !line.contains("TEMP B-TREE FOR ORDER BY") || sorts(name),
                "{name}: {line}"
            );
            writeln!(plans, "  {line}").unwrap();
        }
    }
    insta::assert_snapshot!("plans_sqlite", plans);
}

mod postgres_plans {
    use runstone_testkit::on_databases;

    use super::{TestDb, postgres_uses_the_indexes};

    on_databases! {
        [postgres13 Postgres13, postgres Postgres, postgres18 Postgres18]

        async fn it_uses_the_indexes(db: &TestDb) {
            postgres_uses_the_indexes(db).await;
        }
    }
}

/// The planner's texts differ from version to version; which index it takes does not.
async fn postgres_uses_the_indexes(db: &TestDb) {
    // Small tables are read as a whole, or sorted, whatever the indexes.
    let settings = "enable_seqscan enable_bitmapscan enable_hashjoin enable_mergejoin \
                    enable_incremental_sort enable_sort";
    let settings: String = settings
        .split(' ')
        .map(|name| format!("%20-c%20{name}%3Doff"))
        .collect();
    db.store().await;
    let url = format!("{}{settings}", db.url);
    let store = SqlStore::open(&url, OpenOptions::default()).await.unwrap();
    let mut plans = String::new();
    for name in hot() {
        let lines = explain(&store, name).await;
        // The oldest shows both ways of a subplan, and chooses when it runs.
        let either = lines.iter().any(|line| line.contains("(alternatives: "));
        assert!(
            either || !lines.iter().any(|line| line.contains("Seq Scan")),
            "{name}: {lines:#?}"
        );
        let mut used: BTreeMap<&str, ()> = BTreeMap::new();
        for line in &lines {
            if let Some((_, index)) = line.split_once(" using ") {
                used.insert(index.split(' ').next().unwrap_or_default(), ());
            }
            if line
                .trim_start()
                .trim_start_matches("->")
                .trim_start()
                .starts_with("Sort ")
            {
                assert!(sorts(name), "{name}: {lines:#?}");
            }
        }
        // Of two indexes that begin alike the planner takes either.
        if matches!(
            base(name),
            "agent.page_of_agent"
                | "document.search"
                | "document.search_of_type"
                | "flow.count_versions"
                | "flow.versions"
                | "journal.count"
                | "message.count"
                | "project.runs_in"
                | "run.count_by_flow"
                | "run.ids"
                | "run.ids_by_flow"
        ) {
            continue;
        }
        let used: Vec<&str> = used.into_keys().collect();
        writeln!(plans, "{name}: {}", used.join(", ")).unwrap();
    }
    insta::assert_snapshot!("plans_postgres", plans);
}

/// Those that may sort: they read a bounded set first.
fn sorts(name: &str) -> bool {
    matches!(
        base(name),
        "flow.versions" | "run.ids_by_flow" | "run.ids" | "journal.since_snapshot"
    )
}

#[test]
fn statements_read_as_expected() {
    for dialect in Dialect::ALL {
        let mut all = String::new();
        for name in SqlStore::statement_names() {
            let statement = SqlStore::rendered(name, dialect).unwrap();
            let params = statement.params().join(", ");
            writeln!(all, "== {name} ({params})\n{}\n", statement.sql()).unwrap();
        }
        insta::assert_snapshot!(format!("statements_{dialect}"), all);
    }
}

/// The committer hands values over by position; what is looked up is asked for by name.
#[test]
fn overrides_take_the_same_parameters_and_those_that_write_in_the_same_order() {
    for name in SqlStore::statement_names() {
        let statements = Dialect::ALL.map(|dialect| SqlStore::rendered(name, dialect).unwrap());
        let reads = statements[0].sql().starts_with("SELECT");
        let [one, others @ ..] = statements.map(|statement| {
            let mut params = statement.params().to_vec();
            if reads {
                params.sort();
            }
            params
        });
        for other in others {
            assert_eq!(one, other, "{name}");
        }
    }
}
