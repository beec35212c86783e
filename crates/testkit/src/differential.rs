//! Random sequences of store verbs through the oracle and a real store: every answer is the same,
//! and so is everything that is stored in the end. The sequences are seeded.
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use runstone_model::{
    ids::{FlowVersionId, ProjectId, RunId, ServerId},
    run::{Kind, Status},
    time::Timestamp,
};
use runstone_store::{
    Blob, Claim, Commit, Direction, Error, NewFlow, NewRun, Row, RunFilter, RunUpdate, Snapshot,
    Store, StoredRow,
};
use uuid::Uuid;

use crate::oracle::Oracle;

/// One call of the store.
#[derive(Clone, Debug)]
enum Call {
    Commit(Box<Commit>),
    PutFlow(NewFlow),
    FlowVersion(FlowVersionId),
    Claim(Claim),
    Load(Vec<RunId>),
    Heartbeat(ServerId, Timestamp),
    Release(ServerId),
    Owned(ServerId),
    NextWake,
    RequestCancel(RunId, Timestamp),
    Run(RunId),
    Runs(RunFilter),
    Journal(RunId, u64, u32),
    ProjectExists(ProjectId),
}

/// Makes calls that are mostly sensible, from small pools of ids so that they meet.
struct Caller {
    rng: ChaCha8Rng,
    salt: u128,
    now: i64,
    runs: Vec<RunId>,
    versions: Vec<FlowVersionId>,
    /// What the caller believes: last seq and epoch by run.
    known: std::collections::BTreeMap<RunId, (u64, i64)>,
}

/// Drives `calls` random calls through both, and answers what is stored in the end, one line a
/// record; the store must be empty but for its migrations, or at least hold nothing of `seed`'s
/// ids.
///
/// # Errors
/// An answer differs from the oracle's.
pub async fn run(store: Arc<dyn Store>, seed: u64, calls: usize) -> anyhow::Result<String> {
    let oracle = Oracle::new();
    let mut caller = Caller::new(seed);
    for at in 0..calls {
        let call = caller.next();
        let want = answer(&oracle, call.clone()).await;
        let got = answer(&*store, call.clone()).await;
        if want != got {
            let run = match &call {
                Call::Commit(commit) => commit.run,
                Call::Journal(run, ..) | Call::Run(run) | Call::RequestCancel(run, _) => *run,
                _ => RunId(Uuid::nil()),
            };
            let there = |rows: &[StoredRow]| {
                rows.iter()
                    .map(|row| (row.row.seq, row.epoch))
                    .collect::<Vec<_>>()
            };
            anyhow::bail!(
                "seed {seed}, call {at}: {call:?}\n the oracle answers {want}\n the store answers \
                 {got}\n (seq, epoch) in the oracle {:?}\n (seq, epoch) in the store {:?}",
                there(&oracle.journal(run, 0, 1000).await?),
                there(&store.journal(run, 0, 1000).await?),
            );
        }
        caller.learn(&call, &oracle).await?;
    }
    let mut dump = String::new();
    for run in caller.runs.clone() {
        for call in [
            Call::Run(run),
            Call::Journal(run, 0, 10_000),
            Call::Load(vec![run]),
        ] {
            let want = answer(&oracle, call.clone()).await;
            let got = answer(&*store, call).await;
            ensure!(want == got, "seed {seed}, in the end: {run}\n{want}\n{got}");
            dump += &got;
            dump.push('\n');
        }
    }
    Ok(dump)
}

/// What the store says, as text; errors by their kind, because their words differ.
async fn answer(store: &dyn Store, call: Call) -> String {
    fn said<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
        match result {
            Ok(value) => format!("{value:?}"),
            Err(Error::Fenced) => "fenced".to_owned(),
            Err(Error::Other(_) | Error::Corrupt { .. } | Error::Damaged(_)) => {
                "refused".to_owned()
            }
            Err(Error::Unavailable(message)) => format!("unavailable: {message}"),
        }
    }
    match call {
        Call::Commit(commit) => said(store.commit(*commit).await),
        Call::PutFlow(flow) => said(store.put_flow(flow).await),
        Call::FlowVersion(id) => said(store.flow_version(id).await),
        Call::Claim(claim) => said(store.claim(claim).await.map(|mut claimed| {
            claimed.sort_unstable_by_key(|claimed| claimed.run);
            claimed
        })),
        Call::Load(runs) => said(store.load(&runs).await.map(|mut loaded| {
            for run in &mut loaded {
                run.blobs.sort_unstable_by(|a, b| a.hash.cmp(&b.hash));
            }
            loaded
        })),
        Call::Heartbeat(server, now) => said(store.heartbeat(server, now).await),
        Call::Release(server) => said(store.release(server).await),
        Call::Owned(server) => said(store.owned(server, None).await),
        Call::NextWake => said(store.next_wake().await),
        Call::RequestCancel(run, now) => said(store.request_cancel(run, now).await),
        Call::Run(run) => said(store.run(run).await),
        Call::Runs(filter) => said(store.runs(filter).await),
        Call::Journal(run, after, limit) => said(store.journal(run, after, limit).await),
        Call::ProjectExists(id) => said(store.project_exists(id).await),
    }
}

