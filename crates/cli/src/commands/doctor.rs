//! `runstone doctor`: what is damaged, missing or stuck in a database.
use runstone_engine::{Clock as _, Options, SystemClock};
use runstone_model::time::Timestamp;
use runstone_store::{Finding, Severity, SqlStore};
use serde_json::json;

use crate::{
    args::DoctorArgs,
    exit::Exit,
    open,
    print::{self, count, paint::Paint, plain},
};

pub(super) async fn run(args: DoctorArgs) -> anyhow::Result<Exit> {
    let store = open::to_look(&args.db).await?;
    let examined = examine(&store).await;
    store.close().await;
    let (findings, bytes, version) = examined?;
    let ill = findings
        .iter()
        .any(|finding| finding.severity != Severity::Note);
    if args.json {
        let list: Vec<_> = findings
            .iter()
            .map(|finding| {
                json!({
                    "check": finding.check,
                    "severity": name(finding.severity),
                    "message": finding.message,
                    "mend": finding.mend,
                })
            })
            .collect();
        let db = runstone_db::masked(&args.db.url);
        print::json(&json!({
            "db": db,
            "ok": !ill,
            "schema_version": version,
            "bytes": bytes,
            "findings": list,
        }))?;
    } else {
        print::out(&text(&findings, bytes, version))?;
    }
    Ok(if ill { Exit::Failed } else { Exit::Ok })
}

async fn examine(store: &SqlStore) -> anyhow::Result<(Vec<Finding>, u64, u32)> {
    let lease = i64::try_from(Options::default().lease.as_micros()).unwrap_or(i64::MAX);
    let expired = Timestamp(SystemClock.now().0.saturating_sub(lease));
    let findings = store.doctor(expired).await?;
    Ok((
        findings,
        store.storage_bytes().await?,
        store.schema_version().await?,
    ))
}

fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn text(findings: &[Finding], bytes: u64, version: u32) -> String {
    let paint = Paint::stdout();
    let mut text = String::new();
    for finding in findings {
        let severity = match finding.severity {
            Severity::Note => paint.dim("note"),
            Severity::Warning => paint.yellow("warning"),
            Severity::Error => paint.red("error"),
        };
        text.push_str(&format!(
            "{severity}: {}: {}\n  mend: {}\n",
            finding.check,
            plain(&finding.message),
            finding.mend
        ));
    }
    let size = format!(
        "{:.1} MiB, schema version {version}",
        bytes as f64 / f64::from(1 << 20)
    );
    text.push_str(&match findings.len() {
        0 => format!("{} nothing is wrong; {size}\n", paint.green("✓")),
        some => format!("{}; {size}\n", count(some as u64, "finding")),
    });
    text
}
