//! The bars P1–P7: from what was measured to a ratio, and from the ratio to a verdict.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::cells::{Cell, Db, MANY};
use super::peers::{PEERS, Theirs};

/// Everything that was measured, in the order of measuring.
#[derive(Default)]
pub(super) struct Measured {
    cells: Vec<Cell>,
    pub(super) against: Vec<Against>,
    pub(super) storage: Option<Value>,
    /// Peer or database → why it did not run.
    missing: BTreeMap<&'static str, String>,
}

/// One peer at its best, between two of our own runs.
pub(super) struct Against {
    peer: &'static str,
    ours: f64,
    theirs: Theirs,
}

impl Against {
    pub(super) fn new(
        peer: &'static str,
        before: &Cell,
        after: &Cell,
        theirs: Theirs,
    ) -> Result<Self> {
        let ours = (before.number("steps_per_s")? + after.number("steps_per_s")?) / 2.0;
        Ok(Against { peer, ours, theirs })
    }
}

impl Measured {
    pub(super) fn add(&mut self, cell: Cell) {
        self.cells.push(cell);
    }

    pub(super) fn not_run(&mut self, peer: &'static str, why: &str) {
        eprintln!("{peer} did not run: {why}");
        self.missing.insert(peer, why.to_owned());
    }

    /// The durability settings of ours, and the versions and settings of the peers that ran.
    pub(super) fn settings(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for cell in &self.cells {
            let how = cell.printed["durability"].as_str().unwrap_or("?");
            let line = format!("runstone on {}: {how}", cell.db.name());
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        for Against { peer, theirs, .. } in &self.against {
            let line = format!("{peer} {}: {}", theirs.version, theirs.durability);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }

    pub(super) fn json(&self) -> Value {
        let against = self.against.iter().map(|one| {
            json!({"peer": one.peer, "ours_steps_per_s": one.ours, "printed": one.theirs.printed})
        });
        let ours: Vec<&Value> = self.cells.iter().map(|cell| &cell.printed).collect();
        json!({"ours": ours, "peers": against.collect::<Vec<_>>(), "storage": self.storage})
    }

    fn of(&self, scenario: &str, db: Db, concurrency: u32) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(move |cell| {
            (cell.scenario, cell.db, cell.concurrency) == (scenario, db, concurrency)
        })
    }
}

/// One line of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: &'static str,
    pub(super) what: String,
    /// The median of the rounds, or why there is none.
    pub(super) measured: Result<f64, String>,
    /// The figures behind the ratio.
    pub(super) detail: String,
    pub(super) bar: Option<Bar>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bar {
    AtLeast { must: f64, aim: f64 },
    AtMost { must: f64, aim: f64 },
}

impl Row {
    pub(super) fn misses(&self) -> bool {
        self.verdict() == "MISS"
    }

    pub(super) fn verdict(&self) -> &'static str {
        let (Some(bar), Ok(measured)) = (self.bar, &self.measured) else {
            return if self.bar.is_some() { "not run" } else { "" };
        };
        let (must, aim) = match bar {
            Bar::AtLeast { must, aim } => (*measured >= must, *measured >= aim),
            Bar::AtMost { must, aim } => (*measured <= must, *measured <= aim),
        };
        match (must, aim) {
            (_, true) => "pass, aim",
            (true, false) => "pass",
            (false, false) => "MISS",
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "bar": self.id,
            "what": self.what,
            "measured": self.measured.as_ref().ok(),
            "why_not": self.measured.as_ref().err(),
            "detail": self.detail,
            "verdict": self.verdict(),
        })
    }
}

pub(super) fn judge(measured: &Measured) -> Vec<Row> {
    let chain = |id, db: Db, bar: Option<(f64, f64)>| {
        let what = format!("chain on {}, 128 in flight ÷ raw rows", db.name());
        let cells = measured.of("chain", db, MANY);
        ratio(id, what, bar.map(at_least), cells, "steps_per_s", 1.0)
    };
    let start = |db: Db| {
        let what = format!("1-step runs on {} ÷ (raw rows ÷ 3)", db.name());
        ratio(
            "P6",
            what,
            Some(at_least((0.25, 0.50))),
            measured.of("start", db, MANY),
            "runs_per_s",
            1.0 / 3.0,
        )
    };
    let mut rows = vec![
        chain("P1", Db::Sqlite, Some((0.30, 0.60))),
        alone(measured, "P2", Db::Sqlite, Some((0.60, 0.85))),
        chain("P3", Db::Postgres, Some((0.20, 0.50))),
        alone(measured, "P4", Db::Postgres, Some((0.55, 0.80))),
    ];
    rows.extend(PEERS.iter().map(|peer| against(measured, peer.name)));
    rows.extend([
        start(Db::Sqlite),
        start(Db::Postgres),
        storage(measured),
        fanout(measured),
    ]);
    // No bars, but a place in the table.
    for db in [Db::Mariadb, Db::Mssql] {
        let why = measured.missing.get(db.name());
        for row in [chain("", db, None), alone(measured, "", db, None)] {
            let measured = row.measured.map_err(|none| why.cloned().unwrap_or(none));
            rows.push(Row { measured, ..row });
        }
    }
    rows
}

fn at_least((must, aim): (f64, f64)) -> Bar {
    Bar::AtLeast { must, aim }
}

