//! Looking after a database: what a migration would do, what the doctor finds and mends, with the
//! real engine's journals.
use runstone_db::{Database, Dialect, Options, Statement};

use crate::{harness::Place, run::HELLO};

/// Appends 4,000 characters a hundred times: enough for a snapshot.
const LONG: &str = r#"
runstone: 1
name: long
state: {log: {type: array, reducer: append, default: []}}
start: step
nodes:
  step: {uses: template, with: {text: "${{ string(visits.step) }} FILL"}, out: {log: "${{ result }}"}}
edges:
  - {from: step, to: step, when: "visits.step < 100"}
  - {from: step, to: end, else: true}
output: {n: "${{ size(state.log) }}"}
"#;

/// Executes statements of the test's own on the place's database; answers the first column of the
/// last one's first row, where it has one.
fn sql(place: &Place, texts: &[&str]) -> Option<i64> {
    let path = place.path().join("runstone.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let url = format!("sqlite:{}", path.display());
        let db = Database::connect(&url, Options::default()).await.unwrap();
        let mut last = None;
        for text in texts {
            let statement = Statement::render("test", text, Dialect::Sqlite).unwrap();
            let rows = db.fetch_all(&statement, &[]).await.unwrap();
            last = rows.first().map(|row| row.get("n").unwrap());
        }
        db.close().await;
        last
    })
}

fn with_hello() -> Place {
    let place = Place::new();
    place.file("hello.yaml", HELLO);
    let said = place.run(&["run", "hello.yaml", "--set", "who=Ada", "-q"]);
    assert_eq!(said.code, 0, "{said:?}");
    place
}

#[test]
fn a_dry_run_prints_the_sql_and_makes_nothing() {
    let place = Place::new();
    let said = place.run(&["migrate", "up", "--dry-run"]);
    assert_eq!(said.code, 0, "{said:?}");
    for want in [
        "-- migration 0001_trunk, up\nCREATE TABLE projects (",
        "ALTER TABLE blobs ADD COLUMN touched_at INTEGER NOT NULL DEFAULT 0;\n",
        "-- and 1 is added to runstone_migrations\n",
        "the schema still has version 0\n",
    ] {
        assert!(said.out.contains(want), "{want}: {}", said.out);
    }
    assert_eq!(place.files(), [""; 0]);
    // What it prints does what it says.
    assert_eq!(place.run(&["migrate", "up", "--to", "1"]).code, 0);
    let rest = place.run(&["migrate", "up", "--dry-run"]).out;
    assert!(!rest.contains("CREATE TABLE projects") && rest.contains("still has version 1"));
    let texts: Vec<&str> = rest.split(';').map(str::trim).collect();
    sql(&place, &texts[..1]);
    let up = place.run(&["migrate", "up", "--to", "2"]);
    assert!(
        up.code == 2 && up.err.contains("duplicate column name: touched_at"),
        "{up:?}"
    );
}

