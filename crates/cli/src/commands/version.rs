//! `runstone version`: what this binary is.
use serde_json::json;

use crate::{args::VersionArgs, exit::Exit, open, print};

pub(super) fn run(args: &VersionArgs) -> anyhow::Result<Exit> {
    let version = env!("CARGO_PKG_VERSION");
    if args.json {
        let registry = open::registry(None)?;
        let kinds: Vec<_> = registry.specs().map(|spec| spec.name).collect();
        print::json(&json!({"version": version, "node_kinds": kinds}))?;
    } else {
        print::out(&format!("runstone {version}\n"))?;
    }
    Ok(Exit::Ok)
}
