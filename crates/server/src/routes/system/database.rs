//! The database behind the server: how it stands, and its upkeep.
use std::time::{Duration, Instant};

use axum::{Json, extract::State};
use runstone_api::{
    Access::AtLeast,
    Code,
    Role::Admin,
    system::{
        DatabaseInfo, Maintenance, MaintenanceStep, MigrationInfo, Pool, SchemaInfo, StatementInfo,
        TableInfo,
    },
};
use runstone_db::{Class, Maintained, Timing};
use runstone_model::time::Timestamp;
use runstone_store::{SchemaStatus, TableSize};

use crate::{Answer, App, Fault, Route};

/// Statements that are told of.
const STATEMENTS: usize = 20;
/// How long an upkeep may take; then no other statement of it begins.
const BUDGET: Duration = Duration::from_secs(60);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/database", "system.database", AtLeast(Admin), database)
            .summary("The database behind the server")
            .answers::<DatabaseInfo>(200, "The database."),
        Route::post(
            "/database:maintain",
            "system.maintain",
            AtLeast(Admin),
            maintain,
        )
        .summary("Do for the database what is safe while it is used")
        .describe(
            "SQLite: its planner's statistics, a checkpoint of its log, free pages given back \
             where the file was made for that. PostgreSQL: `VACUUM (ANALYZE)` of our tables. MySQL \
             and MariaDB: `ANALYZE TABLE`. SQL Server: `UPDATE STATISTICS`. What did not fit into a \
             minute is told; one upkeep is under way on a server at a time.",
        )
        .unhurried()
        .answers::<Maintenance>(200, "What was done."),
    ]
}

fn ms(took: Duration) -> f64 {
    took.as_micros() as f64 / 1000.0
}

fn statement(timing: &Timing) -> StatementInfo {
    let ms = |us: u64| us as f64 / 1000.0;
    StatementInfo {
        name: timing.name.to_string(),
        count: timing.count,
        failed: timing.failed,
        slow: timing.slow,
        rows: timing.rows,
        mean_ms: ms(timing.total_us) / (timing.count.max(1) as f64),
        max_ms: ms(timing.max_us),
    }
}

fn schema(status: SchemaStatus) -> SchemaInfo {
    let mut drift: Vec<String> = status
        .differences
        .into_iter()
        .filter(|difference| !difference.is_harmless)
        .map(|difference| difference.message)
        .collect();
    if let Some(half) = status.interrupted {
        drift.push(format!("migration {} broke off half-way", half.version));
    }
    let migrations = status.migrations.into_iter();
    SchemaInfo {
        version: status.version,
        known: status.known,
        migrations: migrations
            .map(|migration| MigrationInfo {
                version: migration.version,
                name: migration.name,
                applied_at: migration.applied_at.map(|at| Timestamp(at).rfc3339()),
            })
            .collect(),
        drift,
    }
}

fn table(size: TableSize) -> TableInfo {
    TableInfo {
        name: size.name,
        bytes: size.bytes,
        rows: size.rows,
    }
}

async fn database(State(app): State<App>) -> Answer<Json<DatabaseInfo>> {
    let pool = app.store.stats();
    let (runs, flows) = app.store.counted().await?;
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let tables = app.store.table_sizes().await?;
    Ok(Json(DatabaseInfo {
        kind: app.store.database().dialect().name().to_owned(),
        pool: Pool {
            max: count(pool.max),
            open: count(pool.open),
            idle: count(pool.idle),
            waiting: count(pool.waiting),
        },
        storage_bytes: app.store.storage_bytes().await?,
        runs,
        flows,
        schema: schema(app.store.schema_status().await?),
        tables: tables.into_iter().map(table).collect(),
        statements: app
            .store
            .database()
            .timings()
            .iter()
            .take(STATEMENTS)
            .map(statement)
            .collect(),
    }))
}

fn step(done: Maintained) -> MaintenanceStep {
    MaintenanceStep {
        statement: done.what,
        duration_ms: ms(done.took),
        problem: done.done.err().map(|error| match error.class {
            Class::Timeout => "it took longer than there was time; ask again".to_owned(),
            _ => error.message,
        }),
    }
}

async fn maintain(State(app): State<App>) -> Answer<Json<Maintenance>> {
    let Ok(_one_at_a_time) = app.maintaining.try_lock() else {
        let detail = "an upkeep of the database is under way";
        return Err(Fault::new(Code::Conflict, detail).retry_after(5));
    };
    let began = Instant::now();
    let done = app.store.maintain(BUDGET).await?;
    let steps: Vec<MaintenanceStep> = done.into_iter().map(step).collect();
    Ok(Json(Maintenance {
        complete: steps.iter().all(|step| step.problem.is_none()),
        steps,
        duration_ms: ms(began.elapsed()),
    }))
}
