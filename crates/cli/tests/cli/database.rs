//! Databases that are wrong, away, foreign, newer, occupied or read-only, and the commands that look
//! after one.
use runstone_db::{Database, Dialect, Options, Statement};

use crate::{
    gate::Gate,
    harness::{Place, Said},
    run::HELLO,
};

fn refused(said: &Said, wants: &[&str]) {
    assert_eq!(said.code, 2, "{said:?}");
    assert_eq!(said.out, "", "{said:?}");
    for want in wants {
        assert!(said.err.contains(want), "`{want}` is not in {}", said.err);
    }
    assert!(
        !said.err.contains("hunter2"),
        "a password is shown: {said:?}"
    );
}

fn hello_on(place: &Place, url: &str) -> Said {
    place.file("hello.yaml", HELLO);
    place.run(&["run", "hello.yaml", "--set", "who=Ada", "--db", url])
}

#[test]
fn a_wrong_url_is_refused() {
    let place = Place::new();
    for url in [
        "nonsense",
        "sqlite:",
        "oracle://u:hunter2@h/d",
        "redis://h",
        "postgres:db",
    ] {
        refused(
            &hello_on(&place, url),
            &["error: ", "sqlite:FILE", "postgres"],
        );
    }
    assert_eq!(place.files(), ["hello.yaml"]);
}

#[test]
fn a_server_that_does_not_answer_is_named_without_its_password() {
    let place = Place::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("postgres://u:hunter2@127.0.0.1:{port}/d");
    let where_ = format!("u:***@127.0.0.1:{port}");
    refused(&hello_on(&place, &url), &[&where_]);
    for command in ["runs", "doctor"] {
        refused(&place.run(&[command, "--db", &url]), &[&where_]);
    }
    let json = place.run(&["runs", "--db", &url, "--json"]);
    assert!(!json.out.contains("hunter2"), "{json:?}");
    assert_eq!(place.files(), ["hello.yaml"]);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let place = Place::new();
    let text = "This is a letter.\n".repeat(500);
    place.file("letter.txt", &text);
    refused(
        &hello_on(&place, "sqlite:letter.txt"),
        &["letter.txt", "not a SQLite database"],
    );
    refused(
        &place.run(&["runs", "--db", "sqlite:letter.txt"]),
        &["letter.txt"],
    );
    assert_eq!(
        std::fs::read_to_string(place.path().join("letter.txt")).unwrap(),
        text
    );
}

#[test]
fn looking_makes_no_database() {
    let place = Place::new();
    for command in [
        &["runs"][..],
        &["show", "last"],
        &["doctor"],
        &["resume", "last"],
        &["cancel", "last"],
    ] {
        let said = place.run(command);
        refused(&said, &["runstone.db", "does not exist"]);
    }
    let made: Vec<String> = place
        .files()
        .into_iter()
        .filter(|name| !name.ends_with(".lock"))
        .collect();
    assert_eq!(made, [""; 0]);
}

#[test]
fn a_folder_that_may_not_be_written_is_refused() {
    let place = Place::new();
    let folder = place.path().join("fixed");
    std::fs::create_dir(&folder).unwrap();
    let mut rights = std::fs::metadata(&folder).unwrap().permissions();
    rights.set_readonly(true);
    std::fs::set_permissions(&folder, rights).unwrap();
    // Rights do not bind the superuser; nobody can make a file in /proc.
    let free = std::fs::write(folder.join("probe"), "").is_ok();
    let url = if free {
        "sqlite:/proc/runstone.db"
    } else {
        "sqlite:fixed/runstone.db"
    };
    refused(&hello_on(&place, url), &["runstone.db", "folder"]);
}

