//! The in-memory oracle: a store so plain that it can be believed by reading it. Every database
//! must answer as it does; the simulation runs on it.
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures::future::BoxFuture;
use runstone_model::{
    ids::{FlowVersionId, ProjectId, RunId, ServerId},
    run::{Kind, Status},
    time::Timestamp,
};
use runstone_store::{
    Blob, Claim, Claimed, Commit, Direction, Error, FlowVersion, LoadedRun, NewFlow, NewRun,
    Reopen, Row, RunFilter, RunRecord, RunUpdate, Snapshot, Store, StoredRow,
};

/// Everything a database would hold.
#[derive(Clone, Debug, Default)]
struct Tables {
    versions: BTreeMap<FlowVersionId, FlowVersion>,
    runs: BTreeMap<RunId, RunRecord>,
    journal: BTreeMap<(RunId, u64), StoredRow>,
    snapshots: BTreeMap<RunId, Snapshot>,
    blobs: BTreeMap<String, Vec<u8>>,
    servers: BTreeMap<ServerId, Timestamp>,
}

/// The oracle.
#[derive(Debug, Default)]
pub struct Oracle(Mutex<Tables>);

impl Oracle {
    /// An empty database.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn commit(&mut self, commit: &Commit) -> Result<(), Error> {
        let run = commit.run;
        let there = |row: &Row| self.journal.get(&(run, row.seq));
        let ours = !commit.rows.is_empty()
            && commit
                .rows
                .iter()
                .all(|row| there(row).is_some_and(|r| r.epoch == commit.epoch && r.row == *row));
        if ours {
            return Ok(()); // an earlier try whose answer was lost
        }
        let epoch = self.runs.get(&run).map(|record| record.epoch);
        let stale = commit.update.as_ref().is_some_and(|update| {
            // What has ended is not parked.
            let ended = |record: &RunRecord| record.status.is_final();
            let over = !update.status.is_final() && self.runs.get(&run).is_some_and(ended);
            over || epoch != Some(commit.epoch)
        });
        if stale || commit.rows.iter().any(|row| there(row).is_some()) {
            return Err(Error::Fenced);
        }
        if commit.snapshot.is_some() && commit.create.is_none() && epoch.is_none() {
            return Err(Error::Other("a snapshot of no run".to_owned()));
        }
        if let Some(new) = &commit.create {
            match self.runs.get(&run) {
                Some(there) if there.epoch == commit.epoch && there.owner == new.owner => {}
                Some(_) => return Err(Error::Fenced),
                None => {
                    let Some(version) = self.versions.get(&new.flow_version) else {
                        return Err(Error::Other("no such flow version".to_owned()));
                    };
                    let record = created(commit, new, version);
                    self.runs.insert(run, record);
                }
            }
        }
        if let (Some(update), Some(record)) = (&commit.update, self.runs.get_mut(&run)) {
            update_run(record, update);
        }
        for row in &commit.rows {
            let stored = StoredRow {
                row: row.clone(),
                epoch: commit.epoch,
            };
            self.journal.insert((run, row.seq), stored);
        }
        for Blob { hash, bytes } in &commit.blobs {
            self.blobs
                .entry(hash.clone())
                .or_insert_with(|| bytes.clone());
        }
        if let Some(snapshot) = &commit.snapshot {
            self.snapshots.insert(run, snapshot.clone());
        }
        Ok(())
    }

    fn rows(&self, run: RunId, after: u64) -> Vec<StoredRow> {
        let range = (run, after + 1)..=(run, u64::MAX);
        self.journal
            .range(range)
            .map(|(_, row)| row.clone())
            .collect()
    }

    fn claim(&mut self, claim: Claim) -> Vec<Claimed> {
        let dead = |owner: Option<ServerId>| match owner {
            None => true,
            Some(owner) => {
                owner == claim.server && claim.only.is_some()
                    || owner != claim.server
                        && self
                            .servers
                            .get(&owner)
                            .is_none_or(|at| *at < claim.expired_before)
            }
        };
        let open = |record: &&RunRecord| {
            !record.status.is_final()
                && dead(record.owner)
                && (claim.only.is_some() || record.wake_at.is_none_or(|at| at <= claim.now))
                && claim.only.is_none_or(|only| only == record.id)
        };
        let limit = claim.limit as usize;
        let found = self.runs.values().filter(open);
        let (mut due, mut ids): (Vec<_>, Vec<_>) = found
            .map(|record| (record.wake_at, record.id))
            .partition(|(wake_at, _)| wake_at.is_some());
        // Of those that are due the longest due, then the oldest of all.
        due.sort_unstable();
        due.truncate(limit);
        ids.append(&mut due);
        let mut ids: Vec<RunId> = ids.into_iter().map(|(_, id)| id).collect();
        ids.sort_unstable();
        ids.truncate(limit);
        let mut claimed = Vec::new();
        for id in ids {
            let seq = self.rows(id, 0).last().map_or(1, |row| row.row.seq + 1);
            let Some(record) = self.runs.get_mut(&id) else {
                continue;
            };
            let had_owner = record.owner.is_some();
            record.owner = Some(claim.server);
            record.epoch += 1;
            record.status = Status::Running;
            record.wake_at = None;
            let epoch = record.epoch;
            claimed.push(Claimed { run: id, epoch });
            if had_owner {
                let row = Row {
                    seq,
                    kind: Kind::TakenOver as i16,
                    node: None,
                    visit: 0,
                    item: None,
                    attempt: 0,
                    started_at: claim.now,
                    duration_us: 0,
                    body: format!("{{\"server\":\"{}\"}}", claim.server),
                };
                self.journal.insert((id, seq), StoredRow { row, epoch });
            }
        }
        claimed
    }

    fn load(&self, id: RunId) -> Option<LoadedRun> {
        let record = self.runs.get(&id)?.clone();
        let snapshot = self.snapshots.get(&id).cloned();
        let rows = self.rows(id, snapshot.as_ref().map_or(0, |snapshot| snapshot.seq));
        let used = |hash: &str| rows.iter().any(|row| row.row.body.contains(hash));
        let blobs = self.blobs.iter().filter(|(hash, _)| used(hash));
        let blobs = blobs
            .map(|(hash, b)| Blob {
                hash: hash.clone(),
                bytes: b.clone(),
            })
            .collect();
        Some(LoadedRun {
            record,
            snapshot,
            rows,
            blobs,
        })
    }
}

