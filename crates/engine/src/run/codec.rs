//! Entries to journal rows; back again in `decode`. Large values leave the row for a blob; what the patch shares
//! with the result is written once.
mod decode;

use runstone_model::{
    failure::Failure,
    flow::Flow,
    limits::INLINE_BYTES,
    run::{Entry, PatchValue, RunEnd, StepDone, StepRef, Wait},
    time::Timestamp,
};
use runstone_store::{Blob, Row};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) use decode::Decoder;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BlobRef {
    #[serde(rename = "$blob")]
    hash: String,
}

#[derive(Serialize, Deserialize)]
struct AttemptBody {
    failure: Failure,
    retry_at: Timestamp,
    #[serde(default)]
    total: u32,
}

/// Turns entries into rows.
pub(super) struct Encoder<'a> {
    pub(super) flow: &'a Flow,
    pub(super) blobs: &'a mut Vec<Blob>,
}

impl Encoder<'_> {
    /// The row of `entry` at `seq`.
    pub(super) fn row(&mut self, seq: u64, entry: &Entry) -> Row {
        let mut row = Row {
            seq,
            kind: entry.kind() as i16,
            node: None,
            visit: 0,
            item: None,
            attempt: 0,
            started_at: Timestamp(0),
            duration_us: 0,
            body: String::new(),
        };
        match entry {
            Entry::Step(done) => {
                self.name(&mut row, done.step);
                row.attempt = done.attempt;
                row.started_at = done.started_at;
                row.duration_us = done.duration_us;
                row.body = self.step(done);
            }
            Entry::AttemptFailed {
                step,
                started_at,
                duration_us,
                failure,
                retry_at,
            } => {
                self.name(&mut row, *step);
                row.attempt = failure.attempt;
                row.started_at = *started_at;
                row.duration_us = *duration_us;
                row.body = text(&AttemptBody {
                    failure: failure.clone(),
                    retry_at: *retry_at,
                    total: step.item.map_or(0, |item| item.total),
                });
            }
            Entry::Waiting { step, wait } => {
                self.name(&mut row, *step);
                row.attempt = wait.attempt;
                row.started_at = wait.started_at;
                row.body = self.wait(*step, wait);
            }
            Entry::TakenOver { server, at } => {
                row.started_at = *at;
                row.body = format!("{{\"server\":\"{server}\"}}");
            }
            Entry::Retried { to, at } => {
                row.started_at = *at;
                row.body = format!("{{\"to\":{to}}}");
            }
            Entry::Ended { end, at } => {
                row.started_at = *at;
                row.body = match end {
                    RunEnd::Completed(_) => "{}".to_owned(), // the output is in the run's own row
                    RunEnd::Failed(failure) => text(failure),
                    RunEnd::Cancelled(reason) => text(&serde_json::json!({ "reason": reason })),
                };
            }
        }
        row
    }

    fn name(&self, row: &mut Row, step: StepRef) {
        row.node = self.flow.nodes.get(step.node).map(|node| node.name.clone());
        row.visit = step.visit;
        row.item = step.item.map(|item| item.index);
    }

    /// The body of a step's row, written in one go: this is the hot path of every run.
    fn step(&mut self, done: &StepDone) -> String {
        let mut out = Object::new();
        let mut blobs: Vec<String> = Vec::new();
        if !done.result.is_null() {
            out.key("result");
            self.value(&mut out, &done.result, || "result".to_owned(), &mut blobs);
        }
        self.patch(&mut out, done, &mut blobs);
        if !done.fired.is_empty() {
            out.key("fired");
            out.json(&done.fired);
        }
        if let Some(item) = done.step.item {
            out.key("total");
            out.json(&item.total);
        }
        if !blobs.is_empty() {
            out.key("blobs");
            out.json(&blobs);
        }
        if let Some(failure) = &done.failure {
            out.key("failure");
            out.json(failure);
        }
        out.end()
    }

    fn wait(&mut self, step: StepRef, wait: &Wait) -> String {
        let mut out = Object::new();
        let mut blobs: Vec<String> = Vec::new();
        out.key("until");
        out.json(&wait.until);
        if !wait.result.is_null() {
            out.key("result");
            self.value(&mut out, &wait.result, || "result".to_owned(), &mut blobs);
        }
        if let Some(item) = step.item {
            out.key("total");
            out.json(&item.total);
        }
        if !blobs.is_empty() {
            out.key("blobs");
            out.json(&blobs);
        }
        out.end()
    }

    fn patch(&mut self, out: &mut Object, done: &StepDone, blobs: &mut Vec<String>) {
        let flow = self.flow;
        let named = |at: usize| {
            let (key, value) = done.patch.get(at)?;
            Some((&*flow.state.get(*key)?.name, value))
        };
        let (mut values, mut same) = (Object::new(), Object::new());
        for (name, value) in (0..done.patch.len()).filter_map(named) {
            match value {
                PatchValue::Value(value) => {
                    values.key(name);
                    self.value(&mut values, value, || format!("patch.{name}"), blobs);
                }
                PatchValue::Result(path) => {
                    same.key(name);
                    same.json(path);
                }
            }
        }
        for (name, object) in [("patch", values), ("same", same)] {
            if !object.is_empty() {
                out.key(name);
                out.raw(&object.end());
            }
        }
    }

    /// The value's JSON, or the reference of the blob it becomes.
    fn value(
        &mut self,
        out: &mut Object,
        value: &Value,
        place: impl FnOnce() -> String,
        blobs: &mut Vec<String>,
    ) {
        let start = out.0.len();
        out.json(value);
        if out.0.len() - start > INLINE_BYTES {
            let bytes = out.0.split_off(start);
            let hash = blake3::hash(&bytes).to_hex().to_string();
            out.json(&BlobRef { hash: hash.clone() });
            self.blobs.push(Blob { hash, bytes });
            blobs.push(place());
        }
    }
}

/// A JSON object being written.
struct Object(Vec<u8>);

impl Object {
    fn new() -> Self {
        Self(Vec::new())
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn key(&mut self, name: &str) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        self.json(name);
        self.0.push(b':');
    }

    fn json<T: Serialize + ?Sized>(&mut self, value: &T) {
        // Writing our own types to memory cannot fail.
        let _ = serde_json::to_writer(&mut self.0, value);
    }

    fn raw(&mut self, json: &str) {
        self.0.extend_from_slice(json.as_bytes());
    }

    fn end(mut self) -> String {
        self.0
            .extend_from_slice(if self.0.is_empty() { b"{}" } else { b"}" });
        String::from_utf8(self.0).unwrap_or_default()
    }
}

fn text<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
