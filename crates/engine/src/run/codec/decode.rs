//! Journal rows back to entries. What does not fit is said with its row; nothing is guessed.
use std::{collections::BTreeMap, sync::Arc};

use runstone_model::{
    failure::Failure,
    flow::Flow,
    run::{Entry, ItemRef, Kind, PatchValue, RunEnd, StepDone, StepRef, Wait},
    time::Timestamp,
};
use runstone_store::Row;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{AttemptBody, BlobRef};

/// The body of a step's row.
#[derive(Default, Deserialize)]
struct StepBody<'a> {
    #[serde(default, borrow)]
    result: Option<&'a RawValue>,
    #[serde(default, borrow)]
    patch: BTreeMap<&'a str, &'a RawValue>,
    #[serde(default)]
    same: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    fired: Vec<usize>,
    #[serde(default)]
    total: u32,
    #[serde(default)]
    blobs: Vec<String>,
    #[serde(default)]
    failure: Option<Failure>,
}

/// The body of the row of a step that waits.
#[derive(Deserialize)]
struct WaitBody<'a> {
    until: Timestamp,
    #[serde(default, borrow)]
    result: Option<&'a RawValue>,
    #[serde(default)]
    total: u32,
    #[serde(default)]
    blobs: Vec<String>,
}

/// Turns rows into entries.
pub(in crate::run) struct Decoder<'a> {
    pub(in crate::run) flow: &'a Flow,
    pub(in crate::run) blobs: &'a BTreeMap<&'a str, &'a [u8]>,
}

impl Decoder<'_> {
    /// The entry of `row`; `None` for a completed run's last row, whose output is in the run's row.
    pub(in crate::run) fn entry(&self, row: &Row) -> Result<Entry, String> {
        let kind =
            Kind::from_number(row.kind).ok_or_else(|| format!("unknown kind {}", row.kind))?;
        let bad = |error: serde_json::Error| format!("journal row {}: {error}", row.seq);
        Ok(match kind {
            Kind::StepCompleted | Kind::StepFailed | Kind::StepSkipped => {
                let body: StepBody<'_> = serde_json::from_str(&row.body).map_err(bad)?;
                Entry::Step(Box::new(self.step(row, kind, body)?))
            }
            Kind::AttemptFailed => {
                let body: AttemptBody = serde_json::from_str(&row.body).map_err(bad)?;
                Entry::AttemptFailed {
                    step: self.named(row, body.total)?,
                    started_at: row.started_at,
                    duration_us: row.duration_us,
                    failure: body.failure,
                    retry_at: body.retry_at,
                }
            }
            Kind::Waiting => {
                let body: WaitBody<'_> = serde_json::from_str(&row.body).map_err(bad)?;
                Entry::Waiting {
                    step: self.named(row, body.total)?,
                    wait: self.wait(row, &body)?,
                }
            }
            Kind::TakenOver => {
                let body: Value = serde_json::from_str(&row.body).map_err(bad)?;
                let server = body["server"].as_str().and_then(|id| id.parse().ok());
                let server = server.ok_or_else(|| format!("journal row {}: no server", row.seq))?;
                Entry::TakenOver {
                    server,
                    at: row.started_at,
                }
            }
            Kind::RunRetried => {
                let body: Value = serde_json::from_str(&row.body).map_err(bad)?;
                let to = body["to"].as_u64();
                Entry::Retried {
                    to: to.ok_or_else(|| format!("journal row {}: no `to`", row.seq))?,
                    at: row.started_at,
                }
            }
            Kind::RunCompleted => Entry::Ended {
                end: RunEnd::Completed(Arc::default()),
                at: row.started_at,
            },
            Kind::RunFailed => {
                let failure = serde_json::from_str(&row.body).map_err(bad)?;
                Entry::Ended {
                    end: RunEnd::Failed(failure),
                    at: row.started_at,
                }
            }
            Kind::RunCancelled => {
                let body: Value = serde_json::from_str(&row.body).map_err(bad)?;
                let reason = body["reason"].as_str().unwrap_or_default().to_owned();
                Entry::Ended {
                    end: RunEnd::Cancelled(reason),
                    at: row.started_at,
                }
            }
        })
    }

    fn named(&self, row: &Row, total: u32) -> Result<StepRef, String> {
        let name = row.node.as_deref().unwrap_or_default();
        let node = self.flow.nodes.iter().position(|node| node.name == name);
        let node = node.ok_or_else(|| {
            format!(
                "journal row {} is about node `{name}`, which the flow does not have",
                row.seq
            )
        })?;
        let item = row.item.map(|index| ItemRef { index, total });
        Ok(StepRef {
            node,
            visit: row.visit,
            item,
        })
    }

    fn wait(&self, row: &Row, body: &WaitBody<'_>) -> Result<Wait, String> {
        let result = body.result.map_or(Ok(Arc::default()), |raw| {
            self.value(row, raw, !body.blobs.is_empty())
        })?;
        Ok(Wait {
            attempt: row.attempt,
            started_at: row.started_at,
            until: body.until,
            result,
        })
    }

    /// A value, or what the blob holds that it may be a reference of.
    fn value(&self, row: &Row, raw: &RawValue, in_blob: bool) -> Result<Arc<Value>, String> {
        let bad = |error: serde_json::Error| format!("journal row {}: {error}", row.seq);
        if !in_blob {
            return serde_json::from_str(raw.get()).map(Arc::new).map_err(bad);
        }
        let Ok(blob) = serde_json::from_str::<BlobRef>(raw.get()) else {
            // A reader of journals gets the values in place of the references.
            return serde_json::from_str(raw.get()).map(Arc::new).map_err(bad);
        };
        let bytes = self.blobs.get(&*blob.hash);
        let bytes = bytes.ok_or_else(|| {
            format!(
                "journal row {} refers to blob {}, which is missing",
                row.seq, blob.hash
            )
        })?;
        serde_json::from_slice(bytes).map(Arc::new).map_err(bad)
    }

    fn step(&self, row: &Row, kind: Kind, body: StepBody<'_>) -> Result<StepDone, String> {
        let value = |raw: &RawValue, place: &str| {
            let in_blob = body.blobs.iter().any(|blobbed| blobbed == place);
            self.value(row, raw, in_blob)
        };
        let key = |name: &str| {
            let at = self.flow.state.iter().position(|key| key.name == name);
            at.ok_or_else(|| format!("journal row {} writes unknown state.{name}", row.seq))
        };
        let mut patch = Vec::with_capacity(body.patch.len() + body.same.len());
        for (name, raw) in &body.patch {
            patch.push((
                key(name)?,
                PatchValue::Value(value(raw, &format!("patch.{name}"))?),
            ));
        }
        for (name, path) in &body.same {
            patch.push((key(name)?, PatchValue::Result(path.clone().into())));
        }
        patch.sort_unstable_by_key(|(key, _)| *key);
        let result = body
            .result
            .map_or(Ok(Arc::default()), |raw| value(raw, "result"))?;
        Ok(StepDone {
            step: self.named(row, body.total)?,
            attempt: row.attempt,
            started_at: row.started_at,
            duration_us: row.duration_us,
            result,
            patch,
            fired: body.fired,
            skipped: kind == Kind::StepSkipped,
            failure: body.failure,
        })
    }
}
