//! What the seam costs over the bare drivers, in the same process on the same machine:
//! `cargo run --release -p runstone-db --example throughput [ROWS…]`. PostgreSQL is measured when
//! RUNSTONE_TEST_POSTGRES_URL is set. Every pair is measured in turns; read the ratios, not the
//! rates, and on a busy machine those of the CPU time.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement has nobody to report to, and its keys need only be new"
)]
use runstone_db::{Batch, Database, Options, Statement, Value};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;

const INSERT: &str = "INSERT INTO journal (run, seq, kind, node, body)
    {{rows run:uuid, seq:int, kind:int, node:text, body:text}}";
const COLUMNS: &str = "seq BIGINT NOT NULL, kind BIGINT NOT NULL, node TEXT, body TEXT NOT NULL,
    PRIMARY KEY (run, seq)";
const TURNS: usize = 12;
const TURN: Duration = Duration::from_millis(400);

/// One row of the journal as plain data.
struct Entry {
    run: Uuid,
    seq: i64,
    body: String,
}

/// 128 runs, each writing its next row in its turn.
struct Load {
    runs: Vec<Uuid>,
    body: String,
    next: usize,
}

impl Load {
    fn new() -> Self {
        let runs = (0..128).map(|_| Uuid::now_v7()).collect();
        Self {
            runs,
            body: format!("{{\"pad\":\"{}\"}}", "x".repeat(1_014)),
            next: 0,
        }
    }

    fn take(&mut self, rows: usize) -> Vec<Entry> {
        (0..rows)
            .map(|_| {
                let n = self.next;
                self.next += 1;
                Entry {
                    run: self.runs[n % self.runs.len()],
                    seq: i64::try_from(n / self.runs.len()).unwrap(),
                    body: self.body.clone(),
                }
            })
            .collect()
    }
}

fn batch(insert: &Arc<Statement>, entries: Vec<Entry>) -> Batch {
    let mut batch = Batch::new();
    let expect = u64::try_from(entries.len()).ok();
    let rows = entries
        .into_iter()
        .map(|entry| {
            vec![
                entry.run.into(),
                entry.seq.into(),
                Value::Int(2),
                "node".into(),
                entry.body.into(),
            ]
        })
        .collect();
    batch.push(insert, rows, expect);
    batch
}

async fn seam_turn(db: &Database, insert: &Arc<Statement>, load: &mut Load, rows: usize) -> Turn {
    let mut turn = Turn::begin();
    while turn.goes_on() {
        db.batch(batch(insert, load.take(rows))).await.unwrap();
    }
    turn.end()
}

/// How many commits in how long.
struct Turn {
    began: Instant,
    cpu_began: Duration,
    commits: u32,
    each: Duration,
    cpu_each: Duration,
}

/// What all threads of this process have used so far; zero where the system does not tell.
fn cpu() -> Duration {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
        return Duration::ZERO;
    };
    let used = tasks.filter_map(|task| {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(used.sum())
}

impl Turn {
    fn begin() -> Self {
        let cpu_began = cpu();
        let zero = Duration::ZERO;
        Self {
            began: Instant::now(),
            cpu_began,
            commits: 0,
            each: zero,
            cpu_each: zero,
        }
    }

    fn goes_on(&mut self) -> bool {
        let goes_on = self.began.elapsed() < TURN;
        self.commits += u32::from(goes_on);
        goes_on
    }

    fn end(mut self) -> Self {
        self.each = self.began.elapsed() / self.commits.max(1);
        self.cpu_each = cpu().saturating_sub(self.cpu_began) / self.commits.max(1);
        self
    }
}

fn report(name: &str, rows: usize, bare_turns: &mut [Turn], seam_turns: &mut [Turn]) {
    let micros = |turns: &mut [Turn]| {
        turns.sort_by_key(|turn| turn.each);
        // The best turn is the quiet machine's; the median tells how noisy it was.
        (
            turns[0].each.as_secs_f64() * 1e6,
            turns[turns.len() / 2].each.as_secs_f64() * 1e6,
        )
    };
    let ((bare, bare_mid), (seam, seam_mid)) = (micros(bare_turns), micros(seam_turns));
    let least = |turns: &[Turn]| {
        turns
            .iter()
            .map(|turn| turn.cpu_each.as_secs_f64() * 1e6)
            .fold(f64::INFINITY, f64::min)
    };
    let (bare_cpu, seam_cpu) = (least(bare_turns), least(seam_turns));
    let rate = |us: f64| f64::from(u32::try_from(rows).unwrap()) * 1e6 / us;
    println!(
        "{name:<10} {rows:>4} rows: bare {bare:>7.1} us ({:>7.0} rows/s), seam {seam:>7.1} us \
         ({:>7.0} rows/s), bare/seam best {:.3}, median {:.3}; \
         CPU {bare_cpu:.1} and {seam_cpu:.1} us",
        rate(bare),
        rate(seam),
        bare / seam,
        bare_mid / seam_mid,
    );
}

async fn sqlite(rows: usize) {
    let folder = tempfile::tempdir_in(".").unwrap();
    let path = folder.path().join("seam.db");
    let db = Database::connect(&format!("sqlite:{}", path.display()), Options::default())
        .await
        .unwrap();
    let create = format!("CREATE TABLE journal (run BLOB NOT NULL, {COLUMNS})");
    let render = |text: &str| Arc::new(Statement::render("t", text, db.dialect()).unwrap());
    db.execute(&render(&create), &[]).await.unwrap();
    let insert = render(INSERT);

    let bare = rusqlite::Connection::open(folder.path().join("bare.db")).unwrap();
    bare.execute_batch(
        "PRAGMA journal_mode = wal; PRAGMA synchronous = full; PRAGMA wal_autocheckpoint = 4000;
         PRAGMA cache_size = -32768;",
    )
    .unwrap();
    bare.execute_batch(&create).unwrap();
    let (mut load, mut bare_load) = (Load::new(), Load::new());
    let (mut bare_turns, mut seam_turns) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        bare_turns.push(bare_sqlite_turn(&bare, &mut bare_load, rows));
        seam_turns.push(seam_turn(&db, &insert, &mut load, rows).await);
    }
    report("SQLite", rows, &mut bare_turns, &mut seam_turns);
    db.close().await;
}

