//! `runstone migrate`: the schema up, down, and where it stands.
use runstone_db::{MigrationStatus, PlannedMigration, Way};
use runstone_model::time::Timestamp;
use runstone_store::{Migrations, OpenError, OpenOptions, SchemaStatus};
use serde_json::json;

use crate::{
    args::{DbArgs, MigrateDownArgs, MigrateStatusArgs, MigrateUpArgs, MigrateVerb},
    exit::Exit,
    open::trouble,
    print::{
        self, count, duration,
        table::{Align, Table},
    },
    trouble::Trouble,
};

pub(super) async fn run(verb: MigrateVerb) -> anyhow::Result<Exit> {
    match verb {
        MigrateVerb::Up(args) => up(args).await,
        MigrateVerb::Down(args) => down(args).await,
        MigrateVerb::Status(args) => status(args).await,
    }
}

/// Opens with the engine's lock, so that nobody executes runs meanwhile.
async fn open(db: &DbArgs, create: bool) -> Result<Migrations, OpenError> {
    let options = OpenOptions {
        migrate: create,
        engine_lock: true,
        who: "runstone migrate".to_owned(),
        ..OpenOptions::default()
    };
    Migrations::open(&db.url, options).await
}

async fn up(args: MigrateUpArgs) -> anyhow::Result<Exit> {
    let told = |error| trouble(&args.db, error);
    if args.dry_run {
        let schema = Migrations::open_to_plan(&args.db.url).await.map_err(told)?;
        let plan = schema.plan_up(args.to).await;
        let version = schema.version().await;
        schema.close().await;
        print::out(&planned(&plan.map_err(told)?, version.map_err(told)?))?;
        return Ok(Exit::Ok);
    }
    let schema = open(&args.db, true).await.map_err(told)?;
    let done = schema.up(args.to).await;
    let version = schema.version().await;
    schema.close().await;
    let (done, version) = (done.map_err(told)?, version.map_err(told)?);
    print::out(&moved("applied", &done, version))?;
    Ok(Exit::Ok)
}

async fn down(args: MigrateDownArgs) -> anyhow::Result<Exit> {
    let told = |error| trouble(&args.db, error);
    if args.dry_run {
        let schema = Migrations::open_to_plan(&args.db.url).await.map_err(told)?;
        let plan = schema.plan_down(args.to).await;
        let version = schema.version().await;
        schema.close().await;
        print::out(&planned(&plan.map_err(told)?, version.map_err(told)?))?;
        return Ok(Exit::Ok);
    }
    let schema = open(&args.db, false).await.map_err(told)?;
    let done = match would_lose_nothing(&schema, &args).await {
        Ok(()) => schema
            .down(args.to)
            .await
            .map_err(|error| told(error).into()),
        Err(error) => Err(error),
    };
    let version = schema.version().await;
    schema.close().await;
    let (done, version) = (done?, version.map_err(told)?);
    print::out(&moved("undid", &done, version))?;
    Ok(Exit::Ok)
}

fn moved(did: &str, done: &[u32], version: u32) -> String {
    match done.len() {
        0 => format!("nothing to do: the schema has version {version}\n"),
        some => format!(
            "{did} {}: the schema has version {version}\n",
            count(some as u64, "migration")
        ),
    }
}

/// A plan as a script.
fn planned(plan: &[PlannedMigration], version: u32) -> String {
    let mut text = String::new();
    for migration in plan {
        let (name, way) = (migration.name, migration.way.name());
        text.push_str(&format!("-- migration {name}, {way}\n"));
        if migration.done > 0 {
            text.push_str(&format!(
                "-- {} of {} were done before it was interrupted\n",
                migration.done,
                count(migration.statements.len() as u64, "statement")
            ));
        }
        for statement in &migration.statements[migration.done..] {
            text.push_str(&format!("{};\n", statement.sql));
        }
        let (noted, version) = match migration.way {
            Way::Up => ("added to", migration.version),
            Way::Down => ("deleted from", migration.version),
        };
        text.push_str(&format!(
            "-- and {version} is {noted} runstone_migrations\n\n"
        ));
    }
    match plan.len() {
        0 => format!("-- nothing to do: the schema has version {version}\n"),
        some => {
            let some = count(some as u64, "migration");
            format!("{text}-- dry run of {some}: the schema still has version {version}\n")
        }
    }
}

