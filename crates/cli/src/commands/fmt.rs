//! `runstone fmt`: the one layout for flow files, in place. A file is replaced as a whole or not at
//! all.
use std::{fs, io::Write as _, path::Path};

use anyhow::Context as _;
use runstone_model::flow;

use crate::{args::FmtArgs, exit::Exit, print, read, trouble::BadFlow};

pub(super) fn run(args: &FmtArgs) -> anyhow::Result<Exit> {
    let mut refused = None;
    let mut different = false;
    for path in &args.flows {
        match one(path, args.check) {
            Ok(changed) => different |= changed,
            Err(error) if args.flows.len() == 1 => return Err(error),
            Err(error) => {
                // The other files still get their layout.
                if let Some(earlier) = refused.replace(error) {
                    print::error::report(&earlier, false);
                }
            }
        }
    }
    match refused {
        Some(error) => Err(error),
        None if args.check && different => Ok(Exit::Failed),
        None => Ok(Exit::Ok),
    }
}

/// Lays out one file; whether it was laid out differently before.
fn one(path: &Path, check: bool) -> anyhow::Result<bool> {
    let text = read::flow::text(path)?;
    let file = path.display().to_string();
    let formatted = match flow::format(&text) {
        Ok(formatted) => formatted,
        Err(problems) => {
            return Err(BadFlow {
                file,
                text,
                problems,
            }
            .into());
        }
    };
    if formatted == text {
        return Ok(false);
    }
    if check {
        print::out(&format!(
            "{}: would be laid out differently\n",
            print::plain(&file)
        ))?;
    } else {
        replace(path, &formatted).with_context(|| format!("{file}: cannot be written"))?;
        print::out(&format!("{}: laid out\n", print::plain(&file)))?;
    }
    Ok(true)
}

/// Writes a new file beside the old one and puts it in its place. A link keeps leading to it.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let path = fs::canonicalize(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".runstone-fmt-")
        .tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file()
        .set_permissions(fs::metadata(&path)?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}
