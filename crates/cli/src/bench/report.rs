//! What a measurement says, as JSON and for people.
use std::io::Write as _;

use serde::Serialize;

/// One measurement.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    pub(super) scenario: &'static str,
    pub(super) db: String,
    pub(super) durability: String,
    pub(super) concurrency: usize,
    pub(super) runs: usize,
    pub(super) steps: usize,
    pub(super) seconds: f64,
    pub(super) steps_per_s: f64,
    pub(super) runs_per_s: f64,
    /// Of a whole run, in milliseconds.
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) raw_rows_per_s: f64,
    /// Median of one bare transaction, in microseconds.
    pub(super) raw_commit_us: f64,
    pub(super) raw_batch: usize,
    /// Bytes of a row's body, the same for the yardstick.
    pub(super) row_bytes: usize,
    /// Chain and fanout: steps per second over bare rows per second; with one run in flight the
    /// median bare commit over the median step. Start: runs per second over a third of the rows.
    pub(super) ratio_to_raw: f64,
    pub(super) errors: usize,
}

impl Report {
    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        if json {
            serde_json::to_writer(&mut out, self)?;
            writeln!(out)?;
            return Ok(());
        }
        writeln!(
            out,
            "{} on {} ({})",
            self.scenario, self.db, self.durability
        )?;
        writeln!(
            out,
            "  {} runs, {} in flight, {} steps in {:.2} s, {} errors",
            self.runs, self.concurrency, self.steps, self.seconds, self.errors
        )?;
        writeln!(
            out,
            "  {:.0} steps/s, {:.0} runs/s; a run takes {:.2} ms (median), {:.2} ms (99 %)",
            self.steps_per_s, self.runs_per_s, self.p50_ms, self.p99_ms
        )?;
        writeln!(
            out,
            "  bare driver: {:.0} rows/s in batches of {} rows with {} bytes, {:.0} µs a commit",
            self.raw_rows_per_s, self.raw_batch, self.row_bytes, self.raw_commit_us
        )?;
        writeln!(out, "  ratio {:.2}", self.ratio_to_raw)?;
        Ok(())
    }
}
