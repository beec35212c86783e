//! Taking over runs: whose they were, whose they are, and the `taken_over` row that fences the
//! earlier owner. All of it is one transaction of set-based statements, however many the runs.
use std::sync::Arc;

use runstone_db::{Class, Database, Error as DbError, RetryPolicy, Row as DbRow, Tx, Value, retry};
use runstone_model::{ids::RunId, run::Kind};
use uuid::Uuid;

use crate::{Claim, Claimed, Error, catalog::Catalog, run};

/// How often the `taken_over` rows are tried against an old owner who goes on writing. Each try
/// loses only to a row that the old owner had in flight, and it has one in flight a run.
const TAKE_OVER_TRIES: u32 = 8;

struct Candidate {
    run: RunId,
    epoch: i64,
    had_owner: bool,
}

/// Takes up to `claim.limit` runs; see [`Store::claim`](crate::Store::claim).
pub(crate) async fn claim(
    db: &Database,
    sql: &Arc<Catalog>,
    claim: Claim,
) -> Result<Vec<Claimed>, Error> {
    let taken = retry(RetryPolicy::default(), async || {
        let sql = Arc::clone(sql);
        let taken = db.transact(move |tx| Box::pin(async move { take(tx, &sql, claim).await }));
        taken.await.map_err(|error| match claim.only {
            // Asked again it gives the same run.
            Some(_) => error,
            None => maybe_done(error),
        })
    })
    .await?;
    Ok(taken)
}

/// When the connection goes, the runs may be taken although nobody heard of it. Asked again the
/// database would give others, and these would be forgotten: the caller is to look what it owns.
fn maybe_done(mut error: DbError) -> DbError {
    if error.class == Class::Gone {
        error.class = Class::Unavailable;
    }
    error
}

async fn take(tx: &mut Tx, sql: &Catalog, claim: Claim) -> Result<Vec<Claimed>, DbError> {
    let candidates = match claim.only {
        Some(run) => one(tx, sql, claim, run).await?,
        None => many(tx, sql, claim).await?,
    };
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<RunId> = candidates.iter().map(|candidate| candidate.run).collect();
    let params = [
        ("server", claim.server.0.into()),
        ("ids", run::id_list(&ids)),
    ];
    let changed = tx.execute(&sql.run_take, &params).await?;
    if changed != u64::try_from(ids.len()).unwrap_or(u64::MAX) {
        return Err(DbError::new(
            Class::Serialization,
            "a run that was locked has gone",
        ));
    }
    let owned: Vec<RunId> = candidates
        .iter()
        .filter(|c| c.had_owner)
        .map(|candidate| candidate.run)
        .collect();
    fence(tx, sql, claim, &owned).await?;
    Ok(candidates
        .into_iter()
        .map(|candidate| Claimed {
            run: candidate.run,
            epoch: candidate.epoch + 1,
        })
        .collect())
}

/// Appends a `taken_over` row to each of `owned`.
async fn fence(tx: &mut Tx, sql: &Catalog, claim: Claim, owned: &[RunId]) -> Result<(), DbError> {
    if owned.is_empty() {
        return Ok(());
    }
    let params = [
        ("kind", Value::Int((Kind::TakenOver as i16).into())),
        ("now", claim.now.0.into()),
        (
            "body",
            format!("{{\"server\":\"{}\"}}", claim.server).into(),
        ),
        ("ids", run::id_list(owned)),
    ];
    let mut missing = u64::try_from(owned.len()).unwrap_or(u64::MAX);
    for _ in 0..TAKE_OVER_TRIES {
        missing = missing.saturating_sub(tx.execute(&sql.journal_take_over, &params).await?);
        if missing == 0 {
            return Ok(());
        }
    }
    Err(DbError::new(
        Class::Serialization,
        "an old owner keeps on writing",
    ))
}

async fn one(
    tx: &mut Tx,
    sql: &Catalog,
    claim: Claim,
    run: RunId,
) -> Result<Vec<Candidate>, DbError> {
    let params = [
        ("id", run.0.into()),
        ("server", claim.server.0.into()),
        ("expired_before", claim.expired_before.0.into()),
    ];
    let found = tx.fetch_optional(&sql.run_claimable_one, &params).await?;
    let Some(row) = found else {
        return Ok(Vec::new());
    };
    let had_owner = row.get::<Option<Uuid>>("owner_id")?.is_some();
    Ok(vec![candidate(&row, had_owner)?])
}

async fn many(tx: &mut Tx, sql: &Catalog, claim: Claim) -> Result<Vec<Candidate>, DbError> {
    let limit = Value::from(claim.limit);
    let expired = [
        ("server", claim.server.0.into()),
        ("expired_before", claim.expired_before.0.into()),
    ];
    let dead = tx.fetch_all(&sql.run_dead_owners, &expired).await?;
    let rows = tx
        .fetch_all(&sql.run_claimable_unowned, &[("limit", limit.clone())])
        .await?;
    let due = [("now", claim.now.0.into()), ("limit", limit.clone())];
    let due = tx.fetch_all(&sql.run_claimable_due, &due).await?;
    let mut found = Vec::with_capacity(rows.len() + due.len());
    for row in rows.iter().chain(&due) {
        found.push(candidate(row, false)?);
    }
    for owner in dead {
        let params = [
            ("owner", Value::Uuid(owner.get("id")?)),
            ("limit", limit.clone()),
        ];
        for row in tx.fetch_all(&sql.run_claimable_owned, &params).await? {
            found.push(candidate(&row, true)?);
        }
    }
    // The oldest of all of them. The others' locks end with the transaction.
    found.sort_unstable_by_key(|candidate| candidate.run);
    found.truncate(usize::try_from(claim.limit).unwrap_or(usize::MAX));
    Ok(found)
}

fn candidate(row: &DbRow, had_owner: bool) -> Result<Candidate, DbError> {
    Ok(Candidate {
        run: RunId(row.get("id")?),
        epoch: row.get("epoch")?,
        had_owner,
    })
}