fn bare_sqlite_turn(bare: &rusqlite::Connection, load: &mut Load, rows: usize) -> Turn {
    let sql = "INSERT INTO journal (run, seq, kind, node, body) VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut turn = Turn::begin();
    while turn.goes_on() {
        let entries = load.take(rows);
        if rows > 1 {
            bare.execute_batch("BEGIN IMMEDIATE").unwrap();
        }
        let mut insert = bare.prepare_cached(sql).unwrap();
        for entry in &entries {
            let run: &[u8] = entry.run.as_bytes();
            insert
                .execute((run, entry.seq, 2, "node", &entry.body))
                .unwrap();
        }
        if rows > 1 {
            bare.execute_batch("COMMIT").unwrap();
        }
    }
    turn.end()
}

async fn postgres(url: &str, rows: usize) {
    let db = Database::connect(url, Options::default()).await.unwrap();
    let render = |text: &str| Arc::new(Statement::render("t", text, db.dialect()).unwrap());
    let schema = format!("t_{}", Uuid::now_v7().simple());
    db.execute(&render(&format!("CREATE SCHEMA {schema}")), &[])
        .await
        .unwrap();
    for table in ["journal", "bare"] {
        let create = format!("CREATE TABLE {schema}.{table} (run UUID NOT NULL, {COLUMNS})");
        db.execute(&render(&create), &[]).await.unwrap();
    }
    let insert = render(&INSERT.replace("journal", &format!("{schema}.journal")));

    let (bare, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let target = format!("INSERT INTO {schema}.bare (run, seq, kind, node, body)");
    let one = bare
        .prepare(&format!("{target} VALUES ($1, $2, $3, $4, $5)"))
        .await
        .unwrap();
    let many = format!(
        "{target} SELECT * FROM unnest($1::uuid[], $2::int8[], $3::int8[], $4::text[], $5::text[])"
    );
    let many = bare.prepare(&many).await.unwrap();
    let (mut load, mut bare_load) = (Load::new(), Load::new());
    let (mut bare_turns, mut seam_turns) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let mut turn = Turn::begin();
        while turn.goes_on() {
            let entries = bare_load.take(rows);
            if let [entry] = entries.as_slice() {
                bare.execute(
                    &one,
                    &[&entry.run, &entry.seq, &2_i64, &"node", &entry.body],
                )
                .await
                .unwrap();
                continue;
            }
            let runs: Vec<Uuid> = entries.iter().map(|entry| entry.run).collect();
            let seqs: Vec<i64> = entries.iter().map(|entry| entry.seq).collect();
            let bodies: Vec<&str> = entries.iter().map(|entry| entry.body.as_str()).collect();
            let (kinds, nodes) = (vec![2_i64; rows], vec!["node"; rows]);
            bare.execute(&many, &[&runs, &seqs, &kinds, &nodes, &bodies])
                .await
                .unwrap();
        }
        bare_turns.push(turn.end());
        seam_turns.push(seam_turn(&db, &insert, &mut load, rows).await);
    }
    report("PostgreSQL", rows, &mut bare_turns, &mut seam_turns);
    db.execute(&render(&format!("DROP SCHEMA {schema} CASCADE")), &[])
        .await
        .unwrap();
    db.close().await;
}

#[tokio::main]
async fn main() {
    // As a server's handlers do, it runs on a worker of the runtime, not on the main thread.
    tokio::spawn(async {
        let given: Vec<usize> = std::env::args()
            .skip(1)
            .map(|rows| rows.parse().unwrap())
            .collect();
        let sizes = if given.is_empty() {
            vec![1, 8, 16, 32, 128, 512]
        } else {
            given
        };
        for rows in &sizes {
            sqlite(*rows).await;
        }
        let Ok(url) = std::env::var("RUNSTONE_TEST_POSTGRES_URL") else {
            println!("SKIPPED PostgreSQL (RUNSTONE_TEST_POSTGRES_URL is not set)");
            return;
        };
        for rows in &sizes {
            postgres(&url, *rows).await;
        }
    })
    .await
    .unwrap();
}
