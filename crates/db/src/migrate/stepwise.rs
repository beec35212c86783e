//! Moves the schema of a database on which every DDL statement commits by itself (MySQL and
//! MariaDB). After each statement the ledger says how far it is, so that a move that broke off
//! goes on there; only the one statement behind that may find itself done already.
use super::{
    Work,
    ledger::{Begun, Ledger},
    plan::{PlannedMigration, PlannedStatement, Way},
};
use crate::{
    error::{Class, Error},
    transaction::Tx,
};

/// The lock is the connection's and goes with it; its name is the server's, so it holds the
/// database's.
const LOCK: &str =
    "SELECT GET_LOCK(CONCAT('runstone:', LEFT(SHA2(DATABASE(), 256), 40)), 1) AS got";
const UNLOCK: &str =
    "SELECT RELEASE_LOCK(CONCAT('runstone:', LEFT(SHA2(DATABASE(), 256), 40))) AS got";
/// How often the lock is asked for, a second each time, before the move is given up.
const LOCK_TRIES: u32 = 3600;
/// DDL takes as long as it takes, and waits as long for those who use the table: both limits are
/// lifted and put back. MySQL has none for statements that write, and reads the comments as such.
const NO_LIMIT: [&str; 2] = [
    "SET @runstone_wait = @@SESSION.lock_wait_timeout, \
     @runstone_limit = 0 /*M!100108 + @@SESSION.max_statement_time */",
    "SET SESSION lock_wait_timeout = 31536000 /*M!100108 , SESSION max_statement_time = 0 */",
];
const LIMIT: &str = "SET SESSION lock_wait_timeout = @runstone_wait \
     /*M!100108 , SESSION max_statement_time = @runstone_limit */";

/// What the server says of a statement whose work is done: the table, column, key or constraint
/// that it makes is there, or the one that it takes away is not.
const DONE: [u32; 13] = [
    1050, // table exists
    1051, // unknown table in DROP
    1054, // unknown column in RENAME COLUMN
    1060, // duplicate column
    1061, // duplicate key name
    1068, // a second primary key
    1091, // nothing to DROP of that name
    1146, // no such table in RENAME, or in ALTER before it
    1826, // duplicate foreign key
    3821, // no such check to DROP
    3822, // duplicate check
    3940, // no such constraint to DROP
    1005, // MariaDB: the foreign key cannot be made, for it is there (errno 121)
];

pub(super) async fn run(tx: &mut Tx, work: &Work) -> Result<Vec<u32>, Error> {
    let ledger = Ledger::new(work.dialect);
    lock(tx, &ledger).await?;
    for text in NO_LIMIT {
        tx.raw(text).await?;
    }
    let done = moves(tx, work, &ledger).await;
    if done.is_err() {
        // What is half-done of a single statement's transaction; the connection may be gone.
        let _ = tx.raw("ROLLBACK").await;
    }
    let limited = tx.raw(LIMIT).await;
    // Also behind a statement that failed.
    let unlocked = tx.raw(UNLOCK).await;
    let done = done?;
    limited?;
    unlocked?;
    Ok(done)
}

async fn lock(tx: &mut Tx, ledger: &Ledger) -> Result<(), Error> {
    let lock = ledger.statement("migrations.lock", LOCK)?;
    for _ in 0..LOCK_TRIES {
        let got = tx.fetch_optional(&lock, &[]).await?;
        if got.map_or(Ok(None), |row| row.get::<Option<i64>>("got"))? == Some(1) {
            return Ok(());
        }
    }
    Err(Error::new(
        Class::Busy,
        "another process has been migrating this database for an hour; wait for it or stop it",
    ))
}

async fn moves(tx: &mut Tx, work: &Work, ledger: &Ledger) -> Result<Vec<u32>, Error> {
    ledger.create(tx).await?;
    let history = ledger.read(tx).await?;
    // A transaction that has read holds its tables against DDL.
    tx.raw("COMMIT").await?;
    let resumed = history.begun.is_some();
    let plan = work.plan(&history)?;
    let mut done = Vec::with_capacity(plan.len());
    for (index, planned) in plan.iter().enumerate() {
        migration(tx, work, ledger, planned, resumed && index == 0).await?;
        done.push(planned.version);
    }
    Ok(done)
}

async fn migration(
    tx: &mut Tx,
    work: &Work,
    ledger: &Ledger,
    planned: &PlannedMigration,
    resumed: bool,
) -> Result<(), Error> {
    let mut begun = Begun {
        version: planned.version,
        way: planned.way,
        done: planned.done,
        digest: planned.digest(planned.done),
    };
    if !resumed {
        ledger.begin(tx, &begun).await?;
    }
    for (index, statement) in planned.statements.iter().enumerate().skip(planned.done) {
        begun.done = index + 1;
        begun.digest = planned.digest(begun.done);
        let may_be_done = resumed && index == planned.done;
        step(tx, ledger, &begun, statement, may_be_done)
            .await
            .map_err(|mut error| {
                error.message = format!(
                    "{}: {}; this database cannot undo it: what came before stays, and \
                     `runstone migrate up` goes on here",
                    planned.place(statement.line),
                    error.message
                );
                error
            })?;
    }
    tx.raw("START TRANSACTION").await?;
    match planned.way {
        Way::Up => ledger.add(tx, &work.entry(planned.version)?).await?,
        Way::Down => ledger.remove(tx, planned.version).await?,
    }
    ledger.end(tx, planned.version).await?;
    tx.raw("COMMIT").await
}

/// One statement and the note that it is done: together where it changes rows, one after the
/// other where it is DDL.
async fn step(
    tx: &mut Tx,
    ledger: &Ledger,
    begun: &Begun,
    statement: &PlannedStatement,
    may_be_done: bool,
) -> Result<(), Error> {
    if changes_rows(statement.sql) {
        tx.raw("START TRANSACTION").await?;
        tx.raw(statement.sql).await?;
        ledger.progress(tx, begun).await?;
        return tx.raw("COMMIT").await;
    }
    match tx.raw(statement.sql).await {
        Err(error) if may_be_done && error.code.is_some_and(|code| DONE.contains(&code)) => {}
        done => done?,
    }
    ledger.progress(tx, begun).await
}

fn changes_rows(sql: &str) -> bool {
    let first = sql.split(|c: char| !c.is_ascii_alphabetic()).next();
    let words = ["insert", "update", "delete", "replace", "select", "with"];
    first.is_some_and(|first| words.iter().any(|word| first.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use super::changes_rows;

    #[test]
    fn statements_that_change_rows_are_told_from_ddl() {
        for sql in [
            "INSERT INTO a VALUES (1)",
            "update a SET b = 1",
            "DELETE\nFROM a",
        ] {
            assert!(changes_rows(sql), "{sql}");
        }
        for sql in [
            "CREATE TABLE a (b INT)",
            "ALTER TABLE a DROP b",
            "INSERTED",
            "",
        ] {
            assert!(!changes_rows(sql), "{sql}");
        }
    }
}
