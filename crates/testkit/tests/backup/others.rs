//! A few rows in each table that is no run's, put there by the statements that restore them.
use runstone_db::{Batch, Value};
use runstone_model::ids::ProjectId;
use runstone_store::SqlStore;
use std::sync::Arc;
use uuid::Uuid;

fn id(number: u128) -> Value {
    Value::Uuid(Uuid::from_u128((0x0190_0000_0000_7000 << 64) | number))
}

fn project() -> Value {
    Value::Uuid(ProjectId::DEFAULT.0)
}

fn text(text: &str) -> Value {
    text.into()
}

fn int(number: i64) -> Value {
    Value::Int(number)
}

const NULL: Value = Value::Null;

/// Many messages in one thread and one in another: pages end in the middle of a thread.
fn messages() -> Vec<Vec<Value>> {
    let message = |thread: u128, seq: i64| {
        let number = u128::try_from(seq).unwrap() + thread * 100_000;
        vec![
            id(thread),
            int(seq),
            id(number),
            project(),
            text("user"),
            NULL,
            NULL,
            int(7),
            int(3),
            text("é漢🦀"),
            text("{\"a\":1}"),
            text("é漢🦀"),
        ]
    };
    let long = (1..=1300).map(|seq| message(30, seq));
    long.chain([message(31, 1)]).collect()
}

type Rows = Vec<(&'static str, Vec<Vec<Value>>)>;

const NAME: &str = "Ünï 漢🦀";

fn hash() -> Value {
    Value::Bytes(vec![0xff; 32])
}

/// Rows by the name of their statement.
fn of_the_service() -> Rows {
    let mut keys = vec![
        vec![id(1), project(), text("editor"), text(NAME), hash()],
        vec![id(2), NULL, text("admin"), text("all"), hash()],
    ];
    keys[0].extend([NULL, NULL, int(1), NULL, NULL]);
    keys[1].extend([hash(), int(9), int(2), int(3), NULL]);
    let mut audit = vec![id(5), int(1), NULL, text("key:1"), text("runs.start")];
    audit.extend([text(NAME), int(202), text("0af7651916cd43dd"), text("::1")]);
    let member = |subject, role, at| vec![project(), text(subject), text(role), int(at)];
    let start = vec![project(), text("k-1"), hash(), id(9), int(1)];
    vec![
        ("insert_api_keys", keys),
        (
            "insert_members",
            vec![member("ada", "owner", 1), member("Ada", "viewer", 2)],
        ),
        ("insert_audit", vec![audit]),
        ("insert_idempotency", vec![start]),
    ]
}

fn of_documents() -> Rows {
    let mut document = vec![id(20), project(), text("report"), text("de"), text(NAME)];
    document.extend([2, 875, 3, 17, 1, 2].map(int));
    document.extend([NULL, text("text")]);
    let version = |number| {
        let mut row = vec![id(20), int(number), text("report"), text("de"), text(NAME)];
        row.extend([text("ada"), NULL, NULL, int(1), hash(), int(17), int(875)]);
        row.extend([text("[]"), text("{}"), text("# Täxt\n")]);
        row
    };
    let mut export = vec![id(50), project(), text("ready"), int(1), NULL];
    export.extend([1, 2, 3, 1, 3, 600_000].map(int));
    export.extend([text("00"), int(0), text("{}"), NULL]);
    let chunk = |seq| {
        let body = (0..=255).cycle().take(200_000).collect();
        vec![id(50), int(seq), Value::Bytes(body)]
    };
    vec![
        ("insert_documents", vec![document]),
        ("insert_document_versions", (1..=2).map(version).collect()),
        ("insert_exports", vec![export]),
        ("insert_export_chunks", (0..3).map(chunk).collect()),
    ]
}

fn of_conversations() -> Rows {
    let thread = |number, last| {
        let mut row = vec![id(number), project(), text(NAME), NULL, int(last), NULL];
        row.extend([1, 1, 2].map(int));
        row
    };
    let agent = |number, status, finished: Value| {
        let mut row = vec![id(number), project(), text("writer"), NULL, NULL, text("m")];
        row.extend([text(status), int(50), NULL, int(1), int(2), int(3)]);
        row.extend([text("EUR"), int(1), int(4), int(5), finished]);
        row.extend([NULL, text("{}"), NULL, NULL]);
        row
    };
    vec![
        ("insert_threads", vec![thread(30, 1300), thread(31, 1)]),
        ("insert_messages", messages()),
        (
            "insert_agent_executions",
            vec![agent(40, "running", NULL), agent(41, "completed", int(9))],
        ),
    ]
}

/// Puts them there.
pub(crate) async fn fill(store: &SqlStore) {
    let mut batch = Batch::new();
    for (name, rows) in [of_the_service(), of_documents(), of_conversations()].concat() {
        let name = format!("backup.{name}");
        let statement = SqlStore::rendered(&name, store.database().dialect()).unwrap();
        batch.push(&Arc::new(statement), rows, None);
    }
    store.database().batch(batch).await.unwrap();
}
