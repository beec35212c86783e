//! `runstone validate`: every problem and every warning of every file.
use std::path::Path;

use runstone_engine::Registry;
use runstone_model::problem::Problem;
use serde::Serialize;

use crate::{
    args::ValidateArgs,
    exit::Exit,
    open,
    print::{self, count, paint::Paint, problem},
    read,
    trouble::{BadFlow, Trouble},
};

#[derive(Serialize)]
struct Document {
    valid: bool,
    files: Vec<Checked>,
}

#[derive(Serialize)]
struct Checked {
    file: String,
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    /// Why the file could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
    #[serde(skip)]
    text: String,
    #[serde(skip)]
    mend: String,
    #[serde(skip)]
    nodes: u64,
}

pub(super) fn run(args: &ValidateArgs) -> anyhow::Result<Exit> {
    let registry = open::registry(None)?;
    let files = args.flows.iter().map(|path| check(path, &registry));
    let files = files.collect::<anyhow::Result<Vec<Checked>>>()?;
    let valid = files.iter().all(|file| file.valid);
    if args.json {
        print::json(&Document { valid, files })?;
    } else {
        let paint = Paint::stdout();
        print::out(
            &files
                .iter()
                .map(|file| file.shown(paint))
                .collect::<String>(),
        )?;
    }
    Ok(if valid { Exit::Ok } else { Exit::Usage })
}

fn check(path: &Path, registry: &Registry) -> anyhow::Result<Checked> {
    let mut checked = Checked {
        file: path.display().to_string(),
        valid: false,
        name: None,
        problems: Vec::new(),
        warnings: Vec::new(),
        unreadable: None,
        text: String::new(),
        mend: String::new(),
        nodes: 0,
    };
    match read::flow::flow(path, registry) {
        Ok(read) => {
            checked.valid = true;
            checked.nodes = read.flow.nodes.len() as u64;
            checked.name = Some(read.flow.name);
            checked.warnings = read.flow.warnings;
            checked.text = read.text;
        }
        Err(error) => match error.downcast::<BadFlow>() {
            Ok(bad) => {
                checked.problems = bad.problems.0;
                checked.text = bad.text;
            }
            Err(error) => {
                let trouble = error.downcast::<Trouble>()?;
                checked.unreadable = Some(trouble.reason);
                checked.mend = trouble.mend;
            }
        },
    }
    Ok(checked)
}

impl Checked {
    fn shown(&self, paint: Paint) -> String {
        let file = print::plain(&self.file);
        if let Some(reason) = &self.unreadable {
            let reason = print::plain(reason);
            return format!(
                "{file}: {}: {reason}\n  mend: {}\n",
                paint.red("error"),
                self.mend
            );
        }
        let mut text = String::new();
        let lines: Vec<&str> = self.text.lines().collect();
        for (list, kind) in [
            (&self.problems, paint.red("error")),
            (&self.warnings, paint.yellow("warning")),
        ] {
            for one in list {
                text.push_str(&problem::shown(&self.file, &lines, one, &kind, paint));
                text.push('\n');
            }
        }
        let mut found = match self.problems.len() {
            0 => format!("valid, {}", count(self.nodes, "node")),
            some => count(some as u64, "problem"),
        };
        if !self.warnings.is_empty() {
            found.push_str(&format!(
                ", {}",
                count(self.warnings.len() as u64, "warning")
            ));
        }
        let mark = if self.valid {
            paint.green("✓")
        } else {
            paint.red("✗")
        };
        text.push_str(&format!("{mark} {file}: {found}\n"));
        text
    }
}
