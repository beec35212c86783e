//! How a command that cannot do its work says so: the place, the reason, the way to mend it, on
//! stderr; with `--json` as one document on stdout too.
use std::process::ExitCode;

use serde_json::json;

use super::{note, paint::Paint, plain, problem};
use crate::{
    exit::Exit,
    trouble::{BadFlow, Trouble},
};

/// Prints what went wrong.
pub(crate) fn report(error: &anyhow::Error, json: bool) -> ExitCode {
    let paint = Paint::stderr();
    let heading = paint.red("error");
    let document = if let Some(bad) = error.downcast_ref::<BadFlow>() {
        let lines: Vec<&str> = bad.text.lines().collect();
        for one in &bad.problems.0 {
            note(&problem::shown(&bad.file, &lines, one, &heading, paint));
        }
        let found = super::count(bad.problems.0.len() as u64, "problem");
        note(&format!(
            "{heading}: {}: {found} in the flow",
            plain(&bad.file)
        ));
        json!({"message": bad.to_string(), "place": bad.file, "problems": bad.problems})
    } else if let Some(trouble) = error.downcast_ref::<Trouble>() {
        note(&shown(trouble, &heading));
        json!({
            "message": trouble.reason,
            "place": trouble.place,
            "details": trouble.details,
            "mend": trouble.mend,
        })
    } else {
        let message = format!("{error:#}");
        note(&format!("{heading}: {}", plain(&message)));
        json!({"message": message})
    };
    if json {
        // There is nobody left to tell when stdout is broken.
        let _ = super::json(&json!({"error": document}));
    }
    Exit::Usage.into()
}

fn shown(trouble: &Trouble, heading: &str) -> String {
    let mut text = format!("{heading}: {}", plain(&trouble.to_string()));
    for detail in &trouble.details {
        text.push_str("\n  ");
        text.push_str(&plain(detail));
    }
    if !trouble.mend.is_empty() {
        text.push_str("\n  mend: ");
        text.push_str(&trouble.mend);
    }
    text
}
