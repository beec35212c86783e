//! Flows and their immutable versions.
use runstone_db::{Class, Database, RetryPolicy, Tx, Value, retry};
use runstone_model::ids::{FlowVersionId, ProjectId};
use uuid::Uuid;

use crate::{Error, FlowVersion, NewFlow, catalog::Catalog, cells::Cells};
use std::sync::Arc;

/// Finds the version that holds this text, or stores it as the next one. Two callers at once
/// conflict on the version's number; the second tries again and finds what the first stored.
pub(crate) async fn put(
    db: &Database,
    sql: &Arc<Catalog>,
    flow: NewFlow,
) -> Result<FlowVersion, Error> {
    let project = [("id", flow.project.0.into())];
    if db
        .fetch_optional(&sql.project_exists, &project)
        .await?
        .is_none()
    {
        return Err(Error::Other(format!(
            "there is no project {}",
            flow.project
        )));
    }
    let hash = blake3::hash(flow.definition.as_bytes()).as_bytes().to_vec();
    let flow = Arc::new(flow);
    let (id, version) = retry(RetryPolicy::default(), || async {
        let (sql, flow, hash) = (Arc::clone(sql), Arc::clone(&flow), hash.clone());
        let stored = db
            .transact(move |tx| Box::pin(async move { store(tx, &sql, &flow, &hash).await }))
            .await;
        stored.map_err(|mut error| {
            if error.class == Class::Unique {
                error.class = Class::Serialization;
            }
            error
        })
    })
    .await?;
    let flow = Arc::unwrap_or_clone(flow);
    Ok(FlowVersion {
        id: FlowVersionId(id),
        project: flow.project,
        name: flow.name,
        version,
        definition: flow.definition,
    })
}

async fn store(
    tx: &mut Tx,
    sql: &Catalog,
    flow: &NewFlow,
    hash: &[u8],
) -> Result<(Uuid, u32), runstone_db::Error> {
    let named: [(&str, Value); 2] = [
        ("project", flow.project.0.into()),
        ("name", flow.name.as_str().into()),
    ];
    let found = match tx.fetch_optional(&sql.flow_find, &named).await? {
        Some(found) => Some(found),
        None => {
            // A flow takes the id of its first version: it needs one, and makes none up.
            let params = [
                ("id", flow.id.0.into()),
                ("project", flow.project.0.into()),
                ("name", flow.name.as_str().into()),
                ("created_at", flow.created_at.0.into()),
            ];
            tx.execute(&sql.flow_insert, &params).await?;
            tx.fetch_optional(&sql.flow_find, &named).await?
        }
    };
    let Some(found) = found else {
        return Err(runstone_db::Error::new(
            Class::Serialization,
            "the flow was just deleted",
        ));
    };
    let id: Uuid = found.get("id")?;
    let by_hash: [(&str, Value); 2] = [("flow", id.into()), ("hash", hash.into())];
    if let Some(version) = tx
        .fetch_optional(&sql.flow_version_by_hash, &by_hash)
        .await?
    {
        return Ok((version.get("id")?, version.get("version")?));
    }
    let params = [
        ("id", flow.id.0.into()),
        ("flow", id.into()),
        ("hash", hash.into()),
        ("created_at", flow.created_at.0.into()),
        ("definition", flow.definition.as_str().into()),
    ];
    tx.execute(&sql.flow_insert_version, &params).await?;
    match tx
        .fetch_optional(&sql.flow_version_by_hash, &by_hash)
        .await?
    {
        Some(version) => Ok((version.get("id")?, version.get("version")?)),
        None => Err(runstone_db::Error::other(
            "the flow version just stored is not there",
        )),
    }
}

/// One version.
pub(crate) async fn version(
    db: &Database,
    sql: &Catalog,
    id: FlowVersionId,
) -> Result<Option<FlowVersion>, Error> {
    let Some(row) = db
        .fetch_optional(&sql.flow_version, &[("id", id.0.into())])
        .await?
    else {
        return Ok(None);
    };
    let mut cells = Cells::new("flow_versions", row);
    Ok(Some(FlowVersion {
        id: FlowVersionId(cells.next()?),
        project: ProjectId(cells.next()?),
        name: cells.next()?,
        version: cells.next()?,
        definition: cells.next()?,
    }))
}