#[test]
fn a_newer_schema_is_refused() {
    let place = Place::new();
    assert_eq!(hello_on(&place, "sqlite:newer.db").code, 0);
    let path = place.path().join("newer.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let url = format!("sqlite:{}", path.display());
        let db = Database::connect(&url, Options::default()).await.unwrap();
        let sql = "UPDATE runstone_migrations SET version = 99 WHERE version = 1";
        let update = Statement::render("test.newer", sql, Dialect::Sqlite).unwrap();
        assert_eq!(db.execute(&update, &[]).await.unwrap(), 1);
        db.close().await;
    });
    for command in [
        &["run", "hello.yaml", "--set", "who=Ada"][..],
        &["runs"],
        &["doctor"],
        &["migrate", "up"],
        &["resume", "--all"],
    ] {
        let said = place.run(&[command, &["--db", "sqlite:newer.db"]].concat());
        refused(&said, &["sqlite:newer.db", "99", "newer"]);
    }
}

#[test]
fn a_database_that_another_process_executes_runs_on_is_named_with_that_process() {
    let place = Place::new();
    place.file("gated.yaml", Gate::flow());
    let gate = Gate::new();
    let first = place.start(&["run", "gated.yaml", "--set", &gate.set()]);
    let waiting = gate.arrival();
    let holder = format!("process {}: runstone run gated.yaml", first.id());
    refused(
        &hello_on(&place, "sqlite:runstone.db"),
        &["sqlite:runstone.db", &holder, "mend: "],
    );
    refused(&place.run(&["resume", "--all"]), &[&holder]);
    refused(&place.run(&["migrate", "down", "--to", "0"]), &[&holder]);
    assert_eq!(
        place.last(&[])["status"],
        "running",
        "looking is always possible"
    );
    waiting.open();
    assert_eq!(first.end().code, 0);
    assert_eq!(
        hello_on(&place, "sqlite:runstone.db").code,
        0,
        "the lock goes with its holder"
    );
}

#[test]
fn a_run_can_be_created_beside_the_process_that_executes() {
    let place = Place::new();
    place.file("gated.yaml", Gate::flow());
    place.file("hello.yaml", HELLO);
    let gate = Gate::new();
    let first = place.start(&["run", "gated.yaml", "--set", &gate.set()]);
    let waiting = gate.arrival();
    let created = place.run(&["run", "hello.yaml", "--set", "who=Ada", "--detach"]);
    assert_eq!(created.code, 0, "{created:?}");
    waiting.open();
    assert_eq!(first.end().code, 0);
    assert_eq!(place.run(&["resume", created.out.trim(), "-q"]).code, 0);
}

#[test]
fn migrations_go_up_and_down() {
    let place = Place::new();
    let run = |args: &[&str]| place.run(args);
    let up = run(&["migrate", "up", "--to", "1"]);
    assert_eq!(
        (up.code, up.out.as_str()),
        (0, "applied 1 migration: the schema has version 1\n")
    );
    let half = run(&["migrate", "status"]);
    assert_eq!(half.code, 1);
    assert!(half.out.contains("not yet") && half.out.contains("run `runstone migrate up`"));
    assert_eq!(run(&["migrate", "up"]).code, 0);
    let status = run(&["migrate", "status", "--json"]);
    let (code, status) = (status.code, status.json());
    assert_eq!((code, &status["ok"]), (0, &true.into()), "{status}");
    assert_eq!(status["version"], status["known"]);
    assert_eq!(status["interrupted"], serde_json::Value::Null);
    let known = status["known"].as_u64().unwrap();
    assert_eq!(
        run(&["migrate", "up"]).out,
        format!("nothing to do: the schema has version {known}\n")
    );
    let table = run(&["migrate", "status"]).out;
    assert_eq!(table.lines().count() as u64, known + 1, "{table}");
    assert!(table.contains("      1  0001_trunk"), "{table}");
    let down = run(&["migrate", "down", "--to", "0"]);
    assert_eq!(
        (down.code, down.out),
        (
            0,
            format!("undid {known} migrations: the schema has version 0\n")
        )
    );
    assert_eq!(run(&["migrate", "status"]).code, 1);
    let runs = run(&["runs"]);
    refused(&runs, &["runstone migrate up"]);
    assert_eq!(run(&["migrate", "up"]).code, 0);
    assert_eq!(run(&["runs"]).code, 0);
}

