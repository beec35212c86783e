//! Flows and their immutable versions: storing them, and deleting flows that nothing runs. Who writes
//! versions of one flow at the same time, or deletes it, waits for the others at the flow's row.
mod read;

use std::sync::Arc;

use runstone_db::{Class, Database, RetryPolicy, Tx, Value, retry};
use runstone_model::ids::{FlowVersionId, ProjectId};
use uuid::Uuid;

pub use read::FlowRecord;

use crate::{Error, FlowVersion, NewFlow, SqlStore, catalog::Catalog, cells::Cells};

/// What a writer expects of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowExpected {
    /// There is none of that name.
    None,
    /// Its newest version has this number.
    Newest(u32),
}

/// What became of a write that expected something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowWritten {
    /// It is done.
    Done {
        /// The version that holds the text: an older one, if that had it already.
        version: Box<FlowVersion>,
        /// The number of the newest version.
        newest: u32,
    },
    /// It is not as expected; the number of the newest version, if there is one.
    Stale(Option<u32>),
}

/// What became of deleting a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowDeleted {
    /// It is gone, with all its versions.
    Done,
    /// There are runs of it.
    InUse,
    /// It is not as expected; the number of the newest version, if there is one.
    Stale(Option<u32>),
}

/// A version in the table.
#[derive(Clone, Copy)]
enum Stored {
    Version {
        id: Uuid,
        number: u32,
        newest: Option<u32>,
    },
    Stale(Option<u32>),
}

/// Finds the version that holds this text, or stores it as the next one.
pub(crate) async fn put(
    db: &Database,
    sql: &Arc<Catalog>,
    flow: NewFlow,
) -> Result<FlowVersion, Error> {
    match put_expecting(db, sql, flow, None).await? {
        FlowWritten::Done { version, .. } => Ok(*version),
        FlowWritten::Stale(_) => Err(Error::Other("a flow is stale for nobody".to_owned())),
    }
}

async fn put_expecting(
    db: &Database,
    sql: &Arc<Catalog>,
    flow: NewFlow,
    expected: Option<FlowExpected>,
) -> Result<FlowWritten, Error> {
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
    let stored = retry(RetryPolicy::default(), || async {
        let (sql, flow, hash) = (Arc::clone(sql), Arc::clone(&flow), hash.clone());
        let stored = db
            .transact(move |tx| {
                Box::pin(async move { store(tx, &sql, &flow, &hash, expected).await })
            })
            .await;
        stored.map_err(|mut error| {
            if error.class == Class::Unique {
                error.class = Class::Serialization;
            }
            error
        })
    })
    .await?;
    let (id, number, newest) = match stored {
        Stored::Stale(newest) => return Ok(FlowWritten::Stale(newest)),
        Stored::Version { id, number, newest } => (id, number, newest.unwrap_or(number)),
    };
    let flow = Arc::unwrap_or_clone(flow);
    Ok(FlowWritten::Done {
        version: Box::new(FlowVersion {
            id: FlowVersionId(id),
            project: flow.project,
            name: flow.name,
            version: number,
            definition: flow.definition,
        }),
        newest,
    })
}

type Named = [(&'static str, Value); 2];

fn named(project: ProjectId, name: &str) -> Named {
    [("project", project.0.into()), ("name", name.into())]
}

/// The number of the newest version, once nobody else can write one or delete the flow.
async fn locked(
    tx: &mut Tx,
    sql: &Catalog,
    named: &Named,
) -> Result<Option<u32>, runstone_db::Error> {
    tx.execute(&sql.flow_lock, named).await?;
    let newest = tx.fetch_optional(&sql.flow_newest, named).await?;
    newest.map(|row| row.get("version")).transpose()
}

async fn store(
    tx: &mut Tx,
    sql: &Catalog,
    flow: &NewFlow,
    hash: &[u8],
    expected: Option<FlowExpected>,
) -> Result<Stored, runstone_db::Error> {
    let named = named(flow.project, &flow.name);
    let found = match tx.fetch_optional(&sql.flow_find, &named).await? {
        Some(found) => Some(found),
        None if matches!(expected, Some(FlowExpected::Newest(_))) => {
            return Ok(Stored::Stale(None));
        }
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
        return Err(just_deleted());
    };
    let id: Uuid = found.get("id")?;
    let mut newest = None;
    if let Some(expected) = expected {
        newest = locked(tx, sql, &named).await?;
        let wanted = match expected {
            FlowExpected::None => None,
            FlowExpected::Newest(version) => Some(version),
        };
        if newest != wanted {
            return Ok(Stored::Stale(newest));
        }
    }
    let by_hash: Named = [("flow", id.into()), ("hash", hash.into())];
    let version = tx.fetch_optional(&sql.flow_version_by_hash, &by_hash);
    if let Some(version) = version.await? {
        return Ok(Stored::Version {
            id: version.get("id")?,
            number: version.get("version")?,
            newest,
        });
    }
    if expected.is_none() {
        tx.execute(&sql.flow_lock, &named).await?;
    }
    insert(tx, sql, flow, &by_hash).await
}

fn just_deleted() -> runstone_db::Error {
    runstone_db::Error::new(Class::Serialization, "the flow was just deleted")
}

async fn insert(
    tx: &mut Tx,
    sql: &Catalog,
    flow: &NewFlow,
    by_hash: &Named,
) -> Result<Stored, runstone_db::Error> {
    let mut params = by_hash.to_vec();
    params.extend([
        ("id", flow.id.0.into()),
        ("created_at", flow.created_at.0.into()),
        ("definition", flow.definition.as_str().into()),
    ]);
    tx.execute(&sql.flow_insert_version, &params).await?;
    let stored = tx.fetch_optional(&sql.flow_version_by_hash, by_hash);
    match stored.await? {
        Some(version) => Ok(Stored::Version {
            id: version.get("id")?,
            number: version.get("version")?,
            newest: None,
        }),
        None => Err(runstone_db::Error::other(
            "the flow version just stored is not there",
        )),
    }
}

impl SqlStore {
    /// Stores a flow's definition as [`Store::put_flow`](crate::Store::put_flow) does, if the flow is
    /// as `expected`. Of two writers at once that expect the same only one is not stale, unless
    /// neither makes a version.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn put_flow_expecting(
        &self,
        flow: NewFlow,
        expected: FlowExpected,
    ) -> Result<FlowWritten, Error> {
        put_expecting(self.database(), self.sql(), flow, Some(expected)).await
    }

    /// Deletes a flow that no run is of, if its newest version has the number `expected`.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn delete_flow(
        &self,
        project: ProjectId,
        name: &str,
        expected: u32,
    ) -> Result<FlowDeleted, Error> {
        let (sql, named) = (Arc::clone(self.sql()), named(project, name));
        let deleted = retry(RetryPolicy::default(), || async {
            let (sql, named) = (Arc::clone(&sql), named.clone());
            let delete = self.database().transact(move |tx| {
                Box::pin(async move {
                    let newest = locked(tx, &sql, &named).await?;
                    if newest != Some(expected) {
                        return Ok(FlowDeleted::Stale(newest));
                    }
                    Ok(match tx.execute(&sql.flow_delete_unused, &named).await? {
                        0 => FlowDeleted::InUse,
                        _ => FlowDeleted::Done,
                    })
                })
            });
            delete.await
        });
        Ok(deleted.await?)
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
