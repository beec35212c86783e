//! The bars P9–P12: from what the server answered to rows of the table.

use super::super::bars::{Bar, Row, figure, median, range};
use super::{AT_ONCE, Asked, CALLS, CONNECTIONS, Figures, MANY, Waited, Watched};

/// What the rows that were not asked for say.
const NOT_RUN: &str = "not run";

pub(in crate::bench) fn rows(figures: &Figures) -> Vec<Row> {
    let mut rows: Vec<Row> = CALLS.iter().map(|call| against(figures, call)).collect();
    rows.extend([errors(figures), slowest(figures), started(figures)]);
    rows.extend(starts(figures));
    rows.extend([
        waiting(figures),
        runs(figures),
        watched(figures.watched.as_ref()),
    ]);
    rows
}

impl Figures {
    fn ours(&self, call: &str, connections: u32) -> Vec<&Asked> {
        let asked = self.asked.iter();
        let ours = asked.filter(|one| one.who == "runstone");
        ours.filter(|one| one.call == call && one.connections == connections)
            .collect()
    }
}

fn of(cells: &[&Asked], field: &str) -> Option<f64> {
    median(cells.iter().map(|cell| cell.number(field)))
}

fn against(figures: &Figures, call: &str) -> Row {
    let rounds: Vec<(f64, f64)> = figures
        .against
        .iter()
        .filter(|(of, ..)| *of == call)
        .map(|(_, ours, theirs)| (*ours, *theirs))
        .collect();
    let ratios: Vec<f64> = rounds.iter().map(|(ours, theirs)| ours / theirs).collect();
    let ours = median(rounds.iter().map(|(ours, _)| *ours));
    let theirs = median(rounds.iter().map(|(_, theirs)| *theirs));
    let why = || {
        figures
            .no_peer
            .clone()
            .unwrap_or_else(|| NOT_RUN.to_owned())
    };
    Row {
        id: "P9",
        what: format!("{call} project, {CONNECTIONS} connections, times FastAPI on PostgreSQL"),
        measured: median(ratios.iter().copied()).ok_or_else(why),
        detail: format!("{}/s, theirs {}/s", figure(ours), figure(theirs)) + &range(&ratios),
        bar: Some(Bar::AtLeast {
            must: 10.0,
            aim: 25.0,
        }),
    }
}

fn errors(figures: &Figures) -> Row {
    let cells = figures.ours("mix", MANY);
    let number = |field| of(&cells, field);
    Row {
        id: "P10",
        what: format!("errors on {MANY} connections that list, get and create"),
        measured: number("errors").ok_or_else(|| NOT_RUN.to_owned()),
        detail: format!(
            "{} requests in {} s, p95 {} ms",
            figure(number("requests")),
            figure(number("seconds")),
            figure(number("p95_ms"))
        ),
        bar: Some(Bar::AtMost {
            must: 0.0,
            aim: 0.0,
        }),
    }
}

/// The call with the worst p95 counts.
fn slowest(figures: &Figures) -> Row {
    let each = CALLS.map(|call| of(&figures.ours(call, CONNECTIONS), "p95_ms"));
    let worst = each.iter().flatten().copied().max_by(f64::total_cmp);
    let detail = CALLS
        .iter()
        .zip(each)
        .map(|(call, p95)| format!("{call} {}", tenths(p95)));
    Row {
        id: "P10",
        what: format!("p95 in ms, {CONNECTIONS} connections, the slowest call"),
        measured: worst.ok_or_else(|| NOT_RUN.to_owned()),
        detail: detail.collect::<Vec<_>>().join(", "),
        bar: Some(Bar::AtMost {
            must: 10.0,
            aim: 3.0,
        }),
    }
}

fn tenths(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.1}"))
}

fn started(figures: &Figures) -> Row {
    let cells = figures.ours("start", AT_ONCE);
    let p95: Vec<f64> = cells.iter().map(|cell| cell.number("p95_ms")).collect();
    let number = |field| of(&cells, field);
    let detail = format!(
        "{} runs/s, p50 {} ms, {} errors",
        figure(number("requests_per_s")),
        tenths(number("p50_ms")),
        figure(number("errors"))
    );
    Row {
        id: "P11",
        what: format!("p95 in ms to completion, {AT_ONCE} runs of 3 steps at once over HTTP"),
        measured: median(p95.iter().copied()).ok_or_else(|| NOT_RUN.to_owned()),
        detail: detail + &range(&p95),
        bar: Some(Bar::AtMost {
            must: 100.0,
            aim: 30.0,
        }),
    }
}

fn starts(figures: &Figures) -> [Row; 2] {
    let idle: Vec<f64> = figures.starts.iter().map(|one| one.idle_mb).collect();
    let ready: Vec<f64> = figures.starts.iter().map(|one| one.ready_ms).collect();
    let row = |what: &str, values: &[f64], must, aim| Row {
        id: "P12",
        what: what.to_owned(),
        measured: median(values.iter().copied()).ok_or_else(|| NOT_RUN.to_owned()),
        detail: format!("`runstone dev` in an empty folder{}", range(values)),
        bar: Some(Bar::AtMost { must, aim }),
    };
    [
        row("idle memory in MB", &idle, 60.0, 30.0),
        row("start to ready in ms", &ready, 200.0, 80.0),
    ]
}

/// With `--quick` there are fewer, and the row says so.
fn waiting(figures: &Figures) -> Row {
    let waited = figures.waited.as_ref();
    let runs = waited.map_or(100_000, |waited| waited.runs);
    let detail = |waited: &Waited| {
        let Waited {
            runs,
            seconds,
            before_mb,
            most_mb,
            ..
        } = waited;
        let rate = figure(Some(*runs as f64 / seconds));
        format!(
            "`runstone dev`, SQLite; {before_mb:.0} MB before and {most_mb:.0} MB at most; \
             {rate} a second began to wait"
        )
    };
    Row {
        id: "P12",
        what: format!("{runs} runs that sleep for an hour, memory in MB"),
        measured: waited
            .map(|waited| waited.waiting_mb)
            .ok_or_else(|| NOT_RUN.to_owned()),
        detail: waited.map(detail).unwrap_or_default(),
        bar: Some(Bar::AtMost {
            must: 300.0,
            aim: 100.0,
        }),
    }
}

/// No bar, but what the million runs are there for.
fn runs(figures: &Figures) -> Row {
    let cells = figures.ours("runs", CONNECTIONS);
    let number = |field| of(&cells, field);
    Row {
        id: "",
        what: format!("lists of 50 runs, {CONNECTIONS} connections, requests/s"),
        measured: number("requests_per_s").ok_or_else(|| NOT_RUN.to_owned()),
        detail: format!("p95 {} ms", tenths(number("p95_ms"))),
        bar: None,
    }
}

fn watched(watched: Option<&Watched>) -> Row {
    let row = |measured, detail| Row {
        id: "",
        what: format!("watchers of 100 runs, of {MANY}, that missed an event"),
        measured,
        detail,
        bar: None,
    };
    let Some(Watched {
        printed,
        before_mb,
        most_mb,
    }) = watched
    else {
        return row(Err(NOT_RUN.to_owned()), String::new());
    };
    let missed = printed["errors"]
        .as_f64()
        .ok_or_else(|| "no figure".to_owned());
    let detail = format!(
        "{} events; the server took {before_mb:.0} MB before and {most_mb:.0} MB at most",
        figure(printed["events"].as_f64())
    );
    row(missed, detail)
}
