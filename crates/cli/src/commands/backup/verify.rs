//! `runstone backup verify`: reads archives to their ends and tells what is wrong with each.
use std::sync::Arc;

use runstone_store::backup::{
    Archive, BackupError, Meter, Verified,
    archive::{Passphrase, Section},
    verify,
};
use serde_json::{Value, json};

use super::trouble;
use crate::{
    archives::{self, Found},
    args::BackupVerifyArgs,
    exit::Exit,
    print::{self, count, duration, note, paint::Paint, plain},
    progress::copying::{bytes, watched},
    signals::Signals,
};

pub(super) async fn run(args: BackupVerifyArgs) -> anyhow::Result<Exit> {
    let passphrase = archives::passphrase(&args.secret)?;
    let mut found = Found::look(&args.archives, &args.s3).await?;
    let mut signals = Signals::listen()?;
    let mut documents = Vec::new();
    let mut ill = false;
    let mut unreadable = None;
    for (name, error) in std::mem::take(&mut found.bad) {
        let damage = matches!(&error, BackupError::Archive { error, .. } if error.is_damage());
        if !damage {
            return Err(trouble(error, None).into());
        }
        ill = true;
        documents.push(tell(&name, &Err(reason(error)), args.json)?);
    }
    for (name, why) in std::mem::take(&mut found.others) {
        ill = true;
        documents.push(tell(&name, &Err(why), args.json)?);
    }
    for archive in std::mem::take(&mut found.asked) {
        let name = archive.path.display().to_string();
        let done = one(
            &archive,
            &found,
            passphrase.as_ref(),
            args.quiet,
            &mut signals,
        )
        .await?;
        let done = match done {
            Ok(verified) => {
                ill |= !verified.problems.is_empty();
                Ok(verified)
            }
            Err(BackupError::Stopped) => return Ok(Exit::Unfinished),
            Err(BackupError::Archive { error, file }) if !error.is_damage() => {
                // The others can still be told.
                unreadable = Some(trouble(BackupError::Archive { error, file }, None));
                continue;
            }
            Err(error) => {
                ill = true;
                Err(reason(error))
            }
        };
        documents.push(tell(&name, &done, args.json)?);
    }
    if args.json {
        let ok = !ill && unreadable.is_none();
        print::json(&json!({"ok": ok, "archives": documents}))?;
    }
    if let Some(trouble) = unreadable {
        return Err(trouble.into());
    }
    Ok(if ill { Exit::Failed } else { Exit::Ok })
}

async fn one(
    archive: &Archive,
    found: &Found,
    passphrase: Option<&Passphrase>,
    quiet: bool,
    signals: &mut Signals,
) -> anyhow::Result<Result<Verified, BackupError>> {
    let (local, _temporary) = found.local(archive).await?;
    let parent = archive.header.parent;
    let parent = parent.and_then(|id| found.known.iter().find(|one| one.header.id == id));
    let (parent, _temporary) = match parent {
        Some(parent) => {
            let (parent, temporary) = found.local(parent).await?;
            (Some(parent), temporary)
        }
        None => (None, None),
    };
    if archive.header.parent.is_some() && parent.is_none() && !quiet {
        note(&format!(
            "note: {} is an increment and its parent is not here; whether they fit is not checked",
            plain(&archive.path.display().to_string())
        ));
    }
    let meter = Arc::new(Meter::default());
    let (counting, passphrase) = (Arc::clone(&meter), passphrase.cloned());
    let work = tokio::task::spawn_blocking(move || {
        verify(&local, parent.as_ref(), passphrase.as_ref(), &counting)
    });
    Ok(watched("verify", &meter, quiet, signals, work).await?)
}

fn reason(error: BackupError) -> String {
    match error {
        BackupError::Archive { error, .. } => error.to_string(),
        other => other.to_string(),
    }
}

/// Tells one archive; answers its part of the JSON document.
fn tell(name: &str, done: &Result<Verified, String>, json: bool) -> anyhow::Result<Value> {
    let paint = Paint::stdout();
    let (document, text) = match done {
        Err(reason) => (
            json!({"archive": name, "ok": false, "problems": [reason]}),
            format!("{} {}: {}\n", paint.red("✗"), plain(name), plain(reason)),
        ),
        Ok(verified) => {
            let ok = verified.problems.is_empty();
            let mark = match ok {
                true => paint.green("✓"),
                false => paint.red("✗"),
            };
            let mut text = format!("{mark} {}: {}\n", plain(name), summary(verified));
            for problem in &verified.problems {
                text.push_str(&format!("  {}\n", plain(problem)));
            }
            (document(name, verified), text)
        }
    };
    if !json {
        print::out(&text)?;
    }
    Ok(document)
}

fn document(name: &str, verified: &Verified) -> Value {
    json!({
        "archive": name,
        "ok": verified.problems.is_empty(),
        "id": verified.header.id,
        "parent": verified.header.parent,
        "created_at": duration::rfc3339(runstone_model::time::Timestamp(verified.header.created_at)),
        "source": verified.header.source,
        "bytes": verified.bytes,
        "rows": verified.trailer.rows,
        "unfinished": verified.unfinished,
        "problems": verified.problems,
    })
}

/// `full, 12 runs (3 unfinished), 2 of them in it, 340 journal rows, 1.2 MiB`.
pub(in crate::commands) fn summary(verified: &Verified) -> String {
    let rows = |section| verified.trailer.count(section);
    let kind = match verified.header.parent {
        None => "full".to_owned(),
        Some(_) => format!("incremental, {} new", count(rows(Section::Runs), "run")),
    };
    format!(
        "{kind}, {} ({} unfinished), {}, {}, {}",
        count(rows(Section::RunIds), "run"),
        verified.unfinished,
        count(rows(Section::Journal), "journal row"),
        count(rows(Section::BlobHashes), "stored value"),
        bytes(verified.bytes)
    )
}
