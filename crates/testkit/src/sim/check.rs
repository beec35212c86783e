//! What must hold after a simulation, whatever went wrong in it.
use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use futures::FutureExt as _;
use runstone_model::run::Kind;
use runstone_store::{RunRecord, Store as _, StoredRow};

use super::World;

/// Steps committed and attempts made.
pub(super) fn compare(expected: &World, world: &World) -> anyhow::Result<(u64, u64)> {
    let (mut steps, mut attempts) = (0, 0);
    ensure!(world.runs.len() >= expected.runs.len(), "a run is lost");
    for run in &world.runs {
        let (record, rows) = world.read(*run)?;
        // A start whose answer was lost was repeated: the same input may have run twice.
        let same = expected.runs.iter().find_map(|other| {
            let (other, rows) = expected.read(*other).ok()?;
            (other.input == record.input).then_some((other, rows))
        });
        let (want, want_rows) = same.context("an input that was never given")?;
        ensure!(
            record.status == want.status,
            "{run}: {:?}, not {:?}",
            record.status,
            want.status
        );
        ensure!(
            record.output == want.output,
            "{run}: output {:?}, not {:?}",
            record.output,
            want.output
        );
        ensure!(
            record.steps == want.steps,
            "{run}: {} steps, not {}",
            record.steps,
            want.steps
        );
        ensure!(record.owner.is_none(), "{run}: over, and still owned");
        ensure!(record.wake_at.is_none(), "{run}: over, and still waits");
        whole(&rows).context(format!("{run}"))?;
        waits(&rows).context(format!("{run}"))?;
        ensure!(
            bodies(&rows) == bodies(&want_rows),
            "{run}: other steps than without faults"
        );
        steps += record.steps;
    }
    for (key, seen) in world.effects.lock().iter() {
        ensure!(
            !seen.changed,
            "{key}: the same key came with different requests"
        );
        attempts += seen.times;
    }
    Ok((steps, attempts))
}

/// The journal has no gap, no step is in it twice, owners only follow one another.
fn whole(rows: &[StoredRow]) -> anyhow::Result<()> {
    let mut seen = BTreeMap::new();
    let mut epoch = 0;
    for (at, stored) in rows.iter().enumerate() {
        let row = &stored.row;
        ensure!(
            row.seq == at as u64 + 1,
            "row {} at place {}",
            row.seq,
            at + 1
        );
        ensure!(
            stored.epoch >= epoch,
            "epoch {} after {epoch}",
            stored.epoch
        );
        epoch = stored.epoch;
        let step = [Kind::StepCompleted, Kind::StepFailed, Kind::StepSkipped];
        if step.iter().any(|kind| *kind as i16 == row.kind) {
            let key = (row.node.clone(), row.visit, row.item);
            ensure!(
                seen.insert(key.clone(), row.seq).is_none(),
                "{key:?} is committed twice"
            );
        }
    }
    Ok(())
}

/// An attempt waits once, and the step that it ends does not end before its time.
fn waits(rows: &[StoredRow]) -> anyhow::Result<()> {
    let mut waiting = BTreeMap::new();
    for stored in rows {
        let row = &stored.row;
        let key = (row.node.clone(), row.visit, row.item, row.attempt);
        if row.kind == Kind::Waiting as i16 {
            let body: serde_json::Value = serde_json::from_str(&row.body)?;
            let until = body["until"].as_i64().context("it waits for no time")?;
            let first = waiting.insert(key.clone(), (row.started_at, until));
            ensure!(first.is_none(), "{key:?} begins to wait twice");
        } else if let Some((began, until)) = waiting.get(&key) {
            ensure!(*began == row.started_at, "{key:?} was begun again");
            let ended = row.started_at.0 + i64::try_from(row.duration_us)?;
            let early = row.kind == Kind::StepCompleted as i16 && ended < *until;
            ensure!(!early, "{key:?} ends at {ended}, before {until}");
        }
    }
    Ok(())
}

/// What the steps gave, in an order that does not depend on timing.
fn bodies(rows: &[StoredRow]) -> BTreeMap<(String, u32, Option<u32>), (u32, i16)> {
    let steps = rows.iter().filter(|stored| stored.row.node.is_some());
    steps
        .filter(|stored| stored.row.kind != Kind::AttemptFailed as i16)
        .filter(|stored| stored.row.kind != Kind::Waiting as i16)
        .map(|stored| {
            let row = &stored.row;
            let key = (row.node.clone().unwrap_or_default(), row.visit, row.item);
            (key, (row.attempt, row.kind))
        })
        .collect()
}

impl World {
    /// A run and its whole journal; the oracle answers at once.
    fn read(&self, run: runstone_model::ids::RunId) -> anyhow::Result<(RunRecord, Vec<StoredRow>)> {
        let record = self
            .oracle
            .run(run)
            .now_or_never()
            .context("the oracle waits")??;
        let rows = self.oracle.journal(run, 0, u32::MAX).now_or_never();
        Ok((
            record.context("a run is gone")?,
            rows.context("the oracle waits")??,
        ))
    }
}
