//! `runstone doctor`: what is damaged, missing or stuck in a database.
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
    let heard_since = open::heard_since(&args.db, args.engine.lease);
    let examined = examine(&store, heard_since).await;
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

async fn examine(
    store: &SqlStore,
    heard_since: Timestamp,
) -> anyhow::Result<(Vec<Finding>, Option<u64>, Option<u32>)> {
    let findings = store.doctor(heard_since).await?;
    let (bytes, version) = (store.storage_bytes().await, store.schema_version().await);
    if findings.iter().any(|found| found.check == "integrity") {
        // A damaged file may not even tell its size.
        return Ok((findings, bytes.ok(), version.ok()));
    }
    Ok((findings, Some(bytes?), Some(version?)))
}

fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn text(findings: &[Finding], bytes: Option<u64>, version: Option<u32>) -> String {
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
    let mut size = String::new();
    if let Some(bytes) = bytes {
        size.push_str(&format!("; {:.1} MiB", bytes as f64 / f64::from(1 << 20)));
    }
    if let Some(version) = version {
        size.push_str(&format!(", schema version {version}"));
    }
    text.push_str(&match findings.len() {
        0 => format!("{} nothing is wrong{size}\n", paint.green("✓")),
        some => format!("{}{size}\n", count(some as u64, "finding")),
    });
    text
}
