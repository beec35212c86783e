//! The yardstick of the benchmarks: what the bare driver writes on the same disk with the same
//! durability and nothing around it. Only for measuring; nothing else may use it.
use std::{
    path::Path,
    time::{Duration, Instant},
};

use mysql_async::prelude::Queryable as _;
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::{error::Error, mssql, mysql};

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Rows in one transaction.
    pub batch: usize,
    /// Bytes of one row's body; with it go a run id and a number.
    pub body_bytes: usize,
    /// For how long.
    pub time: Duration,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Rows per second.
    pub rows_per_s: f64,
    /// Median time of one transaction, in microseconds.
    pub commit_us: f64,
}

fn rate(load: &Load, mut times: Vec<Duration>) -> Rate {
    let total: Duration = times.iter().sum();
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    let rows = (times.len() * load.batch) as f64;
    Rate {
        rows_per_s: rows / total.as_secs_f64().max(f64::EPSILON),
        commit_us: median.as_secs_f64() * 1e6,
    }
}

fn trouble(error: impl std::fmt::Display) -> Error {
    Error::other(format!("the bare driver: {error}"))
}

/// Row numbers by run, ten to a run, as a chain of ten steps has them.
fn keys(batch: usize, round: usize) -> impl Iterator<Item = (Uuid, i64)> {
    let first = batch * round;
    (first..first + batch).map(|at| {
        let run = Uuid::from_u128((0x0190_0000_0000_7000_8000_u128 << 48) | (at / 10) as u128);
        (run, i64::try_from(at % 10).unwrap_or(0))
    })
}

/// Writes to a new SQLite file at `path`: write-ahead log, `synchronous=FULL`. Blocks.
pub fn sqlite(path: &Path, load: &Load) -> Result<Rate, Error> {
    let mut db = rusqlite::Connection::open(path).map_err(trouble)?;
    db.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))
        .map_err(trouble)?;
    db.pragma_update(None, "synchronous", 2).map_err(trouble)?;
    db.execute_batch(
        "CREATE TABLE raw (run BLOB NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, \
         PRIMARY KEY (run, seq)) STRICT",
    )
    .map_err(trouble)?;
    let body = "x".repeat(load.body_bytes);
    let began = Instant::now();
    let mut times = Vec::new();
    while began.elapsed() < load.time {
        let at = Instant::now();
        let tx = db.transaction().map_err(trouble)?;
        {
            let mut insert = tx
                .prepare_cached("INSERT INTO raw VALUES (?1, ?2, ?3)")
                .map_err(trouble)?;
            for (run, seq) in keys(load.batch, times.len()) {
                insert
                    .execute((run.as_bytes(), seq, &body))
                    .map_err(trouble)?;
            }
        }
        tx.commit().map_err(trouble)?;
        times.push(at.elapsed());
    }
    Ok(rate(load, times))
}

/// Writes to a new table on PostgreSQL, with the server's own durability settings: one row as a
/// plain insert, several as one insert from arrays. The table is dropped afterwards.
pub async fn postgres(url: &str, load: &Load) -> Result<Rate, Error> {
    let config = crate::postgres::bare(url)?;
    let (client, connection) = config.connect(NoTls).await.map_err(trouble)?;
    let wire = tokio::spawn(connection);
    client
        .batch_execute(
            "DROP TABLE IF EXISTS runstone_raw; CREATE TABLE runstone_raw (run uuid NOT NULL, \
             seq bigint NOT NULL, body text NOT NULL, PRIMARY KEY (run, seq))",
        )
        .await
        .map_err(trouble)?;
    let one = client
        .prepare("INSERT INTO runstone_raw VALUES ($1, $2, $3)")
        .await;
    let one = one.map_err(trouble)?;
    let many = client
        .prepare(
            "INSERT INTO runstone_raw \
             SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[])",
        )
        .await
        .map_err(trouble)?;
    let body = "x".repeat(load.body_bytes);
    let began = Instant::now();
    let mut times = Vec::new();
    while began.elapsed() < load.time {
        let at = Instant::now();
        let (runs, seqs): (Vec<Uuid>, Vec<i64>) = keys(load.batch, times.len()).unzip();
        let done = if load.batch == 1 {
            client.execute(&one, &[&runs[0], &seqs[0], &body]).await
        } else {
            let bodies = vec![body.as_str(); load.batch];
            client.execute(&many, &[&runs, &seqs, &bodies]).await
        };
        done.map_err(trouble)?;
        times.push(at.elapsed());
    }
    client
        .batch_execute("DROP TABLE runstone_raw")
        .await
        .map_err(trouble)?;
    drop(client);
    let _ = wire.await; // it ended because we hung up
    Ok(rate(load, times))
}

