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

/// Rows by the name of their statement.
fn rows() -> Vec<(&'static str, Vec<Vec<Value>>)> {
    let hash = Value::Bytes(vec![0xff; 32]);
    let name = "Ünï 漢🦀";
    let (running, done) = (text("running"), text("completed"));
    let agent = |number, status: &Value, finished: Value| {
        vec![
            id(number),
            project(),
            text("writer"),
            NULL,
            NULL,
            text("m"),
            status.clone(),
            int(50),
            NULL,
            int(1),
            int(2),
            int(3),
            text("EUR"),
            int(1),
            int(4),
            int(5),
            finished,
            NULL,
            text("{}"),
            NULL,
            NULL,
        ]
    };
    vec![
        (
            "insert_api_keys",
            vec![
                vec![
                    id(1),
                    project(),
                    text("editor"),
                    text(name),
                    hash.clone(),
                    NULL,
                    NULL,
                    int(1),
                    NULL,
                    NULL,
                ],
                vec![
                    id(2),
                    NULL,
                    text("admin"),
                    text("all"),
                    hash.clone(),
                    hash.clone(),
                    int(9),
                    int(2),
                    int(3),
                    NULL,
                ],
            ],
        ),
        (
            "insert_members",
            vec![
                vec![project(), text("ada"), text("owner"), int(1)],
                vec![project(), text("Ada"), text("viewer"), int(2)],
            ],
        ),
        (
            "insert_audit",
            vec![vec![
                id(5),
                int(1),
                NULL,
                text("key:1"),
                text("runs.start"),
                text(name),
                int(202),
                text("0af7651916cd43dd8448eb211c80319c"),
                text("127.0.0.1"),
            ]],
        ),
        (
            "insert_idempotency",
            vec![vec![project(), text("k-1"), hash.clone(), id(9), int(1)]],
        ),
        (
            "insert_documents",
            vec![vec![
                id(20),
                project(),
                text("report"),
                text("de"),
                text(name),
                int(2),
                int(875),
                int(3),
                int(17),
                int(1),
                int(2),
                NULL,
                text("text"),
            ]],
        ),
        (
            "insert_document_versions",
            (1..=2)
                .map(|version| {
                    vec![
                        id(20),
                        int(version),
                        text("report"),
                        text("de"),
                        text(name),
                        text("ada"),
                        NULL,
                        NULL,
                        int(1),
                        hash.clone(),
                        int(17),
                        int(875),
                        text("[]"),
                        text("{}"),
                        text("# Täxt\n"),
                    ]
                })
                .collect(),
        ),
        (
            "insert_threads",
            [30, 31]
                .map(|number| {
                    vec![
                        id(number),
                        project(),
                        text(name),
                        NULL,
                        int(1300),
                        NULL,
                        int(1),
                        int(1),
                        int(2),
                    ]
                })
                .into(),
        ),
        ("insert_messages", messages()),
        (
            "insert_agent_executions",
            vec![agent(40, &running, NULL), agent(41, &done, int(9))],
        ),
        (
            "insert_exports",
            vec![vec![
                id(50),
                project(),
                text("ready"),
                int(1),
                NULL,
                int(1),
                int(2),
                int(3),
                int(1),
                int(2),
                int(300),
                text("00"),
                int(0),
                text("{}"),
                NULL,
            ]],
        ),
        (
            "insert_export_chunks",
            (0..3)
                .map(|seq| {
                    let body = Value::Bytes((0..=255).cycle().take(200_000).collect());
                    vec![id(50), int(seq), body]
                })
                .collect(),
        ),
    ]
}

/// Puts them there.
pub(crate) async fn fill(store: &SqlStore) {
    let mut batch = Batch::new();
    for (name, rows) in rows() {
        let name = format!("backup.{name}");
        let statement = SqlStore::rendered(&name, store.database().dialect()).unwrap();
        batch.push(&Arc::new(statement), rows, None);
    }
    store.database().batch(batch).await.unwrap();
}
