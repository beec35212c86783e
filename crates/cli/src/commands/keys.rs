//! `runstone keys`: makes, lists and revokes API keys in the database itself, so that the first key
//! needs no server.
use std::{sync::Arc, time::Duration};

use runstone_api::Role;
use runstone_engine::{Clock as _, Ids as _, RealIds, SystemClock};
use runstone_model::ids::ProjectId;
use runstone_server::Secret;
use runstone_store::{KeyFilter, KeyRecord, SqlStore, Walk};
use serde_json::json;
use uuid::Uuid;

use crate::{
    args::{KeyCreateArgs, KeyListArgs, KeyRevokeArgs, KeysVerb},
    exit::Exit,
    open::{self, Purpose},
    print::{
        self,
        table::{Align, Table},
    },
    trouble::Trouble,
};

/// Keys that are listed at a time.
const PAGE: u32 = 500;

pub(super) async fn run(verb: KeysVerb) -> anyhow::Result<Exit> {
    let db = verb.db().clone();
    let purpose = match &verb {
        KeysVerb::Create(_) => Purpose::Create,
        KeysVerb::List(_) => Purpose::Look,
        KeysVerb::Revoke(_) => Purpose::Ask,
    };
    let store = open::store(&db, purpose, "").await;
    let store = store.map_err(|error| open::trouble(&db, error))?;
    let done = match verb {
        KeysVerb::Create(args) => create(&store, args).await,
        KeysVerb::List(args) => list(&store, args).await,
        KeysVerb::Revoke(args) => revoke(&store, args).await,
    };
    store.close().await;
    done.map(|()| Exit::Ok)
}

async fn create(store: &Arc<SqlStore>, args: KeyCreateArgs) -> anyhow::Result<()> {
    let project = match &args.project {
        Some(name) => Some(project(store, name).await?),
        None => None,
    };
    let role = args.role;
    if project.is_some() && role == Role::Admin {
        let reason = "a project's key is a viewer, an editor or an owner";
        return Err(Trouble::at("--role admin", reason).into());
    }
    let (id, now) = (RealIds.next(), SystemClock.now());
    let secret = Secret::make(id);
    let days = |days: u32| Duration::from_secs(u64::from(days) * 86_400);
    let record = KeyRecord {
        id,
        project,
        role: role.name().to_owned(),
        name: args.name,
        secret_hash: secret.hash(),
        old_hash: None,
        old_until: None,
        created_at: now,
        expires_at: args.expires_in_days.map(|number| now.plus(days(number))),
        revoked_at: None,
    };
    store.insert_key(record).await?;
    if args.json {
        return print::json(&json!({ "id": id, "key": secret.reveal(), "role": role.name() }));
    }
    print::out(&format!("{}\n", secret.reveal()))?;
    print::note("keep it: it cannot be shown again");
    Ok(())
}

async fn project(store: &SqlStore, name: &str) -> anyhow::Result<ProjectId> {
    let by_id = Uuid::try_parse(name).ok().map(ProjectId);
    let found = match by_id {
        Some(id) => store.project(id).await?,
        None => store.project_by_name(name).await?,
    };
    let none = || Trouble::at(format!("--project {name}"), "there is no such project");
    Ok(found.ok_or_else(none)?.id)
}

async fn list(store: &SqlStore, args: KeyListArgs) -> anyhow::Result<()> {
    let mut keys: Vec<KeyRecord> = Vec::new();
    loop {
        let walk = Walk {
            beyond: keys.last().map(|key| key.id),
            ..Walk::up(PAGE)
        };
        let page = store.keys(KeyFilter::All, &walk).await?;
        let more = page.len() == PAGE as usize;
        keys.extend(page);
        if !more {
            break;
        }
    }
    if args.json {
        let all = keys.iter().map(|key| {
            json!({
                "id": key.id,
                "name": key.name,
                "role": key.role,
                "project": key.project,
                "created_at": key.created_at.rfc3339(),
                "expires_at": key.expires_at.map(|at| at.rfc3339()),
                "revoked_at": key.revoked_at.map(|at| at.rfc3339()),
            })
        });
        return print::json(&all.collect::<Vec<_>>());
    }
    let columns = ["KEY", "NAME", "ROLE", "PROJECT", "STANDING"];
    let mut table = Table::new(&columns.map(|name| (name, Align::Left)));
    let now = SystemClock.now();
    for key in &keys {
        table.row(vec![
            key.id.to_string(),
            print::plain(&key.name),
            key.role.clone(),
            key.project
                .map_or_else(|| "all".to_owned(), |id| id.to_string()),
            standing(key, now).to_owned(),
        ]);
    }
    print::out(&table.render())
}

fn standing(key: &KeyRecord, now: runstone_model::time::Timestamp) -> &'static str {
    if key.revoked_at.is_some() {
        "revoked"
    } else if key.expires_at.is_some_and(|end| end <= now) {
        "expired"
    } else {
        "valid"
    }
}

async fn revoke(store: &SqlStore, args: KeyRevokeArgs) -> anyhow::Result<()> {
    if !store.revoke_key(args.key, SystemClock.now()).await? {
        return Err(Trouble::at(args.key.to_string(), "there is no such key")
            .mend("`runstone keys list` shows them")
            .into());
    }
    print::note("revoked; servers that are running refuse it within seconds");
    Ok(())
}