#[test]
fn a_dry_run_down_needs_no_yes_and_deletes_nothing() {
    let place = with_hello();
    let said = place.run(&["migrate", "down", "--to", "0", "--dry-run"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("DROP TABLE runs;\n"), "{said:?}");
    assert!(
        said.out
            .contains("-- and 1 is deleted from runstone_migrations")
    );
    assert_eq!(place.run(&["show", "last"]).code, 0);
}

#[test]
fn a_way_down_that_drops_no_table_asks_for_nothing() {
    let place = Place::new();
    assert_eq!(place.run(&["migrate", "up", "--to", "2"]).code, 0);
    let flow = "INSERT INTO flows (id, project_id, name, created_at) \
                SELECT zeroblob(16), id, 'f', 1 FROM projects";
    sql(&place, &[flow]);
    let down = place.run(&["migrate", "down", "--to", "1"]);
    assert_eq!(down.code, 0, "{down:?}");
    let down = place.run(&["migrate", "down", "--to", "0"]);
    assert!(
        down.code == 2 && down.err.contains("holds in flows (1)"),
        "{down:?}"
    );
}

#[test]
fn a_way_down_names_everything_that_it_deletes_and_asks() {
    let place = Place::new();
    assert_eq!(place.run(&["migrate", "up"]).code, 0);
    let thread = "INSERT INTO threads (id, project_id, title, last_seq, version, created_at, updated_at) \
                  SELECT zeroblob(16), id, 't', 0, 1, 1, 1 FROM projects";
    let deleted = "UPDATE projects SET deleted_at = 1";
    sql(&place, &[thread, deleted]);
    let down = place.run(&["migrate", "down", "--to", "3"]);
    assert!(
        down.code == 2 && down.err.contains("holds in threads (1)"),
        "{down:?}"
    );
    let down = place.run(&["migrate", "down", "--to", "2"]);
    let told = "holds in threads (1), projects.deleted_at (1)";
    assert!(down.code == 2 && down.err.contains(told), "{down:?}");
    let down = place.run(&["migrate", "down", "--to", "2", "--yes"]);
    assert_eq!(down.code, 0, "{down:?}");
}

#[test]
fn a_schema_that_was_changed_by_hand_is_told_by_status_and_doctor() {
    let place = with_hello();
    sql(
        &place,
        &[
            "DROP INDEX runs_project",
            "CREATE INDEX mine ON runs (created_at)",
        ],
    );
    let status = place.run(&["migrate", "status"]);
    assert_eq!(status.code, 1, "{status:?}");
    let told = "changed by hand: the index `runs_project` of `runs` is missing\n";
    assert!(status.out.contains(told), "{status:?}");
    let told = "note: the index `mine` of `runs` on (created_at) is not ours\n";
    assert!(status.out.contains(told), "{status:?}");
    let doctor = place.run(&["doctor"]);
    assert_eq!(doctor.code, 1, "{doctor:?}");
    assert!(
        doctor
            .out
            .contains("error: schema: the index `runs_project`"),
        "{doctor:?}"
    );
    let runs = place.run(&["runs"]);
    assert!(
        runs.code == 2 && runs.err.contains("`runs_project`"),
        "{runs:?}"
    );
}

#[test]
fn the_doctor_mends_and_says_so_line_by_line() {
    let place = with_hello();
    sql(
        &place,
        &[
            "UPDATE runs SET steps = 77",
            "INSERT INTO journal (run_id, seq, epoch, kind, visit, attempt, started_at, \
             duration_us, body) VALUES (zeroblob(16), 1, 1, 1, 0, 0, 1, 1, '{}')",
            "INSERT INTO journal (run_id, seq, epoch, kind, visit, attempt, started_at, \
             duration_us, body) VALUES (x'01a1fc92e15e701198ca5424287d6999', 1, 1, 1, 0, 0, 1, 1, '{}')",
            "INSERT INTO blobs (hash, size, compressed, body) \
             VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 0, x'31')",
            "DELETE FROM journal WHERE run_id = zeroblob(16)",
        ],
    );
    let looked = place.run(&["doctor"]);
    assert_eq!(looked.code, 1, "{looked:?}");
    assert!(looked.out.contains("3 findings; "), "{looked:?}");
    let mended = place.run(&["doctor", "--fix"]);
    assert_eq!(mended.code, 0, "{mended:?}");
    for want in [
        "fixed: deleted 1 rows of run 01a1fc92-e15e-7011-98ca-5424287d6999\n",
        "steps now\n",
        "fixed: deleted 1 values\n",
        "3 findings, 3 fixed; ",
    ] {
        assert!(mended.out.contains(want), "{want}: {}", mended.out);
    }
    let json = place.run(&["doctor", "--json"]);
    let found = &json.json()["findings"];
    assert_eq!((json.code, found), (0, &serde_json::json!([])));
}

#[test]
fn the_doctor_mends_nothing_beside_a_process_that_executes_runs() {
    use crate::gate::Gate;
    let place = Place::new();
    place.file("gated.yaml", Gate::flow());
    let gate = Gate::new();
    let first = place.start(&["run", "gated.yaml", "--set", &gate.set()]);
    let waiting = gate.arrival();
    let said = place.run(&["doctor", "--fix"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("runstone run gated.yaml"), "{said:?}");
    assert_eq!(place.run(&["doctor"]).code, 0, "looking is always possible");
    waiting.open();
    assert_eq!(first.end().code, 0);
}

#[test]
fn a_snapshot_of_the_engine_is_what_its_journal_folds_to_and_one_that_is_not_goes() {
    let place = Place::new();
    place.file("long.yaml", &LONG.replace("FILL", &"x".repeat(4_000)));
    let said = place.run(&["run", "long.yaml", "-q"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(
        sql(&place, &["SELECT COUNT(*) AS n FROM snapshots"]),
        Some(1)
    );
    let sound = place.run(&["doctor"]);
    assert!(
        sound.code == 0 && sound.out.contains("nothing is wrong"),
        "{sound:?}"
    );
    sql(
        &place,
        &["UPDATE journal SET body = replace(body, '7 xx', '8 xx') WHERE seq = 7"],
    );
    let looked = place.run(&["doctor"]);
    assert_eq!(looked.code, 1, "{looked:?}");
    let told = "is not what its journal says: they differ in `state`";
    assert!(looked.out.contains(told), "{looked:?}");
    let mended = place.run(&["doctor", "--fix"]);
    assert_eq!(mended.code, 0, "{mended:?}");
    assert_eq!(
        sql(&place, &["SELECT COUNT(*) AS n FROM snapshots"]),
        Some(0)
    );
    assert_eq!(place.run(&["doctor"]).code, 0);
}
