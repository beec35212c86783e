//! Every file under `examples/` is a valid flow for the kinds of this crate.
use std::{fs, path::PathBuf};

use runstone_engine::Registry;
use runstone_model::flow::Flow;
use runstone_nodes::{Builtin, builtin};

use super::repository;

fn flows() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![repository().join("examples")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "yaml") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn every_example_is_a_valid_flow() {
    let mut kinds = Registry::new();
    kinds.extend(builtin(Builtin::default()));
    let flows = flows();
    assert!(flows.len() >= 6, "{flows:?}");
    for path in flows {
        let text = fs::read_to_string(&path).unwrap();
        match Flow::parse(&text, &kinds) {
            Ok(flow) => {
                assert!(
                    flow.warnings.is_empty(),
                    "{}: {:#?}",
                    path.display(),
                    flow.warnings
                );
                let head = text.lines().next().unwrap_or_default();
                assert!(
                    head.starts_with("# "),
                    "{}: no comment head",
                    path.display()
                );
                assert!(
                    text.contains("runstone run examples/"),
                    "{}",
                    path.display()
                );
            }
            Err(problems) => panic!("{}: {problems:#?}", path.display()),
        }
    }
}
