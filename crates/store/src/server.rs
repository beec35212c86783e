//! Servers: signs of life and the clean stop.
use std::collections::BTreeSet;

use runstone_db::{Batch, Database, Value};
use runstone_model::{
    ids::{RunId, ServerId},
    time::Timestamp,
};
use uuid::Uuid;

use crate::{Error, catalog::Catalog, run};

/// Says that `server` is alive; answers its runs that somebody wants cancelled.
pub(crate) async fn heartbeat(
    db: &Database,
    sql: &Catalog,
    server: ServerId,
    now: Timestamp,
) -> Result<Vec<RunId>, Error> {
    let id = Value::Uuid(server.0);
    let params = [("server", id.clone()), ("now", now.0.into())];
    db.execute(&sql.server_heartbeat, &params).await?;
    run::run_ids(
        db.fetch_all(&sql.run_cancel_requested, &[("server", id)])
            .await?,
    )
}

/// The servers that were heard of at `heard_since` or later.
pub(crate) async fn alive(
    db: &Database,
    sql: &Catalog,
    heard_since: Timestamp,
) -> Result<BTreeSet<ServerId>, Error> {
    let params = [("heard_since", heard_since.0.into())];
    let rows = db.fetch_all(&sql.server_alive, &params).await?;
    let ids = rows.iter().map(|row| Ok(ServerId(row.get("id")?)));
    ids.collect()
}

/// Takes all unfinished runs from `server` and forgets it; answers how many runs.
pub(crate) async fn release(db: &Database, sql: &Catalog, server: ServerId) -> Result<u64, Error> {
    let row = vec![vec![Value::Uuid(server.0)]];
    let mut batch = Batch::new();
    batch.push(&sql.run_release, row.clone(), None);
    batch.push(&sql.server_delete, row, None);
    Ok(db.batch(batch).await?.first().copied().unwrap_or(0))
}

/// Runs answered by [`owned`] at a time.
const OWNED: u32 = 1000;

/// The unfinished runs of `server` beyond `after`, oldest first, a thousand at a time.
pub(crate) async fn owned(
    db: &Database,
    sql: &Catalog,
    server: ServerId,
    after: Option<RunId>,
) -> Result<Vec<RunId>, Error> {
    let beyond = after.map_or(Uuid::nil(), |run| run.0);
    let params = [
        ("server", Value::Uuid(server.0)),
        ("beyond", beyond.into()),
        ("limit", Value::from(OWNED)),
    ];
    run::run_ids(db.fetch_all(&sql.run_owned, &params).await?)
}