#[test]
fn migrating_down_asks_before_it_deletes_anything() {
    let place = Place::new();
    assert_eq!(hello_on(&place, "sqlite:runstone.db").code, 0);
    let down = ["migrate", "down", "--to", "0"];
    refused(
        &place.run(&down),
        &["runs (1), flow_versions (1), flows (1)", "--yes"],
    );
    assert_eq!(place.run(&["show", "last"]).code, 0);
    let known = place.run(&["migrate", "status", "--json"]).json()["known"].to_string();
    let nothing = place.run(&["migrate", "down", "--to", &known]);
    assert_eq!(nothing.code, 0, "{nothing:?}");
    assert_eq!(place.run(&[&down[..], &["--yes"]].concat()).code, 0);
}

#[test]
fn a_damaged_page_is_a_finding_and_an_error_that_says_what_to_do() {
    let place = Place::new();
    assert_eq!(hello_on(&place, "sqlite:runstone.db").code, 0);
    let path = place.path().join("runstone.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let page: u64 = runtime.block_on(async {
        let url = format!("sqlite:{}", path.display());
        let db = Database::connect(&url, Options::default()).await.unwrap();
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'projects'";
        let find = Statement::render("test.page", sql, Dialect::Sqlite).unwrap();
        let row = db.fetch_optional(&find, &[]).await.unwrap().unwrap();
        db.close().await;
        row.get("rootpage").unwrap()
    });
    let mut bytes = std::fs::read(&path).unwrap();
    let start = (usize::try_from(page).unwrap() - 1) * 4096;
    bytes[start..start + 200].fill(0xa5);
    std::fs::write(&path, &bytes).unwrap();
    let doctor = place.run(&["doctor"]);
    assert_eq!(doctor.code, 1, "{doctor:?}");
    assert!(
        doctor
            .out
            .contains("error: integrity: the database file is damaged"),
        "{doctor:?}"
    );
    let run = place.run(&["run", "hello.yaml", "--set", "who=Ada"]);
    refused(
        &run,
        &[
            "sqlite:runstone.db: the database file is damaged",
            "restore the last backup",
        ],
    );
    assert!(!run.err.contains("statement"), "{run:?}");
}

#[test]
fn doctor_finds_nothing_in_a_sound_database() {
    let place = Place::new();
    assert_eq!(hello_on(&place, "sqlite:runstone.db").code, 0);
    let said = place.run(&["doctor"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("nothing is wrong"), "{said:?}");
    let json = place.run(&["doctor", "--json"]).json();
    assert_eq!(
        (&json["ok"], &json["findings"]),
        (&true.into(), &serde_json::json!([]))
    );
}

#[test]
fn doctor_finds_a_journal_with_a_gap() {
    let place = Place::new();
    assert_eq!(hello_on(&place, "sqlite:runstone.db").code, 0);
    let path = place.path().join("runstone.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let url = format!("sqlite:{}", path.display());
        let db = Database::connect(&url, Options::default()).await.unwrap();
        let sql = "DELETE FROM journal WHERE seq = 2";
        let delete = Statement::render("test.gap", sql, Dialect::Sqlite).unwrap();
        assert_eq!(db.execute(&delete, &[]).await.unwrap(), 1);
        db.close().await;
    });
    let said = place.run(&["doctor"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(
        said.out.contains("error: journal_gaps: ") && said.out.contains("mend: "),
        "{said:?}"
    );
    let json = place.run(&["doctor", "--json"]);
    assert_eq!((json.code, &json.json()["ok"]), (1, &false.into()));
}

#[test]
fn a_statement_is_shown_as_each_database_gets_it() {
    let place = Place::new();
    let sqlite = place.run(&["debug", "sql", "run.insert"]);
    let postgres = place.run(&["debug", "sql", "run.insert", "--dialect", "postgres"]);
    assert!(sqlite.out.contains("INSERT INTO runs"), "{sqlite:?}");
    assert!(
        postgres.out.contains("$1") && postgres.out != sqlite.out,
        "{postgres:?}"
    );
    let unknown = place.run(&["debug", "sql", "run.inser"]);
    refused(&unknown, &["did you mean `run.insert`?"]);
}
