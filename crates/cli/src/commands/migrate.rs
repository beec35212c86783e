//! `runstone migrate`: the schema up, down, and where it stands.
use runstone_db::MigrationStatus;
use runstone_model::time::Timestamp;
use runstone_store::{OpenError, OpenOptions, SqlStore};
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
async fn open(db: &DbArgs, migrate: bool) -> Result<SqlStore, OpenError> {
    let who = "runstone migrate".to_owned();
    SqlStore::open(
        &db.url,
        OpenOptions {
            migrate,
            read_only: false,
            engine_lock: true,
            who,
        },
    )
    .await
}

async fn up(args: MigrateUpArgs) -> anyhow::Result<Exit> {
    let (before, known) = match open(&args.db, false).await {
        Ok(store) => {
            let version = store.schema_version().await;
            store.close().await;
            let version = version?;
            (version, version)
        }
        Err(OpenError::NotMigrated { found, known }) => (found, known),
        // A file that is not there yet is made.
        Err(OpenError::Unreachable { .. }) => (0, u32::MAX),
        Err(error) => return Err(trouble(&args.db, error).into()),
    };
    if let Some(to) = args.to
        && to != known
        && known != u32::MAX
    {
        let reason = format!("the schema has version {before}, this program knows {known} only");
        return Err(Trouble::at(format!("--to {to}"), reason)
            .mend("leave --to out")
            .into());
    }
    let store = open(&args.db, true)
        .await
        .map_err(|error| trouble(&args.db, error))?;
    let version = store.schema_version().await;
    store.close().await;
    let version = version?;
    print::out(&match version.saturating_sub(before) {
        0 => format!("nothing to do: the schema has version {version}\n"),
        new => format!(
            "applied {}: the schema has version {version}\n",
            count(new.into(), "migration")
        ),
    })?;
    Ok(Exit::Ok)
}

async fn down(args: MigrateDownArgs) -> anyhow::Result<Exit> {
    let store = open(&args.db, false)
        .await
        .map_err(|error| trouble(&args.db, error))?;
    let asked = match args.yes {
        true => Ok(()),
        false => would_lose_nothing(&store, &args).await,
    };
    let undone = match asked {
        Ok(()) => store.migrate_down(args.to).await,
        Err(error) => {
            store.close().await;
            return Err(error);
        }
    };
    store.close().await;
    let undone = undone
        .map_err(|error| Trouble::at(runstone_db::masked(&args.db.url), error.to_string()))?;
    print::out(&match undone.len() {
        0 => format!(
            "nothing to do: the schema has version {} or less\n",
            args.to
        ),
        some => format!(
            "undid {}: the schema has version {}\n",
            count(some as u64, "migration"),
            args.to
        ),
    })?;
    Ok(Exit::Ok)
}

async fn would_lose_nothing(store: &SqlStore, args: &MigrateDownArgs) -> anyhow::Result<()> {
    if store.schema_version().await? <= args.to {
        return Ok(());
    }
    let (runs, flows) = store.counted().await?;
    if (runs, flows) == (0, 0) {
        return Ok(());
    }
    let lost = format!("{} and {}", count(runs, "run"), count(flows, "flow"));
    let place = runstone_db::masked(&args.db.url);
    let reason = format!("this would delete what is in the tables: {lost}");
    let mend = "make a backup; then say --yes";
    Err(Trouble::at(place, reason).mend(mend).into())
}

async fn status(args: MigrateStatusArgs) -> anyhow::Result<Exit> {
    let options = OpenOptions {
        read_only: true,
        ..OpenOptions::default()
    };
    let (list, found, known) = match SqlStore::open(&args.db.url, options).await {
        Ok(store) => {
            let list = store.migrate_status().await;
            store.close().await;
            let list = list?;
            let newest = list.iter().map(|one| one.version).max().unwrap_or(0);
            (list, newest, newest)
        }
        Err(OpenError::NotMigrated { found, known }) => (Vec::new(), found, known),
        Err(error) => return Err(trouble(&args.db, error).into()),
    };
    if args.json {
        let migrations: Vec<_> = list
            .iter()
            .map(|one| {
                let at = one.applied_at.map(|at| duration::rfc3339(Timestamp(at)));
                json!({"version": one.version, "name": one.name, "applied_at": at})
            })
            .collect();
        print::json(&json!({"version": found, "known": known, "migrations": migrations}))?;
    } else if list.is_empty() {
        print::out(&format!(
            "the schema has version {found}, this program needs {known}: run `runstone migrate up`\n"
        ))?;
    } else {
        print::out(&table(&list))?;
    }
    Ok(if found == known {
        Exit::Ok
    } else {
        Exit::Failed
    })
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
