//! `runstone doctor`: what is damaged, missing or stuck in a database, and what was done about it.
use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use runstone_db::Health;
use runstone_engine::{Clock as _, Ids as _, RealIds, SystemClock};
use runstone_model::{ids::ServerId, time::Timestamp};
use runstone_store::{Examination, Finding, Fix, Progress, Severity};
use serde_json::json;

use crate::{
    args::DoctorArgs,
    exit::Exit,
    open::{self, Purpose},
    print::{self, count, paint::Paint, plain},
};

/// How often a long examination says how far it is.
const SAID_EVERY: Duration = Duration::from_secs(3);

/// What the doctor has to tell.
struct Report {
    findings: Vec<Finding>,
    bytes: Option<u64>,
    version: Option<u32>,
    health: Health,
}

pub(super) async fn run(args: DoctorArgs) -> anyhow::Result<Exit> {
    let report = examine(&args).await?;
    let ill = report.findings.iter().any(Finding::is_open);
    if args.json {
        print::json(&document(&args, &report, ill))?;
    } else {
        print::out(&text(&report))?;
    }
    Ok(if ill { Exit::Failed } else { Exit::Ok })
}

async fn examine(args: &DoctorArgs) -> anyhow::Result<Report> {
    // Before the lock is taken: holding it, every owner would count as dead.
    let expired_before = open::heard_since(&args.db, args.engine.lease);
    let purpose = match args.fix {
        true => Purpose::Mend,
        false => Purpose::Examine,
    };
    let store = open::store(&args.db, purpose, "runstone doctor --fix").await;
    let store = store.map_err(|error| open::trouble(&args.db, error))?;
    let engine = open::reader(&store)?;
    let now = SystemClock.now();
    let grace_us = i64::from(args.grace) * 3_600_000_000;
    let said = Said::default();
    let findings = store
        .examine(Examination {
            expired_before,
            untouched_since: Timestamp(now.0.saturating_sub(grace_us)),
            fix: args.fix.then(|| Fix {
                server: ServerId(RealIds.next()),
                now,
            }),
            folds: Some(&engine),
            progress: &|progress| said.progress(progress),
        })
        .await;
    let (bytes, version) = (store.storage_bytes().await, store.schema_version().await);
    let health = store.health();
    store.close().await;
    let findings = findings?;
    let damaged = findings.iter().any(|found| found.check == "integrity");
    // A damaged file may not even tell its size.
    let (bytes, version) = match damaged {
        true => (bytes.ok(), version.ok()),
        false => (Some(bytes?), Some(version?)),
    };
    Ok(Report {
        findings,
        bytes,
        version,
        health,
    })
}

/// What was said of a long examination, and when.
struct Said(Mutex<Instant>);

impl Default for Said {
    fn default() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

impl Said {
    fn progress(&self, progress: Progress) {
        let Ok(mut last) = self.0.lock() else { return };
        if last.elapsed() >= SAID_EVERY {
            *last = Instant::now();
            print::note(&format!("{} {} examined", progress.done, progress.at));
        }
    }
}

fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn connection(health: &Health) -> serde_json::Value {
    let pool = &health.pool;
    json!({
        "circuit": health.circuit.name(),
        "failures": health.failures,
        "last_error": health.last_error,
        "pool": {
            "max": pool.max,
            "open": pool.open,
            "in_use": pool.in_use,
            "idle": pool.idle,
            "waiting": pool.waiting,
            "created": pool.created,
            "reused": pool.reused,
            "wait_us": pool.wait_us,
            "wait_max_us": pool.wait_max_us,
        },
    })
}

fn document(args: &DoctorArgs, report: &Report, ill: bool) -> serde_json::Value {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "check": finding.check,
                "severity": name(finding.severity),
                "message": finding.message,
                "mend": finding.mend,
                "fixed": finding.fixed,
            })
        })
        .collect();
    json!({
        "db": runstone_db::masked(&args.db.url),
        "ok": !ill,
        "schema_version": report.version,
        "bytes": report.bytes,
        "findings": findings,
        "connection": connection(&report.health),
    })
}

fn text(report: &Report) -> String {
    let paint = Paint::stdout();
    let mut text = String::new();
    for finding in &report.findings {
        let severity = match finding.severity {
            Severity::Note => paint.dim("note"),
            Severity::Warning => paint.yellow("warning"),
            Severity::Error => paint.red("error"),
        };
        let then = match &finding.fixed {
            Some(fixed) => format!("{}: {}", paint.green("fixed"), plain(fixed)),
            None => format!("mend: {}", finding.mend),
        };
        text.push_str(&format!(
            "{severity}: {}: {}\n  {then}\n",
            finding.check,
            plain(&finding.message),
        ));
    }
    let mut size = String::new();
    if let Some(bytes) = report.bytes {
        size.push_str(&format!("; {:.1} MiB", bytes as f64 / f64::from(1 << 20)));
    }
    if let Some(version) = report.version {
        size.push_str(&format!(", schema version {version}"));
    }
    let found = report.findings.len() as u64;
    let fixed = report.findings.iter().filter(|one| one.fixed.is_some());
    text.push_str(&match (found, fixed.count()) {
        (0, _) => format!("{} nothing is wrong{size}\n", paint.green("✓")),
        (some, 0) => format!("{}{size}\n", count(some, "finding")),
        (some, fixed) => format!("{}, {fixed} fixed{size}\n", count(some, "finding")),
    });
    text
}