/// One run at a time: the median bare commit over the median step, as the program itself says.
fn alone(measured: &Measured, id: &'static str, db: Db, bar: Option<(f64, f64)>) -> Row {
    let figures = measured.of("chain", db, 1).map(|cell| -> Result<_> {
        let steps = cell.number("steps")? / cell.number("runs")?;
        let step_us = cell.number("p50_ms")? * 1e3 / steps;
        Ok((
            cell.number("ratio_to_raw")?,
            step_us,
            cell.number("raw_commit_us")?,
        ))
    });
    let figures: Result<Vec<(f64, f64, f64)>> = figures.collect();
    let (measured, detail) = match figures {
        Err(error) => (Err(format!("{error:#}")), String::new()),
        Ok(figures) => {
            let ratios: Vec<f64> = figures.iter().map(|(ratio, ..)| *ratio).collect();
            let step = median(figures.iter().map(|(_, step, _)| *step));
            let raw = median(figures.iter().map(|(.., raw)| *raw));
            let detail = format!("{} µs a step, raw commit {} µs", figure(step), figure(raw));
            let measured = median(ratios.iter().copied()).ok_or_else(|| "no cell".to_owned());
            (measured, detail + &range(&ratios))
        }
    };
    Row {
        id,
        what: format!("raw commit ÷ step, chain on {}, 1 run at a time", db.name()),
        measured,
        detail,
        bar: bar.map(at_least),
    }
}

/// The median over the cells of `ours ÷ (raw × share)`, each with the raw figure of its own cell.
fn ratio<'a>(
    id: &'static str,
    what: String,
    bar: Option<Bar>,
    cells: impl Iterator<Item = &'a Cell>,
    field: &str,
    share: f64,
) -> Row {
    let figures = cells.map(|cell| -> Result<(f64, f64)> {
        let ours = match field {
            // Not printed: a start's steps are its runs times the steps of each.
            "runs_per_s" => cell.number("runs")? / cell.number("seconds")?,
            _ => cell.number(field)?,
        };
        Ok((ours, cell.number("raw_rows_per_s")?))
    });
    let row = |measured, detail| Row {
        id,
        what,
        measured,
        detail,
        bar,
    };
    match figures.collect::<Result<Vec<_>>>() {
        Err(error) => row(Err(format!("{error:#}")), String::new()),
        Ok(figures) => {
            let ratios: Vec<f64> = figures
                .iter()
                .map(|(ours, raw)| ours / (raw * share))
                .collect();
            let ours = median(figures.iter().map(|(ours, _)| *ours));
            let raw = median(figures.iter().map(|(_, raw)| *raw));
            let detail = format!("{}/s, raw {}/s", figure(ours), figure(raw));
            let measured = median(ratios.iter().copied()).ok_or_else(|| "no cell".to_owned());
            row(measured, detail + &range(&ratios))
        }
    }
}

fn against(measured: &Measured, peer: &'static str) -> Row {
    let all: Vec<&Against> = measured
        .against
        .iter()
        .filter(|one| one.peer == peer)
        .collect();
    let ratios: Vec<f64> = all
        .iter()
        .map(|one| one.ours / one.theirs.steps_per_s)
        .collect();
    let ours = median(all.iter().map(|one| one.ours));
    let theirs = median(all.iter().map(|one| one.theirs.steps_per_s));
    let why = || {
        measured
            .missing
            .get(peer)
            .cloned()
            .unwrap_or_else(|| "not run".to_owned())
    };
    Row {
        id: "P5",
        what: format!("chain, times {peer}"),
        measured: median(ratios.iter().copied()).ok_or_else(why),
        detail: format!("{}/s, theirs {}/s", figure(ours), figure(theirs)) + &range(&ratios),
        bar: Some(Bar::AtLeast {
            must: 10.0,
            aim: 30.0,
        }),
    }
}

fn storage(measured: &Measured) -> Row {
    let printed = measured.storage.clone().unwrap_or_default();
    let number = |field: &str| printed[field].as_f64();
    let bytes = |field: &str| figure(number(field));
    Row {
        id: "P7",
        what: "stored bytes ÷ bytes of the state, 1,000 × 1 KiB appended".to_owned(),
        measured: number("ratio")
            .context("no ratio")
            .map_err(|_| format!("printed {printed}")),
        detail: format!(
            "{} bytes, state {} bytes",
            bytes("stored_bytes"),
            bytes("state_bytes")
        ),
        bar: Some(Bar::AtMost {
            must: 3.0,
            aim: 1.5,
        }),
    }
}

/// No bar yet, but worth seeing next to the chain.
fn fanout(measured: &Measured) -> Row {
    let rates = measured
        .of("fanout", Db::Sqlite, MANY)
        .map(|cell| cell.number("steps_per_s"));
    let rates: Vec<f64> = rates.flatten().collect();
    Row {
        id: "",
        what: "fanout on SQLite, steps/s".to_owned(),
        measured: median(rates.iter().copied()).ok_or_else(|| "not run".to_owned()),
        detail: String::new(),
        bar: None,
    }
}

pub(super) fn median(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => None,
        len if len % 2 == 1 => Some(figures[middle]),
        _ => Some((figures[middle - 1] + figures[middle]) / 2.0),
    }
}

pub(super) fn range(ratios: &[f64]) -> String {
    let low = ratios.iter().copied().min_by(f64::total_cmp);
    let high = ratios.iter().copied().max_by(f64::total_cmp);
    match (low, high) {
        (Some(low), Some(high)) if ratios.len() > 1 => format!(" [{low:.2}–{high:.2}]"),
        _ => String::new(),
    }
}

/// `12345.6` as `12,346`; a dash where nothing was measured.
pub(super) fn figure(value: Option<f64>) -> String {
    let Some(value) = value else {
        return "–".to_owned();
    };
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