/// Asks before tables are dropped that hold something.
async fn would_lose_nothing(schema: &Migrations, args: &MigrateDownArgs) -> anyhow::Result<()> {
    let told = |error| trouble(&args.db, error);
    if args.yes || schema.version().await.map_err(told)? <= args.to {
        return Ok(());
    }
    let plan = schema.plan_down(args.to).await.map_err(told)?;
    let place = runstone_db::masked(&args.db.url);
    let lost = schema.lost_by(&plan).await.map_err(|error| {
        Trouble::at(
            place.clone(),
            format!("what is in the tables cannot be counted: {error}"),
        )
        .mend("say --yes to delete it all the same")
    })?;
    if lost.is_empty() {
        return Ok(());
    }
    let lost = lost.iter().map(|(name, rows)| format!("{name} ({rows})"));
    let lost: Vec<String> = lost.collect();
    let reason = format!(
        "this would delete what the database holds in {}",
        lost.join(", ")
    );
    let mend = "make a backup; then say --yes";
    Err(Trouble::at(place, reason).mend(mend).into())
}

async fn status(args: MigrateStatusArgs) -> anyhow::Result<Exit> {
    let options = OpenOptions {
        read_only: true,
        ..OpenOptions::default()
    };
    let told = |error| trouble(&args.db, error);
    let schema = Migrations::open(&args.db.url, options)
        .await
        .map_err(told)?;
    let status = schema.status().await;
    schema.close().await;
    let status = status.map_err(told)?;
    if args.json {
        print::json(&document(&status))?;
    } else {
        print::out(&text(&status))?;
    }
    Ok(if status.is_right() {
        Exit::Ok
    } else {
        Exit::Failed
    })
}

fn document(status: &SchemaStatus) -> serde_json::Value {
    let migrations: Vec<_> = status
        .migrations
        .iter()
        .map(|one| {
            let at = one.applied_at.map(|at| duration::rfc3339(Timestamp(at)));
            json!({"version": one.version, "name": one.name, "applied_at": at})
        })
        .collect();
    let differences: Vec<_> = status
        .differences
        .iter()
        .map(|one| json!({"message": one.message, "harmless": one.is_harmless}))
        .collect();
    let interrupted = status.interrupted.as_ref().map(
        |one| json!({"version": one.version, "way": one.way.name(), "statements_done": one.done}),
    );
    json!({
        "version": status.version,
        "known": status.known,
        "ok": status.is_right(),
        "migrations": migrations,
        "interrupted": interrupted,
        "differences": differences,
    })
}

fn text(status: &SchemaStatus) -> String {
    let mut text = table(&status.migrations);
    if let Some(half) = &status.interrupted {
        text.push_str(&format!(
            "migration {} ({}) was interrupted after {}: `runstone migrate up` goes on with it\n",
            half.version,
            half.way.name(),
            count(half.done as u64, "statement")
        ));
    } else if status.version < status.known {
        text.push_str(&format!(
            "the schema has version {}, this program needs {}: run `runstone migrate up`\n",
            status.version, status.known
        ));
    }
    for difference in &status.differences {
        let how = match difference.is_harmless {
            true => "note: ",
            false => "changed by hand: ",
        };
        text.push_str(&format!("{how}{}\n", print::plain(&difference.message)));
    }
    text
}

fn table(list: &[MigrationStatus]) -> String {
    let columns = [
        ("version", Align::Right),
        ("name", Align::Left),
        ("applied", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for one in list {
        let at = one.applied_at.map(|at| duration::date(Timestamp(at)));
        let at = at.unwrap_or_else(|| "not yet".to_owned());
        table.row(vec![one.version.to_string(), one.name.clone(), at]);
    }
    table.render()
}
