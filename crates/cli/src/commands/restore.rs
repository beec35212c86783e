//! `runstone restore`: puts an archive, with those it is an increment to, into an empty database.
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use runstone_engine::{Clock as _, SystemClock};
use runstone_store::backup::{
    Archive, BackupError, Meter, Restore, Restored, chain, newest_at, restore,
};
use serde_json::json;

use super::backup::trouble;
use crate::{
    archives::{self, Found},
    args::RestoreArgs,
    exit::Exit,
    print::{self, count, duration, note, plain},
    progress::copying::watched,
    signals::Signals,
    trouble::Trouble,
};

pub(super) async fn run(args: RestoreArgs) -> anyhow::Result<Exit> {
    let passphrase = archives::passphrase(&args.secret)?;
    let found = Found::look(&args.archives, &args.s3).await?;
    let newest = wanted(&args, &found)?;
    let wanted = chain(newest.header.id, &found.known).map_err(|e| trouble(e, None))?;
    let mut signals = Signals::listen()?;
    let (mut chain, mut temporary) = (Vec::new(), Vec::new());
    for archive in &wanted {
        let (archive, file) = found.local(archive).await?;
        chain.push(archive);
        temporary.push(file);
    }
    let request = Restore {
        url: args.db.url.clone(),
        chain,
        passphrase,
        who: "runstone restore".to_owned(),
        clock: Arc::new(|| SystemClock.now()),
    };
    let meter = Arc::new(Meter::default());
    let quiet = args.quiet;
    let writes = AtomicBool::new(false);
    let began = || {
        writes.store(true, Ordering::Relaxed);
        if !quiet {
            note("  the archives are whole; restoring");
        }
    };
    let work = restore(request, &meter, began);
    let done = watched("restore", &meter, quiet, &mut signals, work).await;
    match done {
        Ok(restored) => {
            tell(&args, &newest, &wanted, &restored)?;
            Ok(Exit::Ok)
        }
        Err(BackupError::Stopped) => {
            note(match writes.load(Ordering::Relaxed) {
                true => "stopped; the database cannot be used until it is restored into again",
                false => "stopped; the database was not touched",
            });
            Ok(Exit::Unfinished)
        }
        Err(error) => Err(trouble(error, Some(&args.db)).into()),
    }
}

/// The archive whose state is wanted.
fn wanted(args: &RestoreArgs, found: &Found) -> Result<Archive, Trouble> {
    if let Some((name, error)) = found.bad.first() {
        let error = match error {
            BackupError::Archive { error, .. } => error.to_string(),
            other => other.to_string(),
        };
        return Err(Trouble::at(name, error).mend("name another archive"));
    }
    let from = if found.named.is_empty() || args.at.is_some() {
        &found.known
    } else {
        &found.named
    };
    let newest = newest_at(from, args.at).cloned().ok_or_else(|| {
        let place = args.archives.join(" ");
        match args.at {
            None => Trouble::at(place, "there is no archive"),
            Some(at) => {
                let reason = format!("no archive is from {} or before", duration::date(at));
                let mend = "`runstone backup list` tells what there is";
                Trouble::at(place, reason).mend(mend)
            }
        }
    })?;
    // Who names several archives means one chain.
    let ids = chain(newest.header.id, &found.known).unwrap_or_default();
    let stray = found.named.iter().find(|archive| {
        args.at.is_none()
            && !ids.is_empty()
            && !ids.iter().any(|one| one.header.id == archive.header.id)
    });
    match stray {
        None => Ok(newest),
        Some(stray) => {
            let reason = format!("{} is no increment to it", newest.path.display());
            Err(Trouble::at(stray.path.display().to_string(), reason)
                .mend("name the archives of one chain; `runstone backup list` shows them"))
        }
    }
}

fn tell(
    args: &RestoreArgs,
    newest: &Archive,
    chain: &[Archive],
    restored: &Restored,
) -> anyhow::Result<()> {
    let db = runstone_db::masked(&args.db.url);
    let problems = &restored.newest.problems;
    if args.json {
        let archives: Vec<_> = chain.iter().map(|archive| &archive.path).collect();
        return print::json(&json!({
            "db": db,
            "archives": archives,
            "id": newest.header.id,
            "taken_at": duration::rfc3339(newest.created_at()),
            "source": newest.header.source,
            "runs": restored.runs,
            "unfinished": restored.newest.unfinished,
            "flows": restored.flows,
            "flow_versions": restored.versions,
            "stored_values": restored.blobs,
            "problems": problems,
        }));
    }
    for problem in problems {
        note(&format!(
            "warning: the archive holds damage: {}",
            plain(problem)
        ));
    }
    let mut text = format!(
        "{db}: {} of {}, as of {}\n",
        count(restored.runs, "run"),
        count(restored.flows, "flow"),
        duration::date(newest.created_at())
    );
    if restored.newest.unfinished > 0 {
        text.push_str(&format!(
            "  {} not finished; go on with: runstone resume --all\n",
            match restored.newest.unfinished {
                1 => "1 is".to_owned(),
                some => format!("{some} are"),
            }
        ));
    }
    print::out(&text)
}