impl Caller {
    fn new(seed: u64) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            salt: u128::from(seed) << 32,
            now: 1_000_000,
            runs: Vec::new(),
            versions: Vec::new(),
            known: std::collections::BTreeMap::new(),
        }
    }

    fn id(&mut self, kind: u128) -> Uuid {
        let number = self.rng.random_range(0..u32::MAX);
        Uuid::from_u128(
            (0x0190_0000_0000_7000 << 64) | (kind << 60) | self.salt | u128::from(number),
        )
    }

    fn server(&mut self) -> ServerId {
        let number = self.rng.random_range(1..4_u128);
        ServerId(Uuid::from_u128(
            (0x0190_0000_0000_7000 << 64) | (9 << 60) | self.salt | number,
        ))
    }

    fn known_run(&mut self) -> RunId {
        if self.runs.is_empty() || self.rng.random_bool(0.05) {
            return RunId(self.id(3));
        }
        self.runs[self.rng.random_range(0..self.runs.len())]
    }

    fn next(&mut self) -> Call {
        self.now += self.rng.random_range(1..500);
        let now = Timestamp(self.now);
        if self.versions.is_empty() {
            return self.put_flow();
        }
        match self.rng.random_range(0..100) {
            0..4 => self.put_flow(),
            4..16 => self.create(),
            16..50 => Call::Commit(Box::new(self.append())),
            50..58 => Call::Claim(Claim {
                server: self.server(),
                now,
                expired_before: Timestamp(self.now - self.rng.random_range(0..3000)),
                limit: self.rng.random_range(1..5),
                only: self.rng.random_bool(0.3).then(|| self.known_run()),
            }),
            58..64 => {
                let some = (0..self.rng.random_range(0..4)).map(|_| self.known_run());
                let mut runs: Vec<RunId> = some.collect();
                runs.sort_unstable();
                runs.dedup();
                Call::Load(runs)
            }
            64..72 => Call::Heartbeat(self.server(), now),
            72..74 => Call::Release(self.server()),
            74..76 => Call::Owned(self.server()),
            76..78 => Call::NextWake,
            78..82 => Call::RequestCancel(self.known_run(), now),
            82..87 => Call::Run(self.known_run()),
            87..92 => Call::Runs(RunFilter {
                project: Some(ProjectId::DEFAULT),
                status: match self.rng.random_range(0..4) {
                    0 => vec![Status::Running],
                    1 => vec![Status::Completed, Status::Failed],
                    _ => Vec::new(),
                },
                flow: self.rng.random_bool(0.3).then(|| "alpha".to_owned()),
                direction: match self.rng.random_bool(0.3) {
                    true => Direction::Up,
                    false => Direction::Down,
                },
                beyond: self.rng.random_bool(0.3).then(|| self.known_run()),
                limit: self.rng.random_range(1..6),
            }),
            92..97 => {
                let after = self.rng.random_range(0..4);
                Call::Journal(self.known_run(), after, self.rng.random_range(1..5))
            }
            97..99 => {
                let at = self.rng.random_range(0..self.versions.len());
                Call::FlowVersion(self.versions[at])
            }
            _ => Call::ProjectExists(ProjectId::DEFAULT),
        }
    }

    fn put_flow(&mut self) -> Call {
        let names = ["alpha", "beta", "Alpha", "ælpha"];
        let name = names[self.rng.random_range(0..names.len())].to_owned();
        let definition = format!(
            "{{\"v\":{},\"s\":{}}}",
            self.rng.random_range(0..3),
            self.salt
        );
        let id = FlowVersionId(self.id(2));
        let created_at = Timestamp(self.now);
        Call::PutFlow(NewFlow {
            project: ProjectId::DEFAULT,
            name,
            definition,
            id,
            created_at,
        })
    }

    fn create(&mut self) -> Call {
        let run = RunId(self.id(3));
        let version = self.versions[self.rng.random_range(0..self.versions.len())];
        let owner = self.rng.random_bool(0.8).then(|| self.server());
        Call::Commit(Box::new(Commit {
            run,
            epoch: 1,
            create: Some(NewRun {
                project: ProjectId::DEFAULT,
                flow_version: version,
                input: format!("{{\"text\":\"{} é漢🦀\"}}", self.rng.random_range(0..1000)),
                created_at: Timestamp(self.now),
                owner,
                deadline: self.rng.random_bool(0.2).then(|| Timestamp(self.now + 99)),
                labels: Vec::new(),
            }),
            rows: Vec::new(),
            update: None,
            snapshot: None,
            blobs: Vec::new(),
        }))
    }

    /// Rows for a known run: mostly the right ones, sometimes stale, sometimes repeated.
    fn append(&mut self) -> Commit {
        let run = self.known_run();
        let (seq, epoch) = self.known.get(&run).copied().unwrap_or((0, 1));
        let back = if self.rng.random_bool(0.1) {
            self.rng.random_range(0..3)
        } else {
            0
        };
        let first = (seq + 1).saturating_sub(back).max(1);
        let epoch = if self.rng.random_bool(0.1) {
            (epoch - 1).max(1)
        } else {
            epoch
        };
        let count = self.rng.random_range(1..4);
        let mut blobs = Vec::new();
        let mut rows: Vec<Row> = (first..first + count).map(|seq| self.row(seq)).collect();
        if self.rng.random_bool(0.1) {
            let bytes =
                format!("\"{}\"", "long ".repeat(self.rng.random_range(1..2000))).into_bytes();
            let hash = blake3_hex(&bytes);
            rows[0].body =
                format!("{{\"result\":{{\"$blob\":\"{hash}\"}},\"blobs\":[\"result\"]}}");
            blobs.push(Blob { hash, bytes });
        }
        let last = first + count - 1;
        let finish = self.rng.random_bool(0.1);
        let park = !finish && self.rng.random_bool(0.1);
        let body = || format!("{{\"seq\":{last}}}");
        // Of a run that is not there either is refused, in whatever order the database likes.
        let either = !finish && (!park || self.runs.contains(&run));
        let snapshot = (either && back == 0 && self.rng.random_bool(0.1)).then(|| Snapshot {
            seq: last,
            body: body(),
        });
        let parked = park.then(|| RunUpdate {
            status: Status::Waiting,
            finished_at: None,
            output: None,
            error: None,
            steps: last,
            wake_at: Some(Timestamp(self.now + self.rng.random_range(0..3000))),
        });
        let ended = finish.then(|| RunUpdate {
            status: [Status::Completed, Status::Failed, Status::Cancelled]
                [self.rng.random_range(0..3)],
            finished_at: Some(Timestamp(self.now)),
            output: Some("{\"ok\":true}".to_owned()),
            error: None,
            steps: last,
            wake_at: None,
        });
        Commit {
            run,
            epoch,
            create: None,
            rows,
            update: ended.or(parked),
            snapshot,
            blobs,
        }
    }

    fn row(&mut self, seq: u64) -> Row {
        Row {
            seq,
            kind: Kind::StepCompleted as i16,
            node: self.rng.random_bool(0.9).then(|| "nøde".to_owned()),
            visit: self.rng.random_range(0..5),
            item: self.rng.random_bool(0.2).then_some(3),
            attempt: 1,
            started_at: Timestamp(self.now),
            duration_us: self.rng.random_range(0..1_000_000_000_000),
            body: format!("{{\"result\":\"{}\"}}", self.rng.random_range(0..1000)),
        }
    }

    /// Looks up in the oracle what is there now.
    async fn learn(&mut self, call: &Call, oracle: &Oracle) -> anyhow::Result<()> {
        match call {
            Call::PutFlow(flow) => {
                let version = oracle.put_flow(flow.clone()).await?;
                if !self.versions.contains(&version.id) {
                    self.versions.push(version.id);
                }
            }
            Call::Commit(commit) if commit.create.is_some() => self.runs.push(commit.run),
            _ => {}
        }
        for run in &self.runs {
            let record = oracle.run(*run).await?.context("the oracle lost a run")?;
            let rows = oracle.journal(*run, 0, u32::MAX).await?;
            self.known.insert(
                *run,
                (rows.last().map_or(0, |row| row.row.seq), record.epoch),
            );
        }
        Ok(())
    }
}

fn blake3_hex(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}