/// Writes to a new table on MySQL or MariaDB, with the server's own durability settings: one
/// prepared insert of as many rows as a batch has. The table is dropped afterwards.
pub async fn mysql(url: &str, load: &Load) -> Result<Rate, Error> {
    let mut conn = mysql::bare(url).await?;
    for sql in [
        "DROP TABLE IF EXISTS runstone_raw",
        "CREATE TABLE runstone_raw (run BINARY(16) NOT NULL, seq BIGINT NOT NULL, \
         body LONGTEXT NOT NULL, PRIMARY KEY (run, seq)) \
         ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4",
    ] {
        conn.query_drop(sql).await.map_err(trouble)?;
    }
    let rows = vec!["(?, ?, ?)"; load.batch].join(", ");
    let insert = format!("INSERT INTO runstone_raw VALUES {rows}");
    let insert = conn.prep(insert).await.map_err(trouble)?;
    let body = "x".repeat(load.body_bytes);
    let began = Instant::now();
    let mut times = Vec::new();
    while began.elapsed() < load.time {
        let at = Instant::now();
        let values: Vec<mysql_async::Value> = keys(load.batch, times.len())
            .flat_map(|(run, seq)| [run.as_bytes().into(), seq.into(), body.as_str().into()])
            .collect();
        conn.exec_drop(&insert, values).await.map_err(trouble)?;
        times.push(at.elapsed());
    }
    let dropped = conn.query_drop("DROP TABLE runstone_raw").await;
    dropped.map_err(trouble)?;
    drop(conn);
    Ok(rate(load, times))
}

/// Writes to a new table on SQL Server, with the server's own durability settings: one row as a
/// plain insert, several as one insert out of JSON, which takes a fifth of the time that the same
/// rows as parameters take. The table is dropped afterwards.
pub async fn mssql(url: &str, load: &Load) -> Result<Rate, Error> {
    let mut client = mssql::bare(url).await?;
    for sql in [
        "DROP TABLE IF EXISTS runstone_raw",
        "CREATE TABLE runstone_raw (run BINARY(16) NOT NULL, seq BIGINT NOT NULL, \
         body NVARCHAR(MAX) NOT NULL, CONSTRAINT runstone_raw_pk PRIMARY KEY (run, seq))",
    ] {
        let made = client.simple_query(sql).await.map_err(trouble)?;
        made.into_results().await.map_err(trouble)?;
    }
    let body = "x".repeat(load.body_bytes);
    let began = Instant::now();
    let mut times = Vec::new();
    while began.elapsed() < load.time {
        let at = Instant::now();
        let mut all = keys(load.batch, times.len());
        let mut insert = tiberius::Query::new(if load.batch == 1 {
            "INSERT INTO runstone_raw VALUES (@P1, @P2, @P3)"
        } else {
            "INSERT INTO runstone_raw SELECT CAST(run AS BINARY(16)), seq, body FROM OPENJSON(@P1) \
             WITH (run UNIQUEIDENTIFIER '$[0]', seq BIGINT '$[1]', body NVARCHAR(MAX) '$[2]')"
        });
        if load.batch == 1 {
            let (run, seq) = all.next().unwrap_or_default();
            insert.bind(run.as_bytes().to_vec());
            insert.bind(seq);
            insert.bind(body.as_str());
        } else {
            // As GUIDs their order on the server is another; they are as many and as long.
            let rows: Vec<String> = all
                .map(|(run, seq)| format!("[\"{run}\",{seq},\"{body}\"]"))
                .collect();
            insert.bind(format!("[{}]", rows.join(",")));
        }
        insert.execute(&mut client).await.map_err(trouble)?;
        times.push(at.elapsed());
    }
    let dropped = client.simple_query("DROP TABLE runstone_raw").await;
    let dropped = dropped.map_err(trouble)?.into_results().await;
    dropped.map_err(trouble)?;
    Ok(rate(load, times))
}