fn created(commit: &Commit, new: &NewRun, version: &FlowVersion) -> RunRecord {
    RunRecord {
        id: commit.run,
        project: new.project,
        flow_version: new.flow_version,
        flow: version.name.clone(),
        version: version.version,
        status: match new.owner {
            Some(_) => Status::Running,
            None => Status::Pending,
        },
        input: new.input.clone(),
        output: None,
        error: None,
        steps: 0,
        owner: new.owner,
        epoch: commit.epoch,
        created_at: new.created_at,
        finished_at: None,
        deadline: new.deadline,
        wake_at: None,
        cancel_requested_at: None,
    }
}

fn update_run(record: &mut RunRecord, update: &RunUpdate) {
    record.status = update.status;
    record.finished_at = update.finished_at;
    record.output.clone_from(&update.output);
    record.error.clone_from(&update.error);
    record.steps = update.steps;
    record.owner = None;
    // One that is to be cancelled is due at once.
    record.wake_at = update.wake_at.map(|at| {
        let asked = record.cancel_requested_at;
        asked.map_or(at, |asked| asked.min(at))
    });
}

fn ready<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, T> {
    Box::pin(std::future::ready(value))
}

impl Store for Oracle {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), Error>> {
        ready(self.lock().commit(&commit))
    }

    fn put_flow(&self, flow: NewFlow) -> BoxFuture<'_, Result<FlowVersion, Error>> {
        let mut tables = self.lock();
        let of_name = |v: &&FlowVersion| v.project == flow.project && v.name == flow.name;
        let same = tables
            .versions
            .values()
            .filter(of_name)
            .find(|version| version.definition == flow.definition)
            .cloned();
        let version = same.unwrap_or_else(|| {
            let newest = tables
                .versions
                .values()
                .filter(of_name)
                .map(|v| v.version)
                .max();
            let version = FlowVersion {
                id: flow.id,
                project: flow.project,
                name: flow.name.clone(),
                version: newest.unwrap_or(0) + 1,
                definition: flow.definition.clone(),
            };
            tables.versions.insert(flow.id, version.clone());
            version
        });
        drop(tables);
        ready(Ok(version))
    }

    fn flow_version(&self, id: FlowVersionId) -> BoxFuture<'_, Result<Option<FlowVersion>, Error>> {
        ready(Ok(self.lock().versions.get(&id).cloned()))
    }

    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Vec<Claimed>, Error>> {
        ready(Ok(self.lock().claim(claim)))
    }

    fn load<'a>(&'a self, runs: &'a [RunId]) -> BoxFuture<'a, Result<Vec<LoadedRun>, Error>> {
        let tables = self.lock();
        ready(Ok(runs.iter().filter_map(|id| tables.load(*id)).collect()))
    }

    fn heartbeat(
        &self,
        server: ServerId,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Vec<RunId>, Error>> {
        let mut tables = self.lock();
        tables.servers.insert(server, now);
        let asked = tables
            .runs
            .values()
            .filter(|record| record.owner == Some(server) && record.cancel_requested_at.is_some());
        ready(Ok(asked.map(|record| record.id).collect()))
    }

    fn release(&self, server: ServerId) -> BoxFuture<'_, Result<u64, Error>> {
        let mut tables = self.lock();
        let mut released = 0;
        for record in tables
            .runs
            .values_mut()
            .filter(|record| record.owner == Some(server))
        {
            record.owner = None;
            released += 1;
        }
        tables.servers.remove(&server);
        drop(tables);
        ready(Ok(released))
    }

    fn owned(
        &self,
        server: ServerId,
        after: Option<RunId>,
    ) -> BoxFuture<'_, Result<Vec<RunId>, Error>> {
        let tables = self.lock();
        let open =
            |r: &&RunRecord| r.owner == Some(server) && !r.status.is_final() && Some(r.id) > after;
        ready(Ok(tables
            .runs
            .values()
            .filter(open)
            .take(1000)
            .map(|r| r.id)
            .collect()))
    }

    fn next_wake(&self) -> BoxFuture<'_, Result<Option<Timestamp>, Error>> {
        let tables = self.lock();
        ready(Ok(tables.runs.values().filter_map(|r| r.wake_at).min()))
    }

    fn request_cancel(&self, run: RunId, now: Timestamp) -> BoxFuture<'_, Result<bool, Error>> {
        let mut tables = self.lock();
        let open = tables
            .runs
            .get_mut(&run)
            .filter(|record| !record.status.is_final());
        let found = open.is_some();
        if let Some(record) = open {
            record.cancel_requested_at.get_or_insert(now);
            record.wake_at = record.wake_at.map(|at| at.min(now));
        }
        drop(tables);
        ready(Ok(found))
    }

    fn reopen(&self, reopen: Reopen) -> BoxFuture<'_, Result<bool, Error>> {
        let mut tables = self.lock();
        let ended = |record: &&mut RunRecord| {
            record.epoch == reopen.epoch
                && matches!(record.status, Status::Failed | Status::Cancelled)
        };
        let Some(record) = tables.runs.get_mut(&reopen.run).filter(ended) else {
            return ready(Ok(false));
        };
        record.status = Status::Pending;
        record.epoch += 1;
        record.finished_at = None;
        record.output = None;
        record.error = None;
        record.cancel_requested_at = None;
        record.deadline = reopen.deadline;
        let stored = StoredRow {
            epoch: record.epoch,
            row: reopen.row,
        };
        tables.journal.insert((reopen.run, stored.row.seq), stored);
        drop(tables);
        ready(Ok(true))
    }

    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<RunRecord>, Error>> {
        ready(Ok(self.lock().runs.get(&id).cloned()))
    }

    fn runs(&self, filter: RunFilter) -> BoxFuture<'_, Result<Vec<RunRecord>, Error>> {
        let tables = self.lock();
        let wanted = |record: &&RunRecord| {
            filter
                .project
                .is_none_or(|project| project == record.project)
                && (filter.status.is_empty() || filter.status.contains(&record.status))
                && filter.flow.as_ref().is_none_or(|flow| *flow == record.flow)
                && filter.beyond.is_none_or(|edge| match filter.direction {
                    Direction::Up => record.id > edge,
                    Direction::Down => record.id < edge,
                })
        };
        let all = tables.runs.values().filter(wanted);
        let limit = filter.limit as usize;
        ready(Ok(match filter.direction {
            Direction::Up => all.take(limit).cloned().collect(),
            Direction::Down => all.rev().take(limit).cloned().collect(),
        }))
    }

    fn journal(
        &self,
        run: RunId,
        after: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<StoredRow>, Error>> {
        let tables = self.lock();
        let mut rows = tables.rows(run, after);
        rows.truncate(limit as usize);
        for row in &mut rows {
            for (hash, bytes) in &tables.blobs {
                let reference = format!("{{\"$blob\":\"{hash}\"}}");
                if row.row.body.contains(&reference) {
                    row.row.body = row
                        .row
                        .body
                        .replace(&reference, &String::from_utf8_lossy(bytes));
                }
            }
        }
        drop(tables);
        ready(Ok(rows))
    }

    fn project_exists(&self, id: ProjectId) -> BoxFuture<'_, Result<bool, Error>> {
        ready(Ok(id == ProjectId::DEFAULT))
    }
}
