//! `cargo xtask demo`: reviews a real source file with the example flow, and shows the run.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::{cargo, root, run, target_dir};

const FLOW: &str = "examples/code_review/flow.yaml";
/// The first that is there: the sample shows the loop at work, the other is always there.
const SOURCES: [&str; 2] = ["examples/code_review/sample.py", "xtask/src/process.rs"];

pub(crate) fn demo(args: &[String]) -> Result<()> {
    let root = root()?;
    let source = match args {
        [] => SOURCES
            .iter()
            .find(|path| root.join(path).is_file())
            .copied()
            .unwrap_or(SOURCES[1]),
        [one] => one,
        _ => bail!("demo takes one source file at most"),
    };
    run(&mut cargo(&["build", "--locked", "--package", "runstone"])?)?;
    let runstone = target_dir()?.join("debug/runstone");
    let folder = tempfile::Builder::new()
        .prefix("runstone-demo-")
        .tempdir()?
        .keep();
    let db = format!("sqlite:{}", folder.join("demo.db").display());
    let command = |args: &[&str]| {
        let mut command = Command::new(&runstone);
        command.args(args).args(["--db", &db]).current_dir(&root);
        command
    };

    println!("\nReviewing {source} with {FLOW}\n");
    let path = format!("path={source}");
    let run_id = review(&mut command(&["run", FLOW, "--set", &path, "--json"]))?;
    println!();
    run(&mut command(&["show", &run_id, "--graph", "--steps"]))?;
    println!("\nLook at it again:\n");
    let shown = shown(&runstone);
    println!("  {shown} show {run_id} --graph --steps --db {db}");
    println!("  {shown} show {run_id} --steps --json --db {db}");
    println!("  {shown} runs --db {db}");
    println!("  {shown} run {FLOW} --set path=<another file or folder> --db {db}");
    Ok(())
}

/// Runs the flow with its live progress on our stderr; the run's id is in the JSON on stdout.
fn review(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .context("could not start runstone")?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("the review ended with {}\n{text}", output.status);
    }
    let result: Value = serde_json::from_str(&text).context("runstone printed no JSON")?;
    println!("\nstatus      {}", result["status"].as_str().unwrap_or("?"));
    println!("steps       {}", result["steps"]);
    print_output(&result["output"]);
    Ok(result["run_id"]
        .as_str()
        .context("runstone named no run_id")?
        .to_owned())
}

/// Short values on a line each, texts as they are; lists are left to `show`.
fn print_output(output: &Value) {
    let mut texts = Vec::new();
    for (name, value) in output.as_object().into_iter().flatten() {
        match value {
            Value::String(text) if text.contains('\n') => texts.push(text),
            Value::String(text) => println!("{name:11} {text}"),
            Value::Array(items) => println!("{name:11} {} in a list", items.len()),
            other => println!("{name:11} {other}"),
        }
    }
    for text in texts {
        println!("\n{}", text.trim_end());
    }
}

/// A program below the current folder is named as a person would type it.
fn shown(program: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    program
        .strip_prefix(here)
        .unwrap_or(program)
        .display()
        .to_string()
}
